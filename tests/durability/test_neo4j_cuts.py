"""The connection to a Neo4j server is cut in the middle of what is read or committed: nothing is sent blindly again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.errors import StoreError
from identity_graph.ingest import Ingest
from identity_graph.model import RunState
from identity_graph.store import open_store
from identity_graph.store.neo4j import failures
from identity_graph.store.protocols import Store
from tests.conftest import Clock
from tests.neo4j.database import emptied
from tests.neo4j.proxy import Cut, Proxy, proxied
from tests.store.building import batch, begin, event, load, publish_persons
from tests.story.ingesting import EVENTS, jsonl, native, write
from tests.story.worlds import new_graph, numbered

SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it
RECORDS = 180


@pytest.fixture
def proxy(neo4j_url: str) -> Iterator[Proxy]:
    with proxied(emptied(neo4j_url)) as proxy:
        yield proxy


@pytest.fixture
def far(proxy: Proxy) -> Iterator[Store]:
    """The store at the other end of the proxy."""
    store = open_store(proxy.url)
    yield store
    store.close()


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all seconds of waiting were over."""
    monkeypatch.setattr(failures, "PAUSES", (0.01, 0.02))


# ---- one transaction


@pytest.mark.parametrize(("cut", "sent"), [(Cut.BEFORE, {2}), (Cut.DURING, {1, 2}), (Cut.AFTER, {1}), (Cut.LATE, {1})])
def test_a_batch_is_stored_once_wherever_its_commit_is_cut(cut: Cut, sent: set[int], proxy: Proxy, far: Store) -> None:
    """It is sent again only where it was found not to be there, which for a while is so of one that arrives late."""
    load(far, event("known", "cookie:1"))
    run, before = begin(far), proxy.commits
    proxy.cut(cut)
    found = [
        event("a", "cookie:1", "email:a@x.org"),
        event("b", "cookie:1", "email:a@x.org"),
        event("known", "cookie:1"),
    ]
    after = far.evidence.append(run, batch(found, position=3))
    assert proxy.commits - before in sent
    assert (after.read, after.accepted, after.duplicate, after.position) == (3, 2, 1, 3)
    assert far.operations.find_runs([run.id]) == [after]
    counts = far.operations.counts()
    assert (counts["events"], counts["identifiers"], counts["observations"]) == (3, 2, 5)
    assert links(far) == {("cookie:1", "email:a@x.org", 2)}


@pytest.mark.parametrize("cut", Cut)
def test_what_is_first_in_a_new_store_is_done_once(cut: Cut, proxy: Proxy, far: Store) -> None:
    proxy.cut(cut)
    run = begin(far)
    assert far.operations.runs() == [run]


@pytest.mark.parametrize(
    ("cut", "stored"), [(Cut.BEFORE, {False}), (Cut.DURING, {False, True}), (Cut.AFTER, {True}), (Cut.LATE, {True})]
)
def test_a_transaction_says_whether_it_was_stored(cut: Cut, stored: set[bool], proxy: Proxy, far: Store) -> None:
    load(far, event("one", "cookie:1"))
    proxy.cut(cut)
    try:
        with far.transaction():
            load(far, event("a", "cookie:new"))
            publish_persons(far, {"p": ["cookie:1"]})
        said = True
    except StoreError as error:
        said = False
        assert error.code == "STORE_UNREACHABLE"
    assert said in stored
    assert [far.persons.count(), *(row is not None for row in far.evidence.events(["a"]))] == [said, said]
    # What the one remembered who was cut is forgotten, or is true.
    load(far, event("b", "cookie:new", "cookie:1"))
    assert links(far) == {("cookie:1", "cookie:new", 1)}
    # Whoever reads is kept waiting once, at most, by a publication that nobody came back to.
    assert far.moment(far.persons.count) == said
    assert far.database._turn() > 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("cut", Cut)
def test_where_nobody_can_be_asked_whether_it_was_stored_the_same_call_goes_on(
    cut: Cut, proxy: Proxy, far: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    path = write(tmp_path / "events.jsonl", jsonl(*map(native, range(60))))
    ingest = Ingest(far, Clock(), numbered())
    proxy.cut(None, None, cut, closes=True)  # the beginning of the run, the first batch, the second
    with pytest.raises(StoreError) as caught:
        ingest.load(EVENTS, path, batch=20)
    assert caught.value.code == "STORE_UNREACHABLE" and "same command again" in caught.value.help
    proxy.settle()
    proxy.closed = False
    assert [one.state for one in far.operations.runs()] == [RunState.RUNNING]
    if cut is not Cut.DURING:
        assert far.operations.counts()["events"] == (20 if cut is Cut.BEFORE else 40)
    run = ingest.load(EVENTS, path, batch=20)
    assert (run.id, run.read, run.accepted, run.duplicate, run.position) == ("p000001", 60, 60, 0, 60)
    assert [run] == far.operations.runs()
    assert far.operations.counts()["events"] == 60


def test_what_too_many_were_committed_after_is_unknown(
    proxy: Proxy, far: Store, neo4j_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store keeps the tokens of its latest transactions, not of all."""
    monkeypatch.setattr(failures, "PAUSES", (0.1,) * 3_000)
    monkeypatch.setattr(failures, "PATIENCE", 300.0)
    run, caught = begin(far), list[StoreError]()

    def append() -> None:
        try:
            far.evidence.append(run, batch([event("a", "cookie:1")], position=1))
        except StoreError as error:
            caught.append(error)

    proxy.cut(Cut.AFTER, closes=True)
    writer = Thread(target=append)
    writer.start()
    while not proxy.closed:
        time.sleep(0.01)
    other = open_store(neo4j_url)
    for _ in range(60):
        begin(other)
    proxy.closed = False
    writer.join()
    assert [error.code for error in caught] == ["STORE_UNREACHABLE"]
    assert other.operations.counts()["events"] == 1
    other.close()
    with pytest.raises(StoreError, match="not where this process left it"):
        far.evidence.append(run, batch([event("a", "cookie:1")], position=1))


# ---- reading


def test_an_answer_that_was_cut_is_asked_for_again(proxy: Proxy, far: Store) -> None:
    load(far, *(event(f"e{n}", f"cookie:{n}", f"email:{n % 50}@x.org") for n in range(2_000)))
    whole = far.evidence.observation_table()
    for bytes in (0, 1_000, 20_000):
        proxy.answer = bytes
        again = far.evidence.observation_table()
        assert (again.event.tolist(), again.identifier.tolist()) == (whole.event.tolist(), whole.identifier.tolist())
        assert proxy.answer is None
    for bytes in (0, 300, 1_000, 2_000):
        proxy.answer = bytes
        load(far, *(event(f"after {bytes} {n}", f"cookie:{n}") for n in range(20)))
        assert proxy.answer is None
    assert far.operations.counts()["events"] == 2_080


def test_connections_that_died_of_old_age_are_not_noticed(proxy: Proxy, far: Store) -> None:
    load(far, event("a", "cookie:1"))
    proxy.cut_all()
    assert far.operations.counts()["events"] == 1
    proxy.cut_all()
    load(far, event("b", "cookie:1"))
    proxy.cut_all()
    with far.transaction():
        load(far, event("c", "cookie:1"))
    assert far.operations.counts()["events"] == 3


# ---- all of a load


def test_a_load_whose_commits_are_cut_ends_as_one_that_was_left_alone(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "PAUSES", (0.01,) * 6)
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    path = write(tmp_path / "events.jsonl", jsonl(*map(native, range(RECORDS))))
    with new_graph() as calm:
        quiet = calm.ingest.load(EVENTS, path, batch=15)
        calm.resolver.resolve()
        digest = calm.digest()
    with IdentityGraph.open(proxy.url, engine="arrays", clock=Clock(), new_id=numbered()) as rough:
        proxy.cut(*(dice.choice([None, *Cut]) for _ in range(RECORDS // 15)))
        run = rough.ingest.load(EVENTS, path, batch=15)
        assert (run.read, run.accepted, run.duplicate) == (quiet.read, quiet.accepted, quiet.duplicate)
        proxy.cut(None, Cut.BEFORE)
        with pytest.raises(StoreError) as caught:
            rough.resolver.resolve()
        assert caught.value.code == "STORE_UNREACHABLE"
        assert rough.store.persons.count() == 0
        proxy.cut(None, Cut.AFTER)
        assert rough.resolver.resolve().state == RunState.DONE
        assert rough.digest() == digest


def test_what_the_tracking_api_acknowledged_is_stored_once_wherever_its_commits_are_cut(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that is refused is sent again, as libraries do; publications are cut among them."""
    monkeypatch.setattr(failures, "PAUSES", (0.01,) * 6)
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    refused = 0
    with IdentityGraph.open(proxy.url, engine="arrays") as graph, TestClient(create_app(graph)) as client:
        for number in range(24):
            messages = [
                {"type": "track", "event": "Seen", "userId": f"u{number % 5}", "messageId": f"m{number}-{each}"}
                for each in range(3)
            ]
            proxy.cut(list(Cut)[number % len(Cut)], dice.choice([None, *Cut]))
            while (answer := client.post("/v1/batch", json={"batch": messages}, auth=("a", ""))).status_code != 200:
                assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNREACHABLE")
                refused += 1
                assert refused < 200
        proxy.cut()  # what is still to be published is so at the end
    proxy.settle()
    with IdentityGraph.open(proxy.url, engine="arrays") as graph:
        counts = graph.store.operations.counts()
        runs = [run for run in graph.store.operations.runs() if run.kind == "track"]
        assert (counts["events"], counts["persons"], counts["quarantined"]) == (72, 5, 0)
        assert sum(run.accepted for run in runs) == 72
        assert sum(run.read for run in runs) == sum(run.accepted + run.duplicate for run in runs)


def links(store: Store) -> set[tuple[str, str, int]]:
    identifiers, values = store.evidence.identifier_table()
    keys = [f"{identifiers.namespaces[n]}:{value}" for n, value in zip(identifiers.namespace, values, strict=True)]
    rows = store.database.read("evidence/link_table", after=-1, most=10**6)  # type: ignore[attr-defined]
    ((_, a, b, _, count, *_),) = rows
    places = {number: place for place, number in enumerate(identifiers.number.tolist())}
    return {
        (*sorted((keys[places[one]], keys[places[other]])), times)
        for one, other, times in zip(a, b, count, strict=True)
    }
