"""The keys of a store's tombstones: where they are kept, and which of them wrote what."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from identity_graph.errors import StoreError
from identity_graph.secret_file import create_secret, read_secret, replace_secret

VARIABLE = "IDENTITY_GRAPH_TOMBSTONE_KEY"
KEY_BYTES = 32
_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Key:
    """HMAC-SHA256 by one key. The two halves of it that depend on the key alone are made once: three times as fast as
    asking the library for each.

    >>> Key(b"k" * 32).hash(b"text").hex()[:16]
    '8d3a9f54db4f3f1e'
    """

    def __init__(self, secret: bytes) -> None:
        block = (secret if len(secret) <= _BLOCK else sha256(secret).digest()).ljust(_BLOCK, b"\0")
        self.secret = secret
        self._inner, self._outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))
        self.check = self.hash(b"check\0")
        self.id = self.hash(b"id\0")[:4]
        """Stands before what it buried, unless it was the store's first."""

    def hash(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


class Keyring:
    """The newest key comes first, and buries; the others find what they buried. They lie in a file of mode 0600 at
    `place`, one after the other (None: nowhere, for a store in memory), or in this `variable` of the environment, in
    hexadecimal, with commas or blanks between. `name` is the store's, for messages."""

    def __init__(self, name: str, place: Path | None, variable: str = VARIABLE) -> None:
        self.name = name
        self.place = place
        self.variable = variable
        self._held: list[Key] = []

    def given(self) -> list[Key]:
        """Empty where there are none yet. Raises STORE_KEY where they are not keys."""
        text = os.environ.get(self.variable)
        if text:
            return _from_text(text, self.variable)
        if self.place is None:
            return self._held
        content = self._read()
        if content is None:
            return []
        if not content or len(content) % KEY_BYTES:
            raise StoreError(
                "STORE_KEY", f"{self.place} is not of keys of {KEY_BYTES} bytes", help="Put the file back."
            )
        return [Key(content[start : start + KEY_BYTES]) for start in range(0, len(content), KEY_BYTES)]

    def checked(self, checks: Sequence[bytes]) -> tuple[Key, list[Key]]:
        """The newest, and those that made the checks, in their order; one is made where there is none and none was.
        Raises STORE_KEY where one of them is gone."""
        keys = self.given()
        if not keys:
            if checks:
                raise StoreError(
                    "STORE_KEY",
                    f"{self.place or 'the key'} is missing",
                    help=f"Put the key of this store's tombstones back, or into {self.variable}.",
                )
            keys = self._create()
        by_check = {key.check: key for key in keys}
        if not by_check.keys() >= set(checks):
            some = "a key" if by_check.keys() & set(checks) else "the key"
            raise StoreError(
                "STORE_KEY",
                f"{some} that wrote tombstones of {self.name} is not among those that are given",
                help=f"Put it back, as {self.place} or in {self.variable}: without it erased data returns.",
            )
        return keys[0], [by_check[check] for check in checks]

    def add(self) -> Key:
        """A new one before the others. Raises STORE_KEY where the environment gives them."""
        if os.environ.get(self.variable):
            raise StoreError(
                "STORE_KEY",
                f"{self.variable} has the keys, and cannot be changed from here",
                help="Put a new key of 64 hexadecimal digits before the others there, and a comma between.",
            )
        new = Key(secrets.token_bytes(KEY_BYTES))
        keys = [new, *self.given()]
        self._held = keys
        if self.place is not None:
            try:
                replace_secret(self.place, b"".join(key.secret for key in keys))
            except OSError as error:
                raise self._not_written(error) from error
        return new

    def _create(self) -> list[Key]:
        """Of several processes that come here at once one makes it."""
        if self.place is None:
            self._held = [Key(secrets.token_bytes(KEY_BYTES))]
        else:
            try:
                create_secret(self.place, secrets.token_bytes(KEY_BYTES))
            except OSError as error:
                raise self._not_written(error) from error
        return self.given()

    def _read(self) -> bytes | None:
        assert self.place is not None
        try:
            return read_secret(self.place)
        except OSError as error:
            help = "Make it readable for this user only."
            raise StoreError("STORE_KEY", f"{self.place}: {error.strerror}", help=help) from error

    def _not_written(self, error: OSError) -> StoreError:
        return StoreError("STORE_KEY", f"{self.place}: {error.strerror}", help="The store's folder must be writable.")


def _from_text(text: str, variable: str) -> list[Key]:
    try:
        keys = [bytes.fromhex(one) for one in text.replace(",", " ").split()]
    except ValueError:
        keys = []
    if not keys or min(map(len, keys)) < KEY_BYTES:
        raise StoreError(
            "STORE_KEY",
            f"{variable} is not of keys of {KEY_BYTES} bytes",
            help="Write 64 hexadecimal digits for each, the newest first, with commas between.",
        )
    return [Key(key) for key in keys]
