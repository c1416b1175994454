"""Segments: a condition tree over traits, events and identifiers, and what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from identity_graph.consent import status
from identity_graph.measure import (
    FILTER_KEYS,
    MEASURE_KEYS,
    EventTest,
    Measure,
    keys_of,
    name_of,
    parse_computed,
    parse_event_test,
    parse_measure,
)
from identity_graph.model import Event, Identifier
from identity_graph.times import format_time
from identity_graph.value_test import invalid, only_one, parse_range, parse_span, parse_value_test

_MAX_DEPTH = 16
_MAX_NODES = 1000
_KINDS = ("all", "any", "not", "trait", "event", "sequence", "identifier", "segment", "computed", "quantile", "consent")
MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask of one person: `traits` that survived and when they were `stated`, `events` oldest
    first, `identifiers`; and of everybody, in which of how many parts a computed trait puts it (see `score`)."""

    traits: Mapping[str, Any]
    events: Sequence[Event]
    identifiers: Sequence[Identifier]
    stated: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[tuple[str, int], int] = field(default_factory=dict)


Condition = Callable[[Facts, int], bool]
"""Whether a person meets it, at a time in microseconds."""

Lookup = Callable[[str], Mapping[str, Any] | None]
"""The tree of a saved segment, or what a computed trait measures, by name."""


def _none(_name: str) -> None:
    return None


def parse_condition(tree: Any, lookup: Lookup = _none, computed: Lookup = _none) -> Condition:
    """Compile a tree, each node of which has exactly one key, of _KINDS.

    A segment named in the tree stands for its own tree, as `lookup` gives it, a computed trait for what it measures, as
    `computed` gives that. Raises CONDITION_INVALID with the path of the node: what is missing, unknown, deeper than 16
    levels, more than 1,000 nodes (both with the trees of the segments that it names) or goes round in a circle.

    >>> pro = parse_condition({"trait": {"name": "plan", "is": {"equals": "pro"}}})
    >>> pro(Facts({"plan": "pro"}, (), ()), 0)
    True
    """
    return _Parser(lookup, computed).node(tree, "condition", 0, ())


def score(smaller: int, everybody: int, parts: int) -> int:
    """In which of so many parts of equal size, 1 the lowest, a number lies that so many persons of all who have one are
    below; equal numbers lie in one.

    >>> [score(smaller, 4, 2) for smaller in (0, 1, 2, 2)]
    [1, 1, 2, 2]
    """
    return 1 + parts * smaller // everybody


def built_on(name: str, lookup: Lookup) -> set[str]:
    """The segment and every segment that its tree, or one of theirs, names."""
    found: set[str] = set()
    open_names = [name]
    while open_names:
        one = open_names.pop()
        tree = lookup(one)
        if tree is not None and one not in found:
            found.add(one)
            open_names += [given for key, given in _entries(tree) if key == "segment" and isinstance(given, str)]
    return found


def ages(tree: Mapping[str, Any], computed: Lookup = _none) -> bool:
    """Whether the clock alone may change who meets it; the trees of segments that it names left out."""
    moving = any(
        key in ("within", "olderThan", "newerThan", "consent") or (key, given) == ("measure", "DAYS_SINCE")
        for key, given in _entries(tree)
    )
    return moving or any(ages(computed(name) or {}) for name in computed_in(tree))


def computed_in(tree: Mapping[str, Any]) -> set[str]:
    """The computed traits that it asks for; the trees of segments that it names left out."""
    kinds = ("computed", "quantile")
    asked = (given for key, given in _entries(tree) if key in kinds and isinstance(given, Mapping))
    return {given["name"] for given in asked if isinstance(given.get("name"), str)}


def compares(tree: Mapping[str, Any]) -> bool:
    """Whether who meets it depends on everybody; the trees of segments that it names left out."""
    return any(key == "quantile" and isinstance(given, Mapping) for key, given in _entries(tree))


def consents_in(tree: Mapping[str, Any]) -> set[str]:
    """The purposes whose consent it asks for; the trees of segments that it names left out."""
    asked = (given for key, given in _entries(tree) if key == "consent" and isinstance(given, Mapping))
    return {given["purpose"] for given in asked if isinstance(given.get("purpose"), str)}


def _entries(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every key with what it holds, at any depth."""
    if isinstance(tree, Mapping):
        yield from tree.items()
        tree = tree.values()
    elif isinstance(tree, str) or not isinstance(tree, Sequence):
        return
    for part in tree:
        yield from _entries(part)


class _Parser:
    def __init__(self, lookup: Lookup, computed: Lookup) -> None:
        self.lookup = lookup
        self.computes = computed
        self.nodes = 0

    def node(self, tree: Any, path: str, depth: int, inside: tuple[str, ...]) -> Condition:
        if depth > _MAX_DEPTH:
            raise invalid(path, "too deep", f"At most {_MAX_DEPTH} levels.")
        self.count(path, 1)
        kind, given = only_one(tree, path, _KINDS)
        path = f"{path}.{kind}"
        if kind in ("all", "any"):
            if not isinstance(given, Sequence) or isinstance(given, str) or not given:
                raise invalid(path, "not a list of conditions", "Give at least one.")
            parts = [self.node(part, f"{path}[{n}]", depth + 1, inside) for n, part in enumerate(given)]
            every = all if kind == "all" else any
            return lambda facts, now: every(part(facts, now) for part in parts)
        if kind == "not":
            inner = self.node(given, path, depth + 1, inside)
            return lambda facts, now: not inner(facts, now)
        if kind == "segment":
            return self.segment(given, path, depth, inside)
        if kind == "sequence":
            return self.sequence(given, path)
        if kind == "computed":
            return self.computed(given, path)
        if kind == "quantile":
            return self.quantile(given, path)
        return {"trait": _trait, "event": _event, "identifier": _identifier, "consent": _consent}[kind](given, path)

    def segment(self, name: Any, path: str, depth: int, inside: tuple[str, ...]) -> Condition:
        tree = self.lookup(name) if isinstance(name, str) else None
        if tree is None:
            raise invalid(path, f"no segment is called {name!r}", "Save that segment first.")
        if name in inside:
            raise invalid(path, f"{name!r} contains itself", "Take it out of its own condition.")
        return self.node(tree, f"{path}({name})", depth + 1, (*inside, name))

    def sequence(self, given: Any, path: str) -> Condition:
        table = keys_of(given, path, ("steps", "within"), ("steps",))
        steps = table.get("steps")
        if not isinstance(steps, Sequence) or isinstance(steps, str) or len(steps) < 2:
            raise invalid(f"{path}.steps", "not a list of steps", "Give at least two.")
        self.count(path, len(steps))
        tests = []
        for number, step in enumerate(steps):
            spot = f"{path}.steps[{number}]"
            tests.append(parse_event_test(keys_of(step, spot, FILTER_KEYS, ()), spot))
        return _follow(tests, parse_span(table["within"], f"{path}.within") if "within" in table else None)

    def computed(self, given: Any, path: str) -> Condition:
        table = keys_of(given, path, ("name", "is"), ("name", "is"))
        test = parse_value_test(table.get("is"), f"{path}.is")
        _, measure = self.measure(table, path)
        return lambda facts, now: test(measure(facts.events, now), now)

    def quantile(self, given: Any, path: str) -> Condition:
        table = keys_of(given, path, ("name", "parts", "is"), ("name", "parts", "is"))
        parts, test = table.get("parts"), parse_value_test(table.get("is"), f"{path}.is")
        if not isinstance(parts, int) or isinstance(parts, bool) or not 2 <= parts <= MOST_PARTS:
            raise invalid(f"{path}.parts", f"{parts!r}", f"Give a number of 2 to {MOST_PARTS}.")
        name, _ = self.measure(table, path)
        return lambda facts, now: test(facts.scores.get((name, parts)), now)

    def measure(self, table: Mapping[str, Any], path: str) -> tuple[str, Measure]:
        """The computed trait that the table names."""
        name = name_of(table.get("name"), f"{path}.name")
        definition = self.computes(name)
        if definition is None:
            raise invalid(f"{path}.name", f"no computed trait is called {name!r}", "Declare that trait first.")
        return name, parse_computed(definition, f"{path}({name})")

    def count(self, path: str, more: int) -> None:
        self.nodes += more
        if self.nodes > _MAX_NODES:
            raise invalid(path, "too large", f"At most {_MAX_NODES:,} nodes, those of the named segments too.")


def _trait(given: Any, path: str) -> Condition:
    table = keys_of(given, path, ("name", "is", "stated"), ("name", "is"))
    name, test = name_of(table.get("name"), f"{path}.name"), parse_value_test(table.get("is"), f"{path}.is")
    if "stated" not in table:
        return lambda facts, now: test(facts.traits.get(name), now)
    when = parse_value_test(table["stated"], f"{path}.stated")

    def met(facts: Facts, now: int) -> bool:
        time = facts.stated.get(name)
        return test(facts.traits.get(name), now) and when(None if time is None else format_time(time), now)

    return met


def _consent(given: Any, path: str) -> Condition:
    """Tests the status that stands, none where nothing was said."""
    table = keys_of(given, path, ("purpose", "is"), ("purpose", "is"))
    purpose, test = name_of(table.get("purpose"), f"{path}.purpose"), parse_value_test(table.get("is"), f"{path}.is")
    return lambda facts, now: test(status(facts.events, purpose, now), now)


def _identifier(given: Any, path: str) -> Condition:
    table = keys_of(given, path, ("namespace", "count"), ("namespace",))
    namespace = name_of(table.get("namespace"), f"{path}.namespace")
    enough = parse_range(table.get("count", {"from": 1}), f"{path}.count")
    return lambda facts, now: enough(sum(one.namespace == namespace for one in facts.identifiers))


def _event(given: Any, path: str) -> Condition:
    table = keys_of(given, path, (*MEASURE_KEYS, "is"), ("is",))
    measure, test = parse_measure(table, path), parse_value_test(table.get("is"), f"{path}.is")
    return lambda facts, now: test(measure(facts.events, now), now)


def _follow(steps: Sequence[EventTest], span: int | None) -> Condition:
    """Whether events passed the steps one after the other, no more than `span` from one to the next; others may lie
    between. Of all that got as far as a step, who got there last has the longest time for the next: one walk."""

    def met(facts: Facts, now: int) -> bool:
        reached: list[int | None] = [None] * len(steps)
        for event in facts.events:
            for n in range(len(steps) - 1, -1, -1):
                before = reached[n - 1] if n else event.time
                if before is not None and (span is None or event.time - before <= span) and steps[n](event, now):
                    reached[n] = event.time
        return reached[-1] is not None

    return met
