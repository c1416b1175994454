"""A certificate authority for tests: a root, one between, and what a service needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
DAY = timedelta(days=1)


class Authority:
    def __init__(self) -> None:
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root, between = _name("Root of tests"), _name("Between of tests")
        self.root = _issued(root, root, self._root_key, self._root_key, authority=True)
        self._between = _issued(between, root, self._key, self._root_key, authority=True)

    @property
    def trusted(self) -> bytes:
        """The root, as PEM."""
        return self.root.public_bytes(Encoding.PEM)

    def certificate(self, key: Key, domain: str, *, days: tuple[int, int] = (-1, 90)) -> bytes:
        own = _issued(_name(domain), self._between.subject, key, self._key, domain=domain, days=days)
        return own.public_bytes(Encoding.PEM) + self._between.public_bytes(Encoding.PEM)

    def equip(self, folder: Path, domain: str, key: Key | None = None) -> None:
        """`opendsr.key` and `opendsr.pem` there."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        write_key(folder / "opendsr.key", key)
        (folder / "opendsr.pem").write_bytes(self.certificate(key, domain))


def write_key(path: Path, key: Key) -> None:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def self_signed(key: Key, domain: str) -> bytes:
    return _issued(_name(domain), _name(domain), key, key, domain=domain).public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _issued(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    by: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    authority: bool = False,
    domain: str = "",
    days: tuple[int, int] = (-1, 90),
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = made.add_extension(usage, critical=True)
    else:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(by, SHA256())
