"""Measures over a person's events: which events pass, and what is counted, added up or picked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from identity_graph.errors import InputError
from identity_graph.model import Event
from identity_graph.times import DAY, format_time, parse_time
from identity_graph.value_test import ValueTest, compare, invalid, parse_span, parse_value_test

MEASURES = ("COUNT", "SUM", "AVERAGE", "MINIMUM", "MAXIMUM", "FIRST", "LAST", "DISTINCT", "MOST_FREQUENT", "DAYS_SINCE")
_OF_EVENTS = ("COUNT", "FIRST", "LAST", "DAYS_SINCE")
FILTER_KEYS = ("names", "sources", "where", "within", "from", "to")
MEASURE_KEYS = (*FILTER_KEYS, "measure", "property")

EventTest = Callable[[Event, int], bool]


class Reach(NamedTuple):
    """What of events a test may let through: others it never does. None: whatever; `start` belongs to it, `end` not."""

    names: frozenset[str] | None
    sources: frozenset[str] | None
    start: int | None
    end: int | None


Measure = Callable[[Sequence[Event], int], Any]
"""The value, None where there is none, of events that are oldest first, at a time in microseconds."""


def parse_computed(definition: Any, path: str) -> Measure:
    """What a computed trait measures: MEASURE_KEYS and nothing else. Raises CONDITION_INVALID."""
    return parse_measure(keys_of(definition, path, MEASURE_KEYS, ()), path)


def parse_measure(table: Mapping[str, Any], path: str) -> Measure:
    """Of MEASURE_KEYS, any left out. Raises CONDITION_INVALID.

    >>> parse_measure({"names": ["Bought"], "measure": "SUM", "property": "total"}, "spent")([], 0)
    0
    """
    passes = parse_event_test(table, path)
    measure = table.get("measure", "COUNT")
    if measure not in MEASURES:
        raise invalid(f"{path}.measure", f"{measure!r}", f"Known: {', '.join(MEASURES)}.")
    prop = name_of(table["property"], f"{path}.property") if "property" in table else None
    if prop is None and measure not in _OF_EVENTS:
        raise invalid(path, f"{measure} of what?", "Name a property.")
    return lambda events, now: _measured(measure, prop, [event for event in events if passes(event, now)], now)


def keys_of(given: Any, path: str, known: Sequence[str], needed: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or given.keys() - set(known) or set(needed) - given.keys():
        raise invalid(path, "keys missing or unknown", f"Known: {', '.join(known)}; needed: {', '.join(needed)}.")
    return {key: value for key, value in given.items() if value is not None}


def name_of(given: Any, path: str) -> str:
    if not isinstance(given, str) or not given:
        raise invalid(path, f"{given!r}", "Give a name.")
    return given


def parse_event_test(table: Mapping[str, Any], path: str) -> EventTest:
    names, sources = _names(table, "names", path), _names(table, "sources", path)
    where = table.get("where", ())
    if not isinstance(where, Sequence) or isinstance(where, str):
        raise invalid(f"{path}.where", "not a list of tests", "Give a list of name and is.")
    tests: list[tuple[str, ValueTest]] = []
    for number, one in enumerate(where):
        spot = f"{path}.where[{number}]"
        inner = keys_of(one, spot, ("name", "is"), ("name", "is"))
        tests.append((name_of(inner.get("name"), f"{spot}.name"), parse_value_test(inner.get("is"), f"{spot}.is")))
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


def reach_of(table: Mapping[str, Any], now: int) -> Reach:
    """Of a table that `parse_event_test` takes, at that time."""
    given = {key: value for key, value in table.items() if value is not None}
    starts = [parse_time(given["from"])] if "from" in given else []
    ends = [parse_time(given["to"])] if "to" in given else []
    if "within" in given:
        starts.append(now - parse_span(given["within"], "within"))
        ends.append(now + 1)
    names, sources = _names(given, "names", ""), _names(given, "sources", "")
    return Reach(names, sources, max(starts, default=None), min(ends, default=None))


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


def distinct_key(value: Any) -> Any:
    """Numbers and texts as themselves, so that 1 is 1.0; all else as canonical JSON, so that 1 is not true."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _measured(measure: str, prop: str | None, events: Sequence[Event], now: int) -> Any:
    """FIRST and LAST without a property are times, so that olderThan and newerThan can test them."""
    if measure == "DAYS_SINCE":
        seen = [event.time for event in events if prop is None or event.properties.get(prop) is not None]
        return (now - seen[-1]) // DAY if seen else None
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
        return len({distinct_key(value) for value in values})
    if measure == "MOST_FREQUENT":
        return _most_frequent(values)
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


def _most_frequent(values: Sequence[Any]) -> Any:
    """Of those equally frequent the one seen last."""
    counts: dict[Any, int] = {}
    last: dict[Any, tuple[int, Any]] = {}
    for position, value in enumerate(values):
        key = distinct_key(value)
        counts[key] = counts.get(key, 0) + 1
        last[key] = position, value
    return last[max(counts, key=lambda key: (counts[key], last[key][0]))][1] if counts else None
