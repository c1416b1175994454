"""The members of a segment with what a destination gets of each, in the formats of files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from identity_graph import audience
from identity_graph.audience import Platform
from identity_graph.errors import NotFound
from identity_graph.model import Membership
from identity_graph.people import People
from identity_graph.spreadsheet import table
from identity_graph.store.protocols import Store

_AT_ONCE = 1000


class Roster:
    """Of one segment; `identifiers` are namespaces and `traits` names, beside the person's id. `allowed`, where only
    who may be used for a purpose is to be in it, gives those people, anew each time: what it has read it keeps."""

    def __init__(
        self,
        store: Store,
        people: People,
        segment: str,
        identifiers: Sequence[str] = (),
        traits: Sequence[str] = (),
        *,
        allowed: Callable[[], People] | None = None,
    ) -> None:
        self._store = store
        self._people = people
        self._allowed = allowed
        self._segment = segment
        self._identifiers = tuple(identifiers)
        self._traits = tuple(traits)

    def known(self) -> None:
        """Raises SEGMENT_UNKNOWN."""
        if self._store.segments.segments([self._segment])[0] is None:
            raise NotFound("SEGMENT_UNKNOWN", f"no segment is called {self._segment}")

    def of(self, person_ids: Sequence[str]) -> list[dict[str, Any]]:
        """As messages have them. Who is nobody any more, or is merged into somebody, is no more than an id; who may not
        be used is left out."""
        return self._store.moment(partial(self._of, person_ids))

    def _of(self, person_ids: Sequence[str]) -> list[dict[str, Any]]:
        people, person_ids = self._among(person_ids)
        rows: list[dict[str, Any]] = [{"personId": id} for id in person_ids]
        if self._identifiers or self._traits:
            live = _live(people, person_ids)
            named, stated = self._facts(people, live)
            told = {id: self._told(*known) for id, known in zip(live, zip(named, stated, strict=True), strict=True)}
            for row in rows:
                row |= told.get(row["personId"], {})
        return rows

    def _among(self, person_ids: Sequence[str]) -> tuple[People, Sequence[str]]:
        """The people to ask, and those of these who may be used, and are in the segment by what they let be used."""
        if self._allowed is None:
            return self._people, person_ids
        people = self._allowed()
        live = _live(people, person_ids)
        inside = people.segments(live)
        return people, [id for id, names in zip(live, inside, strict=True) if self._segment in names]

    def _facts(
        self, people: People, ids: Sequence[str]
    ) -> tuple[Sequence[Mapping[str, list[str]]], Sequence[Mapping[str, Any]]]:
        named: list[dict[str, list[str]]] = [{space: [] for space in self._identifiers} for _ in ids]
        if self._identifiers:
            for spaces, members in zip(named, people.members(ids), strict=True):
                for one in members:
                    if one.identifier.namespace in spaces:
                        spaces[one.identifier.namespace].append(one.identifier.value)
        stated: list[Mapping[str, Any]] = [{} for _ in ids]
        if self._traits:
            stated = [profile.values for profile in people.profiles(ids)]
        return named, stated

    def _told(self, named: Mapping[str, list[str]], stated: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if self._identifiers:
            told["identifiers"] = named
        if self._traits:
            told["traits"] = {name: stated[name] for name in self._traits if name in stated}
        return told

    # ---- files

    def file(self, ending: str) -> tuple[bytes, int]:
        """All members, and how many they are. A column for each namespace, of lists, and for each trait; what a
        spreadsheet or Parquet cannot hold is JSON."""
        names = ["person_id", *self._identifiers, *self._traits]
        rows = [
            {"person_id": row["personId"], **row.get("identifiers", {}), **_all(self._traits, row.get("traits", {}))}
            for page in self._pages()
            for row in self.of(page)
        ]
        if ending == ".jsonl":
            return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows), len(rows)
        if ending == ".csv":
            return table(names, ({name: row.get(name) for name in names} for row in rows)), len(rows)
        return self._parquet(names, rows), len(rows)

    def _parquet(self, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
        import polars as pl

        schema: dict[str, Any] = {
            name: pl.List(pl.String) if name in self._identifiers else pl.String for name in names
        }
        columns = {name: [row.get(name) for row in rows] for name in names}
        for name in self._traits:
            columns[name] = [one if one is None or isinstance(one, str) else _json(one) for one in columns[name]]
        content = io.BytesIO()
        pl.DataFrame(columns, schema=schema).write_parquet(content)
        return content.getvalue()

    def audience(self, platform: Platform) -> tuple[bytes, int]:
        """The file of hashed addresses and numbers, and how many persons are in it."""
        return audience.table(
            platform,
            ([one.identifier for one in members] for page in self._pages() for members in self._members(page)),
        )

    def _members(self, person_ids: Sequence[str]) -> list[tuple[Membership, ...]]:
        def read() -> list[tuple[Membership, ...]]:
            people, ids = self._among(person_ids)
            return people.members(ids)

        return self._store.moment(read)

    def allowed(self, after: str, limit: int) -> list[str]:
        """Ids in order, from the next after this one."""
        found: list[str] = []
        for page in self._pages(after, limit):
            found += self._store.moment(partial(self._among, page))[1]
            if len(found) >= limit:
                break
        return found[:limit]

    def count(self) -> int:
        """Reads everybody who is in the segment."""
        return sum(len(self._store.moment(partial(self._among, page))[1]) for page in self._pages())

    def _pages(self, after: str = "", limit: int = _AT_ONCE) -> Iterator[Sequence[str]]:
        while page := self._store.segments.members(self._segment, after=after, limit=limit):
            yield page
            after = page[-1]

    def content(self, file: Path, platform: Platform | None) -> tuple[bytes, int]:
        return self.audience(platform) if platform else self.file(file.suffix.lower())


def _live(people: People, ids: Sequence[str]) -> list[str]:
    return [id for id, person in zip(ids, people.find(ids), strict=True) if person and person.id == id]


def _all(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
