"""Storing a batch of events: what is new, what is known, what must not come back. The same for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Event, Origin, Refused, Run
from identity_graph.store.differing import differences
from identity_graph.store.marks import mark_of
from identity_graph.store.protocols import Batch, EventRow
from identity_graph.store.tombstones import Tombstones

ADVANCED = (
    *("read", "accepted", "duplicate", "quarantined", "suppressed"),
    *("position", "offset", "size", "trail", "first_error", "last_error"),
)
"""The fields of a run that a batch moves on."""


class Timed(Protocol):
    """What tells two events of one id apart; equal for equal content."""

    @property
    def time(self) -> int: ...


Content = TypeVar("Content", bound=Timed)


class Rows(Protocol[Content]):
    """What a store reads and writes for a batch, all of it inside one transaction."""

    def begin(self) -> None:
        """Forget what another process may have changed."""
        ...

    def known(self, events: EventTable) -> tuple[dict[str, Content], Any]:
        """Of the ids that are stored: their contents; and what `insert` need not find out again."""
        ...

    def contents(self, events: EventTable) -> Iterable[Content]:
        """Of these events, as if they were stored; nothing is."""
        ...

    def insert(self, events: EventTable, fresh: Sequence[int], found: Any) -> None:
        """The events at these places, which ascend; `found` came from `known`. Both may be all there are, or none."""
        ...

    def aside(self, marks: Sequence[int]) -> set[int]:
        """Those of records that are in quarantine."""
        ...

    def set_aside(self, run: Run, refused: Sequence[Refused], time: int) -> None: ...

    def advance(self, before: Run, after: Run) -> bool:
        """False where the run is not, or no longer, as it was before."""
        ...


class Appending(Generic[Content]):
    """`stored` reads events by their ids, also those that the open transaction has stored."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[None]],
        rows: Rows[Content],
        tombstones: Tombstones,
        stored: Callable[[Sequence[str]], Sequence[EventRow | None]],
    ) -> None:
        self._transaction = transaction
        self._rows = rows
        self._tombstones = tombstones
        self._stored = stored

    def append(self, run: Run, batch: Batch) -> Run:
        with self._transaction():
            self._rows.begin()
            table, origins, refused = EventTable.of(batch.events), batch.origins, list(batch.refused)
            if self._tombstones.any():
                table, origins, refused = self._admitted(table, origins, refused)
            read = len(batch.events) + len(batch.refused)
            suppressed = read - len(table) - len(refused)
            known, found = self._rows.known(table)
            fresh, again = _sorted_out(table, known)
            self._rows.insert(table, fresh, found)
            reused: list[Refused] = []
            if again:
                reused = self._reused(table, origins, fresh, again, known, _timeless(table, again, run, batch))
            aside = refused + reused
            new = aside if batch.replayed or not aside else self._not_aside(run, aside)
            if new:
                self._rows.set_aside(run, new, batch.time)
            by_line = sorted(aside, key=lambda record: record.origin.line)
            after = replace(
                run,
                read=run.read + read,
                accepted=run.accepted + len(fresh),
                duplicate=run.duplicate + len(again) - len(reused),
                quarantined=run.quarantined + len(aside),
                suppressed=run.suppressed + suppressed,
                position=batch.position,
                offset=batch.offset,
                trail=batch.trail,
                first_error=run.first_error or (_where(by_line[0]) if by_line else ""),
                last_error=_where(by_line[-1]) if by_line else run.last_error,
            )
            if not self._rows.advance(run, after):
                raise StoreError(
                    "SOURCE_CHANGED",
                    f"run {run.id} is not where this process left it",
                    help="Another process loads the same file; let it finish. Nothing of this batch was stored.",
                )
        return after

    def _admitted(
        self, events: EventTable, origins: Sequence[Origin], refused: Sequence[Refused]
    ) -> tuple[EventTable, Sequence[Origin], list[Refused]]:
        """Without what was erased: events by id or identifier, refused records by their bytes."""
        records = self._tombstones.of_records([record.origin.raw for record in refused])
        kept = np.flatnonzero(~self._tombstones.of_events(events)).tolist()
        if len(kept) < len(events):
            events, origins = events.take(kept), [origins[place] for place in kept]
        return events, origins, [record for record, gone in zip(refused, records, strict=True) if not gone]

    def _not_aside(self, run: Run, refused: Sequence[Refused]) -> list[Refused]:
        marks = [mark_of(run.source, record.origin) for record in refused]
        known = self._rows.aside(marks)
        return [record for record, mark in zip(refused, marks, strict=True) if mark not in known]

    def _reused(
        self,
        events: EventTable,
        origins: Sequence[Origin],
        fresh: Sequence[int],
        again: Sequence[int],
        known: Mapping[str, Content],
        timeless: Sequence[int],
    ) -> list[Refused]:
        """Of those whose id is known, `again`: the ones whose content is not that of the first. The `timeless` ones do
        not say when: the first one's time is theirs."""
        ids = {events.ids[place] for place in again} - known.keys()
        first = dict(known)
        if ids:
            twice = events.take([place for place in fresh if events.ids[place] in ids])
            first.update(zip(twice.ids, self._rows.contents(twice), strict=True))
        if timeless:
            times = list(events.times)
            for place in timeless:
                times[place] = first[events.ids[place]].time
            events = replace(events, times=times)
        contents = zip(again, self._rows.contents(events.take(again)), strict=True)
        others = [place for place, content in contents if content != first[events.ids[place]]]
        stored = self._stored([events.ids[place] for place in others])
        return [
            Refused(origins[place], "ID_REUSE", _reuse(event, row))
            for place, event, row in zip(others, events.take(others), stored, strict=True)
        ]


def _reuse(event: Event, row: EventRow | None) -> str:
    where = differences(event, row.event) if row else "content"
    return f"an event with the id {event.id!r} is stored already, and this one differs in: {where}"


def _timeless(events: EventTable, again: Sequence[int], run: Run, batch: Batch) -> list[int]:
    """Of these places: where the time is one that was given to a record without. A record that names this very
    microsecond itself passes for one, too."""
    times, given = events.times, run.default_time
    if batch.stand_ins:
        return [place for place in again if (events.ids[place], times[place]) in batch.stand_ins]
    return [place for place in again if times[place] == given] if given is not None and given in times else []


def _where(record: Refused) -> str:
    return f"{record.code}, line {record.origin.line}"


def _sorted_out(events: EventTable, known: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Places of the first event of each new id, and of all others."""
    if not known and ((events.hashed and events.hashed.distinct) or len(set(events.ids)) == len(events)):
        return list(range(len(events))), []
    first: dict[str, int] = {}
    for place, id in enumerate(events.ids):
        first.setdefault(id, place)
    fresh = [place for id, place in first.items() if id not in known]
    kept = set(fresh)
    return fresh, [place for place in range(len(events)) if place not in kept]
