"""Who resolves everything: the choice, one answer from each, and nothing left on the server whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from identity_graph.engines import choose_engine
from identity_graph.engines.arrays import Arrays
from identity_graph.engines.gds import Gds
from identity_graph.errors import IdentityGraphError, StoreError
from identity_graph.model import Event
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution
from identity_graph.resolve.prune import JOINS
from identity_graph.store import open_store
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.protocols import Store
from identity_graph.times import DAY
from tests.neo4j.database import asked, emptied
from tests.store.building import load
from tests.story.places import MEMORY
from tests.story.worlds import MINUTE, event, fading, key, kiosk, tight, town

MONTH = 30 * DAY // MINUTE
ANN, BOB, CARD = "user_id:ann", "user_id:bob", "loyalty_id:LC1"


@pytest.fixture
def store(neo4j_url: str) -> Iterator[Neo4jStore]:
    opened = cast("Neo4jStore", open_store(emptied(neo4j_url)))
    assert catalogued(neo4j_url) == []
    yield opened
    opened.close()


def catalogued(url: str) -> list[str]:
    return [name for (name,) in asked(url, "CALL gds.graph.list() YIELD graphName RETURN graphName")]


# ---- the choice


@pytest.mark.parametrize(("wanted", "name"), [("auto", "gds"), ("gds", "gds"), ("arrays", "arrays")])
def test_a_server_that_has_graph_data_science_uses_it(store: Store, wanted: str, name: str) -> None:
    assert choose_engine(store, wanted).name == name


def test_sqlite_has_arrays_alone() -> None:
    store = open_store(MEMORY)
    assert [choose_engine(store, wanted).name for wanted in ("auto", "arrays")] == ["arrays", "arrays"]
    for wanted, code in (("gds", "ENGINE_MISSING"), ("spark", "SETTING_INVALID"), ("", "SETTING_INVALID")):
        with pytest.raises(IdentityGraphError) as caught:
            choose_engine(store, wanted)
        assert caught.value.code == code and caught.value.help
    store.close()


def test_an_engine_that_is_none_is_refused_on_a_server_too(store: Store) -> None:
    with pytest.raises(IdentityGraphError) as caught:
        choose_engine(store, "GDS")
    assert caught.value.code == "SETTING_INVALID"


# ---- one answer


def apart(id: str, minute: float, a: str, b: str) -> Event:
    return event(id, minute)._replace(apart=((key(a), key(b)),))


def found(resolution: Resolution) -> dict[str, Any]:
    """By keys, of what every engine has to give."""
    table, groups = resolution.identifiers, resolution.groups
    names = [
        f"{table.namespaces[space]}:{value}"
        for space, value in zip(table.namespace.tolist(), resolution.values, strict=True)
    ]
    links, refused = resolution.links, groups.suppressed.link
    persons: dict[int, set[str]] = {}
    for name, label in zip(names, groups.label.tolist(), strict=True):
        persons.setdefault(label, set()).add(name)
    return {
        "persons": sorted(sorted(one) for label, one in persons.items() if label >= 0),
        "pruned": {name: code for name, code in zip(names, resolution.pruned.tolist(), strict=True) if code != JOINS},
        "suppressed": sorted(
            tuple(sorted((names[a], names[b])))
            for a, b in zip(links.a[refused].tolist(), links.b[refused].tolist(), strict=True)
        ),
        "quarantined": [name for name, alone in zip(names, groups.quarantined.tolist(), strict=True) if alone],
    }


def agreed(store: Neo4jStore, policy: Policy) -> dict[str, Any]:
    """What both engines found."""
    with store.transaction():
        here, there = (found(engine.resolve(store, policy)) for engine in (Arrays(), Gds(store.database)))
    assert there == here
    return here


Case = tuple[list[Event], Policy, Callable[[dict[str, Any]], Any], Any]
DEFAULT = Policy.default()
PAIR = [event("1", 0, ANN, CARD), event("2", 5, BOB, CARD)]
CASES: dict[str, Case] = {
    "a limit keeps one of two": (
        PAIR,
        DEFAULT,
        lambda it: (it["persons"], it["suppressed"]),
        ([[CARD, BOB], [ANN]], [(CARD, ANN)]),
    ),
    "the newest is kept where the policy says so": (
        PAIR,
        replace(DEFAULT, order="newest"),
        lambda it: it["persons"],
        [[CARD, BOB], [ANN]],
    ),
    "what is stated joins whatever the limit": (
        [*PAIR, event("3", 6, same=[(ANN, BOB)])],
        DEFAULT,
        lambda it: it["persons"],
        [[CARD, ANN, BOB]],
    ),
    "what was stated joins nothing once the opposite is": (
        [*PAIR, event("3", 6, same=[(ANN, BOB)]), apart("4", 7, ANN, BOB)],
        DEFAULT,
        lambda it: it["persons"],
        [[CARD, BOB], [ANN]],
    ),
    "two that are stated to be two, where no limit would say so": (
        [*PAIR, apart("3", 6, ANN, BOB)],
        DEFAULT.without_limits(),
        lambda it: len(it["persons"]),
        2,
    ),
    "a hub joins nobody": (
        kiosk(30),
        tight(),
        lambda it: (len(it["persons"]), list(it["pruned"])),
        (30, ["device_id:kiosk"]),
    ),
    "a blocked value joins nobody": (
        [event("1", 0, "user_id:anonymous", ANN), event("2", 0, "user_id:anonymous", CARD)],
        DEFAULT,
        lambda it: (it["persons"], list(it["pruned"])),
        ([[CARD], [ANN]], ["user_id:anonymous"]),
    ),
    "evidence loses weight": (
        [event("1", 0, ANN, CARD), event("2", 2 * MONTH, BOB, "cookie:new")],
        fading(),
        lambda it: it["persons"],
        [[BOB, "cookie:new"][::-1], [CARD], [ANN]],
    ),
    "evidence expires": (
        [event("1", 0, ANN, CARD), event("2", 2 * MONTH, BOB, "cookie:new")],
        Policy.parse('[namespaces.loyalty_id]\nexpires = "30 days"\n'),
        lambda it: [CARD] in it["persons"],
        True,
    ),
    "a component that is too large": (
        [event(f"{n}", n, f"cookie:{n}", f"cookie:{n + 1}") for n in range(12)],
        replace(DEFAULT.without_limits(), max_identifiers=5),
        lambda it: max(map(len, it["persons"])) <= 5,
        True,
    ),
    "everything at once": (town(), tight(), lambda it: bool(it["suppressed"] and it["pruned"]), True),
    "nothing joins": ([event("1", 0, ANN), event("2", 0, BOB)], DEFAULT, lambda it: it["persons"], [[ANN], [BOB]]),
    "nothing at all": ([], DEFAULT, lambda it: it["persons"], []),
}


@pytest.mark.parametrize("name", CASES)
def test_graph_data_science_finds_what_arrays_find(store: Neo4jStore, neo4j_url: str, name: str) -> None:
    events, policy, look, expected = CASES[name]
    load(store, *events)
    assert look(agreed(store, policy)) == expected
    assert catalogued(neo4j_url) == []


# ---- what is left


class _Stopped(Exception):
    pass


def test_nothing_is_left_of_a_resolution_that_fails_in_the_middle(store: Neo4jStore, neo4j_url: str) -> None:
    load(store, *town())

    def hear(name: str) -> None:
        if name == "engine/components":
            assert len(catalogued(neo4j_url)) == 1
            raise _Stopped

    with pytest.raises(_Stopped), store.trace(hear), store.transaction():
        Gds(store.database).resolve(store, DEFAULT)
    assert catalogued(neo4j_url) == []
    agreed(store, DEFAULT)


def test_nothing_is_left_where_the_server_ends_the_transaction(store: Neo4jStore, neo4j_url: str) -> None:
    load(store, *town())
    mine = (
        "SHOW TRANSACTIONS YIELD transactionId AS id, currentQuery AS query WHERE NOT query CONTAINS 'SHOW' RETURN id"
    )

    def hear(name: str) -> None:
        if name == "engine/components":
            for (id,) in asked(neo4j_url, mine):
                asked(neo4j_url, f"TERMINATE TRANSACTIONS '{id}'")

    with pytest.raises(StoreError), store.trace(hear), store.transaction():
        Gds(store.database).resolve(store, DEFAULT)
    assert catalogued(neo4j_url) == []
    agreed(store, DEFAULT)


@pytest.mark.parametrize("at", ["engine/project", "engine/components"])
def test_nothing_is_left_of_a_resolution_that_takes_too_long(store: Neo4jStore, neo4j_url: str, at: str) -> None:
    load(store, *town())
    patience = 1.5

    def hear(name: str) -> None:
        if name == at:
            time.sleep(patience)

    begun = time.monotonic()
    with pytest.raises(StoreError) as caught, store.trace(hear), store.transaction():
        Gds(store.database, timeout=patience).resolve(store, DEFAULT)
    assert (caught.value.code, bool(caught.value.help)) == ("STORE_TIMEOUT", True)
    assert time.monotonic() - begun < 2 * patience + 5
    assert catalogued(neo4j_url) == []
    agreed(store, DEFAULT)
