"""What a store looks up for the batch that comes next holds unless anything was written in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from identity_graph.model import Event
from identity_graph.store import open_store
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.protocols import Erasure, Store
from tests.neo4j.database import emptied
from tests.store.building import batch, begin, event, load, numbers

FIRST = [event("a", "email:a@x.org", "cookie:1"), event("b", "cookie:2")]
NEXT = [event("b", "cookie:2"), event("c", "cookie:1", "cookie:3"), event("d", "email:a@x.org", "user_id:d")]
LATER = [event("e", "cookie:3", "user_id:d"), event("c", "cookie:1", "cookie:3")]


def state(store: Store) -> Any:
    events = store.evidence.events(list("abcde"))
    table, values = store.evidence.identifier_table()
    spaces = [table.namespaces[n] for n in table.namespace.tolist()]
    return [row and row.event for row in events], sorted(zip(spaces, values, strict=True)), store.operations.counts()


def erase(store: Store) -> None:
    """Whoever was in the first batch; what is known of them must not be used again."""
    with store.transaction():
        [row] = store.evidence.events(["a"])
        assert row is not None
        gone = numbers(store, "email:a@x.org", "cookie:1")
        store.privacy.erase(Erasure([], [row.number], [], gone, []))


BETWEEN: dict[str, Callable[[Store], object]] = {
    "nothing": lambda store: None,
    "the same events": lambda store: load(store, *NEXT),
    "events that saw the same": lambda store: load(store, event("x", "cookie:3", "user_id:d")),
    "a run": begin,
}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("looks", [True, False])
def test_it_never_changes_what_is_stored(store: Store, between: str, looks: bool) -> None:
    run = begin(store)
    batches = [batch(found, position=place) for place, found in enumerate((FIRST, NEXT, LATER), 1)]
    for one, following in zip(batches, [*batches[1:], None], strict=True):
        run = store.evidence.append(run, one, lambda: following if looks else None)  # noqa: B023 - asked at once
        if following is batches[1]:
            BETWEEN[between](store)
    assert (run.read, run.accepted, run.duplicate) == (7, *((3, 4) if between == "the same events" else (5, 2)))
    events, identifiers, counts = state(store)
    assert [one.id for one in events if one] == list("abcde")
    assert counts["identifiers"] == len(set(identifiers)) == 5


@pytest.fixture
def server(neo4j_url: str) -> Iterator[Neo4jStore]:
    with closing(open_store(emptied(neo4j_url))) as store:
        assert isinstance(store, Neo4jStore)
        yield store


def asked(server: Neo4jStore, between: Callable[[], object], upcoming: list[Event]) -> list[str]:
    """The statements by which the second of two batches looks for what is there."""
    run = begin(server)
    following = batch(upcoming, position=2)
    run = server.evidence.append(run, batch(FIRST, position=1), lambda: following)
    between()
    mine, here = [], threading.get_ident()

    def hear(name: str) -> None:
        if threading.get_ident() == here and name in ("evidence/append_known", "evidence/append_find"):
            mine.append(name)

    with server.database.trace(hear):
        server.evidence.append(run, following)
    return mine


def test_a_batch_that_was_foreseen_looks_for_nothing(server: Neo4jStore) -> None:
    assert asked(server, lambda: None, NEXT[1:]) == []


def test_what_the_batch_before_may_have_stored_is_looked_for(server: Neo4jStore) -> None:
    assert asked(server, lambda: None, NEXT) == ["evidence/append_known"]


def test_after_whatever_was_written_meanwhile_all_is_looked_for(server: Neo4jStore, neo4j_url: str) -> None:
    def another() -> None:
        with closing(open_store(neo4j_url)) as other:
            load(other, *NEXT)

    assert asked(server, another, NEXT[1:]) == ["evidence/append_known"]
    assert server.operations.counts()["events"] == 4


def test_numbers_of_who_was_erased_meanwhile_are_not_used(server: Neo4jStore) -> None:
    looked = asked(server, lambda: erase(server), NEXT[1:])
    assert looked == ["evidence/append_known", "evidence/append_find"]
    rows = server.evidence.events(["a", "c", "d"])
    assert [row and len(row.identifiers) for row in rows] == [None, 2, 2]
    assert len(server.evidence.observation_table()) == 5
