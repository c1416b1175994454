"""What the ladder does to a component that is too large, beside communities by Graph Data Science."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any, cast

import networkx as nx
import numpy as np
import pytest
from neo4j import GraphDatabase

from identity_graph import IdentityGraph
from identity_graph.engines.catalogue import Catalogue
from identity_graph.engines.gds import Gds
from identity_graph.engines.leiden import Oversized, find_communities
from identity_graph.errors import StoreError
from identity_graph.model import Event
from identity_graph.policy import Policy
from identity_graph.rehearsal import rehearse
from identity_graph.resolve.communities import communities
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.neo4j.address import Address
from identity_graph.store.neo4j.connection import Connection
from tests.neo4j.database import asked, connected, emptied
from tests.neo4j.port import free_port
from tests.story.test_explore import ask
from tests.story.worlds import event, persons, tell, told

GROUPS = ("abcde", "fghij", "klmno")
PLANTED = [("x", 5, 3), ("y", 6, 4), ("z", 6, 12)]  # names, size and number of groups
POLICY = replace(Policy.default().without_limits(), max_identifiers=6)
OTHERS = [event("other", 0, "cookie:other", "email:ann@example.org")]
MARKED = "MATCH (one:Oversized) RETURN one.key, one.community ORDER BY one.key"


def crowd(groups: Sequence[Sequence[str]] = GROUPS) -> list[Event]:
    """Dense groups in a row; what leads from one to the next was seen as often as what is inside."""
    inside = [pair for group in groups for pair in combinations(group, 2)]
    between = [ends for one, other in pairwise(groups) for ends in zip(one[:2], other[:2], strict=True)]
    return [event(f"{a}{b}", 0, f"cookie:c{a}", f"cookie:c{b}") for a, b in [*inside, *between]]


def projected(url: str) -> list[Any]:
    return asked(url, "CALL gds.graph.list() YIELD graphName RETURN graphName")


def statements(graph: IdentityGraph, **how: Any) -> list[str]:
    """What a resolution asks the server."""
    heard: list[str] = []
    with cast("Neo4jStore", graph.store).trace(heard.append):
        graph.resolver.resolve(**how)
    return heard


def test_communities_stand_beside_the_persons_of_a_component_that_was_too_large(neo4j_url: str) -> None:
    with told([*crowd(), *OTHERS], POLICY, url=emptied(neo4j_url)) as graph:
        ours = persons(graph) - {frozenset({"cookie:other", "email:ann@example.org"})}
        assert ours == {frozenset(f"cookie:c{one}" for one in group) for group in GROUPS}
        with connected(neo4j_url) as driver, driver.session() as session:
            for key in ("cookie:ca", "cookie:co"):
                rows = ask(session, "communities", key=key)
                assert {frozenset(row["keys"]) for row in rows} == ours
                assert len({row["community"] for row in rows}) == len(GROUPS)
                assert {(row["identifiers"], row["inside"], row["persons"]) for row in rows} == {(5, 10, 1)}
                assert {row["keys"][0]: row["crossing"] for row in rows} == {
                    "cookie:ca": 2,
                    "cookie:cf": 4,
                    "cookie:ck": 2,
                }
                assert len({row["largest"][0] for row in rows}) == len(GROUPS)
                assert all(row["largest"][0].startswith("5 ") for row in rows)
            (row,) = ask(session, "communities", key="cookie:other")
            assert (row["community"], row["identifiers"], row["persons"]) == (None, 2, 1)
            assert ask(session, "communities", key="cookie:nobody") == []
            tell(graph, [event("late", 9, "cookie:late", "cookie:ca")])
            *rows, late = ask(session, "communities", key="cookie:late")
            assert [len(row["keys"]) for row in rows] == [5, 5, 5]
            assert (late["community"], late["keys"]) == (None, ["cookie:late"]), "not before everything is resolved"
            graph.resolver.resolve(full=True)
            assert [row["community"] is None for row in ask(session, "communities", key="cookie:late")] == [False] * 3
    assert projected(neo4j_url) == []


def test_a_community_is_called_by_the_smallest_number_in_it(neo4j_url: str) -> None:
    with told(crowd(), POLICY, url=emptied(neo4j_url)):
        rows = asked(neo4j_url, "MATCH (one:Oversized) RETURN one.community, min(one.number), count(*)")
    assert len(rows) == len(GROUPS)
    assert all(name == smallest and size == 5 for name, smallest, size in rows)


@pytest.mark.parametrize(("policy", "engine"), [(replace(POLICY, max_identifiers=50), "gds"), (POLICY, "arrays")])
def test_what_an_earlier_resolution_wrote_goes_with_the_next(neo4j_url: str, policy: Policy, engine: str) -> None:
    with told([*crowd(), *OTHERS], POLICY, url=emptied(neo4j_url)) as graph:
        before = asked(neo4j_url, MARKED)
        assert len(before) == 15
        assert rehearse(graph.store, policy, graph.engine)
        assert asked(neo4j_url, MARKED) == before, "a rehearsal changes nothing"
    with IdentityGraph.open(neo4j_url, policy, engine=engine) as graph:
        assert not [name for name in statements(graph, full=True) if "oversized" in name or "communities" in name]
    assert asked(neo4j_url, MARKED) == []
    assert asked(neo4j_url, "MATCH (one) WHERE one.community IS NOT NULL RETURN one") == []


def test_the_server_is_not_asked_where_nothing_is_too_large(neo4j_url: str) -> None:
    with told(OTHERS, POLICY, url=emptied(neo4j_url)) as graph:
        assert statements(graph, full=True).count("engine/components") == 1
        tell(graph, crowd())
        assert asked(neo4j_url, MARKED) == [], "part of it is resolved without the server"
        assert statements(graph, full=True).count("engine/project_oversized") == 1
        assert len(asked(neo4j_url, MARKED)) == 15


@pytest.mark.parametrize("at", ["engine/project_oversized", "engine/components", "engine/write_communities"])
def test_persons_are_published_whatever_becomes_of_communities(
    neo4j_url: str, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    with told([], POLICY, url=emptied(neo4j_url)) as graph:
        graph.ingest.events(crowd())
        heard: list[str] = []

        def hear(name: str) -> None:
            heard.append(name)
            if name == at and "persons/publish" in heard:
                raise StoreError("STORE_FULL", "no room for it")

        with cast("Neo4jStore", graph.store).trace(hear), caplog.at_level(logging.WARNING, "identity_graph.engines"):
            assert graph.resolver.resolve(full=True).state.name == "DONE"
        assert heard[-1] != at and "no room for it" in caplog.text
        assert persons(graph) == {frozenset(f"cookie:c{one}" for one in group) for group in GROUPS}
    assert (projected(neo4j_url), asked(neo4j_url, MARKED)) == ([], [])


# ---- an oracle of ours


@pytest.fixture(scope="module")
def catalogue(neo4j_url: str) -> Iterator[Catalogue]:
    database = Connection(Address.parse(emptied(neo4j_url)))
    yield Catalogue(database)
    database.close()


def parted(number: Any, label: Any) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for one, own in zip(number.tolist(), label.tolist(), strict=True):
        found.setdefault(own, []).append(one)
    return sorted(found.values())


def both(catalogue: Catalogue, found: Oversized) -> tuple[list[list[int]], list[list[int]]]:
    """The communities of one component, found here and there."""
    number, ends = np.unique(np.r_[found.a, found.b], return_inverse=True)
    a, b = ends.astype(np.int32).reshape(2, -1)
    here = communities(len(number), a, b, found.weight)
    return parted(number, here), parted(*find_communities(catalogue, found))


def test_planted_communities_are_found_here_and_there(neo4j_url: str) -> None:
    """Of three components at once, each as if it were alone: where the weight of all counts, the small ones' merge."""
    policy, events, expected = replace(POLICY, max_identifiers=8), list[Event](), list[list[str]]()
    for name, size, groups in PLANTED:
        own = [[f"{name}{group:02}{n}" for n in range(size)] for group in range(groups)]
        events += crowd(own)
        expected += own
    with told(events, policy, url=emptied(neo4j_url)) as graph:
        store = cast("Neo4jStore", graph.store)
        with store.transaction():
            resolution = Gds(store.database).resolve(store, policy)
        found = Oversized.of(resolution)
        assert found.components == len(PLANTED)
        numbers = resolution.identifiers.number.tolist()
        names = dict(zip(numbers, resolution.values, strict=True))
        there = parted(*find_communities(Catalogue(store.database), found))
        assert sorted([names[one] for one in group] for group in there) == sorted(
            sorted(f"c{one}" for one in group) for group in expected
        )
        assert persons(graph) == {frozenset(f"cookie:c{one}" for one in group) for group in expected}


def glued(seed: int) -> Oversized:
    """Groups of any size and density, each hanging together, with a few links from one to another."""
    chance, weight = random.Random(seed), dict[tuple[int, int], float]()
    groups: list[list[int]] = []
    for _ in range(chance.randint(2, 8)):
        start = sum(map(len, groups))
        own = list(range(start, start + chance.randint(4, 30)))
        dense = chance.choice([0.3, 0.5, 0.8, 1.0])
        pairs = [(chance.choice(own[:at]), one) for at, one in enumerate(own) if at]
        pairs += [pair for pair in combinations(own, 2) if chance.random() < dense]
        for _ in range(chance.randint(1, 6) if groups else 0):
            pairs.append((chance.choice(chance.choice(groups)), chance.choice(own)))
        weight |= {pair: round(chance.uniform(0.3, 0.95), 9) for pair in pairs}
        groups.append(own)
    a, b = np.array(sorted(weight), np.int64).T
    return Oversized(a, b, np.array([weight[pair] for pair in sorted(weight)]), 1)


def test_a_server_that_is_gone_when_the_client_begins_is_named(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would be asked again for half a minute.
    nobody = GraphDatabase.driver(f"bolt://127.0.0.1:{free_port()}", max_transaction_retry_time=0.2)
    monkeypatch.setattr(catalogue.database, "new_driver", lambda: nobody)
    with pytest.raises(StoreError) as caught, catalogue.graph():
        pass
    assert caught.value.code == "STORE_UNREACHABLE"


def test_communities_found_here_are_as_good_as_those_of_the_server(catalogue: Catalogue) -> None:
    """Modularity of random graphs: of all together not less, of none less by more than a two-hundredth."""
    better = []
    for seed in range(24):
        found = glued(seed)
        graph: nx.Graph[int] = nx.Graph()
        graph.add_weighted_edges_from(zip(found.a.tolist(), found.b.tolist(), found.weight.tolist(), strict=True))
        here, there = (nx.community.modularity(graph, map(set, groups)) for groups in both(catalogue, found))
        better.append(here - there)
    assert min(better) >= -0.005
    assert sum(better) >= 0
