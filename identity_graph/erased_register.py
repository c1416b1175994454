"""The register of what was erased: the tombstones of a store in a file of their own, which is kept elsewhere.

A backup is older than the erasures that came after it. By the register a restored store does without whom they erased,
also where the store itself is lost. It holds keyed hashes, which say nothing to who has not the key of the tombstones.

Who is restricted is in it too, by lines that begin with +, until one with - takes it back: a restored store hides them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import orjson

from identity_graph.errors import SettingError
from identity_graph.model import Identifier
from identity_graph.secret_file import writing_secret
from identity_graph.store.protocols import Piece, Store, alike

FORMAT = "identity-graph register of what was erased"
RESTRICTED, LIFTED = b"+", b"-"
_AT_ONCE = 5_000
_LONGEST_HEAD = 4_096


class _Known(NamedTuple):
    """Whose keys it is of, and where the lines of hashes begin; `torn`: half a line is at the end, of an erasure that
    was not finished then."""

    check: bytes
    start: int
    torn: bool


class ErasedRegister:
    """`place` is None where nothing is written, as of a store in memory.

    It only grows, but for what was released: that a store is lost and begun anew takes nobody out of it.
    """

    def __init__(self, place: Path | None) -> None:
        self.place = place
        self._compared = False

    def follow(self, store: Store) -> None:
        """Write what the store erased or released since. Raises ERASED_REGISTER."""
        if self.place is None:
            store.privacy.freshly_buried()
            return
        with store.transaction():  # one process at a time
            check = store.transfer.key_check()
            buried, released = store.privacy.freshly_buried()
            if check is None:
                return
            try:
                known = _known(self.place)
                if known and not alike(known.check, check):  # of another key: it is kept, and another one begun
                    self.place.rename(self.place.with_name(f"{self.place.name}.{known.check.hex()[:8]}"))
                    known = None
                same = known is not None and known.check == check
                if known and same and self._compared and not released and not known.torn:
                    _append(self.place, buried)
                else:  # what a process before this one may have left out is seen once
                    kept = set() if known is None else set(_hashes(self.place, known)) - set(released)
                    hidden = set() if known is None else _restricted(self.place, known) - kept - set(released)
                    stored = [one for page in _pages(store) for one in page]
                    newer = max(check, known.check if known else b"", key=len)
                    hidden |= _restricted_now(store)
                    _write(self.place, newer, [*kept, *(one for one in stored if one not in kept)], sorted(hidden))
                self._compared = True
            except OSError as error:
                self._compared = False
                raise _trouble(f"{error.filename or self.place}: {error.strerror}") from error

    def restrict(self, store: Store, identifiers: Sequence[Identifier]) -> None:
        """Write that they are restricted. Raises ERASED_REGISTER and STORE_KEY."""
        self._note(store, identifiers, RESTRICTED)

    def lift(self, store: Store, identifiers: Sequence[Identifier]) -> None:
        """Write that they are no more."""
        self._note(store, identifiers, LIFTED)

    def _note(self, store: Store, identifiers: Sequence[Identifier], sign: bytes) -> None:
        if self.place is None or not identifiers:
            return
        with store.transaction():
            marks = store.privacy.marks(identifiers)
            self.follow(store)  # a register of these keys is there after it
            try:
                _append(self.place, [one for of in marks for one in (of[:1] if sign == RESTRICTED else of)], sign)
            except OSError as error:
                raise _trouble(f"{error.filename or self.place}: {error.strerror}") from error

    def restricted(self) -> set[bytes]:
        """Hashes of who was restricted when it was last written, and was not erased or released since. Raises
        ERASED_REGISTER."""
        if self.place is None:
            return set()
        try:
            known = _known(self.place)
            return set() if known is None else _restricted(self.place, known) - set(_hashes(self.place, known))
        except OSError as error:
            raise _trouble(f"{self.place}: {error.strerror}") from error

    def pieces(self) -> Iterator[Piece]:
        """To be restored: one at least, which tells the keys. Raises ERASED_REGISTER."""
        if self.place is None:
            return
        try:
            known = _known(self.place)
            if known is None:
                raise _trouble(f"{self.place} is no register of what was erased")
            hashes = _hashes(self.place, known)
            yield Piece(key_check=known.check, tombstones=list(islice(hashes, _AT_ONCE)))
            while page := list(islice(hashes, _AT_ONCE)):
                yield Piece(key_check=known.check, tombstones=page)
        except OSError as error:
            raise _trouble(f"{self.place}: {error.strerror}") from error


def register_place(store: Store) -> Path | None:
    """Beside the key of the tombstones, where no other is named."""
    place = store.transfer.key_place()
    return place and place.with_suffix(".erased")


def _pages(store: Store) -> Iterator[list[bytes]]:
    """All tombstones, in order."""
    after = b""
    while page := store.transfer.tombstones(after, _AT_ONCE):
        yield page
        after = page[-1]


def _known(place: Path) -> _Known | None:
    """None where there is no sound register."""
    try:
        with place.open("rb") as file:
            head = file.readline(_LONGEST_HEAD)
            start, size = file.tell(), os.fstat(file.fileno()).st_size
            file.seek(max(size - 1, 0))
            torn = size > start and file.read() != b"\n"
    except FileNotFoundError:
        return None
    try:
        found = orjson.loads(head)
        if found["format"] != FORMAT:
            return None
        return _Known(bytes.fromhex(found["check"]), start, torn)
    except (ValueError, KeyError, TypeError):
        return None


def _append(place: Path, hashes: list[bytes], sign: bytes = b"") -> None:
    with place.open("ab") as file:
        file.write(_lines(hashes, sign))
        file.flush()
        os.fsync(file.fileno())


def _write(place: Path, check: bytes, hashes: list[bytes], restricted: list[bytes]) -> None:
    with writing_secret(place, replace=True) as file:
        file.write(orjson.dumps({"format": FORMAT, "check": check.hex()}) + b"\n")
        file.write(_lines(hashes))
        file.write(_lines(restricted, RESTRICTED))


def _lines(hashes: list[bytes], sign: bytes = b"") -> bytes:
    return b"".join(sign + one.hex().encode() + b"\n" for one in hashes)


def _hashes(place: Path, known: _Known) -> Iterator[bytes]:
    return (hash for sign, hash in _signed(place, known) if not sign)


def _restricted(place: Path, known: _Known) -> set[bytes]:
    found: set[bytes] = set()
    for sign, hash in _signed(place, known):
        if sign == RESTRICTED:
            found.add(hash)
        elif sign == LIFTED:
            found.discard(hash)
    return found


def _restricted_now(store: Store) -> set[bytes]:
    """By what key they are marked there: the newest."""
    numbers = [number for number, _ in store.privacy.restricted()]
    if not numbers:
        return set()
    rows = store.evidence.identifiers_by_number(numbers)
    return {of[0] for of in store.privacy.marks([row.identifier for row in rows if row])}


def _signed(place: Path, known: _Known) -> Iterator[tuple[bytes, bytes]]:
    with place.open("rb") as file:
        file.seek(known.start)
        for line in file:
            if line.endswith(b"\n"):
                sign = line[:1] if line[:1] in (RESTRICTED, LIFTED) else b""
                try:
                    yield sign, bytes.fromhex(line[len(sign) :].decode())
                except ValueError as error:
                    raise _trouble(f"{place}: a line is no hash, but {line[:80]!r}") from error


def _trouble(message: str) -> SettingError:
    return SettingError("ERASED_REGISTER", message)
