"""Events and observations: the evidence protocol on SQLite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from identity_graph.hashed import hashes
from identity_graph.model import Event, Identifier, Run
from identity_graph.policy import Policy
from identity_graph.resolve import fold_links
from identity_graph.store.appending import Appending
from identity_graph.store.numbered import distinct, joined, told_apart
from identity_graph.store.protocols import AgedEvent, Batch, EventRow, IdentifierRow, Sighting, Upcoming, nothing
from identity_graph.store.sqlite.columns import chunks, columns, number_set, unpack
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import numbers_of, read_object, stated_of
from identity_graph.store.sqlite.event_rows import EventRows
from identity_graph.store.sqlite.event_sums import read_sum
from identity_graph.store.sqlite.layers import both
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.tombstones import Tombstones
from identity_graph.tables import EvidenceTable, IdentifierTable, Int64, ObservationTable, StatementTable

_EVENT = "e.number, e.id, e.time, e.source, e.name, e.identifiers, e.stated, e.traits, e.properties, e.received"
_EVENT_BY_ID = both(
    f"SELECT {_EVENT} FROM carray(?1) k CROSS JOIN {{recent}}event_id x ON x.hash = k.value"
    " CROSS JOIN event e ON e.number = x.event"
)
_EVENT_BY_NUMBER = f"SELECT {_EVENT} FROM carray(?1) k CROSS JOIN event e ON e.number = k.value"
_SEEN_BY = "SELECT {} FROM carray(?1) k CROSS JOIN {{recent}}observation o ON o.identifier = k.value"
_IDENTIFIER = (
    "SELECT i.number, i.namespace, i.value, m.person, coalesce(m.since, 0), p.code FROM carray(?1) k"
    " CROSS JOIN {} LEFT JOIN member m ON m.identifier = i.number LEFT JOIN pruned p ON p.identifier = i.number"
)
_IDENTIFIER_BY_VALUE = both(
    _IDENTIFIER.format(
        "{recent}identifier_value v ON v.hash = k.value CROSS JOIN identifier i ON i.number = v.identifier"
    )
)
_IDENTIFIER_BY_NUMBER = _IDENTIFIER.format("identifier i ON i.number = k.value")


class SqliteEvidence:
    def __init__(self, database: Connection, namespaces: Names, sources: Names, tombstones: Tombstones) -> None:
        self._database = database
        self._namespaces = namespaces
        self._sources = sources
        self._rows = EventRows(database, namespaces, sources)
        self._appending = Appending(database.transaction, self._rows, tombstones, self.events)

    def forget(self) -> None:
        """Drop what is remembered of identifiers that may be gone."""
        self._rows.forget()

    def append(self, run: Run, batch: Batch, upcoming: Upcoming = nothing) -> Run:
        return self._appending.append(run, batch)

    # ---- events

    def events(self, ids: Sequence[str]) -> list[EventRow | None]:
        if not ids:
            return []
        with self._database.snapshot():
            rows = self._database.rows(_EVENT_BY_ID, (number_set(distinct(hashes(set(ids)))),))
            found = {row.event.id: row for row in self._event_rows(rows)}
        return [found.get(id) for id in ids]

    def events_of(self, identifiers: Sequence[int]) -> list[list[EventRow]]:
        if not identifiers:
            return []
        with self._database.snapshot():
            pairs = self._database.rows(
                both(_SEEN_BY.format("o.identifier, o.event")),
                (number_set(list(set(identifiers))),),
            )
            numbers = {event for _, event in pairs}
            rows: list[Any] = []
            if numbers:
                rows = self._database.rows(_EVENT_BY_NUMBER, (number_set(sorted(numbers)),))
            events = {row.number: row for row in self._event_rows(rows)}
        seen = defaultdict(list)
        for identifier, number in pairs:
            seen[identifier].append(events[number])
        for found in seen.values():
            found.sort(key=lambda row: (row.event.time, row.event.id))
        return [list(seen[identifier]) for identifier in identifiers]

    def _event_rows(self, rows: Sequence[Any]) -> list[EventRow]:
        """With identifiers and stated pairs by key, whatever the order in which they came."""
        numbers = {number for row in rows for number in numbers_of(row[5])}
        keys: dict[int, Identifier] = {}
        if numbers:
            name = self._namespaces.name
            found = self._database.rows(
                "SELECT i.number, i.namespace, i.value FROM carray(?) k CROSS JOIN identifier i ON i.number = k.value",
                (number_set(sorted(numbers)),),
            )
            keys = {number: Identifier(name(space), value) for number, space, value in found}
        answer = []
        for number, id, time, source, event_name, identifiers, stated, traits, properties, received in rows:
            seen = numbers_of(identifiers)
            same, apart = told_apart((keys[a], keys[b], kept_apart) for a, b, kept_apart in stated_of(stated))
            event = Event(
                id,
                time,
                self._sources.name(source),
                event_name,
                _by_key(keys[n] for n in seen),
                read_object(traits),
                read_object(properties),
                same,
                received,
                apart,
            )
            answer.append(EventRow(number, event, seen))
        return answer

    # ---- identifiers

    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]:
        if not keys:
            return []
        with self._database.snapshot():
            values = hashes({key.value for key in keys})
            rows = self._database.rows(_IDENTIFIER_BY_VALUE, (number_set(distinct(values)),))
            found = self._identifier_rows(rows)
        by_key = {row.identifier: row for row in found}
        return [by_key.get(key) for key in keys]

    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]:
        if not numbers:
            return []
        with self._database.snapshot():
            rows = self._database.rows(_IDENTIFIER_BY_NUMBER, (number_set(list(set(numbers))),))
            found = self._identifier_rows(rows)
        by_number = {row.number: row for row in found}
        return [by_number.get(number) for number in numbers]

    def _identifier_rows(self, rows: Sequence[Any]) -> list[IdentifierRow]:
        name = self._namespaces.name
        return [
            IdentifierRow(number, Identifier(name(space), value), person, since, pruned)
            for number, space, value, person, since, pruned in rows
        ]

    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        if not numbers:
            return []
        rows = self._database.rows(
            both(_SEEN_BY.format("o.identifier, o.source, min(o.time), max(o.time), count(*)") + " GROUP BY 1, 2"),
            (number_set(list(set(numbers))),),
        )
        found: dict[int, Sighting] = {}
        for number, source, first, last, count in rows:
            old = found.get(number, Sighting(first, last, 0, ()))
            sources = {*old.sources, self._sources.name(source)}
            found[number] = Sighting(
                min(first, old.first_seen),
                max(last, old.last_seen),
                count + old.observations,
                tuple(sorted(sources)),
            )
        return [found.get(number) for number in numbers]

    # ---- columns

    def identifier_table(self, numbers: Int64 | None = None) -> tuple[IdentifierTable, Sequence[str]]:
        if numbers is None:
            rows = self._database.stream("SELECT number, namespace, value FROM identifier ORDER BY number")
        elif len(numbers):
            rows = self._database.stream(
                "SELECT i.number, i.namespace, i.value FROM carray(?) k CROSS JOIN identifier i ON i.number = k.value",
                (number_set(distinct(numbers)),),
            )
        else:
            rows = iter(())
        found, spaces = [], []
        values: list[str] = []
        for chunk in chunks(rows):
            number, namespace, value = zip(*chunk, strict=True)
            found.append(np.array(number, dtype=np.int64))
            spaces.append(np.array(namespace, dtype=np.int16))
            values += value
        table = IdentifierTable(joined(found, np.int64), joined(spaces, np.int16), self._namespaces.all())
        return table, values

    def observation_table(self, numbers: Int64 | None = None) -> ObservationTable:
        # From the events, in the order of their numbers: a third of the rows, and less to sort for whoever folds them.
        if numbers is None:
            rows = self._database.stream("SELECT number, time, source, identifiers FROM event")
        elif len(numbers):
            rows = self._database.stream(
                "SELECT number, time, source, identifiers FROM event WHERE number IN"
                f" ({both(_SEEN_BY.format('o.event'))})",
                (number_set(distinct(numbers)),),
            )
        else:
            rows = iter(())
        events, identifiers, times, sources = [], [], [], []
        for chunk in chunks(rows):
            event, time, source, blobs = zip(*chunk, strict=True)
            lengths = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) >> 3
            events.append(np.repeat(np.array(event, dtype=np.int64), lengths))
            identifiers.append(unpack(b"".join(blobs)))
            times.append(np.repeat(np.array(time, dtype=np.int64), lengths))
            sources.append(np.repeat(np.array(source, dtype=np.int16), lengths))
        return ObservationTable(
            joined(events, np.int64), joined(identifiers, np.int64), joined(times, np.int64), joined(sources, np.int16)
        )

    def link_table(self, identifiers: IdentifierTable, values: Sequence[str], policy: Policy) -> EvidenceTable:
        return fold_links(identifiers, values, self.observation_table(), self.sources(), policy)

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        rows: Iterable[Sequence[int]] = ()
        if numbers is None:
            rows = self._database.rows(
                "SELECT s.a, s.b, e.time, s.apart FROM stated s CROSS JOIN event e ON e.number = s.event"
            )
        elif len(numbers):
            found = (
                "SELECT s.a, s.b, s.event, s.apart FROM carray(?1) k CROSS JOIN stated s ON s.a = k.value"
                " UNION SELECT s.a, s.b, s.event, s.apart FROM carray(?1) k CROSS JOIN stated s ON s.b = k.value"
            )
            rows = self._database.rows(
                f"SELECT s.a, s.b, e.time, s.apart FROM ({found}) s CROSS JOIN event e ON e.number = s.event",
                (number_set(np.unique(numbers)),),
            )
        a, b, time, apart = columns(rows, 4)
        return StatementTable(a, b, time, apart.astype(np.bool_))

    def sources(self) -> Sequence[str]:
        return self._sources.all()

    def event_sum(self) -> bytes:
        return read_sum(self._database)

    def newest(self) -> int:
        return self._database.one("SELECT max(time) FROM event") or 0

    def aged(self, before: int, after: int, limit: int) -> list[AgedEvent]:
        rows = self._database.rows(
            "SELECT e.number, e.id, e.time, s.name, e.name FROM event e CROSS JOIN source s ON s.number = e.source"
            " WHERE e.number > ? AND e.time < ? ORDER BY e.number LIMIT ?",
            (after, before, limit),
        )
        return [AgedEvent(*row) for row in rows]

    def arrived_since(self, event_number: int) -> tuple[Int64, int]:
        with self._database.snapshot():
            blobs = self._database.stream("SELECT identifiers FROM event WHERE number > ?", (event_number,))
            seen = [unpack(b"".join(chain.from_iterable(chunk))) for chunk in chunks(blobs)]
            last = last_number(self._database, "event")
        return distinct(joined(seen, np.int64)), last


def _by_key(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(sorted(identifiers, key=lambda identifier: identifier.key))
