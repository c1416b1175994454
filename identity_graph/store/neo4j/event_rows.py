"""The events of a batch as nodes and relationships."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import numpy as np

from identity_graph.ahead import Ahead
from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Quarantined, Refused, Run
from identity_graph.resolve.fold import fold
from identity_graph.store.appending import ADVANCED
from identity_graph.store.marks import mark_again, mark_of
from identity_graph.store.neo4j.chunks import CHUNK, in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.foresight import NOTHING, Content, Foresight, Key, stored_contents, stored_numbers
from identity_graph.store.numbered import LARGEST_NUMBER, NUMBER_BITS, Stated, numbered
from identity_graph.store.protocols import EventColumns
from identity_graph.tables import EvidenceTable, Int64

PAIRWISE = 8
"""An event of more identifiers is wide: which links follow from it is for the policy to say, so none are stored."""

CACHED = 300_000


class EventRows:
    """Events, observations, links and what is set aside; for use inside a transaction only."""

    def __init__(self, database: Connection) -> None:
        self._database = database
        self._numbers: dict[Key, int] = {}
        self._writer = ""
        self._erased = -1
        self._foresight = Foresight(database)
        self._foreseen = NOTHING

    def forget(self) -> None:
        self._numbers = {}

    def begin(self) -> None:
        """Numbers that are remembered may be of identifiers that were erased, or of a transaction that was undone; not
        of the one that remembered last, where that is among the latest that were committed."""
        recent, erased = self._database.ledger.get("recent"), self._database.ledger.get("erased", 0)
        if self._writer not in recent or erased != self._erased:
            self.forget()
        self._writer, self._erased = recent[0], erased
        self._foreseen = self._foresight.after(recent[1] if len(recent) > 1 else "")
        self._numbers.update(self._foreseen.numbers)

    def foresee(self, events: EventTable, upcoming: EventTable) -> None:
        """Look for what will have to be known when the one batch is committed, and the other comes next."""
        self._foresight.ask(self._writer, events, upcoming, self._numbers.__contains__)

    def known(self, events: EventTable) -> tuple[dict[str, Content], None]:
        ids = set(events.ids)
        if ids <= self._foreseen.ids:
            return {id: content for id, content in self._foreseen.contents.items() if id in ids}, None
        return dict(stored_contents(self._database, sorted(ids))), None

    def contents(self, events: EventTable) -> Iterable[Content]:
        return map(Content, events.times, events.digests())

    def insert(self, events: EventTable, fresh: Sequence[int], found: None) -> None:
        if not fresh:
            return
        if len(fresh) < len(events):
            events = events.take(fresh)
        named = np.array(self._intern(events.named), dtype=np.int64)
        self._database.ledger.count_in(events.ids)
        first = self._database.ledger.take("event", len(events))
        self._put(EventColumns(np.arange(first, first + len(events)), events, named))

    def restore(self, stored: EventColumns) -> None:
        """New events under numbers that were given."""
        self._database.ledger.count_in(stored.events.ids)
        self._put(stored)

    def _put(self, stored: EventColumns) -> None:
        positions = self._database.ledger.intern(stored.events.sources)
        with closing(Ahead(_written(stored, positions))) as statements:
            for name, parameters in statements:
                self._database.write(name, **parameters)

    def _intern(self, named: Sequence[Key]) -> list[int]:
        """The number of each; new ones get theirs in the order in which they come first."""
        if len(self._numbers) > CACHED:
            self._numbers = dict(islice(self._numbers.items(), len(self._numbers) // 2, None))
            self._foreseen = NOTHING  # of some that were not there then
        known = self._numbers
        missing = [key for key in named if key not in known]
        known.update(stored_numbers(self._database, [key for key in missing if key not in self._foreseen.keys]))
        new = [key for key in missing if key not in known]
        if new:
            first = self._database.ledger.take("identifier", len(new))
            if first + len(new) > LARGEST_NUMBER:
                raise StoreError("STORE_FULL", "the store has numbers for 2,147,483,647 identifiers, and no more")
            known.update((key, first + place) for place, key in enumerate(new))
            self.add_identifiers([(known[key], *key) for key in new])
        return [known[key] for key in named]

    def add_identifiers(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Number, namespace and value, in order of number."""
        for chunk in in_chunks([list(row) for row in rows]):
            self._database.write("evidence/append_identifiers", rows=chunk)

    def aside(self, marks: Sequence[int]) -> set[int]:
        return {
            mark
            for chunk in in_chunks(sorted(marks))
            for mark in self._database.one("evidence/append_aside", marks=chunk)[0]
        }

    def set_aside(self, run: Run, refused: Sequence[Refused], time: int) -> None:
        first = self._database.ledger.take("quarantined", len(refused))
        records = [
            {
                "number": number,
                "run_id": run.id,
                "line": origin.line,
                "offset": origin.offset,
                "code": code,
                "message": message,
                "record": origin.raw,
                "time": time,
                "size": len(origin.raw),
                "mark": mark_of(run.source, origin),
            }
            for number, (origin, code, message) in enumerate(refused, first)
        ]
        self._database.write("evidence/append_quarantined", records=records)

    def advance(self, before: Run, after: Run) -> bool:
        ((moved,),) = self._database.write(
            "evidence/append_advance",
            id=before.id,
            position=before.position,
            read=before.read,
            after={name: getattr(after, name) for name in ADVANCED},
        )
        return bool(moved)


def _written(stored: EventColumns, positions: Mapping[str, int]) -> Generator[tuple[str, dict[str, Any]], None, None]:
    """The statements that write events, with their parameters; sources as numbered."""
    events, numbers = stored.events, stored.numbers.tolist()
    seen, stated = numbered(events, stored.named)
    own = by_event(seen, len(events))
    digests = events.digests()
    for rows in in_chunks(range(len(events)), CHUNK // 8):
        yield (
            "evidence/append_events",
            {
                "events": [
                    {
                        "number": numbers[row],
                        "id": events.ids[row],
                        "time": events.times[row],
                        "received": events.received[row],
                        "source": events.sources[row],
                        "name": events.names[row],
                        "traits": events.traits[row],
                        "properties": events.properties[row],
                        "identifiers": own[row] or None,
                        "stated": [number for one in stated.get(row, ()) for number in one] or None,
                        "content": next(digests),
                    }
                    for row in rows
                ]
            },
        )
    wide = [numbers[row] for row, identifiers in enumerate(own) if len(identifiers) > PAIRWISE]
    if wide:
        yield "evidence/append_wide", {"numbers": wide}
    for chunk in in_chunks(_link_rows(links_of(events, seen, own, stated, positions), positions)):
        yield "evidence/append_links", {"rows": chunk}
    told = [[a, b, numbers[row], events.times[row], apart] for row, of in stated.items() for a, b, apart in of]
    for name, kept_apart in (("evidence/append_stated", 0), ("evidence/append_apart", 1)):
        if rows_of := [one[:4] for one in told if one[4] == kept_apart]:
            yield name, {"rows": rows_of}


def _link_rows(links: EvidenceTable, positions: Mapping[str, int]) -> list[list[Any]]:
    names = {position: name for name, position in positions.items()}
    sources = [names[source] for source in links.source.tolist()]
    times = links.first_seen.tolist(), links.last_seen.tolist()
    return list(map(list, zip(links.a.tolist(), links.b.tolist(), sources, links.count.tolist(), *times, strict=True)))


def links_of(
    events: EventTable,
    seen: Int64,
    own: Sequence[Sequence[int]],
    stated: Mapping[int, Sequence[Stated]],
    sources: Mapping[str, int],
) -> EvidenceTable:
    """Every two identifiers of each event that is not wide, and does not keep them apart: by their numbers in the
    store, with sources as numbered.

    `seen` and `stated` are of `numbered`, `own` of `by_event`.
    """
    narrow = np.array([len(identifiers) <= PAIRWISE for identifiers in own], dtype=bool)
    kept = seen[narrow[seen >> NUMBER_BITS]]
    event = kept >> NUMBER_BITS
    numbers, dense = np.unique(kept & LARGEST_NUMBER, return_inverse=True)
    told = [(place, a, b) for place, of in stated.items() if narrow[place] for a, b, apart in of if apart]
    apart, *ends = np.array(told, dtype=np.int64).reshape(-1, 3).T
    one, other = (np.searchsorted(numbers, end).astype(np.int32) for end in ends)
    links = fold(
        event,
        dense.astype(np.int32),
        np.array(events.times, dtype=np.int64)[event],
        np.array([sources[name] for name in events.sources], dtype=np.int16)[event],
        namespace=np.zeros(len(numbers), dtype=np.int16),
        namespaces=[""],
        values=(),
        priority=np.zeros(1, dtype=np.int32),
        pairwise_up_to=PAIRWISE,
        apart=(apart, one, other),
    )
    numbers = numbers.astype(np.int32)
    return replace(links, a=numbers[links.a], b=numbers[links.b])


def by_event(seen: Int64, events: int) -> list[list[int]]:
    """The identifiers of each event, by number; `seen` is of `numbered`."""
    cuts = np.searchsorted(seen, np.arange(events + 1) << NUMBER_BITS).tolist()
    numbers = (seen & LARGEST_NUMBER).tolist()
    return [numbers[start:end] for start, end in pairwise(cuts)]


def record_of(row: Quarantined) -> dict[str, Any]:
    """The properties of a record from another store, in the order of `import_tables.NODES`."""
    names = ("number", "run_id", "line", "offset", "code", "message", "record", "time")
    return {name: getattr(row, name) for name in names} | {"size": len(row.record), "mark": mark_again(row)}
