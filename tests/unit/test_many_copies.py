"""Components know nothing of each other: however many there are, in whatever shares, on one thread or two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy, Rule
from identity_graph.resolve import shares, threads
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int32, LinkTable, SuppressedTable

SPACES = ["mail", "card", "cookie"]
COLUMNS = ("code", "namespace", "step")


class Graph:
    """Some identifiers and links of few weights and times, so that many are even, under some policy."""

    def __init__(self, seed: int, order: str, largest: int) -> None:
        dice = np.random.default_rng(seed)
        n, m = int(dice.integers(2, 40)), int(dice.integers(1, 80))
        pairs = np.unique(np.sort(dice.integers(0, n, (m, 2)), axis=1), axis=0)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        self.n, self.m, self.a, self.b = n, len(pairs), pairs[:, 0], pairs[:, 1]
        few, some = dice.choice([1, 4, 10**6], 2), dice.random(3)
        self.weight = dice.integers(0, few[0] + 1, self.m) / few[0]
        self.seen = dice.integers(0, few[1] + 1, self.m)
        self.must = dice.random(self.m) < (0.1 if some[0] < 0.3 else 0)
        self.kept = dice.random(self.m) < (0.9 if some[1] < 0.3 else 1)
        self.space = dice.integers(0, len(SPACES), n)
        self.name = dice.permutation(n)
        cannot = dice.integers(0, n, (2, 3 if some[2] < 0.3 else 0))
        self.cannot = cannot[:, cannot[0] != cannot[1]]
        rules = {
            name: Rule(
                limit=int(dice.integers(1, 4)),
                window=int(dice.integers(1, 4)) if dice.random() < 0.2 else None,
                priority=int(dice.integers(1, 4)),
            )
            for name in SPACES
            if dice.random() < 0.6
        }
        self.policy = replace(Policy.default(), namespaces=rules, order=order, max_identifiers=largest)

    def of_copy(self, column: Int32, copies: int, copy: int) -> Int32:
        """An identifier's copies are numbered side by side, so that those of a component lie far apart."""
        return np.where(column < 0, -1, column.astype(np.int32) * copies + copy).astype(np.int32)

    def order(self, copies: int) -> tuple[LinkTable, Int32]:
        """The links of all copies, and where each lies: copy after copy."""
        every = range(copies)
        a, b = (np.concatenate([self.of_copy(ends, copies, copy) for copy in every]) for ends in (self.a, self.b))
        order = np.lexsort((b, a))
        weight, seen, must = (np.tile(column, copies)[order] for column in (self.weight, self.seen, self.must))
        table = LinkTable(a[order], b[order], weight, seen, must)
        return table, np.argsort(order, kind="stable").astype(np.int32)

    def grouped(self, copies: int) -> Groups:
        table, place = self.order(copies)
        kept = np.zeros(len(table), np.bool_)
        kept[place] = np.tile(self.kept, copies)
        space = np.repeat(self.space, copies).astype(np.int16)
        values = [f"{name:02d}" for name in self.name.tolist() for _ in range(copies)]
        one, other = (np.concatenate([self.of_copy(end, copies, c) for c in range(copies)]) for end in self.cannot)
        joins, rules = np.ones(len(space), np.bool_), Rules.of(self.policy, SPACES, [])
        return group(table, kept, joins, space, values, self.policy, rules, (one, other))

    def repeated(self, one: Groups, copies: int) -> list[Any]:
        """What many copies should be, if one is that."""
        _, place = self.order(copies)
        label = np.empty(self.n * copies, np.int32)
        for copy in range(copies):
            label[np.arange(self.n) * copies + copy] = self.of_copy(one.label, copies, copy)
        why = one.suppressed
        link = np.concatenate([place[copy * self.m + why.link] for copy in range(copies)])
        order = np.argsort(link)
        ends = [
            np.concatenate([self.of_copy(value, copies, copy) for copy in range(copies)])[order]
            for value in (why.value_a, why.value_b)
        ]
        same = [np.tile(getattr(why, name), copies)[order] for name in COLUMNS]
        told = [np.repeat(who, copies) for who in (one.oversized, one.quarantined)]
        return [label, *told, link[order], *ends, *same]


def columns(found: Groups) -> list[Any]:
    why: SuppressedTable = found.suppressed
    same = [getattr(why, name) for name in COLUMNS]
    return [found.label, found.oversized, found.quarantined, why.link, why.value_a, why.value_b, *same]


def has_answer_of_one(graph: Graph, copies: int, share: int, few: int) -> None:
    one = graph.grouped(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shares, "_SHARE", share)
        patch.setattr(threads, "_FEW", few)
        found = columns(graph.grouped(copies))
    wanted = graph.repeated(one, copies)
    assert [np.array_equal(mine, its) for mine, its in zip(found, wanted, strict=True)] == [True] * len(wanted)


SEED, SHARE, FEW = st.integers(0, 2**32), st.sampled_from([1, 7, 50, 2**14]), st.sampled_from([0, 2**62])


@settings(max_examples=150, deadline=None)
@given(SEED, st.sampled_from(["strongest", "newest", "cut"]), st.sampled_from([6, 15, 1000]), SHARE, FEW)
def test_some_copies_have_the_answer_of_one(seed: int, order: str, largest: int, share: int, few: int) -> None:
    has_answer_of_one(Graph(seed, order, largest), 5, share, few)


@settings(max_examples=25, deadline=None)
@given(SEED, st.sampled_from(["strongest", "newest"]), st.sampled_from([500, 2**14]), FEW)
def test_thousands_of_copies_have_the_answer_of_one(seed: int, order: str, share: int, few: int) -> None:
    has_answer_of_one(Graph(seed, order, 1000), 3000, share, few)
