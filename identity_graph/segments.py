"""Saved segments: who is in them, kept current by each resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from identity_graph.errors import InputError
from identity_graph.model import Segment
from identity_graph.people import People
from identity_graph.segment import Facts, parse_condition
from identity_graph.store.protocols import Store

_AT_ONCE = 1000
_SAMPLE = 10


class Segments:
    def __init__(self, store: Store, people: People, clock: Callable[[], int]) -> None:
        self._store = store
        self._people = people
        self._clock = clock

    def save(self, name: str, description: str, condition: Mapping[str, Any]) -> Segment:
        """Create or replace, and find the members among all persons. Raises CONDITION_INVALID, saving nothing."""
        if not 1 <= len(name) <= 128 or not name.isprintable():
            raise InputError("CONDITION_INVALID", f"{name!r} is no name", help="Give 1 to 128 printable characters.")
        now = self._clock()
        with self._store.transaction():
            trees = {one.name: one.condition for one in self.all()} | {name: condition}
            met = parse_condition({"segment": name}, trees.get)
            members = [person_id for person_id, facts in self._everybody() if met(facts, now)]
            self._store.segments.save(Segment(name, description, condition, now, now, len(members)), members)
            self.refresh(None, but=name)
        (saved,) = self.get([name])
        assert saved is not None
        return saved

    def delete(self, name: str) -> bool:
        """False where there is none. Raises CONDITION_INVALID where another segment is built on it."""
        with self._store.transaction():
            trees = {one.name: one.condition for one in self.all() if one.name != name}
            for other in trees:
                parse_condition({"segment": other}, trees.get)
            return self._store.segments.delete(name)

    def all(self) -> list[Segment]:
        return [segment for segment in self._store.segments.segments() if segment]

    def get(self, names: Sequence[str]) -> list[Segment | None]:
        return self._store.segments.segments(names)

    def members(self, name: str, after: str = "", limit: int = 100) -> list[str]:
        """Person ids in order."""
        return self._store.segments.members(name, after=after, limit=limit)

    def contains(self, name: str, person_ids: Sequence[str]) -> list[bool]:
        return [name in names for names in self._people.segments(person_ids)]

    def preview(self, condition: Mapping[str, Any]) -> tuple[int, list[str]]:
        """How many would be in it, and the first ten; nothing is saved."""
        trees = {one.name: one.condition for one in self.all()}
        met, now = parse_condition(condition, trees.get), self._clock()
        found = [person_id for person_id, facts in self._everybody() if met(facts, now)]
        return len(found), found[:_SAMPLE]

    def refresh(self, person_ids: Sequence[str] | None, *, but: str = "") -> None:
        """Evaluate these persons (None: all) anew for each segment, except the one called `but`."""
        segments = [segment for segment in self.all() if segment.name != but]
        if not segments:
            return
        now = self._clock()
        trees = {one.name: one.condition for one in self.all()}
        conditions = {one.name: parse_condition({"segment": one.name}, trees.get) for one in segments}
        entered: dict[str, list[str]] = {name: [] for name in conditions}
        left: dict[str, list[str]] = {name: [] for name in conditions}
        for person_id, facts, names in self._with_segments(person_ids):
            for name, met in conditions.items():
                if met(facts, now) != (name in names):
                    (left if name in names else entered)[name].append(person_id)
        for name in conditions:
            self._store.segments.refresh(name, entered[name], left[name], now)

    def _with_segments(self, person_ids: Sequence[str] | None) -> Iterator[tuple[str, Facts, list[str]]]:
        for ids in self._pages() if person_ids is None else _chunks(person_ids):
            inside = self._store.segments.of_persons(ids)
            yield from zip(ids, self._people.facts(ids), inside, strict=True)

    def _everybody(self) -> Iterator[tuple[str, Facts]]:
        for ids in self._pages():
            yield from zip(ids, self._people.facts(ids), strict=True)

    def _pages(self) -> Iterator[list[str]]:
        after = ""
        while ids := [person.id for person in self._people.page(after, _AT_ONCE)]:
            yield ids
            after = ids[-1]


def _chunks(person_ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(person_ids), _AT_ONCE):
        yield list(person_ids[start : start + _AT_ONCE])
