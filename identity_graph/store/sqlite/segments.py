"""Saved conditions and who meets them: the segments protocol on SQLite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from identity_graph.errors import NotFound
from identity_graph.event_table import canonical_json
from identity_graph.model import ChangeKind, Segment
from identity_graph.store.entering import DELETED, ENTERED, LEFT, SEGMENT
from identity_graph.store.sqlite.columns import text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import read_object
from identity_graph.store.sqlite.numbering import keep

_SEGMENT = "SELECT name, description, condition, created, evaluated, size FROM segment"


class SqliteSegments:
    """A segment's size is the number of its members, whatever the one who saves it says."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def save(self, segment: Segment, members: Sequence[str] | None) -> None:
        with self._database.transaction():
            self._database.write(
                "INSERT INTO segment (name, description, condition, created, evaluated, size) VALUES (?, ?, ?, ?, ?, 0)"
                " ON CONFLICT DO UPDATE SET description = excluded.description, condition = excluded.condition,"
                " created = excluded.created, evaluated = excluded.evaluated",
                (
                    segment.name,
                    segment.description,
                    canonical_json(segment.condition),
                    segment.created,
                    segment.evaluated,
                ),
            )
            if members is not None:
                rows = self._database.rows(
                    "SELECT person_id FROM segment_member WHERE segment = ?", (self._number(segment.name),)
                )
                left = {person_id for (person_id,) in rows}.difference(members)
                self.refresh(segment.name, members, sorted(left), segment.evaluated, segment.evaluated)

    def place(self, name: str, members: Sequence[str]) -> None:
        """Put members in that are there already in the store that this is a copy of, so that nothing tells of it."""
        with self._database.transaction():
            number = self._number(name)
            self._enter(number, members)
            self._count(number)

    def delete(self, name: str, time: int) -> bool:
        with self._database.transaction():
            number = self._database.one("SELECT number FROM segment WHERE name = ?", (name,))
            if number is None:
                return False
            self._tell(
                "person_id FROM segment_member WHERE segment = ? ORDER BY person_id",
                (number,),
                ChangeKind.LEFT,
                DELETED,
                name,
                time,
            )
            self._database.write("DELETE FROM segment_member WHERE segment = ?", (number,))
            self._database.write("DELETE FROM segment WHERE number = ?", (number,))
            return True

    def segments(self, names: Sequence[str] | None = None) -> list[Segment | None]:
        if names is None:
            rows = self._database.rows(f"{_SEGMENT} ORDER BY name")
        elif names:
            rows = self._database.rows(f"{_SEGMENT} WHERE name IN (SELECT value FROM carray(?))", (text_set(names),))
        else:
            rows = []
        found = {
            name: Segment(name, description, read_object(condition), created, evaluated, size)
            for name, description, condition, created, evaluated, size in rows
        }
        return list(found.values()) if names is None else [found.get(name) for name in names]

    def refresh(self, name: str, entered: Sequence[str], left: Sequence[str], evaluated: int, time: int) -> None:
        """Raises SEGMENT_UNKNOWN."""
        with self._database.transaction():
            number = self._number(name)
            if left:
                inside = "FROM segment_member WHERE segment = ? AND person_id IN (SELECT value FROM carray(?))"
                keys = (number, text_set(left))
                self._tell(f"person_id {inside} ORDER BY person_id", keys, ChangeKind.LEFT, LEFT, name, time)
                self._database.write(f"DELETE {inside}", keys)
            if entered:
                outside = (
                    "p.id FROM carray(?) k CROSS JOIN person p ON p.id = k.value WHERE p.survivor IS NULL"
                    " AND NOT EXISTS (SELECT 1 FROM segment_member m WHERE m.segment = ? AND m.person_id = p.id)"
                    " GROUP BY p.id ORDER BY p.id"
                )
                self._tell(outside, (text_set(entered), number), ChangeKind.ENTERED, ENTERED, name, time)
                self._enter(number, entered)
            self._database.write("UPDATE segment SET evaluated = ? WHERE number = ?", (evaluated, number))
            if entered or left:
                self._count(number)

    def settled(self) -> int:
        # Not `settled`: that is how far the recent layer was taken in.
        return self._database.one("SELECT value FROM meta WHERE key = 'followed'") or 0

    def settle(self, edition: int) -> None:
        with self._database.transaction():
            keep(self._database, followed=edition)

    def of_persons(self, person_ids: Sequence[str]) -> list[list[str]]:
        if not person_ids:
            return []
        rows = self._database.rows(
            "SELECT k.value, s.name FROM carray(?) k CROSS JOIN segment_member m ON m.person_id = k.value"
            " CROSS JOIN segment s ON s.number = m.segment ORDER BY s.name",
            (text_set(set(person_ids)),),
        )
        found: dict[str, list[str]] = defaultdict(list)
        for person_id, name in rows:
            found[person_id].append(name)
        return [list(found[person_id]) for person_id in person_ids]

    def members(self, name: str, *, after: str = "", limit: int = 100) -> list[str]:
        rows = self._database.rows(
            "SELECT person_id FROM segment_member WHERE segment = (SELECT number FROM segment WHERE name = ?)"
            " AND person_id > ? ORDER BY person_id LIMIT ?",
            (name, after, limit),
        )
        return [person_id for (person_id,) in rows]

    def overlap(self, name: str, other: str) -> int:
        both: int = self._database.one(
            "SELECT count(*) FROM segment_member m CROSS JOIN segment_member o ON o.person_id = m.person_id"
            " WHERE m.segment = (SELECT number FROM segment WHERE name = ?)"
            " AND o.segment = (SELECT number FROM segment WHERE name = ?)",
            (name, other),
        )
        return both

    def computed(self) -> Mapping[str, Mapping[str, Any]]:
        return read_object(self._database.one("SELECT value FROM meta WHERE key = 'computed'"))

    def declare(self, computed: Mapping[str, Mapping[str, Any]]) -> None:
        with self._database.transaction():
            keep(self._database, computed=canonical_json(computed))

    def _number(self, name: str) -> int:
        number: int | None = self._database.one("SELECT number FROM segment WHERE name = ?", (name,))
        if number is None:
            raise NotFound("SEGMENT_UNKNOWN", f"no segment is called {name!r}")
        return number

    def _enter(self, number: int, person_ids: Sequence[str]) -> None:
        if person_ids:
            self._database.write(
                "INSERT INTO segment_member (segment, person_id) SELECT ?, p.id FROM carray(?) k"
                " CROSS JOIN person p ON p.id = k.value WHERE p.survivor IS NULL ON CONFLICT DO NOTHING",
                (number, text_set(person_ids)),
            )

    def _tell(self, who: str, keys: Sequence[object], kind: ChangeKind, message: str, segment: str, time: int) -> None:
        """Of the person ids that `who` selects, before they enter or leave."""
        self._database.write(
            "INSERT INTO change (time, kind, cause, message, policy, segment, person_id) SELECT ?, ?, ?, ?,"
            f" coalesce((SELECT value FROM meta WHERE key = 'policy'), ''), ?, {who}",
            (time, kind.value, SEGMENT, message, segment, *keys),
        )

    def _count(self, number: int) -> None:
        self._database.write(
            "UPDATE segment SET size = (SELECT count(*) FROM segment_member WHERE segment = number) WHERE number = ?",
            (number,),
        )
