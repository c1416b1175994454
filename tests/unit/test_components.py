"""Connected components against networkx, and against answers that others published."""

from __future__ import annotations

import csv
import json

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.components import components
from tests.unit.real_files import real_file

Pairs = list[tuple[int, int]]


def labels(n: int, pairs: Pairs) -> list[int]:
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    found: list[int] = components(n, ends[:, 0].copy(), ends[:, 1].copy()).tolist()
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


@pytest.mark.parametrize("shape", ["up", "down", "shuffled"])
def test_a_long_path_is_one_component(shape: str) -> None:
    n = 100_000
    ends = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1).astype(np.int32)
    if shape == "down":
        ends = ends[::-1, ::-1]
    if shape == "shuffled":
        ends = np.random.default_rng(7).permutation(n).astype(np.int32)[ends]
    assert not components(n, ends[:, 0].copy(), ends[:, 1].copy()).any()


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
