"""The process that stores what another one takes: whatever becomes of either, nobody is told what is not so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from identity_graph import IdentityGraph, Policy
from identity_graph.api import create_app
from identity_graph.errors import QueryError, StoreError
from identity_graph.publishing import Publishing
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys
from identity_graph.wire import Unframing, framed
from tests.conftest import soon
from tests.tracking.serving import PATIENCE, Answer, Serving, serving
from tests.tracking.test_storing import children, lives

LARGE = json.dumps(
    {"batch": [{"type": "track", "event": "Seen", "userId": "u", "properties": {"t": "x" * 30_000}}] * 16}
).encode()


def event(number: int) -> dict[str, Any]:
    return {"userId": f"u{number}", "event": "Seen", "messageId": f"m{number}"}


class Sending(threading.Thread):
    """A message under way, and the answer to it."""

    def __init__(self, server: Serving, path: str, body: Any) -> None:
        super().__init__(daemon=True)
        self._server, self._path, self._body = server, path, body
        self._answer: Answer | None = None
        self.start()

    def run(self) -> None:
        self._answer = self._server.send(self._path, self._body)

    @property
    def answer(self) -> Answer:
        self.join(PATIENCE)
        assert self._answer
        return self._answer


def test_where_it_is_killed_what_it_had_not_answered_is_refused_and_another_goes_on(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        assert server.send("/v1/track", event(0)).status == 200
        for number in range(1, 4):
            storing = children(server)["storing"]
            os.kill(storing, signal.SIGSTOP)
            under_way = Sending(server, "/v1/track", event(number))
            soon(lambda: waiting(server) == 1)
            os.kill(storing, signal.SIGKILL)
            answer = under_way.answer
            assert (answer.status, answer.body["code"], answer.headers["retry-after"]) == (503, "STORE_FAILED", "1")
            soon(partial(gone, storing))
            assert waiting(server) == 0
            assert server.send("/v1/track", event(number)).status == 200
        for number in range(4):
            server.person_soon("user_id", f"u{number}")
        (run,) = server.runs()
        assert (run["state"], run["read"], run["accepted"]) == ("RUNNING", 4, 4), "each goes on with the run before"


def test_what_it_stored_and_did_not_come_to_publish_another_one_does(tmp_path: Path) -> None:
    """Nobody sends anything more."""
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        assert server.send("/v1/track", event(0)).status == 200
        server.person_soon("user_id", "u0")
        for number in range(1, 6):
            soon(partial(stored, server, number))  # the one before may be killed under it
            os.kill(children(server)["storing"], signal.SIGKILL)  # its first publication takes longer than this
            server.person_soon("user_id", f"u{number}")


def test_what_a_killed_service_did_not_come_to_publish_the_next_one_does(tmp_path: Path) -> None:
    """Nobody sends anything to that one."""
    url = next(filter(unpublished, (f"sqlite:///{tmp_path / f'{time}.db'}" for time in range(50))))
    with serving(url) as server:
        server.person_soon("user_id", "u0")
    with serving(url) as server:
        assert "storing" not in children(server), "there is nothing to do"


def unpublished(url: str) -> bool:
    """Whether a service took an event and was killed in time."""
    with serving(url) as server:
        assert server.send("/v1/track", event(0)).status == 200
        begun = children(server).values()
        server.kill()
        for process in begun:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    with IdentityGraph.open(url) as graph:
        counts = graph.store.operations.counts()
        assert counts["events"] == 1
        return counts["persons"] == 0


def test_so_does_a_thread_that_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with monkeypatch.context() as killed:
        killed.setattr(Publishing, "publish", lambda self: None)
        killed.setattr(Counting, "close", lambda self: None)
        with IdentityGraph.open(url) as graph, TestClient(create_app(graph)) as client:
            body = json.dumps(event(0))
            assert client.post("/v1/track", content=body, headers={"authorization": "Basic YTo="}).status_code == 200
    with IdentityGraph.open(url) as graph:
        assert not graph.store.operations.counts()["persons"]
        with TestClient(create_app(graph)):
            soon(lambda: graph.store.operations.counts()["persons"] == 1)


def test_what_is_sent_while_it_stands_still_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """More than the socket between them takes."""
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        assert server.send("/v1/track", event(0)).status == 200
        server.person_soon("user_id", "u0")
        storing = children(server)["storing"]
        os.kill(storing, signal.SIGSTOP)
        try:
            under_way = [Sending(server, "/v1/batch", LARGE) for _ in range(8)]
            soon(lambda: waiting(server) == 16 * 8)
            for _ in range(3):
                assert server.get("/health")["status"] == "ok"
                assert server.person("user_id", "u0")
        finally:
            os.kill(storing, signal.SIGCONT)
        assert [each.answer.status for each in under_way] == [200] * 8
        (run,) = server.runs()
        assert run["accepted"] == 1 + 16 * 8


def test_signals_that_mean_the_server_do_not_end_it_before_the_server(tmp_path: Path) -> None:
    """A terminal and a supervisor send them to all processes of a service."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with serving(url) as server:
        assert server.send("/v1/track", event(0)).status == 200
        storing = children(server)["storing"]
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(storing, number)
        assert server.send("/v1/track", event(1)).status == 200
        os.kill(storing, signal.SIGTERM)
        server.stop()
        assert not lives(storing)
    with IdentityGraph.open(url) as graph:
        assert graph.people.count() == 2, "published at the end"
        (run,) = [run for run in graph.store.operations.runs() if run.kind == "track"]
        assert (run.state, run.accepted) == ("DONE", 2)


def test_counts_of_what_came_are_those_of_the_server(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        for number in (0, 1, 1):
            assert server.send("/v1/track", event(number)).status == 200
        os.kill(children(server)["storing"], signal.SIGKILL)
        soon(lambda: stored(server, 2))
        assert server.send("/v1/track", {"event": "Seen"}).status == 200, "of nobody, so it is set aside"
        found = [metric(server, f'identity_graph_events_total{{outcome="{each}"}}') for each in OUTCOMES]
        assert found == [3, 1, 1, 0]
        soon(lambda: metric(server, "identity_graph_publications_total") >= 1)
        soon(lambda: metric(server, "identity_graph_publication_lag_seconds") == 0)


OUTCOMES = ("accepted", "duplicate", "quarantined", "suppressed")


def stored(server: Serving, number: int) -> bool:
    return server.send("/v1/track", event(number)).status == 200


def gone(process: int) -> bool:
    return not lives(process)


def waiting(server: Serving) -> float:
    return metric(server, "identity_graph_tracking_waiting_messages")


def metric(server: Serving, name: str) -> float:
    (found,) = [line for line in server.text("/metrics").splitlines() if line.startswith(name + " ")]
    return float(found.rpartition(" ")[2])


def test_a_store_that_cannot_be_opened_fails_each_request_until_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    url = f"sqlite:///{folder / 'people.db'}"

    async def ask(service: Tracking) -> None:
        for number in range(2):
            with pytest.raises(StoreError) as caught:
                await asyncio.wrap_future(service.store(json.dumps(event(number)).encode(), "track", "key"))
            assert caught.value.code == "STORE_OPEN" and str(folder) in caught.value.message
        folder.mkdir()
        await asyncio.wrap_future(service.store(json.dumps(event(2)).encode(), "track", "key"))
        await asyncio.to_thread(service.close)

    with IdentityGraph.open("sqlite:///:memory:") as graph:
        opens = partial(IdentityGraph.open, url, Policy.default())
        asyncio.run(ask(Tracking(graph.store, graph.resolver, WriteKeys(), graph.clock, graph.new_id, elsewhere=opens)))
    with IdentityGraph.open(url) as graph:
        assert graph.people.count() == 1


def test_none_begins_when_the_service_ends_though_something_is_not_published(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"

    async def ask(service: Tracking) -> None:
        await asyncio.wrap_future(service.store(json.dumps(event(1)).encode(), "track", "key"))
        await asyncio.to_thread(soon, lambda: service.standing.trouble == "POLICY_DIFFERS")
        await asyncio.to_thread(service.close)
        await asyncio.sleep(0.1)
        assert service.standing.since is not None
        assert service._storer and service._storer._process is None

    with IdentityGraph.open(url, Policy.parse("min_weight = 0.5")) as graph:
        graph.resolver.resolve()
        asyncio.run(ask(tracking(graph, partial(IdentityGraph.open, url, Policy.default()))))


def test_none_begins_for_who_may_not_send(tmp_path: Path) -> None:
    async def ask(service: Tracking) -> None:
        for key in (None, "other"):
            with pytest.raises(QueryError, match="key"):
                service.store(json.dumps(event(0) | {"writeKey": "other"}).encode(), "track", key)
        assert service._storer and service._storer._process is None

    with IdentityGraph.open(f"sqlite:///{tmp_path / 'people.db'}") as graph:
        opens = partial(IdentityGraph.open, f"sqlite:///{tmp_path / 'people.db'}")
        asyncio.run(ask(tracking(graph, opens, WriteKeys.parse("known"))))


def tracking(graph: IdentityGraph, opens: Callable[[], IdentityGraph], keys: WriteKeys | None = None) -> Tracking:
    keys = keys or WriteKeys()
    return Tracking(graph.store, graph.resolver, keys, graph.clock, graph.new_id, elsewhere=opens)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=40), st.lists(st.integers()))), st.data())
def test_frames_are_put_together_however_they_are_cut(contents: list[Any], data: st.DataObject) -> None:
    sent = b"".join(map(framed, contents))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    unframing = Unframing()
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert [found for piece in pieces for found in unframing.add(piece)] == contents
