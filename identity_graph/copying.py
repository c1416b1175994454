"""Moves everything of one store into another: in pieces, so that it can be interrupted, and compared at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import orjson

from identity_graph.errors import StoreError
from identity_graph.store.protocols import Piece, Standing, Store
from identity_graph.times import LATEST

ROWS = 5_000
"""Of a piece; of quarantine fewer, because a record may have 64 KiB."""
RECORDS = 250

Mark = tuple[int, Any]
"""A number in PARTS, and the key of the last row of that part, None before the first."""
Hear = Callable[[int, int, int], object]
"""Told how many rows are done with, of about how many there are; and the first once more, as a count to be shown."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a store and its copy hold. `key`: whether the copy has the key of the tombstones; None: there are none."""

    counts: dict[str, int]
    key: bool | None


def copy(source: Store, target: Store, hear: Hear | None = None) -> Copied:
    """Everything, under the same numbers, ids and times, into a store that is empty or holds a part of this copy.

    What is read is of one moment; at the end both stores are read once more and compared. Interrupted, it goes on where
    it was when it is called again, if the source is as it was. The key of the tombstones is not copied. Raises
    COPY_TARGET, COPY_DIFFERS, and STORE_KEY where the target has a key of its own.
    """
    with source.transfer.hold():
        stamp = _stamp(source)
        mark, done = _begun(target, stamp)
        check = source.transfer.key_check()
        key = None if check is None else target.transfer.has_key(check)
        if not done:
            # Every row counts twice: written, and compared.
            progress = Progress(hear, rows_in(target.operations.counts()), 2 * rows_in(source.operations.counts()))
            for behind, piece in pieces(source, mark):
                target.transfer.restore(piece, _written(stamp, behind, done=False))
                progress.add(piece)
            with target.transfer.hold():
                _compare(source, target, progress)
            target.transfer.restore(Piece(), _written(stamp, (len(PARTS), None), done=True))
        return Copied(source.operations.counts(), key)


def pieces(store: Store, mark: Mark = (0, None)) -> Iterator[tuple[Mark, Piece]]:
    """All that a store holds from the mark on, and with each piece the mark that stands behind it.

    To be read inside `hold`. One piece is in memory at a time.
    """
    part, after = mark
    while part < len(PARTS):
        piece, after = PARTS[part](store, after)
        if after is None:
            part += 1
        yield (part, after), piece


def is_empty(store: Store) -> bool:
    """Nothing is in it, nor ever was."""
    nothing = not any(_counts(store).values()) and not store.operations.runs(limit=1)
    return nothing and store.transfer.standing() == Standing()


def check_whole(store: Store) -> None:
    """Raises STORE_HALF while a copy, or a backup that is being restored, has not come to its end."""
    text = store.transfer.mark()
    if text is not None and not orjson.loads(text)["done"]:
        raise StoreError("STORE_HALF", "the store holds a part of a copy, or of a backup that is being restored")


# ---- the parts: of a store and the key of the last row, the next piece and the key of its last row, None at the end.
# What keeps erased data out comes first, for the case that somebody loads into half a copy.


def _tombstones(store: Store, after: str | None) -> tuple[Piece, str | None]:
    found = store.transfer.tombstones(bytes.fromhex(after or ""), ROWS)
    return Piece(key_check=store.transfer.key_check(), tombstones=found), found[-1].hex() if found else None


def _persons(store: Store, after: int | None) -> tuple[Piece, int | None]:
    numbers, upto = _range(after, store.transfer.standing().person)
    rows = [row for row in store.persons.persons_by_number(numbers) if row and row.survivor is None]
    return Piece(persons=rows), upto


def _retired(store: Store, after: int | None) -> tuple[Piece, int | None]:
    numbers, upto = _range(after, store.transfer.standing().person)
    rows = [row for row in store.persons.persons_by_number(numbers) if row and row.survivor is not None]
    return Piece(persons=rows), upto


def _identifiers(store: Store, after: int | None) -> tuple[Piece, int | None]:
    numbers, upto = _range(after, store.transfer.standing().identifier)
    rows = [row for row in store.evidence.identifiers_by_number(numbers) if row]
    hidden = [(number, since) for number, since in store.privacy.restricted() if number in numbers]
    return Piece(identifiers=rows, restricted=hidden), upto


def _suppressed(store: Store, after: int | None) -> tuple[Piece, int | None]:
    numbers, upto = _range(after, store.transfer.standing().identifier)
    found = zip(numbers, store.persons.suppressed(numbers), strict=True)
    return Piece(suppressed=[row for number, rows in found for row in rows if row.a == number]), upto


def _similar(store: Store, after: int | None) -> tuple[Piece, int | None]:
    numbers, upto = _range(after, store.transfer.standing().identifier)
    found = zip(numbers, store.persons.similar(numbers), strict=True)
    return Piece(similar=[row for number, rows in found for row in rows if row.a == number]), upto


def _events(store: Store, after: int | None) -> tuple[Piece, int | None]:
    found = store.transfer.events(after or 0, ROWS)
    return Piece(events=found), int(found.numbers[-1]) if len(found.numbers) else None


def _changes(store: Store, after: int | None) -> tuple[Piece, int | None]:
    found = store.persons.changes(after=after or 0, limit=ROWS)
    return Piece(changes=found), found[-1].number if found else None


def _runs(store: Store, after: str | None) -> tuple[Piece, str | None]:
    found = store.transfer.runs(after or "", ROWS)
    return Piece(runs=found), found[-1].id if found else None


def _quarantined(store: Store, after: int | None) -> tuple[Piece, int | None]:
    found = store.operations.quarantined(after=after or 0, limit=RECORDS)
    return Piece(quarantined=found), found[-1].number if found else None


def _segments(store: Store, after: None) -> tuple[Piece, None]:
    segments = [one for one in store.segments.segments() if one]
    return Piece(segments=segments, computed=store.segments.computed()), after


def _members(store: Store, after: Sequence[str] | None) -> tuple[Piece, Sequence[str] | None]:
    """`after` is a segment and one of its members."""
    name, last = after or ("", "")
    for segment in store.segments.segments():
        if segment is None or segment.name < name:
            continue
        ids = store.segments.members(segment.name, after=last if segment.name == name else "", limit=ROWS)
        if ids:
            return Piece(members=[(segment, ids)]), (segment.name, ids[-1])
    return Piece(), None


def _deliveries(store: Store, after: str | None) -> tuple[Piece, str | None]:
    found = store.deliveries.dead_letters(after=after or "", limit=ROWS)
    told = store.deliveries.deliveries() if after is None else []
    return Piece(deliveries=told, dead_letters=found), found[-1].id if found else None


def _erasures(store: Store, after: str | None) -> tuple[Piece, str | None]:
    found = store.erasures.requests(after=after or "", limit=ROWS)
    return Piece(erasures=found), found[-1].id if found else None


def _subject_requests(store: Store, after: str | None) -> tuple[Piece, str | None]:
    found = store.subject_requests.requests(after=after or "", limit=ROWS)
    return Piece(subject_requests=found), found[-1].id if found else None


def _standing(store: Store, after: None) -> tuple[Piece, None]:
    return Piece(standing=store.transfer.standing()), after


def _range(after: int | None, last: int) -> tuple[range, int | None]:
    """Numbers to ask for, and the last of them, None when there are no more."""
    start = after or 0
    upto = min(start + ROWS, last)
    return range(start + 1, upto + 1), upto if upto < last else None


PARTS: Sequence[Callable[[Store, Any], tuple[Piece, Any]]] = (
    _tombstones,
    _persons,
    _retired,
    _identifiers,
    _suppressed,
    _similar,
    _events,
    _changes,
    _runs,
    _quarantined,
    _segments,
    _members,
    _deliveries,
    _erasures,
    _subject_requests,
    _standing,
)


# ---- where a copy stands


def _stamp(store: Store) -> str:
    """Tells a store, as it is now, from others and from what it was."""
    runs = [(run.id, run.state, run.ended, run.position) for run in store.operations.runs(limit=100)]
    segments = [(one.name, one.evaluated, one.size) for one in store.segments.segments() if one]
    computed = orjson.dumps(store.segments.computed()).decode()
    told = [one.pack() for one in store.deliveries.deliveries()]
    told += [one.pack() for one in store.erasures.open()]
    told += [one.pack() for one in store.subject_requests.due(LATEST)]
    told.append(orjson.dumps(store.privacy.restricted()).decode())
    known = [_counts(store), list(store.transfer.standing()), str(store.transfer.key_check()), runs, segments, computed]
    return hashlib.sha256(orjson.dumps([*known, told])).hexdigest()


def _counts(store: Store) -> dict[str, int]:
    return {name: count for name, count in sorted(store.operations.counts().items()) if name != "bytes"}


def _written(stamp: str, mark: Mark, *, done: bool) -> str:
    return orjson.dumps({"source": stamp, "mark": mark, "done": done}).decode()


def _begun(target: Store, stamp: str) -> tuple[Mark, bool]:
    """Where to go on, and whether there is nothing left to do."""
    text = target.transfer.mark()
    if text is None:
        if not is_empty(target):
            raise StoreError("COPY_TARGET", "the store to copy into has data of its own")
        return (0, None), False
    found = orjson.loads(text)
    if found["source"] != stamp or (found["done"] and _stamp(target) != stamp):
        raise StoreError(
            "COPY_TARGET",
            "the store to copy into is a copy, or a part of one, of another store, or of this one before it changed",
        )
    return tuple(found["mark"]), found["done"]


# ---- comparing


def _compare(source: Store, target: Store, progress: Progress) -> None:
    """Raises COPY_DIFFERS."""
    for ours, theirs in zip_longest(pieces(source), pieces(target)):
        if ours is None or theirs is None or _comparable(ours[1]) != _comparable(theirs[1]):
            raise StoreError(
                "COPY_DIFFERS",
                "the copy is not equal to its source: somebody wrote to one of them while it was made",
            )
        progress.add(ours[1])


def _comparable(piece: Piece) -> tuple[Any, ...]:
    events = piece.events
    told = events and (events.numbers.tolist(), events.named.tolist(), events.events.pack())
    return replace(piece, events=None), told


# ---- progress


class Progress:
    """Rows of pieces, told to whoever hears. `done` rows are behind, `total` is about how many there are."""

    def __init__(self, hear: Hear | None, done: int, total: int) -> None:
        self._hear = hear or (lambda done, total, count: None)
        self._done = done
        self._total = total

    def following(self, found: Iterable[tuple[Mark, Piece]]) -> Iterator[Piece]:
        """The pieces, each told when it is done with."""
        for _, piece in found:
            yield piece
            self.add(piece)

    def add(self, piece: Piece) -> None:
        self._done += rows_of(piece)
        self._hear(self._done, self._total, self._done)


_COUNTED = (
    "tombstones",
    "persons",
    "retired_persons",
    "identifiers",
    "suppressed_links",
    "events",
    "changes",
    "quarantined",
)


def rows_in(counts: Mapping[str, int]) -> int:
    """As counted by `OperationStore.counts`: near what its pieces have."""
    return sum(counts[name] for name in _COUNTED)


def rows_of(piece: Piece) -> int:
    rows = (piece.tombstones, piece.persons, piece.identifiers, piece.suppressed, piece.changes, piece.quarantined)
    return sum(map(len, rows)) + (len(piece.events.numbers) if piece.events else 0)
