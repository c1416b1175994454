"""Similarity against sets, one pair at a time."""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from itertools import combinations
from random import Random
from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from identity_graph.resolve.incidence import Incidence
from identity_graph.resolve.similarity import MEASURES, SimilarTable, similar
from identity_graph.tables import Int32

Rows = list[tuple[int, int]]
Scores = dict[tuple[int, int], float]


def incidence(rows: Rows, most: int = 2**31 - 1, rank: Int32 | None = None) -> Incidence:
    one, other = np.array(rows, np.int32).reshape(-1, 2).T
    return Incidence.of(one, other, most=most, rank=rank)


def scores(found: SimilarTable) -> Scores:
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert pairs == sorted(set(pairs)) and all(a < b for a, b in pairs)
    assert [str(column.dtype) for column in (found.a, found.b, found.score)] == ["int32", "int32", "float64"]
    return dict(zip(pairs, found.score.tolist(), strict=True))


def by_sets(
    rows: Rows, *, most: int, measure: str, least: float, top_k: int, degrees: tuple[int, int], weighted: bool,
    rank: Int32 | None = None,
) -> Scores:  # fmt: skip
    shared_by = Counter(neighbour for _, neighbour in set(rows))
    seen: dict[int, set[int]] = defaultdict(set)
    for identifier, neighbour in rows:
        if shared_by[neighbour] <= most:
            seen[identifier].add(neighbour)
    weight = {f: 1 / math.log(1 + d) if weighted else 1.0 for f, d in shared_by.items()}
    all_scores: Scores = {}
    for a, b in combinations(sorted(x for x in seen if degrees[0] <= len(seen[x]) <= degrees[1]), 2):
        power = 2 if measure == "cosine" else 1
        both, one, other = (
            math.fsum(weight[f] ** power for f in found) for found in (seen[a] & seen[b], seen[a], seen[b])
        )
        whole = {"jaccard": one + other - both, "overlap": min(one, other), "cosine": math.sqrt(one * other)}[measure]
        if both and round(both / whole, 12) >= least:
            all_scores[a, b] = round(both / whole, 12)
    best: dict[int, list[tuple[float, int, tuple[int, int]]]] = defaultdict(list)
    for (a, b), score in all_scores.items():
        best[a].append((-score, b if rank is None else int(rank[b]), (a, b)))
        best[b].append((-score, a if rank is None else int(rank[a]), (a, b)))
    kept = {pair for own in best.values() for _, _, pair in sorted(own)[:top_k]}
    return {pair: all_scores[pair] for pair in sorted(kept)}


rows_of_few = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=50)
thresholds = st.sampled_from([0.0, 0.2, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 1.0])


@settings(max_examples=500, deadline=None)
@example([(0, 0), (1, 0)], 5, "jaccard", 1.0, 1, (1, 9), True)
@example([(0, 0), (0, 1), (1, 0)], 5, "overlap", 0.0, 1, (2, 9), False)
@given(
    rows_of_few,
    st.sampled_from([1, 2, 3, 5, 10]),
    st.sampled_from(sorted(MEASURES)),
    thresholds,
    st.sampled_from([1, 2, 3, 100]),
    st.sampled_from([(1, 100), (2, 100), (1, 3), (2, 4)]),
    st.booleans(),
)
def test_pairs_and_scores_are_those_of_sets(
    rows: Rows, most: int, measure: str, least: float, top_k: int, degrees: tuple[int, int], weighted: bool
) -> None:
    found = scores(
        similar(incidence(rows, most), measure=measure, least=least, top_k=top_k, degrees=degrees, weighted=weighted)
    )
    expected = by_sets(rows, most=most, measure=measure, least=least, top_k=top_k, degrees=degrees, weighted=weighted)
    assert found == pytest.approx(expected, abs=1e-11)


def by_networkx(
    rows: Rows, *, most: int, measure: str, least: float, top_k: int, degrees: tuple[int, int], weighted: bool
) -> Scores:
    """The projection of the graph of identifiers and neighbours onto the identifiers."""
    graph: nx.Graph[tuple[str, int]] = nx.Graph((("one", a), ("other", b)) for a, b in rows)
    rarity = {b: 1 / math.log(1 + graph.degree(b)) if weighted else 1.0 for b in graph if b[0] == "other"}
    graph.remove_nodes_from([b for b in rarity if graph.degree(b) > most])
    ones = {a for a in graph if a[0] == "one"}
    compared = {a for a in ones if degrees[0] <= graph.degree(a) <= degrees[1]}
    graph.remove_nodes_from(ones - compared)

    def score(of: nx.Graph[tuple[str, int]], u: tuple[str, int], v: tuple[str, int]) -> float:
        power = 2 if measure == "cosine" else 1
        one, other = set(of[u]), set(of[v])
        both, left, right, either = (sum(rarity[b] ** power for b in s) for s in (one & other, one, other, one | other))
        return both / {"jaccard": either, "overlap": min(left, right), "cosine": math.sqrt(left * right)}[measure]

    projected = nx.bipartite.generic_weighted_projected_graph(graph, compared, weight_function=score)
    if measure != "cosine" and not weighted:  # networkx has these two itself
        known = nx.bipartite.overlap_weighted_projected_graph(graph, compared, jaccard=measure == "jaccard")
        assert {frozenset(pair): known.edges[pair]["weight"] for pair in known.edges} == pytest.approx(
            {frozenset(pair): projected.edges[pair]["weight"] for pair in projected.edges}
        )
    kept: Scores = {}
    for a in compared:
        near = [(round(-projected.edges[a, b]["weight"], 12), b) for b in projected[a]]
        for less, b in sorted(one for one in near if -one[0] >= least)[:top_k]:
            kept[min(a[1], b[1]), max(a[1], b[1])] = -less
    return kept


@settings(max_examples=300, deadline=None)
@given(
    rows_of_few,
    st.sampled_from([2, 4, 100]),
    st.sampled_from(sorted(MEASURES)),
    thresholds,
    st.sampled_from([1, 2, 100]),
    st.sampled_from([(1, 100), (2, 4)]),
    st.booleans(),
)
def test_pairs_and_scores_are_those_of_networkx(
    rows: Rows, most: int, measure: str, least: float, top_k: int, degrees: tuple[int, int], weighted: bool
) -> None:
    found = similar(
        incidence(rows, most), measure=measure, least=least, top_k=top_k, degrees=degrees, weighted=weighted
    )
    expected = by_networkx(
        rows, most=most, measure=measure, least=least, top_k=top_k, degrees=degrees, weighted=weighted
    )
    assert scores(found) == pytest.approx(expected, abs=1e-11)


@settings(max_examples=200, deadline=None)
@given(rows_of_few, st.sampled_from(sorted(MEASURES)), thresholds, st.integers(1, 3), st.randoms(use_true_random=False))
def test_neither_order_nor_numbers_decide(rows: Rows, measure: str, least: float, top_k: int, random: Random) -> None:
    """Only the rank does, exactly: the same floats come out however everybody is numbered."""
    rank = np.array(random.sample(range(10), 10), np.int32)
    found = scores(similar(incidence(rows, rank=rank), measure=measure, least=least, top_k=top_k))
    one, other = random.sample(range(50), 10), random.sample(range(50), 8)
    again = [(one[a], other[b]) for a, b in rows for _ in range(random.randint(1, 2))]
    random.shuffle(again)
    renamed = np.zeros(50, np.int32)
    renamed[one] = rank
    renamed[sorted(set(range(50)) - set(one))] = range(10, 50)
    expected = {(min(one[a], one[b]), max(one[a], one[b])): score for (a, b), score in found.items()}
    assert scores(similar(incidence(again, rank=renamed), measure=measure, least=least, top_k=top_k)) == expected
    options = {"most": 2**31, "degrees": (1, 100), "weighted": True, "rank": rank}
    by = by_sets(rows, measure=measure, least=least, top_k=top_k, **options)  # type: ignore[arg-type]
    assert found == pytest.approx(by, abs=1e-11)


@settings(max_examples=300, deadline=None)
@given(
    rows_of_few,
    st.sampled_from([2, 3, 5, 10]),
    st.sampled_from(sorted(MEASURES)),
    thresholds,
    st.integers(1, 3),
    st.sets(st.integers(0, 9)),
)
def test_those_who_are_like_anybody_suffice(
    rows: Rows, most: int, measure: str, least: float, top_k: int, others: set[int]
) -> None:
    """And perhaps others: the same to the last bit, where it is known by how many of all each neighbour is shared."""
    everybody = incidence(rows, most)
    found = scores(similar(everybody, measure=measure, least=least, top_k=top_k))
    alike = {end for pair in scores(similar(everybody, measure=measure, least=least, top_k=1)) for end in pair}
    shared_by = np.bincount([neighbour for _, neighbour in set(rows)], minlength=8).astype(np.int32)
    one, other = np.array([row for row in rows if row[0] in alike | others], np.int32).reshape(-1, 2).T
    few = Incidence.of(one, other, most=most, shared_by=shared_by)
    assert scores(similar(few, measure=measure, least=least, top_k=top_k)) == found


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_many_in_both_threads_are_as_few(measure: str) -> None:
    dice = np.random.default_rng(3)
    one = np.repeat(np.arange(500), 4)
    rows = list(zip(one.tolist(), (one // 6 * 3 + dice.geometric(0.3, len(one))).tolist(), strict=True))
    options = {"measure": measure, "least": 0.4, "top_k": 4}
    expected = by_sets(rows, most=30, degrees=(1, 100), weighted=True, **options)  # type: ignore[arg-type]
    assert len(expected) > 500
    with mock.patch.object(sys.modules[similar.__module__], "_FOUND", 64):  # so that there is work for both
        for _ in range(5):
            found = similar(incidence(rows, 30), **options)  # type: ignore[arg-type]
            assert scores(found) == pytest.approx(expected, abs=1e-11)


def test_nobody_is_similar_to_nobody() -> None:
    assert len(incidence([])) == len(similar(incidence([]), measure="jaccard", least=0.5, top_k=3)) == 0
    assert scores(similar(incidence([(3, 4)]), measure="cosine", least=0.0, top_k=1)) == {}


def test_a_rare_neighbour_says_more_than_a_common_one() -> None:
    common = [(x, 0) for x in range(20)]
    found = scores(similar(incidence([*common, (0, 1), (1, 1), (2, 2), (3, 3)]), measure="jaccard", least=0, top_k=99))
    rare, usual, alone = 1 / math.log(3), 1 / math.log(21), 1 / math.log(2)
    assert found[0, 1] == 1 and found[2, 3] == pytest.approx(usual / (usual + 2 * alone))
    assert found[0, 2] == pytest.approx(usual / (usual + rare + alone))


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_a_hub_costs_nothing(measure: str) -> None:
    """A neighbour of 300,000 would make 45,000,000,000 pairs; without it, and without those who saw nothing else, there
    is one."""
    rows = np.stack([np.arange(300_000), np.zeros(300_000)], axis=1).astype(np.int32)
    rows = np.r_[rows, np.array([[5, 1], [6, 1]], np.int32)]
    compared = Incidence.of(rows[:, 0], rows[:, 1], most=1000)
    assert (compared.identifier.tolist(), compared.neighbour.tolist(), len(compared.seen)) == ([5, 6], [1], 2)
    assert scores(similar(compared, measure=measure, least=0.0, top_k=10)) == {(5, 6): 1.0}


@settings(max_examples=200, deadline=None)
@given(rows_of_few, st.integers(1, 10), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_shared_neighbours_are_the_intersection(rows: Rows, most: int, pairs: Rows) -> None:
    shared_by = Counter(neighbour for _, neighbour in set(rows))
    seen: dict[int, set[int]] = defaultdict(set)
    for identifier, neighbour in rows:
        if shared_by[neighbour] <= most:
            seen[identifier].add(neighbour)
    a, b = np.array(pairs, np.int32).reshape(-1, 2).T
    start, found = incidence(rows, most).shared(a, b)
    parts = [found[start[i] : start[i + 1]].tolist() for i in range(len(pairs))]
    assert [sorted(part) for part in parts] == [sorted(seen[x] & seen[y]) for x, y in pairs]
    assert all(part == sorted(part, key=lambda f: shared_by[f]) for part in parts)  # the rarest first
