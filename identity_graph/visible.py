"""The store as everybody but the privacy desk sees it: without restricted persons, and without what is theirs.

A person is restricted as long as one of its identifiers is, so it stays hidden through every resolution. Nobody finds
it, its identifiers were never observed, and its events never were; in events of others its identifiers are left out.
Where nobody is restricted, everything is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from threading import local
from typing import Any, TypeVar

import numpy as np

from identity_graph.journey import attribute
from identity_graph.model import Change, ChangeKind, Identifier, Person
from identity_graph.policy import Policy
from identity_graph.remembering import sighting
from identity_graph.store.protocols import (
    EventRow,
    IdentifierRow,
    PersonRow,
    Sighting,
    SimilarRow,
    Store,
    Subgraph,
    SuppressedRow,
)
from identity_graph.tables import Bool, Int64, ObservationTable, StatementTable

T = TypeVar("T")
Row = TypeVar("Row", Person, PersonRow)


class Visible:
    """For reading. What it does not hide on its own is what the store has. It asks once in each moment who is
    restricted; with `once` but once at all: for one request."""

    def __init__(self, store: Store, policy: Policy, *, once: bool = False) -> None:
        self._store = store
        self._policy = policy
        self._once = once
        self._hidden: list[PersonRow] | None = None
        self._here = local()
        self.evidence: Any = _Evidence(self, store)
        self.persons: Any = _Persons(self, store)
        self.kind = store.kind
        self.segments = store.segments  # who is restricted is in none
        self.privacy = store.privacy
        self.erasures = store.erasures
        self.subject_requests = store.subject_requests
        self.operations = store.operations
        self.deliveries = store.deliveries
        self.transfer = store.transfer
        self.transaction = store.transaction
        self.beside = store.beside
        self.trace = store.trace
        self.version = store.version
        self.close = store.close

    def moment(self, read: Callable[[], T]) -> T:
        if self._of_moment is not None:
            return read()

        def begun() -> T:
            self._here.hidden = []  # anew, where it is read again
            return read()

        try:
            return self._store.moment(begun)
        finally:
            self._here.hidden = None

    @property
    def _of_moment(self) -> list[list[PersonRow]] | None:
        """Of the moment that this thread reads: what was answered in it, if it was asked."""
        found: list[list[PersonRow]] | None = getattr(self._here, "hidden", None)
        return found

    def hidden(self) -> list[PersonRow]:
        """With those that are merged into them."""
        if self._hidden is not None:
            return self._hidden
        answered = self._of_moment
        if answered:
            return answered[0]
        found = self._store.privacy.restricted_persons()
        if self._once:
            self._hidden = found
        if answered is not None:
            answered.append(found)
        return found

    def at_once(self) -> Visible:
        """The same, for one request."""
        return Visible(self._store, self._policy, once=True)

    def numbers(self) -> set[int]:
        return {row.number for row in self.hidden()}

    def owned(self, numbers: Iterable[int], hidden: Set[int]) -> set[int]:
        """Of identifier numbers those whose person is hidden."""
        members, owners = self._store.persons.membership(np.array(sorted(set(numbers)), dtype=np.int64))
        pairs = zip(members.tolist(), owners.tolist(), strict=True)
        return {number for number, owner in pairs if owner in hidden}

    def events(self, rows: Sequence[EventRow], hidden: Set[int]) -> dict[int, EventRow]:
        """By number. An event is whose it is by all of its identifiers, also by those that are then left out."""
        numbers = sorted({number for row in rows for number in row.identifiers})
        known = {row.number: row for row in self._store.evidence.identifiers_by_number(numbers) if row}
        return self.among(rows, known, hidden)

    def among(self, rows: Iterable[EventRow], known: Any, hidden: Set[int]) -> dict[int, EventRow]:
        """As `events`, with the rows of their identifiers."""
        found = {}
        for row in rows:
            there = [known[number] for number in row.identifiers if number in known]
            owner = {one.identifier: one.person for one in there if one.person is not None}
            if hidden.isdisjoint(owner.values()):
                found[row.number] = row
                continue
            by = attribute(owner, self._policy)
            if by is None or owner[by] not in hidden:
                found[row.number] = _without(row, [one for one in there if one.person in hidden])
        return found


class _Evidence:
    def __init__(self, visible: Visible, store: Store) -> None:
        self._visible = visible
        self._store = store.evidence

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def events(self, ids: Sequence[str]) -> list[EventRow | None]:
        found = self._store.events(ids)
        if not (hidden := self._visible.numbers()):
            return found
        seen = self._visible.events([row for row in found if row], hidden)
        return [seen.get(row.number) if row else None for row in found]

    def events_of(self, identifiers: Sequence[int]) -> list[list[EventRow]]:
        if not (hidden := self._visible.numbers()):
            return self._store.events_of(identifiers)
        gone = self._visible.owned(identifiers, hidden)
        found = self._store.events_of([number for number in identifiers if number not in gone])
        seen = self._visible.events(list({row.number: row for rows in found for row in rows}.values()), hidden)
        rest = iter([[seen[row.number] for row in rows if row.number in seen] for rows in found])
        return [[] if number in gone else next(rest) for number in identifiers]

    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]:
        rows = self._store.identifiers(keys)
        if not any(rows) or not (hidden := self._visible.numbers()):
            return rows
        unseen = self.unseen([row.number for row in rows if row and row.person is None])
        return [row if row and row.person not in hidden and row.number not in unseen else None for row in rows]

    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]:
        rows = self._store.identifiers_by_number(numbers)
        if not any(rows) or not (hidden := self._visible.numbers()):
            return rows
        return [row if row and row.person not in hidden else None for row in rows]

    def unseen(self, numbers: Sequence[int]) -> set[int]:
        """Those that events of hidden persons alone have seen."""
        return {number for number, seen in zip(numbers, self.sightings(numbers), strict=True) if seen is None}

    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        """Of what many have seen as the store counts it: who counts again would read all of a hub's history."""
        found = self._store.sightings(numbers)
        hidden = self._visible.numbers()
        if not hidden or not numbers:
            return found
        gone = self._visible.owned(numbers, hidden)
        few = [n for n, seen in zip(numbers, found, strict=True) if seen and seen.observations <= FEW and n not in gone]
        events = dict(zip(few, self.events_of(few), strict=True))
        return [
            None if number in gone else sighting(events[number]) if number in events else seen
            for number, seen in zip(numbers, found, strict=True)
        ]

    def observation_table(self, numbers: Int64 | None = None) -> ObservationTable:
        table = self._store.observation_table(numbers)
        if not (hidden := self._visible.numbers()):
            return table
        kept = self._kept(hidden, table.identifier)
        return ObservationTable(table.event[kept], table.identifier[kept], table.time[kept], table.source[kept])

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        table = self._store.statements(numbers)
        if not (hidden := self._visible.numbers()):
            return table
        kept = self._kept(hidden, table.a) & self._kept(hidden, table.b)
        a, b, time, event = (column[kept] for column in (table.a, table.b, table.time, table.event))
        return StatementTable(a, b, time, table.apart[kept], event)

    def _kept(self, hidden: Set[int], numbers: Int64) -> Bool:
        gone = self._visible.owned(np.unique(numbers).tolist(), hidden)
        return ~np.isin(numbers, np.array(sorted(gone), dtype=np.int64))


FEW = 1_000
"""Observations that are counted again."""


class _Persons:
    def __init__(self, visible: Visible, store: Store) -> None:
        self._visible = visible
        self._store = store.persons

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def persons(self, ids: Sequence[str]) -> list[PersonRow | None]:
        return self._shown(self._store.persons(ids))

    def persons_by_number(self, numbers: Sequence[int]) -> list[PersonRow | None]:
        return self._shown(self._store.persons_by_number(numbers))

    def _shown(self, rows: list[PersonRow | None]) -> list[PersonRow | None]:
        hidden = self._visible.numbers()
        return [row if row and row.number not in hidden else None for row in rows]

    def members(self, persons: Sequence[int]) -> list[list[IdentifierRow]]:
        hidden, found = self._visible.numbers(), self._store.members(persons)
        return [[] if number in hidden else rows for number, rows in zip(persons, found, strict=True)]

    def membership(self, numbers: Int64 | None = None) -> tuple[Int64, Int64]:
        members, owners = self._store.membership(numbers)
        kept = ~np.isin(owners, np.array(sorted(self._visible.numbers()), dtype=np.int64))
        return members[kept], owners[kept]

    def suppressed(self, numbers: Sequence[int]) -> list[list[SuppressedRow]]:
        found = self._store.suppressed(numbers)
        if not (hidden := self._visible.numbers()):
            return found
        gone = self._visible.owned((end for rows in found for row in rows for end in row[:2]), hidden)
        return [[row for row in rows if gone.isdisjoint(row[:2])] for rows in found]

    def similar(self, numbers: Sequence[int]) -> list[list[SimilarRow]]:
        found = self._store.similar(numbers)
        if not (hidden := self._visible.numbers()):
            return found
        named = (number for rows in found for row in rows for number in (row.a, row.b, *row.shared))
        gone = self._visible.owned(named, hidden)
        return [_similar(rows, gone) for rows in found]

    def changes(
        self, *, after: int = 0, limit: int = 100, person_id: str | None = None, kinds: Sequence[ChangeKind] = ()
    ) -> list[Change]:
        """Read on until there are as many as are asked for: who pages ends at a page that is not full."""
        gone = {row.id for row in self._visible.hidden()}
        found: list[Change] = []
        while len(found) < limit:
            page = self._store.changes(after=after, limit=limit, person_id=person_id, kinds=kinds)
            found += [change for change in page if change.person_id not in gone]
            if len(page) < limit:
                break
            after = page[-1].number
        return found[:limit]

    def changes_of(self, person_ids: Sequence[str]) -> list[list[Change]]:
        gone = {row.id for row in self._visible.hidden()}
        found = self._store.changes_of(person_ids)
        return [[] if id in gone else changes for id, changes in zip(person_ids, found, strict=True)]

    def page(self, *, after: str = "", limit: int = 100, backward: bool = False) -> list[Person]:
        return self._page(self._store.page, lambda person: person.id, after, limit, backward)

    def page_by_creation(
        self, *, after: int | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        return self._page(self._store.page_by_creation, lambda row: row.number, after, limit, backward)

    def page_by_update(
        self, *, after: tuple[int, int] | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        return self._page(self._store.page_by_update, lambda row: (row.updated, row.number), after, limit, backward)

    def _page(
        self, read: Callable[..., list[Row]], key: Callable[[Row], Any], after: Any, limit: int, backward: bool
    ) -> list[Row]:
        gone = {row.id for row in self._visible.hidden()}
        found: list[Row] = []
        while len(found) < limit:
            page = read(after=after, limit=limit, backward=backward)
            kept = [row for row in page if row.id not in gone]
            found = kept + found if backward else found + kept
            if len(page) < limit:
                break
            after = key(page[0] if backward else page[-1])
        return found[-limit:] if backward else found[:limit]

    def count(self) -> int:
        return self._store.count() - sum(row.survivor is None for row in self._visible.hidden())

    def subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], *, events: bool) -> Subgraph:
        found = self._store.subgraph(identifiers, ids, events=events)
        return self._seen(found) if found.restricted else found

    def _seen(self, found: Subgraph) -> Subgraph:
        hidden = found.restricted
        gone = {row.number for row in found.identifiers.values() if row.person in hidden}
        ends = {end for rows in found.suppressed.values() for row in rows for end in row[:2]}
        gone |= self._visible.owned(ends, hidden)
        members = {person: rows for person, rows in found.members.items() if person not in hidden}
        inside = {row.number for rows in members.values() for row in rows}
        events = None
        if found.events is not None:
            rows = {row.number: row for of in found.events.values() for row in of}
            seen = self._visible.among(rows.values(), found.identifiers, hidden)
            events = {
                member: [seen[row.number] for row in of if row.number in seen]
                for member, of in found.events.items()
                if member in inside
            }
        free = [row for row in found.asked.values() if isinstance(row, IdentifierRow) and row.person is None]
        gone |= self._visible.evidence.unseen([row.number for row in free])
        return replace(
            found,
            asked={key: row if row and not _is_of(row, hidden, gone) else None for key, row in found.asked.items()},
            persons={
                number: row
                for number, row in found.persons.items()
                if number not in hidden and row.survivor not in hidden
            },
            identifiers={number: row for number, row in found.identifiers.items() if number not in gone},
            members=members,
            suppressed={
                member: [row for row in rows if gone.isdisjoint(row[:2])]
                for member, rows in found.suppressed.items()
                if member in inside
            },
            similar={member: _similar(rows, gone) for member, rows in found.similar.items() if member in inside},
            segments={person: of for person, of in found.segments.items() if person not in hidden},
            events=events,
        )


def _is_of(row: IdentifierRow | PersonRow, hidden: Set[int], gone: Set[int]) -> bool:
    if isinstance(row, IdentifierRow):
        return row.number in gone
    return row.number in hidden or row.survivor in hidden


def _similar(rows: Iterable[SimilarRow], gone: Set[int]) -> list[SimilarRow]:
    return [
        row._replace(shared=tuple(number for number in row.shared if number not in gone))
        for row in rows
        if gone.isdisjoint((row.a, row.b))
    ]


def _without(row: EventRow, left_out: Sequence[IdentifierRow]) -> EventRow:
    keys, numbers = {one.identifier for one in left_out}, {one.number for one in left_out}
    event = row.event._replace(
        identifiers=tuple(one for one in row.event.identifiers if one not in keys),
        same_person=tuple(pair for pair in row.event.same_person if keys.isdisjoint(pair)),
        apart=tuple(pair for pair in row.event.apart if keys.isdisjoint(pair)),
    )
    return EventRow(row.number, event, tuple(number for number in row.identifiers if number not in numbers))
