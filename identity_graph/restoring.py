"""Fills a new store from a backup, and erases again whom the register says was erased since.

That store is nobody's until all of it is done: where it is killed in between the same restoring goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import orjson

from identity_graph.backing_up import Backup, read_lines
from identity_graph.copying import Hear, is_empty, rows_in, rows_of
from identity_graph.deleting import AT_ONCE, Deleted, Deletion
from identity_graph.erased_register import ErasedRegister
from identity_graph.errors import InputError, SettingError, StoreError
from identity_graph.piece_lines import piece_of
from identity_graph.restricting import leave_segments
from identity_graph.sealing import Sealed
from identity_graph.state_digest import digest_of
from identity_graph.store.protocols import Piece, Store, alike

_RECORDS = 250


@dataclass(frozen=True, slots=True)
class Restored:
    """`erased`: what the backup still had of whom was erased since, with so many records that had been set aside.
    `restricted` identifiers are so by the register; of `unknown` ones the backup has nothing to restrict."""

    backup: Backup
    erased: Deleted
    records: int
    restricted: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class _Standing:
    """How far it came: so many pieces are there; `sound`: all, and as they were. Kept like the mark of a copy."""

    source: str
    mark: int = 0
    sound: bool = False
    done: bool = False

    def pack(self) -> str:
        return orjson.dumps(self).decode()

    @classmethod
    def of(cls, store: Store, backup: Backup) -> _Standing | None:
        """None where the store is not of this backup."""
        text = store.transfer.mark()
        if text is None:
            return None
        found = orjson.loads(text)
        return cls(**found) if found["source"] == _source(backup) else None


def begun(store: Store, backup: Backup) -> bool:
    """Whether the store is a part of this backup, or new."""
    return (store.transfer.mark() is None and is_empty(store)) or _Standing.of(store, backup) is not None


def restore(
    sealed: Sealed,
    backup: Backup,
    store: Store,
    deletion: Deletion,
    registers: Sequence[ErasedRegister],
    hear: Hear | None = None,
) -> Restored:
    """Into a store of which `begun` is true, from a backup that was examined. `deletion` is of that store; without
    registers nobody was erased since. Raises BACKUP_INVALID, ERASED_REGISTER, STORE_KEY and POLICY_DIFFERS."""
    for register in registers:
        _check_key(store, register)
    standing = _Standing.of(store, backup) or _Standing(_source(backup))
    if standing.mark < backup.pieces:
        standing = _fill(sealed, backup, store, standing, hear)
    if not standing.sound:
        if digest_of(store) != backup.digest:
            raise InputError("BACKUP_INVALID", f"{sealed.path} holds something else than what it was written of")
        standing = _Standing(standing.source, standing.mark, sound=True)
        store.transfer.restore(Piece(), standing.pack())
    erased, records, restricted, unknown = Deleted(), 0, 0, 0
    if registers:
        for piece in chain.from_iterable(register.pieces() for register in registers):
            known = store.transfer.key_check()
            if known and piece.key_check and not alike(known, piece.key_check):
                raise SettingError("ERASED_REGISTER", "a register is of another key of tombstones than the backup")
            store.transfer.restore(piece, standing.pack())
        erased, records = _erase_again(store, deletion)
        restricted, unknown = _restrict_again(store, registers, deletion.clock())
        if erased.events:
            deletion.settle()
        if erased.events or records:
            store.privacy.scrub()
    store.transfer.restore(Piece(), _Standing(standing.source, standing.mark, sound=True, done=True).pack())
    return Restored(backup, erased, records, restricted, unknown)


def _source(backup: Backup) -> str:
    return f"backup {backup.id}"


def _check_key(store: Store, register: ErasedRegister) -> None:
    """Without the key nobody can tell who was erased; so before anything is written."""
    first = next(register.pieces(), None)
    if first is None or first.key_check is None:
        return
    if not store.transfer.has_key(first.key_check):
        raise StoreError(
            "STORE_KEY",
            f"the key of the tombstones is not at {store.transfer.key_place()}",
            help="Put it there (mode 0600), or into IDENTITY_GRAPH_TOMBSTONE_KEY: it tells whom the register means.",
        )


def _fill(sealed: Sealed, backup: Backup, store: Store, standing: _Standing, hear: Hear | None) -> _Standing:
    line_number, rows, total = -1, 0, rows_in(backup.counts)

    def take(line: bytes) -> None:
        nonlocal line_number, rows
        line_number += 1
        if not standing.mark < line_number <= backup.pieces:
            return
        try:
            piece = piece_of(line)
        except ValueError as error:
            raise InputError("BACKUP_INVALID", f"piece {line_number} is none that this program knows") from error
        store.transfer.restore(piece, _Standing(standing.source, line_number).pack())
        rows += rows_of(piece)
        if hear:
            hear(rows, total, rows)

    read_lines(sealed, take)
    return _Standing(standing.source, backup.pieces)


def _erase_again(store: Store, deletion: Deletion) -> tuple[Deleted, int]:
    """Of whatever the tombstones name. What the backup has of tombstones of its own names nothing in it."""
    erased, records = Deleted(), 0
    buried = _buried_events(store)
    while batch := list(islice(buried, AT_ONCE)):
        erased = erased.plus(deletion.delete(batch))
    after = 0
    while found := store.operations.quarantined(after=after, limit=_RECORDS):
        after = found[-1].number
        gone = store.privacy.buried_records([one.record for one in found])
        numbers = [one.number for one, there in zip(found, gone, strict=True) if there]
        store.operations.release(numbers)
        records += len(numbers)
    return erased, records


def _restrict_again(store: Store, registers: Sequence[ErasedRegister], now: int) -> tuple[int, int]:
    """Whom the registers have as restricted: so many identifiers, and so many that are not here."""
    wanted = set().union(*(register.restricted() for register in registers))
    met: set[bytes] = set()
    restricted, last = 0, store.transfer.standing().identifier
    for start in range(1, last + 1 if wanted else 1, AT_ONCE):
        rows = [row for row in store.evidence.identifiers_by_number(range(start, start + AT_ONCE)) if row]
        with store.transaction():
            marks = store.privacy.marks([row.identifier for row in rows])
            there = [row for row, of in zip(rows, marks, strict=True) if not wanted.isdisjoint(of)]
            store.privacy.restrict([(row.number, now) for row in there])
            owners = sorted({row.person for row in there if row.person is not None})
            for person in store.persons.persons_by_number(owners):
                if person is not None:
                    leave_segments(store, person.id, now)
        met.update(*(wanted.intersection(of) for of in marks))
        restricted += len(there)
    return restricted, len(wanted - met)


def _buried_events(store: Store) -> Iterator[str]:
    after = 0
    while len((page := store.transfer.events(after, AT_ONCE)).numbers):
        after = int(page.numbers[-1])
        for id, gone in zip(page.events.ids, store.privacy.buried_events(page.events).tolist(), strict=True):
            if gone:
                yield id
