"""The register of what was erased: the tombstones of a store in a file of their own, which is kept elsewhere.

A backup is older than the erasures that came after it. By the register a restored store does without whom they erased,
also where the store itself is lost. It holds keyed hashes, which say nothing to who has not the key of the tombstones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from identity_graph.errors import SettingError
from identity_graph.secret_file import writing_secret
from identity_graph.store.protocols import Piece, Store

FORMAT = "identity-graph register of what was erased"
HASH = 32  # bytes
_AT_ONCE = 5_000
_LONGEST_HEAD = 4_096


class _Known(NamedTuple):
    check: bytes
    start: int
    hashes: int


class ErasedRegister:
    """`place` is None where nothing is written, as of a store in memory."""

    def __init__(self, place: Path | None) -> None:
        self.place = place

    def follow(self, store: Store, *, anew: bool = False) -> None:
        """Write what the store erased since. `anew`: something may have been taken back. Raises ERASED_REGISTER."""
        if self.place is None:
            return
        with store.transaction():  # one process at a time
            check, fresh = store.transfer.key_check(), store.privacy.freshly_buried()
            if check is None:
                return
            count = store.privacy.gone()[0]
            try:
                known = None if anew else _known(self.place)
                if known and known.check == check and known.hashes == count:
                    return
                if known and known.check == check and known.hashes + len(fresh) == count:
                    _append(self.place, fresh)
                else:
                    _write(self.place, check, pages(store))
            except OSError as error:
                raise _trouble(f"{error.filename or self.place}: {error.strerror}") from error

    def pieces(self) -> Iterator[Piece]:
        """To be restored. Raises ERASED_REGISTER."""
        if self.place is None:
            return
        try:
            known = _known(self.place)
            if known is None:
                raise _trouble(f"{self.place} is no register, or was not written to its end")
            with self.place.open("rb") as file:
                file.seek(known.start)
                while content := file.read(HASH * _AT_ONCE):
                    hashes = [content[at : at + HASH] for at in range(0, len(content), HASH)]
                    yield Piece(key_check=known.check, tombstones=hashes)
        except OSError as error:
            raise _trouble(f"{self.place}: {error.strerror}") from error


def register_place(store: Store) -> Path | None:
    """Beside the key of the tombstones, where no other is named."""
    place = store.transfer.key_place()
    return place and place.with_suffix(".erased")


def pages(store: Store) -> Iterator[list[bytes]]:
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
    except FileNotFoundError:
        return None
    try:
        found = orjson.loads(head)
        if found["format"] != FORMAT or (size - start) % HASH:
            return None
        return _Known(bytes.fromhex(found["check"]), start, (size - start) // HASH)
    except (ValueError, KeyError, TypeError):
        return None


def _append(place: Path, hashes: list[bytes]) -> None:
    with place.open("ab") as file:
        file.write(b"".join(hashes))
        file.flush()
        os.fsync(file.fileno())


def _write(place: Path, check: bytes, found: Iterator[list[bytes]]) -> None:
    with writing_secret(place, replace=True) as file:
        file.write(orjson.dumps({"format": FORMAT, "check": check.hex()}) + b"\n")
        for page in found:
            file.write(b"".join(page))


def _trouble(message: str) -> SettingError:
    return SettingError("ERASED_REGISTER", message)
