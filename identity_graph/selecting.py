"""Who of everybody meets conditions: node by node over columns, each leaf as `segment` means it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from identity_graph.everybody import Everybody, Wanted
from identity_graph.measure import Reach, reach_of
from identity_graph.segment import Facts, Lookup, parse_condition
from identity_graph.tables import Bool, Int64
from identity_graph.value_test import parse_range, parse_value_test

Tree: TypeAlias = Mapping[str, Any]
NOBODY = Facts({}, (), ())
EVENTS = ("event", "sequence", "computed", "consent")
"""Leaves that ask for events."""


class Selection:
    """Over columns that are read for one evaluation, of everything that `wanted` says the trees ask for."""

    def __init__(self, everybody: Everybody, lookup: Lookup, computed: Lookup, now: int) -> None:
        self._everybody = everybody
        self._lookup = lookup
        self._computed = computed
        self._now = now

    def meeting(self, tree: Tree) -> Bool:
        """Of each person, by place, whether it meets a tree that `parse_condition` takes."""
        ((kind, given),) = tree.items()
        if kind in ("all", "any"):
            found: Bool = reduce(and_ if kind == "all" else or_, map(self.meeting, given))
            return found
        if kind == "not":
            return ~self.meeting(given)
        if kind == "segment":
            return self.meeting(self._lookup(given) or {})
        return self._leaf(kind, given)

    def _leaf(self, kind: str, given: Any) -> Bool:
        now, everybody = self._now, self._everybody
        if kind == "identifier":
            enough = parse_range(count_of(given), "")
            return _each(map(enough, everybody.identifiers[given["namespace"]]))
        if kind != "trait":
            return self._of_events(kind, given)
        test = parse_value_test(given["is"], "")
        found = _each(test(value, now) for value in everybody.traits[given["name"]])
        if given.get("stated") is not None:
            when = parse_value_test(given["stated"], "")
            found &= _each(when(time, now) for time in everybody.stated[given["name"]])
        return found

    def _of_events(self, kind: str, given: Any) -> Bool:
        leaf, now, journeys = {kind: given}, self._now, self._everybody.journeys
        met = parse_condition(leaf, computed=self._computed)
        found = np.full(len(self._everybody.ids), met(NOBODY, now))
        assert journeys is not None
        rows = np.flatnonzero(journeys.within(reaches_of(leaf, self._computed, now)))
        table = _measured(leaf, self._computed) if kind in ("event", "computed") else None
        if table is not None and not table.get("where") and table.get("property") is None:
            measure = table.get("measure") or "COUNT"
            if measure == "COUNT":
                counts = np.bincount(journeys.place[rows], minlength=len(found))
                test = parse_value_test(given["is"], "")
                passes = np.array([test(count, now) for count in range(int(counts.max(initial=0)) + 1)])
                return passes[counts]
            rows = _ends(journeys.place[rows], rows, first=measure == "FIRST")
        for place, events in journeys.events(rows):
            found[place] = met(Facts({}, events, ()), now)
        return found


def wanted(trees: Sequence[Tree], lookup: Lookup, computed: Lookup, now: int) -> Wanted:
    """What these trees, and those of segments that they name, ask for."""
    leaves = [leaf for tree in trees for leaf in leaves_of(tree, lookup)]
    return Wanted(
        frozenset(given["name"] for kind, given in leaves if kind == "trait"),
        frozenset(given["namespace"] for kind, given in leaves if kind == "identifier"),
        [one for kind, given in leaves if kind in EVENTS for one in reaches_of({kind: given}, computed, now)],
    )


def leaves_of(tree: Tree, lookup: Lookup) -> Iterator[tuple[str, Any]]:
    """Those of the trees of segments that it names, too."""
    ((kind, given),) = tree.items()
    if kind in ("all", "any"):
        for part in given:
            yield from leaves_of(part, lookup)
    elif kind in ("not", "segment"):
        yield from leaves_of(given if kind == "not" else lookup(given) or {}, lookup)
    else:
        yield kind, given


def reaches_of(leaf: Tree, computed: Lookup, now: int) -> list[Reach]:
    """What of events a leaf may count."""
    if "consent" in leaf:
        return [Reach(None, None, None, None)]
    tables = leaf["sequence"]["steps"] if "sequence" in leaf else [_measured(leaf, computed)]
    return [reach_of(table, now) for table in tables]


def count_of(given: Mapping[str, Any]) -> Any:
    found = given.get("count")
    return {"from": 1} if found is None else found


def _measured(leaf: Tree, computed: Lookup) -> Mapping[str, Any]:
    found: Mapping[str, Any] = leaf["event"] if "event" in leaf else computed(leaf["computed"]["name"]) or {}
    return found


def _each(truths: Iterator[bool]) -> Bool:
    return np.fromiter(truths, dtype=np.bool_)


def _ends(place: npt.NDArray[np.int32], rows: Int64, *, first: bool) -> Int64:
    """Of the rows of each place the first or the last: no other tells a time that is asked for."""
    change = np.diff(place) != 0
    edge = np.ones(1, dtype=np.bool_)
    return rows[np.concatenate([edge, change] if first else [change, edge])] if len(rows) else rows
