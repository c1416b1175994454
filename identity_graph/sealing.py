"""Files that only a key opens, in the format of age: it finds every byte that was changed, moved or left out.

A key file is as `age-keygen` writes one. By a passphrase is sealed what age would have in a key file: a secret key for
this file alone, in front of it.
"""

from __future__ import annotations

import secrets
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pyrage.x25519 import Identity, Recipient

from identity_graph.errors import InputError, SettingError
from identity_graph.secret_file import create_secret, read_secret

_SECRET = "AGE-SECRET-KEY-1"
_PUBLIC = "age1"
_FRONT = b"identity-graph sealed by passphrase, scrypt 17 8 1, AES-256-GCM "
_SALT, _NONCE = 16, 12  # bytes
_LONGEST_FRONT = 4_096
_LEVEL = 1  # of compression: the others take longer than storing


@dataclass(frozen=True, slots=True)
class SealKey:
    """Of a passphrase, or of a key file, which may hold the public half alone: that seals and does not open."""

    passphrase: str = ""
    place: Path | None = None

    def recipient(self) -> tuple[bytes, Recipient]:
        """What stands in front of a new file, and for whom it is sealed. Raises BACKUP_KEY."""
        if self.place is None:
            made = Identity.generate()
            salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
            wrapped = AESGCM(_derived(self.passphrase, salt)).encrypt(nonce, str(made).encode(), _FRONT)
            return _FRONT + b64encode(salt + nonce + wrapped) + b"\n", made.to_public()
        words = self._words(self.place)
        for word in words:
            if word.startswith(_SECRET):
                return b"", self._identity(word, self.place).to_public()
        for word in words:
            if word.startswith(_PUBLIC):
                try:
                    return b"", Recipient.from_str(word)
                except pyrage.RecipientError:
                    break
        raise _no_key(f"{self.place} is no key of age")

    def identity(self, file: IO[bytes]) -> Identity:
        """That opens this file, which is then behind what stands in front of it. Raises BACKUP_KEY and
        BACKUP_INVALID."""
        front = file.readline(_LONGEST_FRONT)
        if front.startswith(_FRONT):
            if self.place is not None or not self.passphrase:
                raise _no_key("it was sealed by a passphrase")
            return self._unwrapped(front)
        file.seek(0)
        if self.place is None:
            raise _no_key("it was not sealed by a passphrase")
        for word in self._words(self.place):
            if word.startswith(_SECRET):
                return self._identity(word, self.place)
        raise _no_key(f"{self.place} has no secret key")

    def make(self) -> bool:
        """Where the key file is not there yet, make it; whether it was made. Raises BACKUP_KEY."""
        if self.place is None or self.place.exists():
            return False
        made = Identity.generate()
        try:
            create_secret(self.place, f"# public key: {made.to_public()}\n{made}\n".encode())
        except OSError as error:
            raise _no_key(f"{self.place}: {error.strerror}") from error
        return True

    def _unwrapped(self, front: bytes) -> Identity:
        try:
            content = b64decode(front[len(_FRONT) :].rstrip(b"\n"), validate=True)
            salt, nonce, wrapped = content[:_SALT], content[_SALT : _SALT + _NONCE], content[_SALT + _NONCE :]
            return Identity.from_str(AESGCM(_derived(self.passphrase, salt)).decrypt(nonce, wrapped, _FRONT).decode())
        except (InvalidTag, ValueError, pyrage.IdentityError):
            raise _no_key("the passphrase does not open it, or its first line was changed") from None

    @staticmethod
    def _words(place: Path) -> list[str]:
        try:
            content = read_secret(place)
        except OSError as error:
            raise _no_key(f"{place}: {error.strerror}") from error
        if content is None:
            raise _no_key(f"{place} is missing")
        return [line.strip() for line in content.decode("utf-8", "replace").splitlines()]

    @staticmethod
    def _identity(word: str, place: Path) -> Identity:
        try:
            return Identity.from_str(word)
        except pyrage.IdentityError:
            raise _no_key(f"{place} is no key of age") from None


def _derived(passphrase: str, salt: bytes) -> bytes:
    """By the same work whatever the machine is doing. (What age does by itself for a passphrase it measures, and then
    will not open on a busy machine what it sealed on an idle one.)"""
    return Scrypt(salt=salt, length=32, n=1 << 17, r=8, p=1).derive(passphrase.encode("utf-8", "surrogateescape"))


def seal(parts: Iterable[bytes], file: IO[bytes], key: SealKey) -> None:
    """Compressed, then sealed; a part and a chunk are in memory at a time. Raises BACKUP_KEY, and what the parts
    raise."""
    front, recipient = key.recipient()
    file.write(front)
    pyrage.encrypt_io(_Source(_compressed(parts)), file, [recipient])


class Sealed:
    """A sealed file. The key is found once, as that takes a second of a passphrase."""

    def __init__(self, path: Path, key: SealKey) -> None:
        self.path = path
        self._key = key
        self._known: tuple[Identity, int] | None = None

    def unseal(self, take: Callable[[bytes], None]) -> None:
        """Hands out what was sealed, part by part as they come, none that was changed; only at the end is it sure that
        nothing is missing. Raises BACKUP_KEY, BACKUP_INVALID, SOURCE_MISSING, and what `take` raises."""
        out = _Unpacked(take)
        try:
            with self.path.open("rb") as file:
                if self._known is None:
                    self._known = self._key.identity(file), file.tell()
                identity, start = self._known
                file.seek(start)
                try:
                    pyrage.decrypt_io(file, out, [identity])
                except pyrage.DecryptError as error:
                    raise _no_key(f"the key does not open it, or its head was changed: {error}") from None
        except OSError as error:
            if out.failed is not None:
                raise out.failed from None
            if error.errno is None:  # not of a file, but of what is in it
                raise changed() from None
            raise InputError("SOURCE_MISSING", f"{self.path}: {error.strerror}") from error
        if not out.complete:
            raise changed()


def changed() -> InputError:
    return InputError("BACKUP_INVALID", "a part of it was changed, or is missing")


def _no_key(message: str) -> SettingError:
    return SettingError("BACKUP_KEY", message)


def _compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    for part in parts:
        yield packing.compress(part)
    yield packing.flush()


class _Source:
    """What is made bit by bit, to be read as a file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._rest = memoryview(part)
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)


class _Unpacked:
    """A file to write to that hands on what it gets. `failed`: by what the taker ended it."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._unpacking: Any = zlib.decompressobj(31)
        self.failed: BaseException | None = None

    @property
    def complete(self) -> bool:
        return bool(self._unpacking.eof) and not self._unpacking.unused_data

    def write(self, part: bytes) -> int:
        try:
            self._take(self._unpacking.decompress(part))
        except zlib.error:
            self.failed = changed()
            raise OSError from None
        except OSError as error:
            self.failed = error
            raise
        return len(part)

    def flush(self) -> None:
        """Nothing waits."""
