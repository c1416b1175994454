"""Communities: what Leiden guarantees, and its modularity beside networkx' Louvain."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.communities import communities


def found(graph: nx.Graph[int]) -> list[set[int]]:
    rows = [(min(a, b), max(a, b), w) for a, b, w in graph.edges(data="weight", default=1.0)]
    a, b = (np.array([row[end] for row in rows], np.int32) for end in (0, 1))
    label = communities(len(graph), a, b, np.array([row[2] for row in rows], np.float64))
    assert sorted(set(label.tolist())) == list(range(len(set(label.tolist()))))
    sets: dict[int, set[int]] = {}
    for node, one in enumerate(label.tolist()):
        sets.setdefault(one, set()).add(node)
    return list(sets.values())


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph[int]:
    n = draw(st.integers(1, 16))
    node = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(node, node).filter(lambda p: p[0] != p[1]), max_size=40))
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((a, b, {"weight": draw(st.sampled_from([0.1, 0.5, 0.9]))}) for a, b in pairs)
    return graph


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_communities_are_connected_and_none_gains_by_joining_another(graph: nx.Graph[int]) -> None:
    sets = found(graph)
    assert sorted(node for one in sets for node in one) == list(graph)
    assert all(nx.is_connected(graph.subgraph(one)) for one in sets)
    if graph.edges:
        now = nx.community.modularity(graph, sets)
        for i in range(len(sets)):
            for j in range(i):
                joined = [one for n, one in enumerate(sets) if n not in (i, j)] + [sets[i] | sets[j]]
                assert nx.community.modularity(graph, joined) <= now + 1e-9


def test_modularity_is_that_of_the_best_of_ten_louvain_runs() -> None:
    """Planted partitions, caves and a club: within a hundredth of the best."""
    known: list[nx.Graph[Any]] = [
        nx.karate_club_graph(),
        nx.connected_caveman_graph(12, 8),
        nx.planted_partition_graph(8, 25, 0.4, 0.02, seed=1),
        nx.gnm_random_graph(200, 500, seed=3),
    ]
    for graph in known:
        best = max(
            nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=seed)) for seed in range(10)
        )
        assert nx.community.modularity(graph, found(graph)) >= best - 0.01


def test_a_ring_of_cliques_comes_apart_into_its_cliques() -> None:
    graph: nx.Graph[int] = nx.ring_of_cliques(10, 5)
    assert sorted(map(sorted, found(graph))) == [list(range(5 * n, 5 * n + 5)) for n in range(10)]


def test_links_of_no_weight_hold_nobody() -> None:
    none = np.zeros(1, np.int32)
    assert communities(2, none, none + 1, np.zeros(1)).tolist() == [0, 1]
    assert communities(0, none[:0], none[:0], np.zeros(0)).tolist() == []


def test_half_a_million_links_again_and_again() -> None:
    generator = np.random.default_rng(1)
    n, m = 200_000, 500_000
    block = generator.integers(0, n // 50, m) * 50
    a, b = (block + generator.integers(0, 50, m) for _ in range(2))
    keys = np.unique(np.minimum(a, b) * n + np.maximum(a, b))
    a, b = (keys // n).astype(np.int32), (keys % n).astype(np.int32)
    a, b, weight = a[a != b], b[a != b], np.ones(int((a != b).sum()))
    first = communities(n, a, b, weight)
    assert np.array_equal(first, communities(n, a, b, weight))
    assert np.mean(first[a] == first[b]) > 0.99
