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
from identity_graph.store.numbered import apart_ends, distinct, joined, told_apart
from identity_graph.store.protocols import AgedEvent, Batch, EventRow, IdentifierRow, Sighting, Upcoming, nothing
from identity_graph.store.sqlite.columns import chunks, columns, number_set, unpack
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import numbers_of, read_object, stated_of
from identity_graph.store.sqlite.entries import Select, fetch, find, find_in_pieces, of_numbers
from identity_graph.store.sqlite.event_rows import EventRows
from identity_graph.store.sqlite.event_sums import read_sum
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.tree import EVENT_ID, IDENTIFIER_VALUE, OBSERVATION, SOURCE_BITS
from identity_graph.store.tombstones import Tombstones
from identity_graph.tables import EvidenceTable, IdentifierTable, Int64, ObservationTable, StatementTable

_EVENT = Select(
    (
        "e.number",
        "e.id",
        "e.time",
        "e.source",
        "e.name",
        "e.identifiers",
        "e.stated",
        "e.traits",
        "e.properties",
        "e.received",
    ),
    "event e ON e.number = {}",
)
_OBSERVED = Select(("e.number", "e.time", "e.source", "e.identifiers"), "event e ON e.number = {}")
_IDENTIFIER = Select(
    ("i.number", "i.namespace", "i.value", "m.person", "coalesce(m.since, 0)", "p.code"),
    "identifier i ON i.number = {} LEFT JOIN member m ON m.identifier = i.number"
    " LEFT JOIN pruned p ON p.identifier = i.number",
)


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
            rows = list(fetch(self._database, EVENT_ID, distinct(hashes(set(ids))), _EVENT))
            found = {row.event.id: row for row in self._event_rows(rows)}
        return [found.get(id) for id in ids]

    def events_of(self, identifiers: Sequence[int]) -> list[list[EventRow]]:
        if not identifiers:
            return []
        with self._database.snapshot():
            entries = find(self._database, OBSERVATION, distinct(np.array(identifiers)))
            rows = of_numbers(self._database, distinct(entries[:, -1]), _EVENT)
            events = {row.number: row for row in self._event_rows(rows)}
        seen = defaultdict(list)
        for identifier, number in zip(OBSERVATION.keys(entries).tolist(), entries[:, -1].tolist(), strict=True):
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
            values = distinct(hashes({key.value for key in keys}))
            found = self._identifier_rows(fetch(self._database, IDENTIFIER_VALUE, values, _IDENTIFIER))
        by_key = {row.identifier: row for row in found}
        return [by_key.get(key) for key in keys]

    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]:
        if not numbers:
            return []
        with self._database.snapshot():
            found = self._identifier_rows(of_numbers(self._database, distinct(np.array(numbers)), _IDENTIFIER))
        by_number = {row.number: row for row in found}
        return [by_number.get(number) for number in numbers]

    def _identifier_rows(self, rows: Iterable[Any]) -> list[IdentifierRow]:
        name = self._namespaces.name
        return [
            IdentifierRow(number, Identifier(name(space), value), person, since, pruned)
            for number, space, value, person, since, pruned in rows
        ]

    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        if not numbers:
            return []
        with self._database.snapshot():
            pieces = [
                _seen(entries) for entries in find_in_pieces(self._database, OBSERVATION, distinct(np.array(numbers)))
            ]
        whole = _folded(np.concatenate(pieces))
        of, source = OBSERVATION.keys(whole), whole[:, 0] & (1 << SOURCE_BITS) - 1
        found: dict[int, Sighting] = {}
        for row in zip(of.tolist(), source.tolist(), *whole[:, 1:].T.tolist(), strict=True):
            number, named, first_seen, last_seen, observations = row
            old = found.get(number, Sighting(first_seen, last_seen, 0, ()))
            found[number] = Sighting(
                min(first_seen, old.first_seen),
                max(last_seen, old.last_seen),
                observations + old.observations,
                tuple(sorted({*old.sources, self._sources.name(named)})),
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
        with self._database.snapshot():
            rows: Iterable[Any] = ()
            if numbers is None:
                rows = self._database.stream("SELECT number, time, source, identifiers FROM event")
            elif len(numbers):
                rows = fetch(self._database, OBSERVATION, distinct(numbers), _OBSERVED)
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

    def link_table(
        self, identifiers: IdentifierTable, values: Sequence[str], policy: Policy, said: StatementTable
    ) -> EvidenceTable:
        return fold_links(identifiers, values, self.observation_table(), self.sources(), policy, said=said)

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        rows: Iterable[Sequence[int]] = ()
        if numbers is None:
            rows = self._database.rows(
                "SELECT s.a, s.b, e.time, s.apart, s.event FROM stated s CROSS JOIN event e ON e.number = s.event"
            )
        elif len(numbers):
            found = (
                "SELECT s.a, s.b, s.event, s.apart FROM carray(?1) k CROSS JOIN stated s ON s.a = k.value"
                " UNION SELECT s.a, s.b, s.event, s.apart FROM carray(?1) k CROSS JOIN stated s ON s.b = k.value"
            )
            rows = self._database.rows(
                f"SELECT s.a, s.b, e.time, s.apart, s.event FROM ({found}) s CROSS JOIN event e ON e.number = s.event",
                (number_set(np.unique(numbers)),),
            )
        a, b, time, apart, event = columns(rows, 5)
        return StatementTable(a, b, time, apart.astype(np.bool_), event)

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

    def kept_apart_since(self, event_number: int) -> Int64:
        blobs = self._database.rows("SELECT stated FROM event WHERE number > ? AND stated IS NOT NULL", (event_number,))
        return apart_ends(stated_of(blob) for (blob,) in blobs)


def _by_key(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(sorted(identifiers, key=lambda identifier: identifier.key))


def _seen(observations: Int64) -> Int64:
    """As `_folded`, of entries of observations."""
    time = observations[:, 1]
    return _folded(np.column_stack((observations[:, 0], time, time, np.ones_like(time))))


def _folded(rows: Int64) -> Int64:
    """Of each identifier and source, which are one number: the first time, the last, and how many."""
    rows = rows[np.argsort(rows[:, 0])]
    starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    if not len(starts):
        return rows
    _, first, last, count = rows.T
    return np.column_stack(
        (
            rows[starts, 0],
            np.minimum.reduceat(first, starts),
            np.maximum.reduceat(last, starts),
            np.add.reduceat(count, starts),
        )
    )
