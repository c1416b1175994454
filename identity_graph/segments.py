"""Saved segments: who is in them, kept current by each resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from identity_graph.errors import InputError
from identity_graph.everybody import Everybody, read_everybody
from identity_graph.model import Segment
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.segment import Condition, Facts, ages, built_on, computed_in, parse_condition
from identity_graph.selecting import Selection, wanted
from identity_graph.store.protocols import Store
from identity_graph.tables import Int64
from identity_graph.times import SECOND

_AT_ONCE = 1000
_PAGE = 1_000_000
_MANY, _SHARE = 1000, 8
"""More persons than this, and than one of so many: then everybody is read as columns, which takes less for each."""
_SAMPLE = 10
_FRESH = 3600 * SECOND
"""For how long windows that move with the clock are left as they were evaluated."""

Trees = Mapping[str, Mapping[str, Any]]


def check_name(name: str) -> None:
    """Of a segment or a computed trait. Raises CONDITION_INVALID."""
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise InputError("CONDITION_INVALID", f"{name!r} is no name", help="Give 1 to 128 printable characters.")


class Segments:
    def __init__(self, store: Store, policy: Policy, people: People, clock: Callable[[], int]) -> None:
        self._store = store
        self._policy = policy
        self._people = people
        self._clock = clock

    def save(self, name: str, description: str, condition: Mapping[str, Any]) -> Segment:
        """Create or replace, and find the members among all persons. Raises CONDITION_INVALID, saving nothing."""
        check_name(name)
        now = self._clock()
        with self._store.transaction():
            (known,) = self.get([name])
            trees = self._trees() | {name: condition}
            self._parse({"segment": name}, trees)
            created = known.created if known else now
            self._store.segments.save(Segment(name, description, condition, created, now, 0), None)
            affected = [one for one in trees if name in built_on(one, trees.get)]
            self._evaluate(dict.fromkeys(affected, now), trees, None, now)
        (saved,) = self.get([name])
        assert saved is not None
        return saved

    def delete(self, name: str) -> bool:
        """False where there is none. Raises CONDITION_INVALID where another segment is built on it."""
        with self._store.transaction():
            trees = {one: tree for one, tree in self._trees().items() if one != name}
            computed = self._store.segments.computed()
            for other in trees:
                parse_condition({"segment": other}, trees.get, computed.get)
            return self._store.segments.delete(name, self._clock())

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
        everybody, places = self.look(condition)
        return len(places), [everybody.ids[place] for place in places[:_SAMPLE].tolist()]

    def look(
        self, condition: Mapping[str, Any] | None, *, last_seen: bool = False, restricted: bool = False
    ) -> tuple[Everybody, Int64]:
        """Everybody, and the places of those who meet the condition (None: all), with those who are `restricted` or
        without. Raises CONDITION_INVALID."""
        trees, now = self._trees(), self._clock()
        conditions = [] if condition is None else [condition]
        for tree in conditions:
            self._parse(tree, trees)
        everybody, found = self._read(conditions, trees, now, last_seen)
        places = found[0] if found else np.arange(len(everybody.ids))
        if not restricted and (hidden := self._hidden()):
            places = places[~np.isin(everybody.numbers[places], list(hidden))]
        return everybody, places

    def refresh(self, person_ids: Sequence[str] | None) -> None:
        """Evaluate these persons (None: all) anew for each segment. A window also moves with the clock: segments with
        one are evaluated for everybody when that was last done over an hour ago."""
        segments = self.all()
        now = self._clock()
        trees = {one.name: one.condition for one in segments}
        computed = self._store.segments.computed() if trees else {}
        moving = {n for n in trees if any(ages(trees[one], computed.get) for one in built_on(n, trees.get))}
        due = {one.name for one in segments if one.name in moving and not 0 <= now - one.evaluated <= _FRESH}
        if person_ids is None:
            due = set(trees)
        self._evaluate(dict.fromkeys(sorted(due), now), trees, None, now)
        if person_ids:
            rest = {one.name: one.evaluated if one.name in moving else now for one in segments if one.name not in due}
            self._evaluate(rest, trees, person_ids, now)

    def _evaluate(self, evaluated: Mapping[str, int], trees: Trees, person_ids: Sequence[str] | None, now: int) -> None:
        """For these persons (None: all) the segments named in `evaluated`; it gives the time as of which all their
        members then are right."""
        if not evaluated:
            return
        conditions = {name: self._parse({"segment": name}, trees) for name in evaluated}
        entered: dict[str, list[str]] = {name: [] for name in conditions}
        left: dict[str, list[str]] = {name: [] for name in conditions}
        if person_ids is None or len(person_ids) > max(_MANY, self._people.count() // _SHARE):
            some = None if person_ids is None else set(person_ids)
            found = self._members([{"segment": name} for name in conditions], trees, now)
            for name, ids in zip(conditions, found, strict=True):
                met, inside = set(ids), set(self._inside(name))
                entered[name], left[name] = sorted(met - inside), sorted(inside - met)
                if some is not None:
                    entered[name] = [id for id in entered[name] if id in some]
                    left[name] = [id for id in left[name] if id in some]
        else:
            hidden = set(self._hidden().values())
            for person_id, facts, inside_of in self._persons(person_ids):
                for name, meets in conditions.items():
                    if (person_id not in hidden and meets(facts, now)) != (name in inside_of):
                        (left if name in inside_of else entered)[name].append(person_id)
        for name in conditions:
            self._store.segments.refresh(name, entered[name], left[name], evaluated[name], now)

    def _inside(self, name: str) -> Iterator[str]:
        after = ""
        while page := self._store.segments.members(name, after=after, limit=_PAGE):
            yield from page
            after = page[-1]

    def _members(self, conditions: Sequence[Mapping[str, Any]], trees: Trees, now: int) -> list[list[str]]:
        """Of everybody, who meets each; ids in order."""
        everybody, found = self._read(conditions, trees, now)
        hidden = list(self._hidden())
        shown = [places[~np.isin(everybody.numbers[places], hidden)] for places in found]
        return [[everybody.ids[place] for place in places.tolist()] for places in shown]

    def _read(
        self, conditions: Sequence[Mapping[str, Any]], trees: Trees, now: int, last_seen: bool = False
    ) -> tuple[Everybody, list[Int64]]:
        """Everybody, and the places of who meets each. The trees are right."""
        computed = self._store.segments.computed()
        asked = replace(wanted(conditions, trees.get, computed.get, now), last_seen=last_seen)
        everybody = read_everybody(self._store, self._policy, asked)
        selection = Selection(everybody, trees.get, computed.get, now)
        return everybody, [np.flatnonzero(selection.meeting(tree)) for tree in conditions]

    def _hidden(self) -> dict[int, str]:
        """Numbers and ids of restricted persons, who are in no segment."""
        return {row.number: row.id for row in self._store.privacy.restricted_persons()}

    def _parse(self, tree: Mapping[str, Any], trees: Trees) -> Condition:
        return parse_condition(tree, trees.get, self._store.segments.computed().get)

    def asking(self, computed: str) -> list[str]:
        """The segments of which the tree, or that of one it is built on, asks for that computed trait."""
        trees = self._trees()
        return [n for n in trees if any(computed in computed_in(trees[one]) for one in built_on(n, trees.get))]

    def _trees(self) -> dict[str, Mapping[str, Any]]:
        return {one.name: one.condition for one in self.all()}

    def _persons(self, person_ids: Sequence[str]) -> Iterator[tuple[str, Facts, Sequence[str]]]:
        """Persons with their facts and segments, so many of one moment at a time."""

        def known(ids: Sequence[str]) -> list[tuple[str, Facts, Sequence[str]]]:
            return list(zip(ids, self._people.facts(ids), self._people.segments(ids), strict=True))

        for start in range(0, len(person_ids), _AT_ONCE):
            chunk = person_ids[start : start + _AT_ONCE]
            yield from self._store.moment(partial(known, chunk))
