"""Saved conditions and who meets them: the segments protocol on Neo4j."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from identity_graph.errors import NotFound
from identity_graph.event_table import canonical_json
from identity_graph.model import Segment
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.numbered import is_plain


class Neo4jSegments:
    """A segment's size is the number of its members, whatever the one who saves it says."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def save(self, segment: Segment, members: Sequence[str]) -> None:
        properties = {
            "description": segment.description,
            "condition": canonical_json(segment.condition),
            "created": segment.created,
        }
        with self._database.transaction():
            self._database.write("segments/save", segment=segment.name, properties=properties)
            self.refresh(segment.name, members, (), segment.evaluated)

    def delete(self, name: str) -> bool:
        ((deleted,),) = self._database.write("segments/delete", segment=name)
        return bool(deleted)

    def segments(self, names: Sequence[str] | None = None) -> list[Segment | None]:
        if names is None:
            rows = self._database.read("segments/segments_all")
        else:
            wanted = sorted({name for name in names if is_plain(name)})
            rows = self._database.read("segments/segments", names=wanted) if wanted else []
        found = {segment.name: segment for segment in (_segment(row) for (row,) in rows)}
        return list(found.values()) if names is None else [found.get(name) for name in names]

    def refresh(self, name: str, entered: Sequence[str], left: Sequence[str], evaluated: int) -> None:
        """Raises SEGMENT_UNKNOWN."""
        entering, leaving = [sorted({id for id in ids if is_plain(id)}) for ids in (entered, left)]
        steps = [{"left": chunk, "entered": ()} for chunk in in_chunks(leaving)]
        steps += [{"left": (), "entered": chunk} for chunk in in_chunks(entering)]
        with self._database.transaction():
            for step in steps or [{"left": (), "entered": ()}]:
                if not self._database.write("segments/refresh", segment=name, evaluated=evaluated, **step):
                    raise NotFound("SEGMENT_UNKNOWN", f"no segment is called {name!r}")

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


def _segment(properties: Mapping[str, Any]) -> Segment:
    return Segment(**{**properties, "condition": orjson.loads(properties["condition"])})
