"""Similar links beside `gds.nodeSimilarity`, end to end: `python -m bench.node_similarity [COOKIES]`.

A Neo4j with Graph Data Science of its own, or that of IDENTITY_GRAPH_TEST_NEO4J. Everybody is given the same columns of
pairs, cookie and address, and ends with columns of similar pairs: weighted Jaccard similarity of at least 0.45, the ten
best of each cookie. Columns are sent to the server, which projects them by Cypher into its catalogue alone: no node is
written, as that would cost it more. Its answer is collected into columns, which is the fastest way out. Ours are raced
twice: the scores, which is all that the server gives; and links as a resolution takes them, with what both ends were
seen with and when, and ties decided by key. Interleaved, after one round untimed; the scores are equal.

Two worlds. In the first every address is of one household, which is the server's best: `useComponents` lets it compare
cookies of one component only. In the second some addresses are shared by forty cookies of anywhere; then nearly all are
one component, of which the server compares every two: a million would take hours.
"""

from __future__ import annotations

import sys
import time
import uuid
from typing import Any

import numpy as np
from neo4j import Driver, Query

from bench.neo4j import server
from bench.races import race, ratio
from bench.similarity import LEAST, MOST, TOP_K, best, pairs
from identity_graph.resolve.incidence import Incidence
from identity_graph.resolve.similar_links import SimilarLinks, similar_links
from identity_graph.resolve.similarity import SimilarTable, similar
from identity_graph.tables import Float64, Int16, Int32, LinkTable
from tests.neo4j.database import connected

COOKIES = 1_000_000
TANGLED = 10_000
HEAP = "5g"

PROJECT = Query("""
    UNWIND range(0, size($cookie) - 1) AS row
    WITH $cookie[row] AS cookie, $address[row] AS address, $weight[row] AS weight
    RETURN gds.graph.project($name, cookie, address, {relationshipProperties: {weight: weight}})
""")
COMPARE = Query("""
    CALL gds.nodeSimilarity.stream($name, $how) YIELD node1, node2, similarity
    RETURN collect(node1) AS one, collect(node2) AS other, collect(similarity) AS score
""")
DROP = Query("CALL gds.graph.drop($name, false) YIELD graphName RETURN graphName")
HOW = {"similarityCutoff": LEAST, "topK": TOP_K, "relationshipWeightProperty": "weight", "useComponents": True}

Found = tuple[Int32, Int32, Float64]
Evidence = tuple[LinkTable, Int16, list[str]]


class Server:
    """Remembers how long its last projection took."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.projecting = 0.0

    def find(self, cookie: Int32, address: Int32) -> Found:
        name = f"similar-{uuid.uuid4().hex}"
        weight = 1 / np.log1p(np.bincount(address))[address]
        columns = {"cookie": cookie.tolist(), "address": (address + 2**30).tolist(), "weight": weight.tolist()}
        with self.driver.session() as session:
            try:
                start = time.perf_counter()
                session.run(PROJECT, name=name, **columns).consume()
                self.projecting = time.perf_counter() - start
                (row,) = session.run(COMPARE, name=name, how=HOW)
            finally:
                session.run(DROP, name=name).consume()
        return np.array(row["one"], np.int32), np.array(row["other"], np.int32), np.array(row["score"])


def scores(cookie: Int32, address: Int32) -> SimilarTable:
    incidence = Incidence.of(cookie, address, most=MOST)
    return similar(incidence, measure="jaccard", least=LEAST, top_k=TOP_K)


def evidence(cookie: Int32, address: Int32) -> Evidence:
    """The same pairs as the links that a store has: identifiers with namespaces and values, cookies first."""
    cookies, addresses, m = int(cookie.max()) + 1, int(address.max()) + 1, len(cookie)
    table = LinkTable(cookie, address + np.int32(cookies), np.full(m, 0.1), np.arange(m), np.zeros(m, np.bool_))
    values = [f"{number:032x}" for number in range(cookies)]
    values += [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(addresses)]
    return table, np.repeat(np.array([0, 1], np.int16), [cookies, addresses]), values


def links(table: LinkTable, namespace: Int16, values: list[str]) -> SimilarLinks:
    names = ("cookie", "ip")
    rule: dict[str, Any] = {"between": ["cookie"], "by": ["ip"], "measure": "jaccard", "least": LEAST, "top_k": TOP_K}
    return similar_links(table, namespace, names, values, **rule, trust=1.0, most=MOST)


def assert_equal(server: Found, scored: SimilarTable, linked: SimilarLinks) -> None:
    """The best scores of each cookie; which of equal ones is among the ten, only ours say."""
    one, score = best(server[0], server[2])
    for table, column in ((scored, scored.score), (linked, linked.weight)):
        cookie, ours = best(np.r_[table.a, table.b], np.r_[column, column])
        assert np.array_equal(cookie, one)
        assert np.allclose(ours, score, atol=1e-9)


def measure(server: Server, cookies: int, roaming: float, rounds: int) -> dict[str, float]:
    """Best seconds."""
    cookie, address = pairs(cookies, roaming)
    table, namespace, values = evidence(cookie, address)
    times, found = race(
        {
            "scores": lambda: scores(cookie, address),
            "links": lambda: links(table, namespace, values),
            "server": lambda: server.find(cookie, address),
        },
        rounds,
    )
    assert_equal(found["server"], found["scores"], found["links"])
    addresses = len(np.unique(address))
    size = f"{cookies:,} cookies on {addresses:,} addresses, {len(cookie):,} pairs"
    print(f"similarity: {size}, {len(found['links']):,} links")
    return times


def main() -> None:
    cookies = int(sys.argv[1]) if len(sys.argv) > 1 else COOKIES
    with server(HEAP) as url, connected(url) as driver:
        peer = Server(driver)
        times = measure(peer, cookies, 0.0, rounds=3)
        ratio("similarity: gds.nodeSimilarity beside our links, end to end", times["server"], times["links"], "bar 5")
        ratio("similarity: the same beside our scores", times["server"], times["scores"], "no bar")
        print(f"similarity: of the server's seconds {peer.projecting:.1f} were for the projection")
        few, many = (measure(peer, TANGLED * twice, 0.2, rounds=1) for twice in (1, 2))
        ratio("similarity: with common addresses beside our links", many["server"], many["links"], "bar 5")
        growth = many["server"] / few["server"]
        print(f"similarity: twice the cookies took the server {growth:.1f}x the time")


if __name__ == "__main__":
    main()
