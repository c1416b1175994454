"""Changes as they come, to real clients of a real server: over a WebSocket and by server-sent events."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from identity_graph import Identifier, IdentityGraph
from tests.api.conftest import event
from tests.api.test_server import Server, serving
from tests.conftest import soon
from tests.tracking.serving import PATIENCE

PROTOCOL = Subprotocol("graphql-transport-ws")
CHANGES = """subscription ($after: String, $person: PersonBy, $segment: String, $kinds: [ChangeKind!]) {
  changes(after: $after, person: $person, segment: $segment, kinds: $kinds) {
    kind personId segment cursor from person { id profile { values } }
  }
}"""
PRO = {"trait": {"name": "plan", "is": {"equals": "pro"}}}
_names = count()
PATIENT: dict[str, Any] = {"open_timeout": PATIENCE, "close_timeout": PATIENCE, "ping_interval": None}
"""Of a client: on a busy machine it takes what it takes to open, close or be heard."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("live"), max_streams=3, patience=3, max_connections=20) as started:
        yield started


class Socket:
    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire

    def say(self, **message: Any) -> None:
        self.wire.send(json.dumps(message))

    def hear(self) -> Any:
        return json.loads(self.wire.recv(timeout=PATIENCE))

    def subscribe(self, id: str, query: str = CHANGES, **variables: Any) -> None:
        self.say(type="subscribe", id=id, payload={"query": query, "variables": variables})

    def change(self, id: str) -> Any:
        found = self.hear()
        assert (found["type"], found["id"]) == ("next", id) and "errors" not in found["payload"], found
        return found["payload"]["data"]["changes"]

    def refusal(self, id: str) -> str:
        found = self.hear()
        assert (found["type"], found["id"]) == ("error", id), found
        (error,) = found["payload"]
        code: str = error["extensions"]["code"]
        return code

    def closed(self) -> int:
        """The code of the end, whatever comes before it."""
        try:
            while True:
                self.wire.recv(timeout=PATIENCE)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006

    def settle(self) -> None:
        """Until the server has begun with all that was said: an answer to what is asked of it takes as long."""
        self.say(type="subscribe", id="settle", payload={"query": "{ stats { events } }"})
        assert self.hear()["type"] == "next" and self.hear() == {"id": "settle", "type": "complete"}


@contextmanager
def opened(server: Server, *, init: bool = True, **more: Any) -> Iterator[Socket]:
    with connect(f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[PROTOCOL], **PATIENT | more) as wire:
        socket = Socket(wire)
        if init:
            socket.say(type="connection_init")
            assert socket.hear() == {"type": "connection_ack"}
        yield socket


def publish(server: Server, *keys: tuple[str, str], **traits: Any) -> None:
    """One event, and the persons that follow from it."""
    told = event(f"e{next(_names)}", "2025-12-01T10:00:00Z", "web", "Seen", dict(keys), traits)
    server.run("ingest", events=[told])
    server.run("resolve")


def somebody() -> tuple[str, str]:
    return ("user_id", f"u{next(_names)}")


def cursor(server: Server) -> str:
    """Of a change that was just made."""
    with opened(server) as socket:
        socket.subscribe("1")
        for _ in range(1000):
            publish(server, somebody())
            try:
                return str(json.loads(socket.wire.recv(timeout=0.5))["payload"]["data"]["changes"]["cursor"])
            except TimeoutError:
                continue
    raise AssertionError


def test_changes_come_as_they_are_published_and_go_on_from_a_cursor(server: Server) -> None:
    start = cursor(server)
    with opened(server) as socket:
        socket.subscribe("a", after=start)
        publish(server, somebody(), plan="pro")
        first = socket.change("a")
        assert first["kind"] == "CREATED" and first["person"]["profile"]["values"] == {"plan": "pro"}
    publish(server, somebody(), plan="free")
    with opened(server) as socket:
        socket.subscribe("b", after=first["cursor"])
        second = socket.change("b")
        assert second["kind"] == "CREATED" and second["person"]["profile"]["values"] == {"plan": "free"}
        socket.subscribe("c", after=start)
        assert [socket.change("c") for _ in range(2)] == [first, second]


def test_of_one_person_and_of_whom_it_is_merged_into(server: Server) -> None:
    start, one, other, third = cursor(server), somebody(), somebody(), ("email", "p@example.org")
    publish(server, third)
    publish(server, one)
    (found,) = server.run("people", by=[{"identifier": {"namespace": third[0], "value": third[1]}}])["people"]
    with opened(server) as socket:
        socket.subscribe("p", after=start, person={"id": found["id"]})
        assert socket.change("p")["kind"] == "CREATED"
        publish(server, other)
        publish(server, one, third)
        merged = socket.change("p")
        assert merged["kind"] == "MERGED" and found["id"] in (merged["personId"], *merged["from"])
        token = server.run("preview_erasure", by={"id": merged["personId"]})["previewErasure"]["token"]
        server.run("erase", token=token)
        assert socket.change("p")["kind"] == "ERASED"
        assert socket.hear() == {"id": "p", "type": "complete"}
        socket.subscribe("q", person={"id": "nobody"})
        assert socket.refusal("q") == "PERSON_UNKNOWN"


def test_who_enters_and_leaves_a_segment(server: Server) -> None:
    start, one = cursor(server), somebody()
    server.run("save_segment", name="pros", condition=PRO)
    with opened(server) as socket:
        socket.subscribe("s", after=start, segment="pros")
        publish(server, one, plan="pro")
        entered = socket.change("s")
        while entered["person"]["profile"]["values"] != {"plan": "pro"} or entered["cursor"] <= start:
            entered = socket.change("s")
        server.run("save_segment", name="pros", condition={"not": PRO})
        kinds = {(found["kind"], found["personId"]) for found in (socket.change("s") for _ in range(2))}
        while ("LEFT", entered["personId"]) not in kinds:
            found = socket.change("s")
            kinds.add((found["kind"], found["personId"]))
            assert found["segment"] == "pros"
        socket.subscribe("t", segment="none")
        while (found := socket.hear())["id"] == "s":
            pass
        assert found["type"] == "error" and found["payload"][0]["extensions"]["code"] == "SEGMENT_UNKNOWN"


def test_a_publication_of_another_process_is_seen(server: Server) -> None:
    start = cursor(server)
    with opened(server) as socket, IdentityGraph.open(f"sqlite:///{server.log.parent / 'people.db'}") as graph:
        socket.subscribe("x", after=start, kinds=["CREATED"])
        from tests.store.building import event as stored
        from tests.store.building import load

        load(graph.store, stored("elsewhere", "email:elsewhere@example.org"))
        graph.resolver.resolve()
        (person,) = graph.people.find_by_identifier([Identifier("email", "elsewhere@example.org")])
        assert person is not None and socket.change("x")["personId"] == person.id


def test_bad_subscriptions_are_errors_with_codes_and_the_connection_stays(server: Server) -> None:
    ahead = "WyJ4IiwxXQ"
    with IdentityGraph.open("sqlite:///:memory:"):
        from identity_graph.api.change import FEED
        from identity_graph.api.paging import cursor_of

        future = cursor_of(FEED, (10**15,))
    with opened(server) as socket:
        for number, (variables, code) in enumerate(
            [
                ({"after": future}, "CURSOR_EXPIRED"),
                ({"after": ahead}, "PAGE_INVALID"),
                ({"after": "%"}, "PAGE_INVALID"),
            ]
        ):
            socket.subscribe(str(number), **variables)
            assert socket.refusal(str(number)) == code
        socket.subscribe("q", "subscription { nothing }")
        assert socket.refusal("q") == "QUERY_INVALID"
        socket.subscribe("d", "subscription {" + " changes { person {" + " segments { members { nodes {" * 6 + " id ")
        assert socket.refusal("d") == "QUERY_INVALID"
        deep = "members(first: 100) { nodes { segments { " * 5 + "name" + " }}}" * 5
        socket.subscribe("deep", "subscription { changes { person { segments { " + deep + " }}}}")
        assert socket.refusal("deep") == "QUERY_TOO_COMPLEX"
        socket.say(type="subscribe", id="n", payload=["no object"])
        assert socket.refusal("n") == "BODY_INVALID"
        socket.settle()


def test_queries_and_mutations_go_over_the_socket_too(server: Server) -> None:
    with opened(server) as socket:
        socket.say(type="subscribe", id="1", payload={"query": "mutation { resolve { state } }"})
        assert socket.hear()["payload"]["data"]["resolve"]["state"] == "DONE"
        assert socket.hear() == {"id": "1", "type": "complete"}
        socket.say(type="ping")
        assert socket.hear() == {"type": "pong"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (['{"type":"subscribe","id":"1","payload":{"query":"{ stats { events } }"}}'], 4401),
        (['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429),
        (["no json"], 4400),
        (["[]"], 4400),
        (['{"type":"start","id":"1","payload":{}}'], 4400),
        (['{"type":"connection_init"}', '{"type":"subscribe","id":7,"payload":{}}'], 4400),
        ([b"\0"], 4400),
        (["[" * 100_000], 4400),
        (['{"type":"ping","payload":"' + "x" * (2 << 20) + '"}'], 1009),
    ],
)
def test_who_breaks_the_protocol_is_told_its_code(server: Server, messages: list[str | bytes], code: int) -> None:
    with opened(server, init=False) as socket:
        for message in messages:
            socket.wire.send(message)
        assert socket.closed() == code


def test_one_id_runs_once_and_few_run_at_a_time(server: Server) -> None:
    with opened(server) as socket:
        for id in ("1", "2", "3"):
            socket.subscribe(id)
        socket.subscribe("4")
        assert socket.refusal("4") == "CONNECTION_LIMIT"
        socket.say(type="complete", id="2")
        deadline = time.monotonic() + PATIENCE
        while True:
            socket.subscribe("2", "{ stats { events } }")
            found = socket.hear()
            if found["type"] == "next":
                break
            assert time.monotonic() < deadline
        assert socket.hear() == {"id": "2", "type": "complete"}
        socket.subscribe("1")
        assert socket.closed() == 4409


def test_the_predecessor_of_the_protocol_is_refused(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/graphql"
    for offered in ([Subprotocol("graphql-ws")], None):
        with connect(url, subprotocols=offered, **PATIENT) as wire:
            assert wire.subprotocol is None and Socket(wire).closed() == 4406


def test_pages_of_other_origins_are_refused(server: Server) -> None:
    with opened(server, origin=f"http://127.0.0.1:{server.port}"):
        pass
    with pytest.raises(InvalidStatus) as refused, opened(server, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def crowd(server: Server) -> tuple[str, dict[str, str]]:
    """A subscription to which 54 MB come at once, and its variables."""
    after = cursor(server)
    told = [
        event(f"e{next(_names)}", "2025-12-01T10:00:00Z", "web", "Seen", dict([somebody()])) for _ in range(3 * 900)
    ]
    for part in range(0, len(told), 900):
        server.run("ingest", events=told[part : part + 900])
    server.run("resolve")
    wide = " ".join(f"c{n}: cause {{ message kind policyVersion }}" for n in range(150))  # 20 KB a message
    return f"subscription ($after: String) {{ changes(after: $after) {{ {wide} }} }}", {"after": after}


def test_a_client_that_takes_nothing_is_cut_off_and_costs_nothing(server: Server) -> None:
    """Of others nobody notices."""
    query, start = crowd(server)
    before = _memory(server.pid)
    with opened(server, max_queue=1) as slow, opened(server) as quick:
        slow.subscribe("slow", query, **start)
        assert len(json.dumps(slow.change("slow"))) > 15_000
        quick.subscribe("quick", kinds=["CREATED"], **start)
        assert len({quick.change("quick")["personId"] for _ in range(2700)}) == 2700
        deadline = time.monotonic() + PATIENCE
        while _connected(server) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert slow.closed() in (1013, 1006)  # the second if it reads too late to be told
    assert _memory(server.pid) - before < 40 << 20  # 54 MB wait for the slow one, in the store


def test_a_client_that_never_takes_anything_loses_its_connection(tmp_path: Path) -> None:
    """Else what is still to be sent would be kept, with the connection, until the client ends."""
    with serving(tmp_path, patience=1) as server:
        query, start = crowd(server)
        soon(lambda: _sockets(server.pid) == 1)  # it listens
        with opened(server, max_queue=1) as socket, streaming(server, query, **start):
            socket.subscribe("slow", query, **start)
            assert _sockets(server.pid) == 3
            soon(lambda: _sockets(server.pid) == 1, PATIENCE)
            assert socket.closed() == 1006


def _connected(server: Server) -> int:
    with urllib.request.urlopen(server.url + "/metrics", timeout=PATIENCE) as response:
        (line,) = [
            line for line in response.read().decode().splitlines() if line.startswith("identity_graph_waiting_c")
        ]
    return int(float(line.split()[1]))


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def _sockets(pid: int) -> int:
    """Of TCP, that a process has open."""
    opened = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        # What was listed may be closed since.
        with suppress(FileNotFoundError):
            opened.add(str(entry.readlink()))
    return sum(f"socket:[{line.split()[9]}]" in opened for line in Path("/proc/net/tcp").read_text().splitlines()[1:])


# ---- server-sent events


class Stream:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def hear(self) -> tuple[str, Any]:
        event = ""
        while line := self.response.readline().decode():
            if line.startswith("event: "):
                event = line[7:].strip()
            elif line.startswith("data:"):
                text = line[5:].strip()
                return event, json.loads(text) if text else None
        return "", None


@contextmanager
def streaming(server: Server, query: str, **variables: Any) -> Iterator[Stream]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as wire:
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        wire.request("POST", "/graphql", json.dumps({"query": query, "variables": variables}), headers)
        with wire.getresponse() as response:
            yield Stream(response)


def test_changes_by_server_sent_events(server: Server) -> None:
    start = cursor(server)
    with streaming(server, CHANGES, after=start, kinds=["CREATED"]) as stream:
        assert stream.response.status == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        publish(server, somebody(), plan="pro")
        kind, found = stream.hear()
        assert kind == "next" and found["data"]["changes"]["kind"] == "CREATED"
    with streaming(server, "{ stats { hubs } }") as stream:
        assert stream.hear() == ("next", {"data": {"stats": {"hubs": 0}}}) and stream.hear() == ("complete", None)
    with streaming(server, "subscription { nothing }") as stream:
        kind, found = stream.hear()
        assert kind == "next" and found["errors"][0]["extensions"]["code"] == "QUERY_INVALID"
        assert stream.hear() == ("complete", None)


def test_a_subscription_as_a_plain_request_is_refused(server: Server) -> None:
    body = json.dumps({"query": CHANGES}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    assert b"STREAM_REQUIRED" in server.raw(head.encode() + body)


def test_seats_are_limited_and_given_back(tmp_path: Path) -> None:
    with serving(tmp_path, max_connections=1) as few:
        with opened(few) as first:
            first.subscribe("1")
            first.settle()
            with opened(few, init=False) as second:
                assert second.closed() == 1013
            with streaming(few, CHANGES) as stream:
                assert stream.response.status == 503 and b"CONNECTION_LIMIT" in stream.response.read()
        deadline = time.monotonic() + PATIENCE
        while True:
            with streaming(few, "{ stats { hubs } }") as stream:
                if stream.response.status == 200:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_server_ends_while_clients_wait(tmp_path: Path) -> None:
    """`serving` waits for its end, and ends it as an operator does."""
    heard: list[Any] = []
    with serving(tmp_path) as ending, opened(ending) as socket:
        socket.subscribe("1")
        socket.settle()
        listening = threading.Thread(target=lambda: heard.append(socket.closed()))
        listening.start()
        os.kill(ending.pid, signal.SIGTERM)
        listening.join(PATIENCE)
    assert heard == [1012]
