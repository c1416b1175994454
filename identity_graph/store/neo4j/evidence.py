"""Events and observations: the evidence protocol on Neo4j."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from identity_graph.event_sum import EMPTY, added, event_sum
from identity_graph.event_table import EventTable
from identity_graph.model import Identifier, Run
from identity_graph.policy import Policy
from identity_graph.resolve import fold_links
from identity_graph.resolve.fold import merge
from identity_graph.store.appending import Appending
from identity_graph.store.neo4j.chunks import COLUMN
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.event_rows import PAIRWISE, EventRows
from identity_graph.store.neo4j.links import Links
from identity_graph.store.neo4j.subgraph import event_row, identifier_row
from identity_graph.store.numbered import apart_ends, distinct, is_plain, joined, unflat
from identity_graph.store.protocols import AgedEvent, Batch, EventRow, IdentifierRow, Sighting, Upcoming, nothing
from identity_graph.store.tombstones import Tombstones
from identity_graph.tables import EvidenceTable, IdentifierTable, Int16, Int64, ObservationTable, StatementTable


class Neo4jEvidence:
    def __init__(self, database: Connection, tombstones: Tombstones) -> None:
        self._database = database
        self._sources: tuple[str, ...] = ()
        self._rows = EventRows(database)
        self._appending = Appending(database.transaction, self._rows, tombstones, self.events)

    def forget(self) -> None:
        """Drop what is remembered of identifiers that may be gone."""
        self._rows.forget()

    def append(self, run: Run, batch: Batch, upcoming: Upcoming = nothing) -> Run:
        def work() -> Run:
            after = self._appending.append(run, batch)
            if coming := upcoming():
                self._rows.foresee(EventTable.of(batch.events), EventTable.of(coming.events))
            return after

        return self._database.attempt(work)

    # ---- events

    def events(self, ids: Sequence[str]) -> list[EventRow | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        rows = self._database.read("evidence/events", ids=wanted) if wanted else []
        found = {row.event.id: row for row in (_event_row(*row) for row in rows)}
        return [found.get(id) for id in ids]

    def events_of(self, identifiers: Sequence[int]) -> list[list[EventRow]]:
        if not identifiers:
            return []
        found = defaultdict(list)
        for by, event, seen in self._database.read("evidence/events_of", numbers=sorted(set(identifiers))):
            row = _event_row(event, seen)
            for number in by:
                found[number].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: (row.event.time, row.event.id))
        return [list(found[number]) for number in identifiers]

    # ---- identifiers

    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]:
        wanted = sorted({key.key for key in keys if is_plain(key.key)})
        rows = self._database.read("evidence/identifiers", keys=wanted) if wanted else []
        found = {row.identifier: row for row in map(identifier_row, rows)}
        return [found.get(key) for key in keys]

    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]:
        wanted = sorted(set(numbers))
        rows = self._database.read("evidence/identifiers_by_number", numbers=wanted) if wanted else []
        found = {row.number: row for row in map(identifier_row, rows)}
        return [found.get(number) for number in numbers]

    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        wanted = sorted(set(numbers))
        rows = self._database.read("evidence/sightings", numbers=wanted) if wanted else []
        found = {
            number: Sighting(first, last, observations, tuple(sorted(sources)))
            for number, first, last, observations, sources in rows
        }
        return [found.get(number) for number in numbers]

    # ---- columns

    def identifier_table(self, numbers: Int64 | None = None) -> tuple[IdentifierTable, Sequence[str]]:
        found: list[Int64] = []
        spaces: list[str] = []
        values: list[str] = []
        for number, space, value in self._columns("evidence/identifier_table", "identifier", numbers):
            order = np.argsort(column := np.array(number, dtype=np.int64))
            found.append(column[order])
            spaces += [space[row] for row in order.tolist()]
            values += [value[row] for row in order.tolist()]
        names = sorted(set(spaces))
        positions = {name: position for position, name in enumerate(names)}
        namespace = np.fromiter((positions[space] for space in spaces), dtype=np.int16, count=len(spaces))
        return IdentifierTable(joined(found, np.int64), namespace, names), values

    def observation_table(self, numbers: Int64 | None = None) -> ObservationTable:
        events, identifiers, times, sources = [], [], [], []
        for event, time, source, seen in self._columns("evidence/observation_table", "event", numbers):
            lengths = np.fromiter(map(len, seen), dtype=np.int64, count=len(seen))
            events.append(np.repeat(np.array(event, dtype=np.int64), lengths))
            identifiers.append(np.fromiter(chain.from_iterable(seen), dtype=np.int64, count=int(lengths.sum())))
            times.append(np.repeat(np.array(time, dtype=np.int64), lengths))
            sources.append(np.repeat(self._numbered(source), lengths))
        return ObservationTable(
            joined(events, np.int64), joined(identifiers, np.int64), joined(times, np.int64), joined(sources, np.int16)
        )

    def _columns(self, name: str, counter: str, numbers: Int64 | None) -> Iterable[Sequence[Any]]:
        """All rows, by ranges of their number; or those of `numbers`, by the statement of that name and `_of`."""
        if numbers is None:
            for after in range(0, self._database.property(counter, 0), COLUMN):
                yield self._database.one(name, after=after, upto=after + COLUMN)
        elif len(numbers):
            yield self._database.one(f"{name}_of", numbers=distinct(numbers).tolist())

    def link_table(
        self, identifiers: IdentifierTable, values: Sequence[str], policy: Policy, said: StatementTable
    ) -> EvidenceTable:
        if policy.pairwise_up_to < PAIRWISE:  # fewer links than are stored: they follow from what was observed
            return fold_links(identifiers, values, self.observation_table(), self.sources(), policy, said=said)
        links = Links(self._database, identifiers, values)
        return merge([*links.everything(), links.wide(policy, said)])

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        a: Sequence[Any] = ()
        b, times, apart, events = a, a, a, a
        if numbers is None:
            a, b, times, apart, events = self._database.one("evidence/statements")
        elif len(numbers):
            by = distinct(numbers).tolist()
            a, b, times, apart, events = self._database.one("evidence/statements_of", numbers=by)
        one, other, time, event = (np.array(column, dtype=np.int64) for column in (a, b, times, events))
        return StatementTable(one, other, time, np.array(apart, dtype=np.bool_), event)

    def sources(self) -> Sequence[str]:
        self._sources = tuple(self._database.property("sources", ()))
        return self._sources

    def _numbered(self, names: Sequence[str]) -> Int16:
        known = {name: number for number, name in enumerate(self._sources)}
        if not known.keys() >= set(names):
            known = {name: number for number, name in enumerate(self.sources())}
        return np.fromiter((known[name] for name in names), dtype=np.int16, count=len(names))

    def event_sum(self) -> bytes:
        with self._database.transaction():
            found = self._database.ledger.event_sum()
            if found is None:
                found = EMPTY
                for after in range(0, self._database.ledger.get("event", 0), COLUMN):
                    ids, _ = self._database.one("operations/canonical_ids", after=after, upto=after + COLUMN)
                    found = added(found, event_sum(ids))
                self._database.ledger.set("event_sum", found.hex())
        return found

    def newest(self) -> int:
        rows = self._database.read("evidence/newest")
        return int(rows[0][0]) if rows else 0

    def aged(self, before: int, after: int, limit: int) -> list[AgedEvent]:
        (rows,) = self._database.one("evidence/aged", before=before, after=after, limit=limit)
        return [AgedEvent(*row) for row in rows]

    def arrived_since(self, event_number: int) -> tuple[Int64, int]:
        identifiers, last = self._database.one("evidence/arrived_since", number=event_number)
        return np.array(sorted(identifiers), dtype=np.int64), last

    def kept_apart_since(self, event_number: int) -> Int64:
        (stated,) = self._database.one("evidence/kept_apart_since", number=event_number)
        return apart_ends(map(unflat, stated))


def _event_row(event: dict[str, Any], seen: Sequence[Sequence[Any]]) -> EventRow:
    """`seen`: number, namespace and value of the identifiers."""
    return event_row(event, {row[0]: identifier_row([*row, None, 0, None]) for row in seen})
