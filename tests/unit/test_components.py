"""Connected components against networkx, and against answers that others published."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve import threads
from identity_graph.resolve.components import FEW, components
from identity_graph.tables import Int32
from tests.unit.real_files import real_file

Pairs = list[tuple[int, int]]
MODULE = "identity_graph.resolve.components"


def two_processors() -> Any:
    """Whatever the machine has."""
    return mock.patch.object(threads, "processors", lambda: 2)


def labels(n: int, pairs: Pairs) -> list[int]:
    """By one thread and by two, which must agree."""
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    found: list[int] = components(n, ends[:, 0], ends[:, 1]).tolist()
    with mock.patch.object(sys.modules[MODULE], "FEW", 0), two_processors():
        assert components(n, ends[:, 0], ends[:, 1]).tolist() == found
    return found


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Pairs]:
    n = draw(st.integers(1, 40))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=60))


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_each_label_is_the_smallest_of_its_component(graph: tuple[int, Pairs]) -> None:
    n, pairs = graph
    oracle: nx.Graph[int] = nx.Graph(pairs)
    oracle.add_nodes_from(range(n))
    expected = [0] * n
    for component in nx.connected_components(oracle):
        for one in component:
            expected[one] = min(component)
    assert labels(n, pairs) == expected


def path(n: int) -> Int32:
    return np.stack([np.arange(n - 1, dtype=np.int32), np.arange(1, n, dtype=np.int32)], axis=1)


def star(n: int) -> Int32:
    ends = path(n)
    ends[:, 1] = n - 1
    return ends


def comb(n: int) -> Int32:
    """Two paths with a rung at each step, the higher path climbing in the other direction."""
    half = np.arange(n // 2, dtype=np.int32)
    return np.concatenate([path(n // 2), path(n // 2) + np.int32(n // 2), np.stack([half, n - 1 - half], axis=1)])


@pytest.mark.parametrize("order", ["up", "down", "shuffled"])
@pytest.mark.parametrize("shape", [path, star, comb])
def test_large_shapes_are_one_component(shape: Callable[[int], Int32], order: str) -> None:
    n = 2 * FEW
    ends = shape(n)
    if order == "down":
        ends = ends[::-1, ::-1]
    if order == "shuffled":
        ends = np.random.default_rng(7).permutation(n).astype(np.int32)[ends]
    assert not components(n, ends[:, 0], ends[:, 1]).any()


@pytest.mark.parametrize("seed", range(3))
def test_many_links_have_the_components_of_few(seed: int) -> None:
    """Small groups, hubs, repeats and self links, again and again: two threads, one answer."""
    dice = np.random.default_rng(seed)
    n, m = 3 * FEW, 4 * FEW
    a = dice.integers(0, n, m)
    near = np.minimum(a + dice.integers(0, 6, m), n - 1)
    b = np.where(dice.random(m) < 0.02, dice.integers(0, 20, m) * 97, near)
    name = dice.permutation(n).astype(np.int32)
    left, right = name[a], name[b]
    with mock.patch.object(sys.modules[MODULE], "FEW", m + 1):
        expected = components(n, left, right)
    assert 1 < len(np.unique(expected)) < n
    for _ in range(5):
        assert np.array_equal(components(n, left, right), expected)
        assert np.array_equal(components(n, right[::-1], left[::-1]), expected)


@pytest.mark.parametrize("order", ["shuffled", "down"])
def test_new_links_wait_for_room(order: str) -> None:
    """Where it is so small that what waits in it has to be joined before anything else finds a place."""
    n = FEW // 8
    ends = comb(n)[::-1, ::-1]
    if order == "shuffled":
        dice = np.random.default_rng(8)
        ends = dice.permutation(n).astype(np.int32)[ends][dice.permutation(len(ends))]
    for room in (2**8, 2**13):
        with mock.patch.multiple(sys.modules[MODULE], FEW=0, _ROOM=room, _SOME=room // 2), two_processors():
            assert not components(n, ends[:, 0], ends[:, 1]).any()


def test_nothing_and_nobody() -> None:
    assert labels(0, []) == [] and labels(3, []) == [0, 1, 2]


MATRICES = [
    "A", "LFAT5", "LFAT5_hypersparse", "LFAT5_two", "bcsstk13", "jagmesh7", "karate", "ldbc-cdlp-undirected-example",
    "ldbc-undirected-example", "ldbc-wcc-example", "tree-example", "zenios",
]  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
def test_matrices_of_lagraph(name: str) -> None:
    folder = real_file("components/lagraph")
    published = {
        row["file"].removesuffix(".mtx"): row for row in json.loads((folder / "expected_components.json").read_text())
    }
    assert set(published) == set(MATRICES)
    with (folder / "edges" / f"{name}.csv").open() as file:
        pairs = [(int(row["src"]) - 1, int(row["dst"]) - 1) for row in csv.DictReader(file)]
    assert len(pairs) > 0
    assert len(set(labels(published[name]["n_vertices"], pairs))) == published[name]["components_published"]


@pytest.mark.parametrize(
    ("graph", "answer"),
    [
        ("wcc/dir-input", "wcc/dir-output"),
        ("wcc/undir-input", "wcc/undir-output"),
        ("example/example-directed-input", "example/example-directed-WCC"),
        ("example/example-undirected-input", "example/example-undirected-WCC"),
    ],
)
def test_validation_graphs_of_ldbc(graph: str, answer: str) -> None:
    """A line is a vertex and its neighbours; the answer is a line of vertex and label."""
    folder = real_file("components/ldbc")
    lines = [[int(word) for word in line.split()] for line in (folder / graph).read_text().splitlines() if line.strip()]
    published = [[int(word) for word in line.split()] for line in (folder / answer).read_text().splitlines()]
    place = {vertex: n for n, (vertex, _) in enumerate(published)}
    found = labels(len(place), [(place[own], place[other]) for own, *others in lines for other in others])
    assert len({(label, found[place[vertex]]) for vertex, label in published}) == len(set(found))
    assert len({label for _, label in published}) == len(set(found))
