"""The shipped subscriptions, from a server in a process of its own over each store, while another process works."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from identity_graph import IdentityGraph
from tests.api.conftest import email_of, event, operation_text
from tests.api.test_subscriptions import PATIENT, PROTOCOL, Socket
from tests.neo4j.database import emptied
from tests.story.ingesting import EVENTS, jsonl, native, write
from tests.tracking.serving import PATIENCE, Serving, serving


@pytest.fixture(scope="module", params=["sqlite", "neo4j"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, str]]:
    """And the URL of its store."""
    folder = tmp_path_factory.mktemp("watched")
    url = f"sqlite:///{folder / 'people.db'}"
    if request.param == "neo4j":
        url = emptied(request.getfixturevalue("neo4j_url"))
    with serving(url) as server:
        yield server, url


@contextmanager
def opened(server: Serving) -> Iterator[Socket]:
    with connect(f"{server.url.replace('http', 'ws', 1)}/graphql", subprotocols=[PROTOCOL], **PATIENT) as wire:
        socket = Socket(wire)
        socket.say(type="connection_init")
        assert socket.hear() == {"type": "connection_ack"}
        yield socket


def publish(server: Serving, name: str, identifiers: dict[str, str], **traits: Any) -> None:
    told = event(name, "2025-12-01T10:00:00Z", "web", "Seen", identifiers, traits)
    server.ask(operation_text("ingest"), events=[told])
    server.ask(operation_text("resolve"))


def test_watch_changes(served: tuple[Serving, str]) -> None:
    """From a person's beginning to its end, over a break of the connection."""
    server, _ = served
    watch, ann = operation_text("watch_changes"), email_of("ann@example.org")
    publish(server, "e0", {"user_id": "u0"})
    (start,) = server.ask(operation_text("changes"))["changes"]["nodes"]
    with opened(server) as socket:
        socket.subscribe("1", watch, after=start["cursor"])
        publish(server, "e1", {"user_id": "u1", "email": "ann@example.org"}, plan="pro")
        created = socket.change("1")
        assert (created["kind"], created["person"]) == ("CREATED", {"profile": {"values": {"plan": "pro"}}})
    condition = {"trait": {"name": "plan", "is": {"equals": "pro"}}}
    server.ask(operation_text("save_segment"), name="pros", condition=condition)
    with opened(server) as socket:
        socket.subscribe("2", watch, after=created["cursor"], segment="pros")
        entered = socket.change("2")
        assert (entered["kind"], entered["segment"]) == ("ENTERED", "pros")
        assert entered["personId"] == created["personId"]
        publish(server, "e2", {"user_id": "u1"}, plan="free")
        server.ask(operation_text("save_segment"), name="pros", condition={"not": condition})
        left = socket.change("2")
        while (left["kind"], left["personId"]) != ("LEFT", created["personId"]):
            left = socket.change("2")
        heard: dict[str, list[Any]] = {"2": [], "3": []}

        def hear() -> None:
            found = socket.hear()
            heard[found["id"]].append(found)

        socket.subscribe("3", watch, after=created["cursor"], person=ann)
        while not heard["3"]:  # whoever is erased before it begins is not found any more
            hear()
        token = server.ask(operation_text("preview_erasure"), by=ann)["previewErasure"]["token"]
        server.ask(operation_text("erase"), token=token)
        while heard["3"][-1]["type"] != "complete":
            hear()
        erased = heard["3"][-2]
        assert erased["payload"]["data"]["changes"]["kind"] == "ERASED"


def test_watch_run(served: tuple[Serving, str], tmp_path: Path) -> None:
    """A load that waits after each batch until it was seen."""
    server, url = served
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(100, 115))))
    stands, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        stands.set()
        assert go_on.wait(PATIENCE)

    def load() -> None:
        with IdentityGraph.open(url) as graph:
            graph.ingest.load(EVENTS, path, batch=5, progress=wait)
        done.set()

    working = threading.Thread(target=load)
    working.start()
    assert stands.wait(PATIENCE)
    (begun,) = (run for run in server.ask(operation_text("runs"))["runs"]["nodes"] if run["kind"] == "load")
    with opened(server) as socket:
        socket.subscribe("1", operation_text("watch_run"), run=begun["id"])
        first = socket.hear()["payload"]["data"]["progress"]
        assert (first["state"], first["read"], first["accepted"]) == ("RUNNING", 5, 5)
        assert 0.2 < first["progress"] < 0.5
        go_on.set()
        shown = [first]
        while (found := socket.hear())["type"] == "next":
            shown.append(found["payload"]["data"]["progress"])
        assert found == {"id": "1", "type": "complete"}
        assert (shown[-1]["state"], shown[-1]["read"], shown[-1]["progress"]) == ("DONE", 15, 1.0)
        assert [one["read"] for one in shown] == sorted(one["read"] for one in shown)
        socket.subscribe("2", operation_text("watch_run"), run=begun["id"])
        assert socket.hear()["payload"]["data"]["progress"] == shown[-1]
        assert socket.hear() == {"id": "2", "type": "complete"}
        socket.subscribe("3", operation_text("watch_run"), run="none")
        assert socket.refusal("3") == "RUN_UNKNOWN"
    working.join(PATIENCE)
    assert done.is_set()
    assert server.ask(operation_text("run"), id=begun["id"])["run"] == shown[-1] | {"kind": "load"}
