"""Keyed hashes of what was erased. Without the key they say nothing; a plain hash of an e-mail can be guessed."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from typing import Protocol

import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Identifier
from identity_graph.secret_file import create_secret, read_secret
from identity_graph.tables import Bool

VARIABLE = "IDENTITY_GRAPH_TOMBSTONE_KEY"
KEY_BYTES = 32
_CHECK = b"check\0"


class Buried(Protocol):
    """Where a store keeps the hashes. Writing is inside a transaction."""

    def any(self) -> bool: ...

    def found(self, hashes: Sequence[bytes]) -> list[bool]: ...

    def add(self, hashes: Sequence[bytes]) -> None: ...

    def remove(self, hashes: Sequence[bytes]) -> None: ...

    def key_check(self) -> bytes | None:
        """What `keep_key_check` was given first."""
        ...

    def keep_key_check(self, check: bytes) -> None: ...


class Tombstones:
    """The key lies in a file of mode 0600 at `place` (None: nowhere, for a store in memory), or in this `variable` of
    the environment, in hexadecimal. `name` is the store's, for messages."""

    def __init__(self, buried: Buried, name: str, place: Path | None, variable: str = VARIABLE) -> None:
        self._buried = buried
        self._name = name
        self.place = place
        self._variable = variable
        self._key: bytes | None = None
        self._fresh: list[bytes] = []
        self._released: list[bytes] = []

    def any(self) -> bool:
        return self._buried.any()

    def of_identifiers(self, identifiers: Sequence[tuple[str, str]]) -> list[bool]:
        if not identifiers or not self.any():
            return [False] * len(identifiers)
        return self._found([_identifier(*identifier) for identifier in identifiers])

    def of_events(self, events: EventTable) -> Bool:
        """Whether the id of each, or an identifier that it saw or stated, is buried."""
        named = np.array(self.of_identifiers(events.named), dtype=bool)
        gone = np.array(self._found([_event(id) for id in events.ids]), dtype=bool)
        gone[np.repeat(np.arange(len(events)), events.lengths)[named[events.seen]]] = True
        for place, a, b, _ in events.stated:
            gone[place] |= named[a] | named[b]
        return gone

    def of_records(self, records: Sequence[bytes]) -> list[bool]:
        return self._found([_record(record) for record in records])

    def bury(self, *, event_ids: Iterable[str], identifiers: Iterable[Identifier], records: Iterable[bytes]) -> None:
        """Inside a transaction."""
        texts = [*map(_event, event_ids), *starmap(_identifier, identifiers), *map(_record, records)]
        if texts:
            self._buried.keep_key_check(self.keyed_hash(_CHECK))
            hashes = [self.keyed_hash(text) for text in texts]
            self._buried.add(hashes)
            self._fresh += hashes

    def take_fresh(self) -> tuple[list[bytes], list[bytes]]:
        """What was buried here, and released, since this was last asked, committed or not."""
        fresh, released = self._fresh, self._released
        self._fresh, self._released = [], []
        return fresh, released

    def release(self, identifiers: Sequence[Identifier]) -> list[bool]:
        """Let them come back, and say which were buried; inside a transaction. Their events' ids stay buried."""
        found = self.of_identifiers(identifiers)
        texts = [_identifier(*one) for one, buried in zip(identifiers, found, strict=True) if buried]
        if texts:
            hashes = [self.keyed_hash(text) for text in texts]
            self._buried.remove(hashes)
            self._released += hashes
        return found

    def _found(self, texts: Sequence[bytes]) -> list[bool]:
        return self._buried.found([self.keyed_hash(text) for text in texts]) if texts else []

    # ---- the key

    def keyed_hash(self, text: bytes) -> bytes:
        """HMAC-SHA256. Raises STORE_KEY where there are tombstones and their key is gone."""
        if self._key is None:
            key = self._from_environment() or self._from_file()
            written = self._buried.key_check()
            if written is not None and written != hmac.digest(key, _CHECK, sha256):
                raise StoreError(
                    "STORE_KEY",
                    f"the key is not the one that wrote the tombstones of {self._name}",
                    help=f"Put that key back, as {self.place} or in {self._variable}:"
                    " with another one erased data returns.",
                )
            self._key = key
        return hmac.digest(self._key, text, sha256)

    def has_key(self, check: bytes) -> bool:
        """Whether there is a key here and it made this check; none is made. Raises STORE_KEY for another one."""
        key = self._key or self._from_environment() or (None if self.place is None else self._read(self.place))
        if key is None:
            return False
        if check != hmac.digest(key, _CHECK, sha256):
            raise StoreError(
                "STORE_KEY",
                f"{self._name} has another key of tombstones than the store that is to be copied into it",
                help=f"Put the key of that store in its place, as {self.place} or in {self._variable}.",
            )
        return True

    def _from_environment(self) -> bytes | None:
        text = os.environ.get(self._variable)
        if not text:
            return None
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) < KEY_BYTES:
            raise StoreError(
                "STORE_KEY", f"{self._variable} is not {KEY_BYTES} bytes", help="Write 64 hexadecimal digits."
            )
        return key

    def _from_file(self) -> bytes:
        if self.place is None:
            return secrets.token_bytes(KEY_BYTES)
        key = self._read(self.place)
        if key is None:
            if self.any():
                raise StoreError(
                    "STORE_KEY",
                    f"{self.place} is missing",
                    help=f"Put the key of this store's tombstones back, or into {self._variable}.",
                )
            self._create(self.place)
            key = self._read(self.place)
        if key is None or len(key) != KEY_BYTES:
            raise StoreError("STORE_KEY", f"{self.place} is not a key of {KEY_BYTES} bytes", help="Put the key back.")
        return key

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return read_secret(path)
        except OSError as error:
            raise StoreError(
                "STORE_KEY", f"{path}: {error.strerror}", help="Make it readable for this user only."
            ) from error

    @staticmethod
    def _create(path: Path) -> None:
        try:
            create_secret(path, secrets.token_bytes(KEY_BYTES))
        except OSError as error:
            raise StoreError(
                "STORE_KEY", f"{path}: {error.strerror}", help="The store's folder must be writable."
            ) from error


# The kinds are kept apart, so that an event id can never bury an identifier. A namespace holds no NUL.


def _event(id: str) -> bytes:
    return b"event\0" + id.encode("utf-8", "surrogatepass")


def _identifier(namespace: str, value: str) -> bytes:
    return f"identifier\0{namespace}\0{value}".encode("utf-8", "surrogatepass")


def _record(record: bytes) -> bytes:
    return b"record\0" + record
