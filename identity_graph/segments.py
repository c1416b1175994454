"""Saved segments: who is in them, kept current by each resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

from identity_graph.census import Census, Listed
from identity_graph.errors import InputError
from identity_graph.model import Segment
from identity_graph.people import People
from identity_graph.question import Question
from identity_graph.segment import Facts, Lookup, ages, built_on, compares, computed_in, parse_condition
from identity_graph.selecting import Terms
from identity_graph.store.protocols import Store
from identity_graph.times import SECOND

_AT_ONCE = 1000
_PAGE = 1_000_000
_FEW = 100
"""So many persons at most are looked at within the transaction that publishes: it keeps writers waiting."""
_MANY, _SHARE = 1000, 8
"""More persons than this, and than one of so many: then all are looked at by columns, which takes less for each."""
_SAMPLE = 10
_FRESH = 3600 * SECOND
"""For how long windows that move with the clock are left as they were evaluated."""

Trees = Mapping[str, Mapping[str, Any]]


def check_name(name: str) -> None:
    """Of a segment or a computed trait. Raises CONDITION_INVALID."""
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise InputError("CONDITION_INVALID", f"{name!r} is no name", help="Give 1 to 128 printable characters.")


class Basis(NamedTuple):
    """What members follow from, beside persons and time: the conditions, what computed traits measure, and who is
    restricted and so in no segment, ids by number."""

    trees: Trees
    computed: Trees
    restricted: Mapping[int, str]


class _Difference(NamedTuple):
    """Who enters a segment and who leaves it; `evaluated`: as of when all its members then are right."""

    name: str
    entered: Sequence[str]
    left: Sequence[str]
    evaluated: int


class Segments:
    """Of a few persons members are found within the transaction that publishes these. Of many they are found without
    keeping writers out; a short transaction writes the difference, unless others have changed meanwhile what it follows
    from: then they are found again."""

    def __init__(self, store: Store, people: People, census: Census, clock: Callable[[], int]) -> None:
        self._store = store
        self._people = people
        self._census = census
        self._clock = clock

    def save(self, name: str, description: str, condition: Mapping[str, Any]) -> Segment:
        """Create or replace, and find the members among all persons. Raises CONDITION_INVALID, saving nothing."""
        check_name(name)
        now = self._clock()

        def write() -> None:
            (known,) = self.get([name])
            created = known.created if known else now
            self._store.segments.save(Segment(name, description, condition, created, now, 0), None)

        while True:
            before = self.basis()
            after = before._replace(trees={**before.trees, name: condition})
            parse_condition({"segment": name}, after.trees.get, after.computed.get)
            affected = [one for one in after.trees if name in built_on(one, after.trees.get)]
            if self.adopt(before, after, affected, write):
                break
        (saved,) = self.get([name])
        assert saved is not None
        return saved

    def delete(self, name: str) -> bool:
        """False where there is none. Raises CONDITION_INVALID where another segment is built on it."""
        with self._store.transaction():
            basis = self.basis()
            trees = {one: tree for one, tree in basis.trees.items() if one != name}
            for other in trees:
                parse_condition({"segment": other}, trees.get, basis.computed.get)
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

    def count(self, condition: Mapping[str, Any]) -> int:
        """How many would be in it. Raises CONDITION_INVALID, and SEGMENT_NOT_READY where a request has no time left."""
        return self._census.count(condition, self._terms(condition))

    def preview(self, condition: Mapping[str, Any]) -> tuple[int, list[str]]:
        """As `count`, and the first ten; nothing is saved."""
        return self._census.sample(condition, _SAMPLE, self._terms(condition))

    def listed(self, condition: Mapping[str, Any] | None, by: Question | None, *, restricted: bool = False) -> Listed:
        """Who would be in it (None: everybody), with those who are `restricted` or without, and their answers to a
        question. Raises as `count` does."""
        return self._census.listed(condition, by, self._terms(condition, restricted=restricted))

    def refresh(self, person_ids: Sequence[str]) -> None:
        """Of a few persons, within the caller's transaction, which made them restricted or took that back."""
        segments, now = self.all(), self._clock()
        basis = self._basis(segments)
        comparing = _comparing(basis)
        evaluated = {one.name: one.evaluated for one in segments if one.name not in comparing}
        self._write(self._of_persons(evaluated, basis, person_ids, now), now)

    def accompany(self) -> None:
        """Within the transaction that publishes: of the persons that are touched, if they are few, and nobody's
        membership depends on everybody. Else nothing: `settle` is to come after it in any case."""
        segments = self.all()
        if not segments:
            return
        basis, now = self._basis(segments), self._clock()
        settled, marks = self._store.segments.settled(), self._store.persons.marks()
        touched = self._store.persons.touched(marks._replace(edition=settled)).tolist()
        if len(touched) > _FEW or _comparing(basis):
            return
        self._write(self._of_touched(segments, basis, touched, now), now)
        self._store.segments.settle(marks.edition)

    def settle(self, finish: Callable[[], None] = lambda: None, *, compare: bool = False) -> None:
        """Let segments follow what was published since that was last done, by whomever; `finish` writes along with it.

        A window also moves with the clock, and a quantile with everybody: segments with one are evaluated for everybody
        when that was last done over an hour ago, with `compare` also those with a quantile after any publication.
        """
        self._census.forget_gone()
        while not self._settle(finish, compare):
            pass

    def _settle(self, finish: Callable[[], None], compare: bool) -> bool:
        segments = self.all()
        if not segments:
            finish()
            return True
        basis = self._basis(segments)
        now, settled, marks = self._clock(), self._store.segments.settled(), self._store.persons.marks()
        moving, comparing = _moving(basis), _comparing(basis)
        due = {one.name for one in segments if one.name in moving | comparing and not _fresh(one, now)}
        if compare and settled != marks.edition:
            due |= comparing
        if settled == marks.edition and not due:
            finish()
            return True
        touched = self._store.persons.touched(marks._replace(edition=settled)).tolist()
        if len(touched) > max(_MANY, self._people.count() // _SHARE):
            due = set(basis.trees)
        edition = marks.edition
        found: list[_Difference] = []
        if due:
            reached, found = self._of_all(sorted(due), basis, now)
            edition = min(edition, reached)
        left = [one for one in segments if one.name not in due | comparing]
        if left:
            found += self._of_touched(left, basis, touched, now)
        with self._store.transaction():
            if (basis, settled) != (self.basis(), self._store.segments.settled()):
                return False
            self._write(found, now)
            self._store.segments.settle(edition)
            finish()
        return True

    def basis(self) -> Basis:
        return self._basis(self.all())

    def _basis(self, segments: Sequence[Segment]) -> Basis:
        trees = {one.name: one.condition for one in segments}
        return Basis(trees, self._store.segments.computed(), self._restricted())

    def adopt(self, before: Basis, after: Basis, names: Sequence[str], write: Callable[[], None]) -> bool:
        """Write what makes one of the other, and who is in these segments then. False, and nothing is done, where it is
        not as it was before any more."""
        now, settled = self._clock(), self._store.segments.settled()
        edition, found = self._of_all(names, after, now) if names else (settled, [])
        with self._store.transaction():
            if (before, settled) != (self.basis(), self._store.segments.settled()):
                return False
            write()
            self._write(found, now)
            # Persons that were touched since have been evaluated by what was before.
            self._store.segments.settle(edition if not before.trees else min(settled, edition))
        self.settle()
        return True

    def asking(self, computed: str, trees: Trees) -> list[str]:
        """The segments of which the tree, or that of one it is built on, asks for that computed trait."""
        return [n for n in trees if any(computed in computed_in(trees[one]) for one in built_on(n, trees.get))]

    # ---- parts

    def _of_all(self, names: Sequence[str], basis: Basis, now: int) -> tuple[int, list[_Difference]]:
        """And of which edition of the persons."""
        conditions = [{"segment": name} for name in names]
        terms = Terms(basis.trees.get, basis.computed.get, now, basis.restricted)
        edition, found = self._census.members(conditions, terms)
        differences = []
        for name, ids in zip(names, found, strict=True):
            met, inside = set(ids), set(self._inside(name))
            differences.append(_Difference(name, sorted(met - inside), sorted(inside - met), now))
        return edition, differences

    def _of_touched(
        self, segments: Sequence[Segment], basis: Basis, touched: Sequence[int], now: int
    ) -> list[_Difference]:
        """Of all others members are right: but for windows, which the clock moves."""
        moving = _moving(basis)
        evaluated = {one.name: one.evaluated if one.name in moving else now for one in segments}
        return self._of_persons(evaluated, basis, self._ids(touched), now)

    def _of_persons(
        self, evaluated: Mapping[str, int], basis: Basis, person_ids: Sequence[str], now: int
    ) -> list[_Difference]:
        met = {name: parse_condition({"segment": name}, basis.trees.get, basis.computed.get) for name in evaluated}
        entered: dict[str, list[str]] = {name: [] for name in met}
        left: dict[str, list[str]] = {name: [] for name in met}
        hidden = set(basis.restricted.values())
        for person_id, facts, inside_of in self._persons(person_ids):
            for name, meets in met.items():
                if (person_id not in hidden and meets(facts, now)) != (name in inside_of):
                    (left if name in inside_of else entered)[name].append(person_id)
        return [_Difference(name, entered[name], left[name], time) for name, time in evaluated.items()]

    def _write(self, differences: Sequence[_Difference], now: int) -> None:
        for name, entered, left, evaluated in differences:
            self._store.segments.refresh(name, entered, left, evaluated, now)

    def _inside(self, name: str) -> Iterator[str]:
        after = ""
        while page := self._store.segments.members(name, after=after, limit=_PAGE):
            yield from page
            after = page[-1]

    def _terms(self, condition: Mapping[str, Any] | None, *, restricted: bool = False) -> Terms:
        """For a condition that has no name; what is saved is read when it is asked for. Raises CONDITION_INVALID."""
        trees, computed = cache(lambda: self.basis().trees), cache(self._store.segments.computed)
        lookups: tuple[Lookup, Lookup] = (lambda name: trees().get(name)), (lambda name: computed().get(name))
        if condition is not None:
            parse_condition(condition, *lookups)
        return Terms(*lookups, self._clock(), () if restricted else self._restricted())

    def _restricted(self) -> Mapping[int, str]:
        return {row.number: row.id for row in self._store.privacy.restricted_persons()}

    def _ids(self, numbers: Sequence[int]) -> list[str]:
        """Of the live ones."""
        return [row.id for row in self._store.persons.persons_by_number(numbers) if row and row.survivor is None]

    def _persons(self, person_ids: Sequence[str]) -> Iterator[tuple[str, Facts, Sequence[str]]]:
        """Persons with their facts and segments, so many of one moment at a time."""

        def known(ids: Sequence[str]) -> list[tuple[str, Facts, Sequence[str]]]:
            return list(zip(ids, self._people.facts(ids), self._people.segments(ids), strict=True))

        for start in range(0, len(person_ids), _AT_ONCE):
            chunk = person_ids[start : start + _AT_ONCE]
            yield from self._store.moment(partial(known, chunk))


def _moving(basis: Basis) -> set[str]:
    """The segments whose members the clock alone may change."""
    trees, computed, _ = basis
    return {n for n in trees if any(ages(trees[one], computed.get) for one in built_on(n, trees.get))}


def _comparing(basis: Basis) -> set[str]:
    """The segments whose members depend on everybody."""
    return {n for n in basis.trees if any(compares(basis.trees[one]) for one in built_on(n, basis.trees.get))}


def _fresh(segment: Segment, now: int) -> bool:
    return 0 <= now - segment.evaluated <= _FRESH
