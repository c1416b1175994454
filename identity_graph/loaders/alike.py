"""Records that are alike, as columns: the same keys and kinds of values all the way down.

Where a value goes, and whether one is there at all, is then the same for all of them. So a loader is asked once, with a
record whose values are marks, and each mark stands for a column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from identity_graph.records.flat import Flat

FEWEST = 12
"""Records that are alike, below which one by one is faster."""

Places = tuple[str, ...]
"""Keys from the outside in."""


class Mark:
    """Where a value is that differs from record to record: `column` has it of each, `change` makes of it what is
    wanted. All are there: no nulls, no empty texts or lists."""

    __slots__ = ("change", "column")

    def __init__(self, column: Sequence[Any], change: Callable[[Any], Any] | None = None) -> None:
        self.column = column
        self.change = change


class Alike(NamedTuple):
    """`rows` are places of the records, `record` has their keys with marks for values, and what is equal in all of them
    as it is."""

    rows: Sequence[int]
    record: dict[str, Any]


class Telling(NamedTuple):
    """What tells records apart beside their keys: `values` that a loader compares with what is at a place, and places
    of `lists` into which it looks."""

    values: Mapping[Places, frozenset[tuple[type, Any]]]
    lists: frozenset[Places]


def alike(records: Sequence[dict[str, Any]], rows: Sequence[int], telling: Telling) -> Iterator[Alike | Sequence[int]]:
    """Groups of records that are alike, and the places of those that are like too few others, in any order."""
    flat = isinstance(records, Flat)
    waiting = [(records, rows)] if flat else _groups(map(tuple, records), records, rows)
    while waiting:
        members, places = waiting.pop()
        if len(places) < FEWEST:
            yield places
            continue
        marking = _Marking(telling)
        record = marking.marked_columns(members) if isinstance(members, Flat) else marking.marked(members, ())
        if marking.looked_into:
            yield places
        elif marking.differences:
            waiting += _groups(zip(*marking.differences, strict=True), members, places)
        else:
            yield Alike(places, record)


def _groups(
    labels: Iterable[Any], records: Sequence[dict[str, Any]], rows: Sequence[int]
) -> list[tuple[Sequence[dict[str, Any]], Sequence[int]]]:
    labels = list(labels)
    if len(set(labels)) <= 1:
        return [(records, rows)] if rows else []
    groups: dict[Any, list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        groups[label].append(number)
    take = records.take if isinstance(records, Flat) else lambda numbers: [records[number] for number in numbers]
    return [(take(numbers), [rows[number] for number in numbers]) for numbers in groups.values()]


class _Marking:
    """One pass over records of the same keys. `differences` are labels, a column for each place where they differ."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self.differences: list[Sequence[Any]] = []
        self.looked_into = False

    def marked(self, objects: Sequence[dict[str, Any]], where: Places) -> dict[str, Any]:
        columns = zip(*map(dict.values, objects), strict=True)
        return {key: self._value(column, (*where, key)) for key, column in zip(objects[0], columns, strict=True)}

    def marked_columns(self, records: Flat) -> dict[str, Any]:
        """A column without a value is one of a key that none of them has."""
        marks = {name: self._value(column, (name,)) for name, column in records.columns.items()}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def _value(self, column: Sequence[Any], where: Places) -> Any:
        kinds = set(map(type, column))
        if len(kinds) > 1:
            return self._differ([_label(value) for value in column])
        (kind,) = kinds
        if kind is dict:
            keys = list(map(tuple, column))
            return self._differ(keys) if len(set(keys)) > 1 else self.marked(column, where)
        if kind is type(None):
            return None
        if kind in _EMPTY and (empty := _EMPTY[kind]) in column:
            return empty if column.count(empty) == len(column) else self._differ([value == empty for value in column])
        if kind is list:
            self.looked_into |= where in self._telling.lists
        elif compared := self._telling.values.get(where):
            labels = [value if (kind, value) in compared else None for value in column]
            if len(set(labels)) > 1:
                return self._differ(labels)
            if labels[0] is not None:
                return labels[0]
        return Mark(column)

    def _differ(self, labels: Sequence[Any]) -> None:
        self.differences.append(labels)


_EMPTY: dict[type, Any] = {str: "", list: []}


def _label(value: Any) -> Any:
    """Of one of many kinds; equal labels only of what is alike."""
    if value.__class__ is dict:
        return tuple(value)
    return value.__class__, value.__class__ in _EMPTY and not value
