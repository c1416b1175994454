"""The server store beside a bare driver: `python -m bench.neo4j [EVENTS]`.

A Neo4j of its own, or that of IDENTITY_GRAPH_TEST_NEO4J, which is emptied. The bare side is given the finished
parameters and does nothing but send them: the same nodes and relationships by the same UNWINDs, in transactions of as
many events. Best of five, interleaved; what both leave behind is counted.

Then a graph of four times as many events. Its links are read as columns, and streamed as rows. A resolution that finds
nothing to change is measured beside the same calls of Graph Data Science by hand and the reading of their result as
columns.

Last, cookies that were seen at addresses, compared by a policy: on the server, and here, where all links are read for
it. The answers are equal to the last bit. Where some addresses are common, nearly all cookies are one component, of
which the server compares every two.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from neo4j import Driver

from bench.load import write
from bench.races import race
from bench.similarity import pairs
from identity_graph import IdentityGraph
from identity_graph.engines import Engine
from identity_graph.engines.arrays import Arrays
from identity_graph.engines.gds import Gds
from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution
from identity_graph.resolve.similar_links import SimilarLinks
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.statements import script, statement
from tests.neo4j.database import connected, emptied
from tests.neo4j.launcher import Neo4j

EVENTS = 60_000
GRAPH = 4
COOKIES = {"at their own addresses": (57_000, 0.0), "at common ones too": (5_700, 0.2)}
COMPARE = Policy.parse('[[similarity]]\nbetween = ["cookie"]\nby = ["ip"]\nmin = 0.45\n')
ROUNDS = 5
BARS = {"load": 1.2, "resolve": 1.3, "columns": 6.0}
Batches = list[list[tuple[str, dict[str, Any]]]]


@contextmanager
def server(heap: str = "3g") -> Iterator[str]:
    known = os.environ.get("IDENTITY_GRAPH_TEST_NEO4J")
    if known:
        yield known
        return
    with Neo4j(heap=heap, jvm=(), settings={"server.memory.pagecache.size": "1g"}) as own:
        yield own.url


def load(url: str, path: Path) -> float:
    """Seconds."""
    with IdentityGraph.open(emptied(url)) as graph:
        start = time.perf_counter()
        run = graph.ingest.load(read_loader("segment"), path)
        taken = time.perf_counter() - start
        assert run.read == run.accepted, run
    return taken


def what_is_sent(url: str, path: Path) -> Batches:
    """Of each transaction of a load: the statements that write evidence, with their parameters."""
    sent: Batches = []
    with IdentityGraph.open(emptied(url)) as graph:
        assert isinstance(graph.store, Neo4jStore)
        database = graph.store.database
        send = database.write

        def write_and_keep(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
            if name.startswith("evidence/append") and name != "evidence/append_advance":
                sent[-1].append((statement(name), parameters))
            return send(name, **parameters)

        def begins(name: str) -> None:
            if name == "store/hold":
                sent.append([])

        database.write = write_and_keep  # type: ignore[method-assign]
        with database.trace(begins):
            graph.ingest.load(read_loader("segment"), path)
    return [batch for batch in sent if batch]


def send_bare(url: str, batches: Batches) -> float:
    """Seconds."""
    emptied(url)
    with connected(url) as driver, driver.session() as session:
        for text in script("schema"):
            session.run(text).consume()
        start = time.perf_counter()
        for batch in batches:
            with session.begin_transaction() as transaction:
                for text, parameters in batch:
                    transaction.run(text, parameters).consume()
                transaction.commit()
        return time.perf_counter() - start


def counted(driver: Driver) -> list[Any]:
    query = "MATCH (n) WHERE n:Event OR n:Identifier OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n), count(r)"
    return driver.execute_query(query).records[0].values()


def measure_load(url: str, path: Path) -> None:
    batches = what_is_sent(url, path)
    ours, bares = [], []
    with connected(url) as driver:
        for _ in range(ROUNDS):
            bares.append(send_bare(url, batches))
            theirs = counted(driver)
            ours.append(load(url, path))
            assert counted(driver) == theirs
    print(f"neo4j: a load takes {min(ours) / min(bares):.2f}x a bare driver that sends the same (bar {BARS['load']})")


def measure_columns(url: str) -> None:
    columns, rows = [], []
    with IdentityGraph.open(url) as graph, connected(url) as driver, driver.session() as session:
        store, policy = graph.store, Policy.default()
        identifiers, values = store.evidence.identifier_table()
        query = (
            "MATCH (a:Identifier)-[l:SEEN_WITH]->(b)"
            " RETURN a.number, b.number, l.source, l.count, l.first_seen, l.last_seen"
        )
        for _ in range(ROUNDS):
            start = time.perf_counter()
            links = store.evidence.link_table(identifiers, values, policy, store.evidence.statements())
            columns.append(time.perf_counter() - start)
            start = time.perf_counter()
            streamed = [tuple(row) for row in session.run(query)]
            rows.append(time.perf_counter() - start)
            assert len(streamed) == len(links)
    faster = min(rows) / min(columns)
    print(
        f"neo4j: {len(links):,} links as columns are read {faster:.1f}x faster than row by row (bar {BARS['columns']})"
    )


def by_hand(url: str, graph: IdentityGraph, number: int) -> float:
    """Seconds to project, find components and read them as columns, and the identifiers that they are of."""
    from graphdatascience import GraphDataScience

    policy, name = graph.policy, f"by-hand-{number}"
    assert isinstance(graph.store, Neo4jStore)
    heard: list[dict[str, Any]] = []
    read = graph.store.database.read

    def keep(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        heard.append(parameters)
        return read(name, **parameters)

    graph.store.database.read = keep  # type: ignore[method-assign]
    Gds(graph.store.database).resolve(graph.store, policy)
    graph.store.database.read = read  # type: ignore[method-assign]
    (rules,) = (one for one in heard if "doubt" in one)
    with connected(url) as driver, driver.session() as session:
        gds = GraphDataScience(driver, database="neo4j", arrow=False, show_progress=False)
        start = time.perf_counter()
        session.run(statement("engine/project"), rules | {"graph": name}).consume()
        gds.wcc.mutate(gds.graph.get(name), mutate_property="component")
        (row,) = session.run(statement("engine/components"), graph=name, property="component")
        taken = time.perf_counter() - start
        assert len(row["numbers"])
        gds.graph.drop(name)
        start = time.perf_counter()
        graph.store.evidence.identifier_table()
        return taken + time.perf_counter() - start


def measure_resolve(url: str) -> None:
    with IdentityGraph.open(url, engine="gds") as graph:
        start = time.perf_counter()
        message = graph.resolver.resolve().message
        first = time.perf_counter() - start
        again, hands = [], []
        for number in range(ROUNDS):
            hands.append(by_hand(url, graph, number))
            start = time.perf_counter()
            assert graph.resolver.resolve(full=True).message == "nothing changed"
            again.append(time.perf_counter() - start)
    ratio = min(again) / min(hands)
    print(f"neo4j: resolving everything again takes {ratio:.2f}x the same calls by hand (bar {BARS['resolve']})")
    print(f"neo4j: the first time, {message} and written, {first / min(hands):.2f}x")


def measure_similarity(url: str, where: str, cookies: int, roaming: float) -> None:
    """Best of two, after one round untimed."""
    cookie, address = pairs(cookies, roaming)
    seen = zip(cookie.tolist(), address.tolist(), strict=True)
    with IdentityGraph.open(emptied(url)) as graph:
        store = graph.store
        assert isinstance(store, Neo4jStore)
        events = [
            Event(
                f"e{n}",
                n,
                "web",
                "Seen",
                (Identifier("cookie", f"c{x:x}"), Identifier("ip", f"10.{y >> 16}.{y >> 8 & 255}.{y & 255}")),
                {},
                {},
            )
            for n, (x, y) in enumerate(seen)
        ]
        for batch in in_chunks(events):
            graph.ingest.events(batch)

        def resolve(engine: Engine) -> Resolution:
            with store.transaction():
                return engine.resolve(store, COMPARE)

        taken, found = race({"here": lambda: resolve(Arrays()), "there": lambda: resolve(Gds(store.database))}, 2)
    ours, theirs = found["here"], found["there"]
    columns = [field.name for field in fields(SimilarLinks)]
    assert all(np.array_equal(getattr(ours.similar, one), getattr(theirs.similar, one)) for one in columns)
    assert np.array_equal(ours.groups.label, theirs.groups.label)
    slower = taken["there"] / taken["here"]
    size = f"{len(ours.identifiers):,} identifiers, {len(ours.similar):,} similar links of cookies {where}"
    print(f"neo4j: {size}: found on the server they take {slower:.1f}x as long as here")


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder, server() as url:
        path = Path(folder) / "events.jsonl"
        write(path, events)
        measure_load(url, path)
        write(path, GRAPH * events)
        load(url, path)
        measure_columns(url)
        measure_resolve(url)
        for where, (cookies, roaming) in COOKIES.items():
            measure_similarity(url, where, cookies, roaming)
        emptied(url)


if __name__ == "__main__":
    main()
