"""Segments: a condition tree over traits, events and identifiers, and what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from identity_graph.errors import InputError
from identity_graph.model import Event, Identifier
from identity_graph.times import format_time, parse_time
from identity_graph.value_test import ValueTest, compare, invalid, only_one, parse_range, parse_span, parse_value_test

_MAX_DEPTH = 16
_MAX_NODES = 1000
_MEASURES = ("COUNT", "SUM", "AVERAGE", "MINIMUM", "MAXIMUM", "FIRST", "LAST", "DISTINCT")
_EVENT_KEYS = ("names", "sources", "where", "within", "from", "to", "measure", "property", "is")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask of one person: `traits` that survived, `events` oldest first, `identifiers`."""

    traits: Mapping[str, Any]
    events: Sequence[Event]
    identifiers: Sequence[Identifier]


Condition = Callable[[Facts, int], bool]
"""Whether a person meets it, at a time in microseconds."""

Lookup = Callable[[str], Mapping[str, Any] | None]
"""The tree of a saved segment by name."""


def parse_condition(tree: Any, lookup: Lookup = lambda name: None) -> Condition:
    """Compile a tree, each node of which has exactly one key: all, any, not, trait, event, identifier or segment.

    A segment named in the tree stands for its own tree, as `lookup` gives it. Raises CONDITION_INVALID with the path of
    the node: what is missing, unknown, deeper than 16 levels, more than 1,000 nodes (both with the trees of the
    segments that it names) or goes round in a circle.

    >>> pro = parse_condition({"trait": {"name": "plan", "is": {"equals": "pro"}}})
    >>> pro(Facts({"plan": "pro"}, (), ()), 0)
    True
    """
    return _Parser(lookup).node(tree, "condition", 0, ())


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


def ages(tree: Mapping[str, Any]) -> bool:
    """Whether the clock alone may change who meets it; the trees of segments that it names left out."""
    return any(key in ("within", "olderThan", "newerThan") for key, _ in _entries(tree))


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
    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.nodes = 0

    def node(self, tree: Any, path: str, depth: int, inside: tuple[str, ...]) -> Condition:
        if depth > _MAX_DEPTH:
            raise invalid(path, "too deep", f"At most {_MAX_DEPTH} levels.")
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise invalid(path, "too large", f"At most {_MAX_NODES:,} nodes, those of the named segments too.")
        kind, given = only_one(tree, path, ("all", "any", "not", "trait", "event", "identifier", "segment"))
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
        return {"trait": _trait, "event": _event, "identifier": _identifier}[kind](given, path)

    def segment(self, name: Any, path: str, depth: int, inside: tuple[str, ...]) -> Condition:
        tree = self.lookup(name) if isinstance(name, str) else None
        if tree is None:
            raise invalid(path, f"no segment is called {name!r}", "Save that segment first.")
        if name in inside:
            raise invalid(path, f"{name!r} contains itself", "Take it out of its own condition.")
        return self.node(tree, f"{path}({name})", depth + 1, (*inside, name))


def _keys(given: Any, path: str, known: Sequence[str], needed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or given.keys() - set(known) or set(needed) - given.keys():
        raise invalid(path, "keys missing or unknown", f"Known: {', '.join(known)}; needed: {', '.join(needed)}.")
    return {key: value for key, value in given.items() if value is not None}


def _name(given: Any, path: str) -> str:
    if not isinstance(given, str) or not given:
        raise invalid(path, f"{given!r}", "Give a name.")
    return given


def _trait(given: Any, path: str) -> Condition:
    table = _keys(given, path, ("name", "is"), ("name", "is"))
    name, test = _name(table.get("name"), f"{path}.name"), parse_value_test(table.get("is"), f"{path}.is")
    return lambda facts, now: test(facts.traits.get(name), now)


def _identifier(given: Any, path: str) -> Condition:
    table = _keys(given, path, ("namespace", "count"), ("namespace",))
    namespace = _name(table.get("namespace"), f"{path}.namespace")
    enough = parse_range(table.get("count", {"from": 1}), f"{path}.count")
    return lambda facts, now: enough(sum(one.namespace == namespace for one in facts.identifiers))


def _event(given: Any, path: str) -> Condition:
    table = _keys(given, path, _EVENT_KEYS, ("is",))
    passes = _event_filter(table, path)
    measure = table.get("measure", "COUNT")
    if measure not in _MEASURES:
        raise invalid(f"{path}.measure", f"{measure!r}", f"Known: {', '.join(_MEASURES)}.")
    prop = _name(table["property"], f"{path}.property") if "property" in table else None
    if prop is None and measure in ("SUM", "AVERAGE", "MINIMUM", "MAXIMUM", "DISTINCT"):
        raise invalid(path, f"{measure} of what?", "Name a property.")
    test = parse_value_test(table.get("is"), f"{path}.is")

    def met(facts: Facts, now: int) -> bool:
        found = [event for event in facts.events if passes(event, now)]
        return test(_measured(measure, prop, found), now)

    return met


def _event_filter(table: Mapping[str, Any], path: str) -> Callable[[Event, int], bool]:
    names, sources = _names(table, "names", path), _names(table, "sources", path)
    where = table.get("where", ())
    if not isinstance(where, Sequence) or isinstance(where, str):
        raise invalid(f"{path}.where", "not a list of tests", "Give a list of name and is.")
    tests: list[tuple[str, ValueTest]] = []
    for number, one in enumerate(where):
        spot = f"{path}.where[{number}]"
        inner = _keys(one, spot, ("name", "is"), ("name", "is"))
        tests.append((_name(inner.get("name"), f"{spot}.name"), parse_value_test(inner.get("is"), f"{spot}.is")))
    within = parse_span(table["within"], f"{path}.within") if "within" in table else None
    start, end = (_moment(table[key], f"{path}.{key}") if key in table else None for key in ("from", "to"))

    def passes(event: Event, now: int) -> bool:
        return (
            (names is None or event.name in names)
            and (sources is None or event.source in sources)
            and (within is None or now - within <= event.time <= now)
            and (start is None or event.time >= start)
            and (end is None or event.time < end)
            and all(test(event.properties.get(name), now) for name, test in tests)
        )

    return passes


def _names(table: Mapping[str, Any], key: str, path: str) -> frozenset[str] | None:
    given = table.get(key)
    if given is None:
        return None
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(n, str) for n in given):
        raise invalid(f"{path}.{key}", f"{given!r}", "Give a list of names.")
    if not given:
        raise invalid(f"{path}.{key}", "an empty list", f"Name at least one, or leave {key} out.")
    return frozenset(given)


def _moment(given: Any, path: str) -> int:
    try:
        return parse_time(given)
    except InputError as error:
        raise invalid(path, error.message, error.help) from None


def _distinct(value: Any) -> Any:
    """Numbers as themselves, so that 1 is 1.0; all else as canonical JSON, so that it is not true."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _measured(measure: str, prop: str | None, events: Sequence[Event]) -> Any:
    """FIRST and LAST without a property are times, so that olderThan and newerThan can test them."""
    if prop is None:
        if measure == "COUNT":
            return len(events)
        return format_time(events[0 if measure == "FIRST" else -1].time) if events else None
    values = [event.properties[prop] for event in events if event.properties.get(prop) is not None]
    if measure == "COUNT":
        return len(values)
    if measure in ("FIRST", "LAST"):
        return (values[0] if measure == "FIRST" else values[-1]) if values else None
    if measure == "DISTINCT":
        return len({_distinct(value) for value in values})
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if measure == "SUM":
        return sum(numbers)
    if not numbers:
        return None
    if measure == "AVERAGE":
        return sum(numbers) / len(numbers)
    best = numbers[0]
    for number in numbers[1:]:
        if compare(number, best) == (-1 if measure == "MINIMUM" else 1):
            best = number
    return best
