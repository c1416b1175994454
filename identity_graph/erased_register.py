"""The register of what was erased: the tombstones of a store in a file of their own, which is kept elsewhere.

A backup is older than the erasures that came after it. By the register a restored store does without whom they erased,
also where the store itself is lost. It holds keyed hashes, which say nothing to who has not the key of the tombstones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import orjson

from identity_graph.errors import SettingError
from identity_graph.secret_file import writing_secret
from identity_graph.store.protocols import Piece, Store, alike

FORMAT = "identity-graph register of what was erased"
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
                    stored = [one for page in _pages(store) for one in page]
                    newer = max(check, known.check if known else b"", key=len)
                    _write(self.place, newer, [*kept, *(one for one in stored if one not in kept)])
                self._compared = True
            except OSError as error:
                self._compared = False
                raise _trouble(f"{error.filename or self.place}: {error.strerror}") from error

    def pieces(self) -> Iterator[Piece]:
        """To be restored. Raises ERASED_REGISTER."""
        if self.place is None:
            return
        try:
            known = _known(self.place)
            if known is None:
                raise _trouble(f"{self.place} is no register of what was erased")
            hashes = _hashes(self.place, known)
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


def _append(place: Path, hashes: list[bytes]) -> None:
    with place.open("ab") as file:
        file.write(_lines(hashes))
        file.flush()
        os.fsync(file.fileno())


def _write(place: Path, check: bytes, hashes: list[bytes]) -> None:
    with writing_secret(place, replace=True) as file:
        file.write(orjson.dumps({"format": FORMAT, "check": check.hex()}) + b"\n")
        file.write(_lines(hashes))


def _lines(hashes: list[bytes]) -> bytes:
    return b"".join(one.hex().encode() + b"\n" for one in hashes)


def _hashes(place: Path, known: _Known) -> Iterator[bytes]:
    with place.open("rb") as file:
        file.seek(known.start)
        for line in file:
            if line.endswith(b"\n"):
                try:
                    yield bytes.fromhex(line.decode())
                except ValueError as error:
                    raise _trouble(f"{place}: a line is no hash, but {line[:80]!r}") from error


def _trouble(message: str) -> SettingError:
    return SettingError("ERASED_REGISTER", message)
