"""What becomes of messages behind the answer: runs, publication, and processes that come and go."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph import IdentityGraph, Policy
from identity_graph.errors import HELP, PolicyError
from identity_graph.model import RunState
from identity_graph.publishing import Publishing
from identity_graph.tracking.counting import LENGTH
from identity_graph.tracking.mapper import LARGE
from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys
from tests.conftest import Clock, soon
from tests.nursery import ROOT
from tests.tracking.serving import PATIENCE, Serving, environment, serving


@pytest.fixture
def graph(tmp_path: Path, clock: Clock) -> Iterator[IdentityGraph]:
    with IdentityGraph.open(f"sqlite:///{tmp_path / 'people.db'}", clock=clock) as opened:
        yield opened


def tracking(graph: IdentityGraph) -> Tracking:
    return Tracking(graph.store, graph.resolver, WriteKeys(), graph.clock, graph.new_id)


def sent(user: str) -> bytes:
    return json.dumps({"userId": user, "event": "Seen"}).encode()


def test_a_run_lasts_an_hour_and_ends_with_the_server(graph: IdentityGraph, clock: Clock) -> None:
    service = tracking(graph)
    for hours in (0, 0.5, 0.49, 0.02, 0.1):
        clock.tick(hours * LENGTH / 1_000_000)
        service.store(sent("u"), "track", "key").result(PATIENCE)
        runs = [run for run in graph.store.operations.runs() if run.kind == "track"]
    assert [(run.state, run.read) for run in runs] == [(RunState.RUNNING, 2), (RunState.DONE, 3)]
    service.close()
    runs = [run for run in graph.store.operations.runs() if run.kind == "track"]
    assert [(run.state, run.accepted) for run in runs] == [(RunState.DONE, 2), (RunState.DONE, 3)]


def test_what_is_acknowledged_is_published_when_the_server_ends(graph: IdentityGraph) -> None:
    service = tracking(graph)
    found = [service.store(sent(f"u{number}"), "track", "key") for number in range(300)]
    service.close()
    assert all(future.result(0) is None for future in found)
    assert graph.people.count() == 300
    assert service.standing.trouble == "" and not service.full


def test_full_collections_do_not_walk_what_the_first_publication_loaded(graph: IdentityGraph) -> None:
    """Such a walk would keep everybody waiting for a tenth of a second."""
    gc.unfreeze()
    loaded = len(gc.get_objects())
    try:
        service = tracking(graph)
        service.store(sent("u"), "track", "key").result(PATIENCE)
        service.close()
        assert service.standing.publications == 1
        assert gc.get_freeze_count() > loaded / 2
        assert len(gc.get_objects()) < loaded / 2
    finally:
        gc.unfreeze()


def test_an_empty_batch_is_answered_too(graph: IdentityGraph) -> None:
    service = tracking(graph)
    body = json.dumps({"batch": []}).encode()
    service.store(body, "batch", "key").result(PATIENCE)
    service.store(sent("u"), "track", "key").result(PATIENCE)
    service.close()
    assert graph.store.operations.counts()["events"] == 1


def test_two_servers_over_one_store(tmp_path: Path) -> None:
    """They take turns at writing, and each counts its own."""
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with serving(url) as one, serving(url) as two:
        for number in range(10):
            for name, server in (("one", one), ("two", two)):
                answer = server.send("/v1/track", {"userId": "u", "event": "Seen", "messageId": f"{name}-{number}"})
                assert answer.status == 200
        assert len(one.person_soon("user_id", "u", events=20)["journey"]["nodes"]) == 20
        runs = two.runs()
        assert sum(run["read"] for run in runs) == sum(run["accepted"] for run in runs) == 20


def test_another_policy_publishes_nothing_and_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    other = tmp_path / "other.toml"
    other.write_text("min_weight = 0.5\n")
    with serving(url) as server:
        server.send("/v1/track", {"userId": "u", "event": "Seen"})
        server.person_soon("user_id", "u")
        assert server.get("/health")["status"] == "ok"
        with IdentityGraph.open(url, Policy.read(other)) as graph:
            graph.resolver.resolve()
        assert server.send("/v1/track", {"userId": "later", "event": "Seen"}).status == 200
        deadline = time.monotonic() + PATIENCE
        while server.get("/health")["persons"] != "POLICY_DIFFERS":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.get("/health")["status"] == "degraded"
        assert server.person("user_id", "later") is None
        server.ask("mutation { resolve { id } }")
        assert server.person("user_id", "later")
        while server.get("/health")["persons"] != "ok":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.get("/health")["status"] == "ok"


def test_a_service_does_not_begin_where_it_would_publish_nothing(shared_url: str, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("min_weight = 0.5\n")
    with IdentityGraph.open(shared_url, Policy.read(other)) as graph:
        graph.resolver.resolve()
    words = [sys.executable, "-m", "identity_graph", "serve", "--store", shared_url, "--port", "0", "--open"]
    begun = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert begun.returncode == PolicyError.exit_status
    code, _, _ = begun.stderr.partition(":")
    assert code == "POLICY_DIFFERS" and begun.stderr.splitlines()[1:] == [HELP["POLICY_DIFFERS"]]
    with serving(shared_url, policy=str(other)) as server:
        assert server.get("/health")["status"] == "ok"


def test_what_keeps_persons_from_being_published_is_said_with_its_help(
    graph: IdentityGraph, caplog: pytest.LogCaptureFixture
) -> None:
    graph.resolver.resolve()
    with IdentityGraph(graph.store, Policy.parse("min_weight = 0.5")) as other:
        publishing = Publishing(other.resolver)
        for _ in range(2):
            publishing.arrived()
            publishing.publish()
        (said,) = caplog.messages
        assert publishing.failure and publishing.trouble == "POLICY_DIFFERS"
        assert said == (
            f"persons are not published: POLICY_DIFFERS: {publishing.failure.message}. {HELP['POLICY_DIFFERS']}"
        )
        other.resolver.resolve()
        publishing.publish()
        assert publishing.trouble == ""


def test_the_process_that_maps_may_die(tmp_path: Path) -> None:
    batch = {"batch": [{"type": "track", "userId": "u", "event": "Seen", "properties": {"t": "x" * 300}}] * 40}
    body = json.dumps(batch).encode()
    assert len(body) > LARGE
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        for turn in range(5):
            assert server.send("/v1/batch", body).status == 200
            if turn == 2:
                os.kill(children(server)["mapper"], signal.SIGKILL)
        answer = server.send("/v1/batch", b'{"batch": 1' + b" " * LARGE + b"}")
        assert (answer.status, answer.body["code"]) == (400, "MESSAGE_INVALID")
        (run,) = server.runs()
        assert run["accepted"] == 200


def test_nothing_is_left_of_a_server_that_was_killed(tmp_path: Path) -> None:
    body = json.dumps({"batch": [{"type": "track", "userId": "u"}] * 500}).encode()
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        server.send("/v1/batch", body)
        server.send("/v1/batch", body)
        found = children(server)
        assert found.keys() == {"mapper", "storing"}
        server.kill()
        soon(lambda: not any(map(lives, found.values())))


def children(server: Serving) -> dict[str, int]:
    """Processes that it began and that live, by the module that each runs."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    begun = [int(child) for task in tasks for child in task.read_text().split()]
    return {ran(child): child for child in begun if lives(child)}


def ran(process: int) -> str:
    found = re.search(rb"identity_graph\.tracking\.(\w+)", Path(f"/proc/{process}/cmdline").read_bytes())
    assert found
    return found[1].decode()


def lives(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and "Z" not in stat.read_text().split()[2]
