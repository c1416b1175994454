"""What signs answers and callbacks: a private key, and the certificate by which controllers check it (FIPS 186-4)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from identity_graph.errors import SettingError
from identity_graph.secret_file import create_secret, read_secret

LEAST = 2048  # bits of an RSA key

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Seal:
    """`certificate` is the PEM that controllers get: of the key, then of those between it and the authority.

    Raises OPENDSR_INVALID where it is self-signed, of another key or domain, or out of its time.
    """

    def __init__(self, key: Path, certificate: Path, domain: str) -> None:
        self._key = _read_key(key)
        try:
            self.certificate = certificate.read_bytes()
            own, *_ = x509.load_pem_x509_certificates(self.certificate)
        except OSError as error:
            raise wrong(f"{certificate}: {error.strerror}") from error
        except ValueError:
            raise wrong(f"{certificate} holds no certificate as PEM") from None
        if _spki(own.public_key()) != _spki(self._key.public_key()):
            raise wrong(f"{certificate} is not of the key in {key}")
        if _self_signed(own):
            raise wrong(f"{certificate} is signed by itself, and controllers take none that is")
        if domain not in _names(own):
            raise wrong(f"{certificate} is not for {domain}; and a wildcard does not do")
        now = datetime.now(UTC)
        if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
            raise wrong(f"{certificate} is good from {own.not_valid_before_utc} to {own.not_valid_after_utc} only")

    def sign(self, body: bytes) -> str:
        """Base64 of the signature of its SHA-256: RSA with the padding of PKCS #1 v1.5, or ECDSA."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(body, padding.PKCS1v15(), SHA256())
        else:
            signature = self._key.sign(body, ec.ECDSA(SHA256()))
        return base64.b64encode(signature).decode()


def signing_request(key: Path, domain: str) -> str:
    """What an authority wants to have for a certificate (PKCS #10, PEM). A key is made where there is none. Raises
    OPENDSR_INVALID."""
    try:
        if read_secret(key) is None:
            made = ec.generate_private_key(ec.SECP256R1())
            create_secret(key, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise wrong(f"{key}: {error.strerror}") from error
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, domain)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name)
    asked = asked.add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
    return asked.sign(_read_key(key), SHA256()).public_bytes(Encoding.PEM).decode()


def wrong(why: str) -> SettingError:
    return SettingError("OPENDSR_INVALID", why)


def _read_key(path: Path) -> PrivateKey:
    try:
        content = read_secret(path)
    except OSError as error:
        raise wrong(f"{path}: {error.strerror}") from error
    if content is None:
        raise wrong(f"there is no key at {path}; identity-graph opendsr csr makes one")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError):
        raise wrong(f"{path} is not the PEM of a key without a passphrase") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    ):
        return key
    raise wrong(f"{path} is neither an RSA key of {LEAST} bits or more nor one of the curves P-256, P-384 and P-521")


def _spki(key: object) -> bytes:
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)
