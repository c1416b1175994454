"""Components of links that come and go, against all of them found anew."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.components import components
from identity_graph.resolve.live_components import _LAST_MARK, MARK, LiveComponents

Pairs = list[tuple[int, int]]


def made(n: int, pairs: Pairs) -> LiveComponents:
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    return LiveComponents(n, ends[:, 0], ends[:, 1])


def anew(n: int, pairs: set[tuple[int, int]]) -> list[int]:
    ends = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    found: list[int] = components(n, ends[:, 0], ends[:, 1]).tolist()
    return found


node = st.integers(0, 11)
changes = st.lists(st.tuples(st.booleans(), node, node), max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(node, node), max_size=25), changes, st.sampled_from([0, _LAST_MARK - 2]))
def test_every_change_leaves_the_components_of_networkx(
    pairs: Pairs, changes: list[tuple[bool, int, int]], mark: int
) -> None:
    live, oracle = made(12, pairs), nx.Graph(pair for pair in pairs if pair[0] != pair[1])
    live._state[MARK] = mark
    oracle.add_nodes_from(range(12))
    for add, a, b in changes:
        there = oracle.has_edge(a, b)
        if add:
            assert live.add(a, b) == (a != b and not there)
            if a != b:
                oracle.add_edge(a, b)
        else:
            assert live.remove(a, b) == there
            if there:
                oracle.remove_edge(a, b)
        expected = [0] * 12
        for component in nx.connected_components(oracle):
            for one in component:
                expected[one] = min(component)
        assert live.labels().tolist() == expected
        assert [live.label(x) for x in range(12)] == expected


@pytest.mark.parametrize("seed", range(3))
def test_five_thousand_changes_are_as_one_new_run(seed: int) -> None:
    dice = np.random.default_rng(seed)
    n = 2_000
    pairs = {(int(min(a, b)), int(max(a, b))) for a, b in dice.integers(0, n, (n, 2)) if a != b}
    live = made(n, sorted(pairs))
    for step in range(5_000):
        if dice.random() < 0.5 and pairs:
            pair = sorted(pairs)[dice.integers(len(pairs))] if step % 5 == 0 else next(iter(pairs))
            assert live.remove(*pair)
            pairs.discard(pair)
        else:
            a, b = (int(x) for x in sorted(dice.choice(n, 2, replace=False)))
            assert live.add(b, a) == ((a, b) not in pairs)
            pairs.add((a, b))
        if step % 250 == 0:
            assert live.labels().tolist() == anew(n, pairs)
    assert live.labels().tolist() == anew(n, pairs)


def test_identifiers_come_later() -> None:
    live = made(2, [(0, 1)])
    live.grow(5)
    assert len(live) == 5 and live.labels().tolist() == [0, 0, 2, 3, 4]
    assert live.add(4, 1) and live.labels().tolist() == [0, 0, 2, 3, 0]
    live.grow(3)
    assert len(live) == 5 and live.remove(0, 1) and live.labels().tolist() == [0, 1, 2, 3, 1]


def test_nobody_else() -> None:
    assert made(0, []).labels().tolist() == []
    for call in (made(2, []).add, made(2, []).remove):
        for pair in ((0, 2), (-1, 0)):
            with pytest.raises(IndexError):
                call(*pair)


def test_a_bridge_in_the_middle_of_a_long_path() -> None:
    n = 20_000
    live = made(n, [(i, i + 1) for i in range(n - 1)])
    assert live.remove(n // 2 - 1, n // 2)
    assert np.array_equal(live.labels(), np.repeat(np.array([0, n // 2]), n // 2))
    assert live.add(0, n - 1) and not live.labels().any()
