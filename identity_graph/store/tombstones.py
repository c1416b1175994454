"""Keyed hashes of what was erased. Without the key they say nothing; a plain hash of an e-mail can be guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import Protocol

import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.former import FORMER, forms_of
from identity_graph.model import Identifier
from identity_graph.store.keyring import Key, Keyring
from identity_graph.tables import Bool

CHECK_BYTES = 32


class Buried(Protocol):
    """Where a store keeps the hashes. Writing is inside a transaction."""

    def any(self) -> bool: ...

    def found(self, hashes: Sequence[bytes]) -> list[bool]: ...

    def add(self, hashes: Sequence[bytes]) -> None: ...

    def remove(self, hashes: Sequence[bytes]) -> None: ...

    def key_check(self) -> bytes | None:
        """What `keep_key_check` was given last: of each key that has buried something a hash, in order."""
        ...

    def keep_key_check(self, check: bytes) -> None: ...


def keep_newer_check(buried: Buried, check: bytes) -> None:
    """Of two that are alike that with more keys; inside a transaction."""
    known = buried.key_check()
    if known is None or (check != known and check.startswith(known)):
        buried.keep_key_check(check)


class Tombstones:
    """`keys` are those of the store, of which each has written a part or none."""

    def __init__(self, buried: Buried, keys: Keyring) -> None:
        self._buried = buried
        self.keys = keys
        self._known: tuple[tuple[bytes, ...], Key, list[Key]] | None = None
        self._first: Key | None = None
        self._fresh: list[bytes] = []
        self._released: list[bytes] = []

    def any(self) -> bool:
        return self._buried.any()

    def of_identifiers(self, identifiers: Sequence[tuple[str, str]]) -> list[bool]:
        if not identifiers or not self.any():
            return [False] * len(identifiers)
        if not FORMER or not any(namespace in FORMER for namespace, _ in identifiers):
            return self._found([_identifier(*identifier) for identifier in identifiers])
        forms = [(place, form) for place, one in enumerate(identifiers) for form in forms_of(one)]
        buried = [False] * len(identifiers)
        for (place, _), found in zip(forms, self._found([_identifier(*form) for _, form in forms]), strict=True):
            buried[place] |= found
        return buried

    def of_events(self, events: EventTable) -> Bool:
        """Whether the id of each, or an identifier that it saw or stated, is buried; or one in a former form."""
        named = np.array(self.of_identifiers(events.named), dtype=bool)
        gone = np.array(self._found([_event(id) for id in events.ids]), dtype=bool)
        gone[np.repeat(np.arange(len(events)), events.lengths)[named[events.seen]]] = True
        for place, a, b, _ in events.stated:
            gone[place] |= named[a] | named[b]
        formerly = self.of_identifiers([(namespace, value) for _, namespace, value in events.formerly])
        for (place, *_), buried in zip(events.formerly, formerly, strict=True):
            gone[place] |= buried
        return gone

    def of_records(self, records: Sequence[bytes]) -> list[bool]:
        return self._found([_record(record) for record in records])

    def bury(self, *, event_ids: Iterable[str], identifiers: Iterable[Identifier], records: Iterable[bytes]) -> None:
        """By the newest key; inside a transaction."""
        texts = [*map(_event, event_ids), *starmap(_identifier, identifiers), *map(_record, records)]
        if texts:
            checks, newest, _ = self._ring()
            if newest.check not in checks:
                self._buried.keep_key_check(b"".join([*checks, newest.check]))
            hashes = _hashes(newest, [*checks, newest.check], texts)
            self._buried.add(hashes)
            self._fresh += hashes

    def marks(self, identifiers: Sequence[Identifier]) -> list[list[bytes]]:
        """Of each the hash that would bury it, and those by older keys or in former forms; none is buried. Inside a
        transaction."""
        checks, newest, writers = self._ring()
        if newest.check not in checks:
            checks = (*checks, newest.check)
            self._buried.keep_key_check(b"".join(checks))
            writers = [*writers, newest]
        texts = [[_identifier(*form) for form in forms_of(one)] for one in identifiers]
        return [[hash for key in reversed(writers) for hash in _hashes(key, checks, of)] for of in texts]

    def take_fresh(self) -> tuple[list[bytes], list[bytes]]:
        """What was buried here, and released, since this was last asked, committed or not."""
        fresh, released = self._fresh, self._released
        self._fresh, self._released = [], []
        return fresh, released

    def release(self, identifiers: Sequence[Identifier]) -> list[bool]:
        """Let them come back, and say which were buried; inside a transaction. Their events' ids stay buried."""
        found = self.of_identifiers(identifiers)
        gone = [one for one, buried in zip(identifiers, found, strict=True) if buried]
        texts = [_identifier(*form) for one in gone for form in forms_of(one)]
        if texts:
            checks, _, writers = self._ring()
            hashes = [hash for key in writers for hash in _hashes(key, checks, texts)]
            self._buried.remove(hashes)
            self._released += hashes
        return found

    def _found(self, texts: Sequence[bytes]) -> list[bool]:
        if not texts:
            return []
        checks, _, writers = self._ring()
        by_key = [self._buried.found(_hashes(key, checks, texts)) for key in writers]
        return [any(of) for of in zip(*by_key, strict=True)] if by_key else [False] * len(texts)

    # ---- the keys

    def keyed_hash(self, text: bytes) -> bytes:
        """By the store's first key, so that it stays. Raises STORE_KEY where there are tombstones and a key of them is
        gone."""
        if self._first is None:
            _, newest, writers = self._ring()
            self._first = writers[0] if writers else newest
        return self._first.hash(text)

    def new_key(self) -> None:
        """From now on another key buries; those before it find what they buried. Inside a transaction."""
        checks, newest, _ = self._ring()  # with a key amiss nothing is changed
        self._buried.keep_key_check(b"".join([*(checks or [newest.check]), self.keys.add().check]))

    def has_keys(self, check: bytes) -> bool:
        """Whether there are keys here and they made this check; none is made. Raises STORE_KEY for other ones."""
        given = {key.check for key in self.keys.given()}
        if given and not given >= set(_checks(check)):
            raise StoreError(
                "STORE_KEY",
                f"{self.keys.name} has another key of tombstones than the store that is to be copied into it",
                help=f"Put the keys of that store in their place, as {self.keys.place} or in {self.keys.variable}.",
            )
        return bool(given)

    def _ring(self) -> tuple[tuple[bytes, ...], Key, list[Key]]:
        """Checks, the newest key and those that wrote. Another process may have brought in a new one."""
        checks = _checks(self._buried.key_check())
        if self._known is None or self._known[0] != checks:
            self._known = (checks, *self.keys.checked(checks))
        return self._known


def _hashes(key: Key, checks: Sequence[bytes], texts: Iterable[bytes]) -> list[bytes]:
    """As they lie in the store: behind the id of their key, unless it is the first, before which there were no ids."""
    id = b"" if key.check == checks[0] else key.id
    return [id + key.hash(text) for text in texts]


def _checks(written: bytes | None) -> tuple[bytes, ...]:
    return tuple(written[at : at + CHECK_BYTES] for at in range(0, len(written), CHECK_BYTES)) if written else ()


# The kinds are kept apart, so that an event id can never bury an identifier. A namespace holds no NUL.


def _event(id: str) -> bytes:
    return b"event\0" + id.encode("utf-8", "surrogatepass")


def _identifier(namespace: str, value: str) -> bytes:
    return f"identifier\0{namespace}\0{value}".encode("utf-8", "surrogatepass")


def _record(record: bytes) -> bytes:
    return b"record\0" + record
