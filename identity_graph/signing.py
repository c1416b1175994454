"""Documents that anybody can check who has the public key: Ed25519 (RFC 8032) over their JSON."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from identity_graph.errors import InputError, SettingError
from identity_graph.secret_file import create_secret, read_secret, user_folder

SIGNATURE, KEY = "signature", "key"


class Signer:
    """The private key in a PEM file, read when the first document is signed; made then where there is no file.

    Without `place` it is the user's, `signing.pem` in the folder of its data.
    """

    def __init__(self, place: Path | None = None) -> None:
        self.place = place or user_folder() / "signing.pem"
        self._key: Ed25519PrivateKey | None = None

    def sign(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with the name of the key, and with the signature (hexadecimal) of all that comes before it.

        Raises SIGNING_KEY.
        """
        key = self._private()
        named = {**document, KEY: name_of(key.public_key())}
        return {**named, SIGNATURE: key.sign(_canonical(named)).hex()}

    def public(self) -> bytes:
        """For those who check, as PEM. Raises SIGNING_KEY."""
        return self._private().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def keyed_hash(self, text: str) -> str:
        """Hexadecimal; by a key that follows from the private one. Raises SIGNING_KEY."""
        secret = self._private().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        key = HKDF(SHA256(), 32, salt=None, info=b"identity-graph keyed hash").derive(secret)
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def _private(self) -> Ed25519PrivateKey:
        if self._key is None:
            try:
                content = read_secret(self.place)
                if content is None:
                    create_secret(self.place, _new_key())
                    content = read_secret(self.place) or b""
            except OSError as error:
                raise SettingError("SIGNING_KEY", f"{self.place}: {error.strerror}") from error
            try:
                key = load_pem_private_key(content, None)
            except (ValueError, TypeError):
                key = None
            if not isinstance(key, Ed25519PrivateKey):
                raise SettingError("SIGNING_KEY", f"{self.place} is not the PEM of an Ed25519 key without a passphrase")
            self._key = key
        return self._key


def verify(content: bytes, public: bytes) -> dict[str, Any]:
    """The document in a file that was signed by this key (PEM). Raises SIGNATURE_INVALID if a byte of it is another,
    and SIGNING_KEY where `public` is no key."""
    try:
        key = load_pem_public_key(public)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingError("SIGNING_KEY", "that is not the PEM of an Ed25519 public key")
    try:
        document = orjson.loads(content)
    except ValueError:
        raise InputError("SIGNATURE_INVALID", "it is not JSON") from None
    # Written again it is the same bytes: so no blank and no second member is beside what was signed.
    if not isinstance(document, dict) or content != render(document):
        raise InputError("SIGNATURE_INVALID", "it is not as it was written")
    signature = document.pop(SIGNATURE, None)
    if document.get(KEY) != name_of(key):
        raise InputError("SIGNATURE_INVALID", f"it is not signed by the key {name_of(key)}")
    try:
        found = bytes.fromhex(signature)
        if found.hex() != signature:  # the same number may be written in several ways
            raise ValueError
        key.verify(found, _canonical(document))
    except (InvalidSignature, TypeError, ValueError):
        raise InputError("SIGNATURE_INVALID", "it says something else than what was signed") from None
    return document


def render(document: Mapping[str, Any]) -> bytes:
    """As a signed document is written to a file."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def name_of(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _canonical(document: Mapping[str, Any]) -> bytes:
    """No blanks; the members in the order in which they are written."""
    return orjson.dumps(document)
