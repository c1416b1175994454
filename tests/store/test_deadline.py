"""A deadline ends what runs in a store, and leaves the store to others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
import pytest

from identity_graph import deadline
from identity_graph.errors import StoreError
from identity_graph.model import RunState
from identity_graph.store.neo4j import Neo4jStore
from identity_graph.store.protocols import Store
from identity_graph.store.sqlite import SqliteStore
from tests.conftest import soon
from tests.store.building import begin, event, load

SLOW_SQL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000000) SELECT count(*) FROM n"
SLOW_CYPHER = "UNWIND range(1, 3000000000) AS i WITH i WHERE i % 7 = 8 RETURN count(i)"
SHOW = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND range(1, 3' RETURN currentQuery"


def slow(store: Store) -> Callable[[], Any]:
    """Minutes of real work in the store."""
    if isinstance(store, SqliteStore):
        return lambda: store._database.rows(SLOW_SQL)
    assert isinstance(store, Neo4jStore)
    return lambda: store.database._run(SLOW_CYPHER, {}, "slow")


def idle_soon(store: Store) -> None:
    """Its server runs the slow work no more. One that runs in this process has ended when the call has."""
    if isinstance(store, Neo4jStore):
        soon(lambda: not store.database._alone(SHOW, {}))


def refused(work: Callable[[], Any], seconds: float = 0.3) -> None:
    with pytest.raises(StoreError) as caught, deadline.within(seconds):
        work()
    assert (caught.value.code, "IDENTITY_GRAPH_DEADLINE" in caught.value.help) == ("STORE_TIMEOUT", True)


def test_a_long_read_is_ended_and_the_next_is_answered(store: Store) -> None:
    refused(slow(store))
    idle_soon(store)
    assert store.operations.counts()["events"] == 0


def test_work_in_a_transaction_is_ended_and_undone(store: Store) -> None:
    def work() -> None:
        with store.transaction():
            load(store, event("a", "email:a@x.org"))
            slow(store)()

    refused(work, 1.5)
    idle_soon(store)
    assert store.operations.counts()["events"] == 0
    load(store, event("a", "email:a@x.org"))
    assert store.operations.counts()["events"] == 1


def test_after_it_nothing_is_read_and_how_the_work_ended_can_be_noted(store: Store) -> None:
    run = begin(store)
    with deadline.within(0.0001):
        time.sleep(0.001)
        with pytest.raises(StoreError):
            store.operations.counts()
        store.operations.end_run(replace(run, state=RunState.FAILED))
    assert [found.state for found in store.operations.find_runs([run.id]) if found] == [RunState.FAILED]


def test_it_goes_along_into_worker_threads_and_into_no_others(store: Store) -> None:
    found: list[float | None] = []

    async def request() -> None:
        with deadline.within(60):
            await anyio.to_thread.run_sync(lambda: found.append(deadline.left()))
            thread = threading.Thread(target=lambda: found.append(deadline.left()))
            thread.start()
            thread.join()

    anyio.run(request)
    assert found[0] and found[1:] == [None]


def test_nobody_waits_for_others_longer_than_its_deadline(tmp_path: Any) -> None:
    """Of a file all reads take turns; the server of a store has no such turns."""
    store = SqliteStore(str(tmp_path / "people.db"))
    reading, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._database.snapshot():
            reading.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert reading.wait(60)
    refused(store.operations.counts)
    done.set()
    holder.join()
    assert store.operations.counts()["events"] == 0
    store.close()
