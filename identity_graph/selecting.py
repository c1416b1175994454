"""Who meets conditions, of everybody: node by node over columns, each leaf as `segment` means it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial, reduce
from operator import and_, or_
from typing import Any, NamedTuple

from identity_graph.bits import Bits, count_common, places_in
from identity_graph.column import Column
from identity_graph.question import Question, Tree, tests_of
from identity_graph.segment import Lookup
from identity_graph.tables import Int64
from identity_graph.value_test import ValueTest, parse_value_test


class Terms(NamedTuple):
    """On which trees are evaluated: what names of segments and computed traits in them stand for, as of when, and the
    numbers of persons who are left out."""

    lookup: Lookup
    computed: Lookup
    now: int
    without: Collection[int]


class Selection:
    """Over columns of all that the trees ask; `alive` are the places of persons."""

    def __init__(self, columns: Mapping[Question, Column], alive: Bits, terms: Terms) -> None:
        self._columns = columns
        self._alive = alive
        self._terms = terms

    def count(self, tree: Tree) -> int:
        return int(count_common(self._alive, self._meeting(tree)))

    def places(self, tree: Tree | None) -> Int64:
        """Of those who meet a tree that `parse_condition` takes; None: of everybody."""
        return places_in(self._alive if tree is None else self._alive & self._meeting(tree))

    def _meeting(self, tree: Tree) -> Bits:
        """May hold places of nobody."""
        ((kind, given),) = tree.items()
        if kind in ("all", "any"):
            found: Bits = reduce(and_ if kind == "all" else or_, map(self._meeting, given))
            return found
        if kind == "not":
            return ~self._meeting(given)
        if kind == "segment":
            return self._meeting(self._terms.lookup(given) or {})
        tests = tests_of(kind, given, self._terms.computed)
        if kind == "quantile":
            ((question, tree),) = tests
            return self._columns[question].ranking(self._alive, given["parts"], partial(_at, *self._test(tree)))
        return reduce(and_, [self._columns[one].meeting(tree, partial(_at, *self._test(tree))) for one, tree in tests])

    def _test(self, tree: Tree) -> tuple[ValueTest, int]:
        return parse_value_test(tree, ""), self._terms.now


def _at(test: ValueTest, now: int, value: Any) -> bool:
    return test(value, now)
