"""Who resolves everything: the choice, one answer from each, and nothing left on the server whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from identity_graph.engines import choose_engine
from identity_graph.engines.arrays import Arrays
from identity_graph.engines.gds import Gds
from identity_graph.errors import IdentityGraphError, StoreError
from identity_graph.model import Event
from identity_graph.policy import Policy, Similarity
from identity_graph.resolve import Resolution
from identity_graph.resolve.prune import HUB, JOINS
from identity_graph.similar_rows import to_rows
from identity_graph.store import open_store
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.protocols import Store
from identity_graph.times import DAY
from tests.conftest import soon
from tests.neo4j.database import asked, emptied
from tests.store.building import load
from tests.story.places import MEMORY
from tests.story.test_similar import HOME, reset
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
        "similar": similar(resolution, names),
        "quarantined": [name for name, alone in zip(names, groups.quarantined.tolist(), strict=True) if alone],
    }


def similar(resolution: Resolution, names: list[str]) -> list[tuple[Any, ...]]:
    """By keys: both ends, their weight to the last bit, when they had been seen with the same, and what that is."""
    return sorted(
        (sorted((names[row.a], names[row.b])), row.weight, row.last_seen, sorted(names[one] for one in row.shared))
        for row in to_rows(resolution.similar, np.arange(len(names)))
    )


def agreed(store: Neo4jStore, policy: Policy) -> dict[str, Any]:
    """What both engines found."""
    with store.transaction():
        here, there = (found(engine.resolve(store, policy)) for engine in (Arrays(), Gds(store.database)))
    assert there == here
    return here


RULE = '[[similarity]]\nbetween = ["cookie"]\nby = ["ip"]\n'
SIMILAR = Policy.parse(RULE)
BROWSER = '[[similarity]]\nbetween = ["cookie"]\nby = ["user_agent", "ip"]\ntrust = 0.7\n'
BOTH = RULE + "min = 0.1\n" + BROWSER
WIDE = event("w", 0, *(f"cookie:c{n}" for n in range(12)), HOME)
KINDS = tuple(f"kind_{letter}" for letter in "abcdefghijklmnopqrst")


def alike(cookies: int) -> list[Event]:
    """Seen with one address, and nothing else."""
    return [event(f"v{n}", n, f"cookie:c{n}", HOME) for n in range(cookies)]


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
    "cookies of one browser are one person": (
        reset(),
        Policy.parse(BROWSER),
        lambda it: it["persons"],
        [["cookie:new", "cookie:old", "email:ann@example.org"], ["cookie:other"]],
    ),
    "of equals the best few": (  # a server that kept one of them by itself would keep any
        alike(9),
        Policy.parse(RULE + "top_k = 2\n"),
        lambda it: {pair[0] for pair, *_ in it["similar"]},
        {"cookie:c0", "cookie:c1"},
    ),
    "nobody is similar enough": (
        [*alike(2), event("x", 9, "cookie:c0", "ip:192.0.2.9")],
        Policy.parse(RULE + "min = 1.0\n"),
        lambda it: it["similar"],
        [],
    ),
    "nobody is compared": (PAIR, SIMILAR, lambda it: it["similar"], []),
    "what expired is no neighbour": (
        [*alike(2), event("late", 2 * MONTH, "cookie:c1", HOME), event("later", 2 * MONTH, "cookie:c9", HOME)],
        Policy.parse(RULE + '[namespaces.cookie]\nexpires = "30 days"\n'),
        lambda it: [pair for pair, *_ in it["similar"]],
        [["cookie:c1", "cookie:c9"]],
    ),
    "what is stated too does not expire": (
        [*alike(1), event("same", 0, same=[("cookie:c0", HOME)]), event("late", 2 * MONTH, "cookie:c9", HOME)],
        Policy.parse(RULE + '[namespaces.cookie]\nexpires = "30 days"\n'),
        lambda it: [(pair, shared) for pair, _, _, shared in it["similar"]],
        [(["cookie:c0", "cookie:c9"], [HOME])],
    ),
    "neighbours of wide events": (
        [WIDE, event("9", 1, "cookie:new", HOME)],
        replace(SIMILAR, pairwise_up_to=20),
        lambda it: len(it["similar"]) > 60,
        True,
    ),
    "stated alone, as in a wide event that is a star, nobody is a neighbour": (
        [WIDE._replace(same_person=((key("cookie:c8"), key(HOME)),)), event("9", 1, "cookie:new", HOME)],
        SIMILAR,
        lambda it: [pair for pair, *_ in it["similar"]],
        [["cookie:c0", "cookie:new"]],
    ),
    "a hub is no neighbour": (
        [event(f"{n}", n, f"user_id:u{n}", f"cookie:c{n}", "device_id:kiosk") for n in range(12)],
        replace(tight(), similarity=(Similarity(("cookie",), ("device_id",)),)),
        lambda it: (it["similar"], it["pruned"]),
        ([], {"device_id:kiosk": HUB}),
    ),
    "a neighbour of too many is none": (alike(101), SIMILAR, lambda it: it["similar"], []),
    "who has too many neighbours is not compared": (
        [*(event(f"m{n}", n, "cookie:m", f"ip:192.0.2.{n}") for n in range(101)), *alike(2)],
        SIMILAR,
        lambda it: [pair for pair, *_ in it["similar"]],
        [["cookie:c0", "cookie:c1"]],
    ),
    "of a pair that two rules find the heavier": (
        reset(),
        Policy.parse(BOTH),
        lambda it: sorted(weight for _, weight, *_ in it["similar"])[-1],
        0.7,
    ),
    "a similar link is refused by a limit": (
        [*reset(), event("e5", 31, "cookie:new", "user_id:u2"), event("e6", 3, "cookie:old", "user_id:u1")],
        Policy.parse(BROWSER.replace("trust = 0.7", "trust = 0.4")),
        lambda it: it["suppressed"],
        [("cookie:new", "cookie:old")],
    ),
    "neighbours of so many kinds that a server has no numbers for them": (
        [event(f"{n}", n, f"cookie:c{n}", *(f"{kind}:here" for kind in KINDS)) for n in range(2)],
        replace(DEFAULT, pairwise_up_to=30, similarity=(Similarity(("cookie",), KINDS),)),
        lambda it: [(pair, len(shared)) for pair, _, _, shared in it["similar"]],
        [(["cookie:c0", "cookie:c1"], len(KINDS))],
    ),
    "nothing joins": ([event("1", 0, ANN), event("2", 0, BOB)], DEFAULT, lambda it: it["persons"], [[ANN], [BOB]]),
    "nothing at all": ([], DEFAULT, lambda it: it["persons"], []),
}


@pytest.mark.parametrize("name", CASES)
def test_graph_data_science_finds_what_arrays_find(store: Neo4jStore, neo4j_url: str, name: str) -> None:
    events, policy, look, expected = CASES[name]
    load(store, *events)
    assert look(agreed(store, policy)) == expected
    assert catalogued(neo4j_url) == []


@pytest.mark.parametrize(("wanted", "there"), [("gds", True), ("auto", False)])
def test_who_is_similar_is_found_on_the_server_where_that_is_asked_for(
    store: Neo4jStore, wanted: str, there: bool
) -> None:
    """By itself it is found here: that takes a fraction of the time, see `bench.neo4j`."""
    load(store, *reset())
    heard: list[str] = []
    with store.trace(heard.append), store.transaction():
        resolution = choose_engine(store, wanted).resolve(store, SIMILAR)
    assert len(resolution.similar) == 3
    assert ("engine/alike" in heard) == there and ("evidence/link_table" in heard) != there


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


@pytest.mark.parametrize("at", ["engine/alike", "engine/neighbours"])
def test_nothing_is_left_of_a_comparison_that_fails_in_the_middle(store: Neo4jStore, neo4j_url: str, at: str) -> None:
    load(store, *reset())

    def hear(name: str) -> None:
        if name == at:
            assert len(catalogued(neo4j_url)) == 1
            raise _Stopped

    with pytest.raises(_Stopped), store.trace(hear), store.transaction():
        Gds(store.database).resolve(store, SIMILAR)
    assert catalogued(neo4j_url) == []
    agreed(store, SIMILAR)


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


@pytest.mark.parametrize("at", ["engine/project_neighbours", "engine/alike", "engine/project", "engine/components"])
def test_nothing_is_left_of_a_resolution_that_takes_too_long(store: Neo4jStore, neo4j_url: str, at: str) -> None:
    load(store, *town(), *reset())

    def hear(name: str) -> None:
        if name == at:  # its time passes here, however late that is noticed
            soon(lambda: not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()))

    begun = time.monotonic()
    with pytest.raises(StoreError) as caught, store.trace(hear), store.transaction():
        Gds(store.database, timeout=1.5).resolve(store, SIMILAR)
    assert (caught.value.code, bool(caught.value.help)) == ("STORE_TIMEOUT", True)
    assert time.monotonic() - begun < 100  # a client that goes on looking for a server does so for ten minutes
    assert catalogued(neo4j_url) == []
    agreed(store, SIMILAR)
