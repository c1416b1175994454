"""Similarity against Neo4j's Graph Data Science."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from identity_graph.resolve.incidence import Incidence
from identity_graph.resolve.similarity import MEASURES, similar
from tests.neo4j.database import connected

NEIGHBOURS = 1_000_000  # added to the number of a neighbour, for there both are nodes

Directed = dict[int, list[float]]


@pytest.fixture(scope="module")
def gds(neo4j_url: str) -> Iterator[Callable[..., Any]]:
    with connected(neo4j_url) as driver:

        def run(rows: list[tuple[int, int, float]], **configuration: Any) -> list[dict[str, Any]]:
            """Of a graph that lives in the catalogue alone, for as long as the call."""
            name = f"Sim_{uuid.uuid4().hex}"
            pairs = [[a, b + NEIGHBOURS, weight] for a, b, weight in rows]
            project = (
                "UNWIND $rows AS row WITH row[0] AS a, row[1] AS b, row[2] AS weight RETURN gds.graph.project($name"
            )
            driver.execute_query(f"{project}, a, b, {{relationshipProperties: {{w: weight}}}})", rows=pairs, name=name)
            try:
                found = driver.execute_query(
                    "CALL gds.nodeSimilarity.stream($name, $how)", name=name, how=configuration
                )
                return [dict(record) for record in found.records]
            finally:
                driver.execute_query("CALL gds.graph.drop($name, false) YIELD graphName", name=name)

        yield run


def best(pairs: dict[tuple[int, int], float], top_k: int) -> Directed:
    """Each identifier's best scores: which of two equals is kept is nobody's business but ours."""
    found: Directed = {}
    for (a, b), score in pairs.items():
        for one in (a, b):
            found.setdefault(one, []).append(score)
    return {one: sorted(scores, reverse=True)[:top_k] for one, scores in found.items()}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("measure", sorted(MEASURES))
@pytest.mark.parametrize(
    ("least", "top_k", "degrees"),
    [(0.49, 1000, (1, 1000)), (0.79, 1000, (1, 1000)), (1e-9, 3, (1, 1000)), (0.3, 5, (2, 6))],
)
def test_scores_are_those_of_gds(
    gds: Callable[..., Any], measure: str, weighted: bool, least: float, top_k: int, degrees: tuple[int, int]
) -> None:
    """At thresholds that no score is: GDS does not round, and takes 1 / (sqrt(2) * sqrt(2)) for less than a half."""
    dice = np.random.default_rng(11)
    one = np.repeat(np.arange(600), dice.integers(1, 8, 600)).astype(np.int32)
    other = (one // 8 * 4 + dice.geometric(0.25, len(one))).astype(np.int32)
    most = 9
    rows = set(zip(one.tolist(), other.tolist(), strict=True))
    shared_by = Counter(neighbour for _, neighbour in rows)
    assert max(shared_by.values()) > most
    few = [(a, b, 1 / np.log(1 + shared_by[b])) for a, b in sorted(rows) if shared_by[b] <= most]
    theirs = gds(
        few,
        similarityMetric=measure.upper(),
        similarityCutoff=least,
        topK=top_k,
        degreeCutoff=degrees[0],
        upperDegreeCutoff=degrees[1],
        **({"relationshipWeightProperty": "w"} if weighted else {}),
    )
    found = similar(
        Incidence.of(one, other, most=most),
        measure=measure,
        least=least,
        top_k=top_k,
        degrees=degrees,
        weighted=weighted,
    )
    ours = dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.score.tolist(), strict=True))
    pairs = {(min(row["node1"], row["node2"]), max(row["node1"], row["node2"])): row["similarity"] for row in theirs}
    assert len(ours) > 30
    if top_k == 1000:
        assert ours == pytest.approx(pairs, abs=1e-9)
    expected = best(pairs, top_k)
    assert {one: pytest.approx(scores, abs=1e-9) for one, scores in expected.items()} == best(ours, top_k)
