"""Tests on one value: the leaves of a segment's condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from identity_graph.errors import InputError
from identity_graph.times import parse_duration, parse_time

ValueTest = Callable[[Any, int], bool]
"""Takes the value (None: there is none) and the time of the evaluation."""


def invalid(path: str, message: str, help: str) -> InputError:
    return InputError("CONDITION_INVALID", f"{path}: {message}", help=help)


def only_one(tree: Any, path: str, known: Sequence[str]) -> tuple[str, Any]:
    """The one key of a mapping and its value. Raises CONDITION_INVALID."""
    if not isinstance(tree, Mapping) or len(tree) != 1 or next(iter(tree)) not in known:
        raise invalid(path, "not a condition", f"Give exactly one of: {', '.join(known)}.")
    return next(iter(tree.items()))


def parse_value_test(tree: Any, path: str) -> ValueTest:
    """One of equals, in, range, prefix, contains, exists, olderThan, newerThan. Raises CONDITION_INVALID.

    >>> parse_value_test({"range": {"from": 2}}, "is")(3, 0), parse_value_test({"prefix": "a"}, "is")(None, 0)
    (True, False)
    """
    kind, given = only_one(tree, path, tuple(_KINDS))
    return _KINDS[kind](given, f"{path}.{kind}")


def compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1 of two numbers, two truths or two texts; None where there is no order between them, as with NaN."""
    if isinstance(a, bool) != isinstance(b, bool) or a != a:
        return None
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    if numbers or (isinstance(a, str) and isinstance(b, str)):
        return int(a > b) - int(a < b)
    return None


def same(a: Any, b: Any) -> bool:
    """JSON equality: 1 is 1.0 but not true, at any depth."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _equals(given: Any, path: str) -> ValueTest:
    if given is None:
        raise invalid(path, "nothing equals null", 'Give a value; {"exists": false} finds who has none.')
    return lambda value, _: value is not None and same(value, given)


def _in(given: Any, path: str) -> ValueTest:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given or None in given:
        raise invalid(path, f"{given!r}", "Give a list of at least one value, none of them null.")
    return lambda value, _: value is not None and any(same(value, one) for one in given)


def parse_range(given: Any, path: str) -> Callable[[Any], bool]:
    ends = [given.get("from"), given.get("to")] if isinstance(given, Mapping) else []
    low, high = ends or (None, None)
    if not ends or given.keys() - {"from", "to"} or (low is None and high is None):
        raise invalid(path, f"{given!r}", "Give from, to, or both.")
    for end in (low, high):
        if end is not None and (isinstance(end, bool) or not isinstance(end, int | float | str) or end != end):
            raise invalid(path, f"{given!r}", "The ends are numbers or texts.")
    if low is not None and high is not None and compare(low, high) not in (-1, 0):
        raise invalid(path, f"{given!r} holds nothing", "Give two numbers or two texts, the smaller as from.")

    def inside(value: Any) -> bool:
        return (low is None or compare(value, low) in (0, 1)) and (high is None or compare(value, high) in (-1, 0))

    return inside


def _range(given: Any, path: str) -> ValueTest:
    inside = parse_range(given, path)
    return lambda value, _: value is not None and inside(value)


def _text(given: Any, path: str) -> str:
    if not isinstance(given, str) or not given:
        raise invalid(path, f"{given!r}", "Give a text.")
    return given


def _prefix(given: Any, path: str) -> ValueTest:
    text = _text(given, path)
    return lambda value, _: isinstance(value, str) and value.startswith(text)


def _contains(given: Any, path: str) -> ValueTest:
    if given is None or given == "":
        raise invalid(path, f"{given!r}", "Give a part of a text, or a value in a list.")
    return lambda value, _: (
        (isinstance(value, str) and isinstance(given, str) and given in value)
        or (isinstance(value, list) and any(same(one, given) for one in value))
    )


def _exists(given: Any, path: str) -> ValueTest:
    if not isinstance(given, bool):
        raise invalid(path, f"{given!r}", "Give true or false.")
    return lambda value, _: (value is not None) == given


def parse_span(given: Any, path: str) -> int:
    try:
        return parse_duration(given)
    except (TypeError, ValueError):
        raise invalid(path, f"{given!r}", 'Give an ISO 8601 duration such as "P90D" or "PT30M".') from None


def _age(value: Any, now: int) -> int | None:
    try:
        return None if value is None else now - parse_time(value)
    except InputError:
        return None


def _older(given: Any, path: str) -> ValueTest:
    span = parse_span(given, path)
    return lambda value, now: (age := _age(value, now)) is not None and age > span


def _newer(given: Any, path: str) -> ValueTest:
    span = parse_span(given, path)
    return lambda value, now: (age := _age(value, now)) is not None and age <= span


_KINDS: Mapping[str, Callable[[Any, str], ValueTest]] = {
    "equals": _equals,
    "in": _in,
    "range": _range,
    "prefix": _prefix,
    "contains": _contains,
    "exists": _exists,
    "olderThan": _older,
    "newerThan": _newer,
}
