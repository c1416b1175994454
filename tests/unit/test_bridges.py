"""Weak bridges: against networkx, and the median counted by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.bridges import weak_bridges
from tests.unit.naive_ladder import weak_bridges as by_hand

Weighed = dict[tuple[int, int], float]


def found(n: int, links: Weighed) -> set[tuple[int, int]]:
    pairs = list(links)
    a, b = (np.array([pair[end] for pair in pairs], np.int32) for end in (0, 1))
    weak = weak_bridges(n, a, b, np.array(list(links.values()), np.float64))
    return {pair for pair, one in zip(pairs, weak.tolist(), strict=True) if one}


@st.composite
def weighed(draw: st.DrawFn) -> tuple[int, Weighed]:
    """Mostly trees, so that there are bridges."""
    n = draw(st.integers(1, 14))
    pairs = {(draw(st.integers(0, y - 1)), y) for y in range(1, n) if draw(st.integers(0, 9)) > 0}
    node = st.integers(0, n - 1)
    pairs |= draw(st.sets(st.tuples(node, node).filter(lambda pair: pair[0] < pair[1]), max_size=5))
    order = draw(st.permutations(sorted(pairs)))
    return n, {pair: draw(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9])) for pair in order}


@settings(max_examples=500, deadline=None)
@given(weighed())
def test_weak_bridges_are_those_counted_by_hand(graph: tuple[int, Weighed]) -> None:
    n, links = graph
    assert found(n, links) == by_hand(links)


def test_nobody_who_hangs_on_by_one_link_is_cut_off() -> None:
    star = {(0, n): 0.5 for n in range(1, 9)} | {(0, 9): 0.1}
    assert found(10, star) == set()


def test_no_links_no_bridges() -> None:
    assert found(3, {}) == set() and found(0, {}) == set()


def test_a_path_of_a_million() -> None:
    """Every link is a bridge; the one weak link in the middle is the weak one. No recursion."""
    n = 1_000_000
    a = np.arange(n - 1, dtype=np.int32)
    weight = np.full(n - 1, 0.5)
    weight[n // 2] = 0.2
    assert np.flatnonzero(weak_bridges(n, a, a + 1, weight)).tolist() == [n // 2]
