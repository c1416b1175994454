"""A store that has read ahead: what the questions about some persons will ask, by one read.

Over a network each read is a journey. Whoever will ask much of the same persons looks at them first; what the services
then ask of these persons is answered from memory, as it was at the moment of the look, and all else by the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from identity_graph.model import Identifier, Segment
from identity_graph.store.protocols import (
    EventRow,
    EvidenceStore,
    IdentifierRow,
    PersonRow,
    PersonStore,
    SegmentStore,
    Sighting,
    SimilarRow,
    Store,
    Subgraph,
    SuppressedRow,
)
from identity_graph.tables import IdentifierTable, Int64, ObservationTable, StatementTable

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
Sightings = Callable[[Sequence[int]], list[Sighting | None]]


class _Unknown(Exception):
    """Something was asked that was not looked at."""


class Remembering:
    """A store for the reading of one request. A look adds to what is remembered, if nothing was published since.
    `events`: whether a look is to bring the events of the persons, too."""

    def __init__(self, store: Store, *, events: bool) -> None:
        self._store = store
        self._events = events
        self._expected: Sequence[str] = ()
        self._memory: _Memory | None = None
        self._strict = False
        self.evidence: Any = _Evidence(self, store.evidence)
        self.persons: Any = _Persons(self, store.persons)
        self.segments: Any = _Segments(self, store.segments)
        self.kind = store.kind
        self.privacy = store.privacy
        self.erasures = store.erasures
        self.subject_requests = store.subject_requests
        self.operations = store.operations
        self.deliveries = store.deliveries
        self.transfer = store.transfer
        self.transaction = store.transaction
        self.beside = store.beside
        self.version = store.version
        self.trace = store.trace
        self.close = store.close

    def expect(self, ids: Sequence[str]) -> None:
        """Look at these persons if, and when, anything is read of anybody."""
        self._expected = [*self._expected, *ids]

    def look(self, identifiers: Sequence[Identifier] = (), ids: Sequence[str] = ()) -> None:
        """At what is not remembered already."""
        before = self._memory
        if before is not None:
            identifiers = [one for one in identifiers if not before.has_identifier(one)]
            ids = [one for one in ids if not before.has_person(one)]
            if not identifiers and not ids:
                return
        found = self._store.persons.subgraph(identifiers, ids, events=self._events)
        self._memory = _Memory(_both(before.found, found) if before and before.found.moment == found.moment else found)

    def moment(self, read: Callable[[], T]) -> T:
        """From memory alone, which is of one moment; or else by the store alone."""
        if self._expected:
            ids, self._expected = self._expected, ()
            self.look(ids=ids)
        if self._memory is None:
            return self._store.moment(read)
        if self._strict:
            return read()
        self._strict = True
        try:
            return read()
        except _Unknown:
            pass
        finally:
            self._strict = False
        memory, self._memory = self._memory, None
        try:
            return self._store.moment(read)
        finally:
            self._memory = memory

    def answer(self, recall: Callable[[_Memory], T], read: Callable[[], T]) -> T:
        """What memory says, where it knows everything that is asked; else what the store says."""
        if self._memory is not None:
            try:
                return recall(self._memory)
            except KeyError:
                if self._strict:
                    raise _Unknown from None
        return read()

    def pass_on(self, store: Any, name: str) -> Any:
        """A method of the store that memory cannot stand in for."""
        if self._strict:
            raise _Unknown
        return getattr(store, name)


class Supposed(Remembering):
    """A store in which nothing is but what it is told to know. `look` is to make it know persons and identifiers that
    are asked for by name, and persons to whom links lead that somebody follows; whatever else it is asked and does not
    know is a defect."""

    _memory: _Memory

    def __init__(
        self, store: Store, look: Callable[..., None], newest: Callable[[], int], sightings: Sightings
    ) -> None:
        super().__init__(store, events=True)
        self._look_at = look
        self.evidence.newest = newest
        self.evidence.sightings = sightings
        self.evidence.events = self._told
        self.evidence.identifiers = self._identifiers
        self.persons.persons = self._named
        self.persons.members = self._members
        self.know(Subgraph(None, {}, {}, {}, {}, {}, {}, {}, {}))

    @property
    def known(self) -> Subgraph:
        return self._memory.found

    def know(self, found: Subgraph) -> None:
        self._memory = _Memory(found)

    def look(self, identifiers: Sequence[Identifier] = (), ids: Sequence[str] = ()) -> None:
        self._look_at(identifiers, ids)

    def _identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]:
        if missing := [key for key in keys if key not in self._memory.keys]:
            self.look(missing)
        return [self._memory.keys[key] for key in keys]

    def _named(self, ids: Sequence[str]) -> list[PersonRow | None]:
        if missing := [id for id in ids if id not in self._memory.ids]:
            self.look(ids=missing)
        return [self._memory.ids[id] for id in ids]

    def _members(self, numbers: Sequence[int]) -> list[list[IdentifierRow]]:
        if missing := [number for number in numbers if number not in self.known.members]:
            self.look(ids=[self.known.persons[number].id for number in missing])
        return [list(self.known.members.get(number, ())) for number in numbers]

    def _told(self, ids: Sequence[str]) -> list[EventRow | None]:
        return [self._memory.told.get(id) for id in ids]

    def moment(self, read: Callable[[], T]) -> T:
        return read()

    def answer(self, recall: Callable[[_Memory], T], read: Callable[[], T]) -> T:
        return recall(self._memory)


class _Memory:
    """A subgraph by the keys that the reads use. What is not in it raises KeyError."""

    def __init__(self, found: Subgraph) -> None:
        self.found = found
        self.ids: dict[str, PersonRow | None] = {row.id: row for row in found.persons.values()}
        self.keys: dict[Identifier, IdentifierRow | None] = {row.identifier: row for row in found.identifiers.values()}
        for asked, row in found.asked.items():
            if isinstance(asked, Identifier):
                self.keys[asked] = row  # type: ignore[assignment]
            else:
                self.ids[asked] = row  # type: ignore[assignment]
        self.told = {row.event.id: row for rows in (found.events or {}).values() for row in rows}
        self.sources = sorted({row.event.source for row in self.told.values()})
        self.segments = {segment.name: segment for rows in found.segments.values() for segment in rows}

    def has_identifier(self, identifier: Identifier) -> bool:
        """With all that is around its person."""
        if identifier not in self.keys:
            return False
        row = self.keys[identifier]
        return row is None or row.person is None or row.person in self.found.members

    def has_person(self, id: str) -> bool:
        """With all that is around it; of others than those looked at there is the row alone."""
        if id not in self.ids:
            return False
        row = self.ids[id]
        return row is None or (row.survivor or row.number) in self.found.members

    def events(self, numbers: Iterable[int]) -> list[list[EventRow]]:
        if self.found.events is None:
            raise KeyError
        return [list(self.found.events[number]) for number in numbers]

    def rows(self, numbers: Iterable[int]) -> list[IdentifierRow]:
        return [self.found.identifiers[number] for number in numbers]

    def each_event(self, numbers: Iterable[int]) -> list[EventRow]:
        """Each once, in order of number."""
        found = {row.number: row for rows in self.events(numbers) for row in rows}
        return [found[number] for number in sorted(found)]


class _Evidence:
    def __init__(self, owner: Remembering, store: EvidenceStore) -> None:
        self._owner = owner
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return self._owner.pass_on(self._store, name)

    def events(self, ids: Sequence[str]) -> list[EventRow | None]:
        return self._owner.answer(lambda memory: [memory.told[id] for id in ids], lambda: self._store.events(ids))

    def events_of(self, numbers: Sequence[int]) -> list[list[EventRow]]:
        return self._owner.answer(lambda memory: memory.events(numbers), lambda: self._store.events_of(numbers))

    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]:
        return self._owner.answer(
            lambda memory: [memory.keys[key] for key in keys], lambda: self._store.identifiers(keys)
        )

    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]:
        return self._owner.answer(
            lambda memory: list(memory.rows(numbers)), lambda: self._store.identifiers_by_number(numbers)
        )

    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        def recall(memory: _Memory) -> list[Sighting | None]:
            return [sighting(rows) for rows in memory.events(numbers)]

        return self._owner.answer(recall, lambda: self._store.sightings(numbers))

    def identifier_table(self, numbers: Int64 | None = None) -> tuple[IdentifierTable, Sequence[str]]:
        def recall(memory: _Memory) -> tuple[IdentifierTable, Sequence[str]]:
            rows = memory.rows(np.unique(_given(numbers)).tolist())
            names = sorted({row.identifier.namespace for row in rows})
            table = IdentifierTable(
                np.array([row.number for row in rows], dtype=np.int64),
                np.array([names.index(row.identifier.namespace) for row in rows], dtype=np.int16),
                names,
            )
            return table, [row.identifier.value for row in rows]

        return self._owner.answer(recall, lambda: self._store.identifier_table(numbers))

    def observation_table(self, numbers: Int64 | None = None) -> ObservationTable:
        def recall(memory: _Memory) -> ObservationTable:
            events = memory.each_event(_given(numbers).tolist())
            lengths = [len(row.identifiers) for row in events]
            sources = [memory.sources.index(row.event.source) for row in events]
            return ObservationTable(
                np.repeat(np.array([row.number for row in events], dtype=np.int64), lengths),
                np.array([number for row in events for number in row.identifiers], dtype=np.int64),
                np.repeat(np.array([row.event.time for row in events], dtype=np.int64), lengths),
                np.repeat(np.array(sources, dtype=np.int16), lengths),
            )

        return self._owner.answer(recall, lambda: self._store.observation_table(numbers))

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        def recall(memory: _Memory) -> StatementTable:
            wanted = set(_given(numbers).tolist())
            found = [
                (*sorted((_number(memory, a), _number(memory, b))), row.event.time, apart, row.number)
                for row in memory.each_event(wanted)
                for apart, stated in ((0, row.event.same_person), (1, row.event.apart))
                for a, b in stated
            ]
            table = np.array([one for one in found if wanted & set(one[:2])], dtype=np.int64).reshape(-1, 5)
            a, b, time, apart, event = (table[:, column].copy() for column in range(5))
            return StatementTable(a, b, time, apart.astype(np.bool_), event)

        return self._owner.answer(recall, lambda: self._store.statements(numbers))

    def sources(self) -> Sequence[str]:
        return self._owner.answer(lambda memory: memory.sources, self._store.sources)


class _Persons:
    def __init__(self, owner: Remembering, store: PersonStore) -> None:
        self._owner = owner
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return self._owner.pass_on(self._store, name)

    def persons(self, ids: Sequence[str]) -> list[PersonRow | None]:
        return self._owner.answer(lambda memory: [memory.ids[id] for id in ids], lambda: self._store.persons(ids))

    def persons_by_number(self, numbers: Sequence[int]) -> list[PersonRow | None]:
        return self._owner.answer(
            lambda memory: [memory.found.persons[number] for number in numbers],
            lambda: self._store.persons_by_number(numbers),
        )

    def members(self, numbers: Sequence[int]) -> list[list[IdentifierRow]]:
        return self._owner.answer(
            lambda memory: [list(memory.found.members[number]) for number in numbers],
            lambda: self._store.members(numbers),
        )

    def membership(self, numbers: Int64 | None = None) -> tuple[Int64, Int64]:
        def recall(memory: _Memory) -> tuple[Int64, Int64]:
            rows = memory.rows(np.unique(_given(numbers)).tolist())
            pairs = [(row.number, row.person) for row in rows if row.person is not None]
            table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            return table[:, 0].copy(), table[:, 1].copy()

        return self._owner.answer(recall, lambda: self._store.membership(numbers))

    def pruned(self, numbers: Int64 | None = None) -> tuple[Int64, Sequence[str]]:
        def recall(memory: _Memory) -> tuple[Int64, Sequence[str]]:
            rows = [row for row in memory.rows(np.unique(_given(numbers)).tolist()) if row.pruned]
            return np.array([row.number for row in rows], dtype=np.int64), [row.pruned or "" for row in rows]

        return self._owner.answer(recall, lambda: self._store.pruned(numbers))

    def suppressed(self, numbers: Sequence[int]) -> list[list[SuppressedRow]]:
        return self._owner.answer(
            lambda memory: [list(memory.found.suppressed[number]) for number in numbers],
            lambda: self._store.suppressed(numbers),
        )

    def similar(self, numbers: Sequence[int]) -> list[list[SimilarRow]]:
        return self._owner.answer(
            lambda memory: [list(memory.found.similar[number]) for number in numbers],
            lambda: self._store.similar(numbers),
        )


class _Segments:
    def __init__(self, owner: Remembering, store: SegmentStore) -> None:
        self._owner = owner
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return self._owner.pass_on(self._store, name)

    def segments(self, names: Sequence[str] | None = None) -> list[Segment | None]:
        def recall(memory: _Memory) -> list[Segment | None]:
            if names is None:
                raise KeyError
            return [memory.segments[name] for name in names]

        return self._owner.answer(recall, lambda: self._store.segments(names))

    def of_persons(self, ids: Sequence[str]) -> list[list[str]]:
        def recall(memory: _Memory) -> list[list[str]]:
            rows = [memory.ids[id] for id in ids]
            found: Mapping[int, Sequence[Segment]] = memory.found.segments
            return [[one.name for one in found[row.number]] if row else [] for row in rows]

        return self._owner.answer(recall, lambda: self._store.of_persons(ids))


def _both(one: Subgraph, other: Subgraph) -> Subgraph:
    return Subgraph(
        moment=other.moment,
        asked={**one.asked, **other.asked},
        persons={**one.persons, **other.persons},
        identifiers={**one.identifiers, **other.identifiers},
        members={**one.members, **other.members},
        suppressed={**one.suppressed, **other.suppressed},
        similar={**one.similar, **other.similar},
        segments={**one.segments, **other.segments},
        events=None if one.events is None or other.events is None else {**one.events, **other.events},
    )


def _given(numbers: Int64 | None) -> Int64:
    if numbers is None:
        raise KeyError
    return numbers


def _number(memory: _Memory, identifier: Identifier) -> int:
    row = memory.keys[identifier]
    if row is None:
        raise KeyError
    return row.number


def sighting(rows: Sequence[EventRow]) -> Sighting | None:
    times = [row.event.time for row in rows]
    sources = tuple(sorted({row.event.source for row in rows}))
    return Sighting(min(times), max(times), len(rows), sources) if rows else None
