"""Saved conditions and who meets them: the segments protocol on Neo4j."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from identity_graph.errors import NotFound
from identity_graph.event_table import canonical_json
from identity_graph.model import Change, ChangeKind, Segment
from identity_graph.store.entering import DELETED, ENTERED, LEFT, SEGMENT
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.publishing import add_changes
from identity_graph.store.numbered import is_plain

_AT_ONCE = 10_000


class Neo4jSegments:
    """A segment's size is the number of its members, whatever the one who saves it says."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def save(self, segment: Segment, members: Sequence[str] | None) -> None:
        properties = {
            "description": segment.description,
            "condition": canonical_json(segment.condition),
            "created": segment.created,
        }
        with self._database.transaction():
            self._database.write("segments/save", segment=segment.name, properties=properties)
            left = sorted(set(self._all(segment.name)).difference(members)) if members is not None else ()
            self.refresh(segment.name, members or (), left, segment.evaluated, segment.evaluated)

    def place(self, name: str, members: Sequence[str], evaluated: int) -> None:
        """Put members in that are there already in the store that this is a copy of, so that nothing tells of it."""
        for chunk in in_chunks(sorted(members)):
            self._database.write("segments/refresh", segment=name, evaluated=evaluated, left=(), entered=chunk)

    def delete(self, name: str, time: int) -> bool:
        with self._database.transaction():
            found = self._database.write("segments/delete", segment=name)
            for (ids,) in found:
                self._tell(ids, ChangeKind.LEFT, DELETED, name, time)
        return bool(found)

    def segments(self, names: Sequence[str] | None = None) -> list[Segment | None]:
        if names is None:
            rows = self._database.read("segments/segments_all")
        else:
            wanted = sorted({name for name in names if is_plain(name)})
            rows = self._database.read("segments/segments", names=wanted) if wanted else []
        found = {segment.name: segment for segment in (_segment(row) for (row,) in rows)}
        return list(found.values()) if names is None else [found.get(name) for name in names]

    def refresh(self, name: str, entered: Sequence[str], left: Sequence[str], evaluated: int, time: int) -> None:
        """Raises SEGMENT_UNKNOWN."""
        entering, leaving = [sorted({id for id in ids if is_plain(id)}) for ids in (entered, left)]
        steps = [{"left": chunk, "entered": ()} for chunk in in_chunks(leaving)]
        steps += [{"left": (), "entered": chunk} for chunk in in_chunks(entering)]
        with self._database.transaction():
            for step in steps or [{"left": (), "entered": ()}]:
                found = self._database.write("segments/refresh", segment=name, evaluated=evaluated, **step)
                if not found:
                    raise NotFound("SEGMENT_UNKNOWN", f"no segment is called {name!r}")
                ((gone, come),) = found
                self._tell(gone, ChangeKind.LEFT, LEFT, name, time)
                self._tell(come, ChangeKind.ENTERED, ENTERED, name, time)

    def settled(self) -> int:
        found: int = self._database.property("settled", 0)
        return found

    def settle(self, edition: int) -> None:
        with self._database.transaction():
            self._database.ledger.set("settled", edition)

    def of_persons(self, person_ids: Sequence[str]) -> list[list[str]]:
        wanted = sorted({id for id in person_ids if is_plain(id)})
        found: dict[str, list[str]] = defaultdict(list)
        if wanted:
            for person_id, name in zip(*self._database.one("segments/of_persons", ids=wanted), strict=True):
                found[person_id].append(name)
        return [sorted(found[person_id]) for person_id in person_ids]

    def members(self, name: str, *, after: str = "", limit: int = 100) -> list[str]:
        rows = self._database.read("segments/members", segment=name, after=after, limit=limit)
        return [person_id for (person_id,) in rows]

    def overlap(self, name: str, other: str) -> int:
        ((both,),) = self._database.read("segments/overlap", segment=name, other=other)
        return int(both)

    def computed(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = orjson.loads(self._database.property("computed", "{}"))
        return found

    def declare(self, computed: Mapping[str, Mapping[str, Any]]) -> None:
        with self._database.transaction():
            self._database.ledger.set("computed", canonical_json(computed))

    def _all(self, name: str) -> Iterator[str]:
        after = ""
        while page := self.members(name, after=after, limit=_AT_ONCE):
            yield from page
            after = page[-1]

    def _tell(self, ids: Sequence[str], kind: ChangeKind, message: str, segment: str, time: int) -> None:
        if not ids:
            return
        policy: str = self._database.ledger.get("policy") or ""
        add_changes(
            self._database,
            [Change(0, time, kind, id, (), (), SEGMENT, message, policy, segment) for id in sorted(ids)],
        )


def _segment(properties: Mapping[str, Any]) -> Segment:
    return Segment(**{**properties, "condition": orjson.loads(properties["condition"])})
