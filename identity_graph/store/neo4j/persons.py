"""What resolutions published: the persons protocol on Neo4j."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from identity_graph.model import Change, ChangeKind, Identifier, Person, Reason
from identity_graph.store.neo4j.chunks import COLUMN
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.publishing import publish
from identity_graph.store.neo4j.subgraph import read_subgraph
from identity_graph.store.numbered import FARTHEST, distinct, is_plain, joined
from identity_graph.store.protocols import (
    IdentifierRow,
    Marks,
    PersonRow,
    Publication,
    SimilarRow,
    Subgraph,
    SuppressedRow,
)
from identity_graph.tables import Int64


class Neo4jPersons:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def publish(self, publication: Publication) -> None:
        publish(self._database, publication)

    def resolved(self) -> tuple[int, str | None]:
        event, policy = self._database.one("persons/resolved")
        return event, policy

    def marks(self) -> Marks:
        known = self._database.properties()
        return Marks(known.get("edition", 0), known.get("event", 0), known.get("gone", 0))

    def touched(self, since: Marks) -> Int64:
        (numbers,) = self._database.one("persons/touched", edition=since.edition)
        seen, _ = self._database.one("evidence/arrived_since", number=since.event)
        _, owners = self.membership(np.array(seen, dtype=np.int64))
        return np.union1d(np.array(numbers, dtype=np.int64), owners)

    def membership(self, numbers: Int64 | None = None) -> tuple[Int64, Int64]:
        if numbers is None:
            return self._database.moment(self._whole_membership)
        if not len(numbers):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return _by_first(*self._database.one("persons/membership_of", numbers=distinct(numbers).tolist()))

    def _whole_membership(self) -> tuple[Int64, Int64]:
        pieces = [
            _by_first(*self._database.one("persons/membership", after=after, upto=after + COLUMN))
            for after in range(0, self._database.property("identifier", 0), COLUMN)
        ]
        return joined([piece for piece, _ in pieces], np.int64), joined([piece for _, piece in pieces], np.int64)

    def persons(self, ids: Sequence[str]) -> list[PersonRow | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        if not wanted:
            return [None] * len(ids)
        found = {row.id: row for row in _persons(self._database.one("persons/persons", ids=wanted))}
        return [found.get(id) for id in ids]

    def persons_by_number(self, numbers: Sequence[int]) -> list[PersonRow | None]:
        if not numbers:
            return []
        columns = self._database.one("persons/persons_by_number", numbers=sorted(set(numbers)))
        found = {row.number: row for row in _persons(columns)}
        return [found.get(number) for number in numbers]

    def members(self, persons: Sequence[int]) -> list[list[IdentifierRow]]:
        if not persons:
            return []
        columns = self._database.one("persons/members", persons=sorted(set(persons)))
        found: dict[int, list[IdentifierRow]] = defaultdict(list)
        for person, number, namespace, value, since, pruned in zip(*columns, strict=True):
            identifier = Identifier(namespace, value)
            found[person].append(IdentifierRow(number, identifier, person, since, pruned or None))
        for identifiers in found.values():
            identifiers.sort(key=lambda row: row.identifier.key)
        return [list(found[person]) for person in persons]

    def pruned(self, numbers: Int64 | None = None) -> tuple[Int64, Sequence[str]]:
        if numbers is None:
            rows = self._database.read("persons/pruned")
        elif len(numbers):
            rows = self._database.read("persons/pruned_of", numbers=distinct(numbers).tolist())
        else:
            rows = []
        found = sorted((number, code) for code, pruned in rows for number in pruned)
        return np.array([number for number, _ in found], dtype=np.int64), [code for _, code in found]

    def suppressed(self, numbers: Sequence[int]) -> list[list[SuppressedRow]]:
        if not numbers:
            return []
        columns = self._database.one("persons/suppressed", numbers=sorted(set(numbers)))
        found: dict[int, list[SuppressedRow]] = defaultdict(list)
        for number, a, b, code, message, namespace, values in zip(*columns, strict=True):
            found[number].append(SuppressedRow(a, b, Reason(code, message, namespace or None, tuple(values))))
        for rows in found.values():
            rows.sort(key=lambda row: (row.a, row.b))
        return [list(found[number]) for number in numbers]

    def similar(self, numbers: Sequence[int]) -> list[list[SimilarRow]]:
        if not numbers:
            return []
        columns = self._database.one("persons/similar", numbers=sorted(set(numbers)))
        found: dict[int, list[SimilarRow]] = defaultdict(list)
        for number, a, b, weight, last_seen, shared in zip(*columns, strict=True):
            found[number].append(SimilarRow(a, b, weight, last_seen, tuple(shared)))
        for rows in found.values():
            rows.sort()
        return [list(found[number]) for number in numbers]

    def changes(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        person_id: str | None = None,
        kinds: Sequence[ChangeKind] = (),
    ) -> list[Change]:
        which = {"after": after, "limit": limit, "kinds": [kind.value for kind in kinds] or None}
        if person_id is None:
            rows = self._database.read("persons/changes", **which)
        elif is_plain(person_id):
            rows = self._database.read("persons/changes_person", person_id=person_id, **which)
        else:
            rows = []
        return [_change(row) for (row,) in rows]

    def changes_of(self, person_ids: Sequence[str]) -> list[list[Change]]:
        wanted = sorted({id for id in person_ids if is_plain(id)})
        found: dict[str, list[Change]] = defaultdict(list)
        if wanted:
            (rows,) = self._database.one("persons/changes_of", ids=wanted)
            for change in map(_change, rows):
                found[change.person_id].append(change)
        for changes in found.values():
            changes.sort(key=lambda change: change.number)
        return [list(found[id]) for id in person_ids]

    def page(self, *, after: str = "", limit: int = 100, backward: bool = False) -> list[Person]:
        if not backward:
            rows = self._database.read("persons/page", after=after, limit=limit)
        elif after:
            rows = self._database.read("persons/page_backward", before=after, limit=limit)
        else:
            rows = self._database.read("persons/page_last", limit=limit)
        found = [Person(*row) for row in rows]
        return found[::-1] if backward else found

    def page_by_creation(
        self, *, after: int | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        if backward:
            before = FARTHEST if after is None else after
            rows = self._database.read("persons/page_created_backward", before=before, limit=limit)
        else:
            rows = self._database.read("persons/page_created", after=after or 0, limit=limit)
        return _ordered(rows, backward)

    def page_by_update(
        self, *, after: tuple[int, int] | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        far = FARTHEST if backward else -FARTHEST
        updated, number = after or (far, far)
        name = "persons/page_updated_backward" if backward else "persons/page_updated"
        return _ordered(self._database.read(name, updated=updated, number=number, limit=limit), backward)

    def count(self) -> int:
        found: int = self._database.one("persons/count")[0]
        return found

    def subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], *, events: bool) -> Subgraph:
        return read_subgraph(self._database, identifiers, ids, events)


def _ordered(rows: Sequence[Sequence[Any]], backward: bool) -> list[PersonRow]:
    found = [PersonRow(number, id, created, updated, None) for number, id, created, updated in rows]
    return found[::-1] if backward else found


def _by_first(left: Sequence[int], right: Sequence[int]) -> tuple[Int64, Int64]:
    first, second = np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    order = np.argsort(first)
    return first[order], second[order]


def _persons(columns: Sequence[Sequence[Any]]) -> list[PersonRow]:
    return [
        PersonRow(number, id, created, updated, survivor or None)
        for number, id, created, updated, survivor in zip(*columns, strict=True)
    ]


def _change(row: Mapping[str, Any]) -> Change:
    return Change(
        row["number"],
        row["time"],
        ChangeKind(row["kind"]),
        row["person_id"],
        tuple(row.get("from_ids", ())),
        tuple(row.get("to_ids", ())),
        row["cause"],
        row["message"],
        row["policy"],
        row.get("segment"),
    )
