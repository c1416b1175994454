"""What resolutions published: the persons protocol on SQLite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from identity_graph.model import Change, ChangeKind, Identifier, Person, Reason
from identity_graph.store.numbered import FARTHEST, distinct
from identity_graph.store.protocols import (
    EvidenceStore,
    IdentifierRow,
    Marks,
    PersonRow,
    Publication,
    SegmentStore,
    SimilarRow,
    Subgraph,
    SuppressedRow,
)
from identity_graph.store.sqlite.columns import columns, number_set, text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import numbers_of
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.publishing import publish
from identity_graph.store.sqlite.restrictions import RestrictedRows
from identity_graph.tables import Int64

LAST_TEXT = chr(0x10FFFF)
_PERSON = "p.number, p.id, p.created, p.updated, p.survivor"
_CHANGE = "number, time, kind, person_id, from_ids, to_ids, cause, message, policy, segment"


class SqlitePersons:
    def __init__(
        self, database: Connection, namespaces: Names, evidence: EvidenceStore, segments: SegmentStore
    ) -> None:
        self._database = database
        self._namespaces = namespaces
        self._evidence = evidence
        self._segments = segments
        self._restricted = RestrictedRows(database)
        self._marks: tuple[object, Marks] = None, Marks()

    def publish(self, publication: Publication) -> None:
        publish(self._database, publication)

    def resolved(self) -> tuple[int, str | None]:
        known = dict(self._database.rows("SELECT key, value FROM meta WHERE key IN ('resolved', 'policy')"))
        return known.get("resolved", 0), known.get("policy")

    def marks(self) -> Marks:
        if self._database.writing:
            return self._read_marks()
        moment = self._database.moment()
        if self._marks[0] != moment:
            self._marks = moment, self._read_marks()
        return self._marks[1]

    def _read_marks(self) -> Marks:
        known = dict(self._database.rows("SELECT key, value FROM meta WHERE key IN ('edition', 'gone')"))
        return Marks(known.get("edition", 0), last_number(self._database, "event"), known.get("gone", 0))

    def touched(self, since: Marks) -> Int64:
        with self._database.snapshot():
            rows = self._database.rows("SELECT number FROM person WHERE edition > ?", (since.edition,))
            seen, _ = self._evidence.arrived_since(since.event)
            _, owners = self.membership(seen)
        return np.union1d(np.array([number for (number,) in rows], dtype=np.int64), owners)

    def membership(self, numbers: Int64 | None = None) -> tuple[Int64, Int64]:
        if numbers is None:
            rows = self._database.stream("SELECT identifier, person FROM member ORDER BY identifier")
        elif len(numbers):
            rows = self._database.stream(
                "SELECT m.identifier, m.person FROM carray(?) k CROSS JOIN member m ON m.identifier = k.value",
                (number_set(distinct(numbers)),),
            )
        else:
            rows = iter(())
        identifiers, persons = columns(rows, 2)
        return identifiers, persons

    def persons(self, ids: Sequence[str]) -> list[PersonRow | None]:
        if not ids:
            return []
        rows = self._database.rows(
            f"SELECT {_PERSON} FROM carray(?) k CROSS JOIN person p ON p.id = k.value", (text_set(set(ids)),)
        )
        found = {row[1]: PersonRow(*row) for row in rows}
        return [found.get(id) for id in ids]

    def persons_by_number(self, numbers: Sequence[int]) -> list[PersonRow | None]:
        if not numbers:
            return []
        rows = self._database.rows(
            f"SELECT {_PERSON} FROM carray(?) k CROSS JOIN person p ON p.number = k.value",
            (number_set(list(set(numbers))),),
        )
        found = {row[0]: PersonRow(*row) for row in rows}
        return [found.get(number) for number in numbers]

    def members(self, persons: Sequence[int]) -> list[list[IdentifierRow]]:
        if not persons:
            return []
        rows = self._database.rows(
            "SELECT i.number, i.namespace, i.value, m.person, m.since, p.code FROM carray(?) k"
            " CROSS JOIN member m ON m.person = k.value CROSS JOIN identifier i ON i.number = m.identifier"
            " LEFT JOIN pruned p ON p.identifier = i.number",
            (number_set(list(set(persons))),),
        )
        found: dict[int, list[IdentifierRow]] = defaultdict(list)
        for number, space, value, person, since, pruned in rows:
            identifier = Identifier(self._namespaces.name(space), value)
            found[person].append(IdentifierRow(number, identifier, person, since, pruned))
        for identifiers in found.values():
            identifiers.sort(key=lambda row: row.identifier.key)
        return [list(found[person]) for person in persons]

    def pruned(self, numbers: Int64 | None = None) -> tuple[Int64, Sequence[str]]:
        if numbers is None:
            rows = self._database.rows("SELECT identifier, code FROM pruned ORDER BY identifier")
        elif len(numbers):
            rows = self._database.rows(
                "SELECT p.identifier, p.code FROM carray(?) k CROSS JOIN pruned p ON p.identifier = k.value",
                (number_set(np.unique(numbers)),),
            )
        else:
            rows = []
        found, codes = zip(*rows, strict=True) if rows else ((), ())
        return np.array(found, dtype=np.int64), codes

    def suppressed(self, numbers: Sequence[int]) -> list[list[SuppressedRow]]:
        found: dict[int, list[SuppressedRow]] = defaultdict(list)
        for number, a, b, code, message, namespace, values in self._ending_in(
            numbers, "suppressed", 'code, message, namespace, "values"'
        ):
            reason = Reason(code, message, namespace, tuple(orjson.loads(values)))
            found[number].append(SuppressedRow(a, b, reason))
        return [list(found[number]) for number in numbers]

    def similar(self, numbers: Sequence[int]) -> list[list[SimilarRow]]:
        found: dict[int, list[SimilarRow]] = defaultdict(list)
        for number, a, b, weight, last_seen, shared in self._ending_in(numbers, "similar", "weight, last_seen, shared"):
            found[number].append(SimilarRow(a, b, weight, last_seen, numbers_of(shared)))
        return [list(found[number]) for number in numbers]

    def _ending_in(self, numbers: Sequence[int], table: str, columns: str) -> list[Any]:
        """Of a table of links: the end that is asked for, both ends, and the columns; by the two ends."""
        if not numbers:
            return []
        keys = number_set(list(set(numbers)))
        by_end = [
            f"SELECT k.value, a, b, {columns} FROM carray(?) k CROSS JOIN {table} ON {end} = k.value" for end in "ab"
        ]
        return self._database.rows(f"{' UNION ALL '.join(by_end)} ORDER BY 2, 3", (keys, keys))

    def changes(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        person_id: str | None = None,
        kinds: Sequence[ChangeKind] = (),
    ) -> list[Change]:
        sql = f"SELECT {_CHANGE} FROM change WHERE number > ?"
        bindings: list[object] = [after]
        if person_id is not None:
            sql += " AND person_id = ?"
            bindings.append(person_id)
        if kinds:
            sql += f" AND kind IN ({', '.join('?' * len(kinds))})"
            bindings += [kind.value for kind in kinds]
        rows = self._database.rows(f"{sql} ORDER BY number LIMIT ?", [*bindings, limit])
        return [_change(row) for row in rows]

    def changes_of(self, person_ids: Sequence[str]) -> list[list[Change]]:
        if not person_ids:
            return []
        rows = self._database.rows(
            f"SELECT {_CHANGE} FROM carray(?) k CROSS JOIN change ON person_id = k.value ORDER BY number",
            (text_set(set(person_ids)),),
        )
        found: dict[str, list[Change]] = defaultdict(list)
        for row in rows:
            change = _change(row)
            found[change.person_id].append(change)
        return [list(found[id]) for id in person_ids]

    def page(self, *, after: str = "", limit: int = 100, backward: bool = False) -> list[Person]:
        sql = "SELECT id, created, updated FROM person WHERE survivor IS NULL"
        if backward:
            sql, after = sql + " AND id < ?1 ORDER BY id DESC LIMIT ?2", after or LAST_TEXT
        else:
            sql += " AND id > ?1 ORDER BY id LIMIT ?2"
        found = [Person(*row) for row in self._database.rows(sql, (after, limit))]
        return found[::-1] if backward else found

    def page_by_creation(
        self, *, after: int | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        which, order, far = ("<", " DESC", FARTHEST) if backward else (">", "", 0)
        start = far if after is None else after
        return self._ordered(f"p.number {which} ?1", f"p.number{order}", (start, limit), backward)

    def page_by_update(
        self, *, after: tuple[int, int] | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        which, order, far = ("<", " DESC", FARTHEST) if backward else (">", "", -FARTHEST)
        updated, number = after or (far, far)
        return self._ordered(
            f"(p.updated, p.number) {which} (?1, ?3)",
            f"p.updated{order}, p.number{order}",
            (updated, limit, number),
            backward,
        )

    def _ordered(self, which: str, order: str, bindings: tuple[object, ...], backward: bool) -> list[PersonRow]:
        sql = f"SELECT {_PERSON} FROM person p WHERE p.survivor IS NULL AND {which} ORDER BY {order} LIMIT ?2"
        found = [PersonRow(*row) for row in self._database.rows(sql, bindings)]
        return found[::-1] if backward else found

    def count(self) -> int:
        # Two walks along the smallest trees there are, instead of one along the rows.
        found: int = self._database.one(
            "SELECT (SELECT count(*) FROM person) - (SELECT count(*) FROM person WHERE survivor IS NOT NULL)"
        )
        return found

    def subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], *, events: bool) -> Subgraph:
        with self._database.snapshot():
            return self._subgraph(identifiers, ids, events)

    def _subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], events: bool) -> Subgraph:
        rows, named = self._evidence.identifiers(identifiers), self.persons(ids)
        wanted = {row.person for row in rows if row and row.person is not None}
        wanted |= {row.survivor or row.number for row in named if row}
        numbers = sorted(wanted)
        members = dict(zip(numbers, self.members(numbers), strict=True))
        inside = [row.number for found in members.values() for row in found]
        known = {row.number: row for found in members.values() for row in found}
        known |= {row.number: row for row in rows if row}
        similar = dict(zip(inside, self.similar(inside), strict=True))
        named_there = {n for links in similar.values() for row in links for n in (row.a, row.b, *row.shared)}
        seen = dict(zip(inside, self._evidence.events_of(inside), strict=True)) if events else None
        beside = {number for found in (seen or {}).values() for row in found for number in row.identifiers}
        beside = (beside | named_there) - known.keys()
        known |= {row.number: row for row in self._evidence.identifiers_by_number(sorted(beside)) if row}
        owners = {row.person for row in known.values() if row.person is not None}
        persons = {row.number: row for row in self.persons_by_number(sorted(wanted | owners)) if row}
        persons |= {row.number: row for row in named if row}
        ids_of = [persons[number].id for number in numbers]
        names = self._segments.of_persons(ids_of)
        segments = {one.name: one for one in self._segments.segments(sorted(set(chain.from_iterable(names)))) if one}
        return Subgraph(
            moment=self._database.moment(),
            asked={**dict(zip(identifiers, rows, strict=True)), **dict(zip(ids, named, strict=True))},
            persons=persons,
            identifiers=known,
            members=members,
            suppressed=dict(zip(inside, self.suppressed(inside), strict=True)),
            similar=similar,
            segments={number: [segments[name] for name in of] for number, of in zip(numbers, names, strict=True)},
            events=seen,
            restricted={row.number for row in self._restricted.persons() if row.survivor is None},
        )


def _change(row: Sequence[Any]) -> Change:
    number, time, kind, person, came, went, *told = row
    return Change(number, time, ChangeKind(kind), person, _ids(came), _ids(went), *told)


def _ids(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()
