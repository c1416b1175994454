"""A real server in a process of its own: what a client on a wire sees."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from identity_graph.api.terms import MAX_BODY
from tests.api.conftest import ANN, EVENTS, email_of, operation_text
from tests.tracking.serving import PATIENCE

AUDIT = Path(os.environ.get("IDENTITY_GRAPH_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
AUDIT /= "graphql_http_audit"

SERVE = """
import json, logging, sys
from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.api.terms import Terms
from identity_graph.cli.server import Server
url, more = sys.argv[1:]
terms = Terms(**{"deadline": 60} | json.loads(more))
with IdentityGraph.open(url) as graph:
    app = create_app(graph, terms=terms)
    server = Server(app, host="127.0.0.1", port=0, max_body=4 * terms.max_body, patience=terms.patience, say=print)
    server.config.ws_ping_interval = None
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)
    server.serve_until_stopped()
"""
"""No pings: they would end what the server has to end by itself. A message that is too large comes whole, and the
application refuses it: uvicorn ends a connection in the middle of one, and who still sends may not hear why."""


class Server:
    def __init__(self, port: int, log: Path, pid: int) -> None:
        self.port = port
        self.pid = pid
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as response:
            return json.load(response)

    def run(self, operation: str, **variables: Any) -> Any:
        body = json.dumps({"query": operation_text(operation), "variables": variables}).encode()
        request = urllib.request.Request(self.url + "/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return json.load(response)["data"]

    def raw(self, *parts: bytes) -> bytes:
        """Send until the server stops listening; then everything that it answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as wire:
            try:
                for part in parts:
                    wire.sendall(part)
            except ConnectionError:
                pass  # it has said enough
            answer = b""
            try:
                while chunk := wire.recv(65_536):
                    answer += chunk
                    if b"}]}" in answer:
                        break
            except ConnectionError:
                pass
            return answer


@contextmanager
def serving(folder: Path, **terms: Any) -> Iterator[Server]:
    said = folder / "log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-uc", SERVE, f"sqlite:///{folder / 'people.db'}", json.dumps(terms)],
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not (found := re.search(r"GraphQL at http://127\.0\.0\.1:(\d+)/", said.read_text())):
                assert process.poll() is None and time.monotonic() < deadline, said.read_text()
                time.sleep(0.05)
            yield Server(int(found[1]), said, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as started:
        yield started


def test_a_story_over_the_wire(server: Server) -> None:
    assert server.get("/health") == {"status": "ok", "store": "ok", "tracking": "ok", "persons": "ok"}
    assert server.run("ingest", events=EVENTS)["ingest"]["read"] == len(EVENTS)
    server.run("resolve")
    assert server.run("profile", by=email_of(ANN))["person"]["profile"]["values"] == {
        "first_name": "Anne",
        "plan": "pro",
    }
    token = server.run("preview_erasure", by=email_of(ANN))["previewErasure"]["token"]
    server.run("erase", token=token)
    assert server.run("profile", by=email_of(ANN))["person"] is None
    assert server.run("ingest", events=EVENTS)["ingest"]["suppressed"] == 6


def test_readers_and_writers_at_once(server: Server) -> None:
    """Twenty of each: nobody is refused, and every answer is of one moment."""
    bob = {"identifier": {"namespace": "user_id", "value": "u2"}}
    server.run("ingest", events=EVENTS)

    def work(number: int) -> Any:
        if number % 4 == 0:
            return server.run("resolve", full=True)["resolve"]["state"]
        if number % 4 == 1:
            return server.run("ingest", events=EVENTS)["ingest"]["read"]
        return server.run("person", by=bob)["person"]["profile"]["traits"][0]["value"]

    server.run("resolve")
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(work, range(40))) == ["DONE", 10, "Bob", "Bob"] * 10


HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


def test_a_body_without_end_is_stopped(server: Server) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = server.raw(HEAD + b"transfer-encoding: chunked\r\n\r\n", *[chunk] * (10 * MAX_BODY // 65_536))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"BODY_TOO_LARGE" in answer
    answer = server.raw(HEAD + b"content-length: 209715200\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert server.get("/health")["status"] == "ok"


def highest_memory(pid: int) -> int:
    """Bytes of a process, ever."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return 1024 * int(line)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read as Linux has it")
@pytest.mark.parametrize("framed", ["chunked", "declared", "said to be short"])
def test_a_body_of_200_megabytes_takes_no_memory(server: Server, framed: str) -> None:
    full = b'{"query": "{ stats { events } }"' + b" " * (MAX_BODY - 100) + b"}"
    for _ in range(3):
        server.raw(HEAD + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(full), full)
    before = highest_memory(server.pid)
    piece, pieces = b" " * 65_536, 200_000_000 // 65_536
    if framed == "chunked":
        answer = server.raw(HEAD + b"transfer-encoding: chunked\r\n\r\n", *[b"10000\r\n" + piece + b"\r\n"] * pieces)
    else:
        length = 200_000_000 if framed == "declared" else 10
        answer = server.raw(HEAD + b"content-length: %d\r\n\r\n" % length, *[piece] * pieces)
    assert answer.startswith(b"HTTP/1.1 413 " if length_of(framed) else b"HTTP/1.1 400 ")
    assert highest_memory(server.pid) - before <= 8 << 20
    assert server.get("/health")["status"] == "ok"


def length_of(framed: str) -> bool:
    """Whether the server could see that the body is too long; else it reads ten bytes, which are no request."""
    return framed != "said to be short"


def test_the_log_of_the_server_has_no_values(server: Server) -> None:
    text = "secret.person@example.org"
    query = f'{{ person(by: {{identifier: {{namespace: "email", value: "{text}"}}}}) {{ nope }} }}'
    with pytest.raises(urllib.error.HTTPError):
        server.get("/graphql?query=" + urllib.parse.quote(query) + "&variables=" + text)
    assert "secret.person" not in server.log.read_text()


@pytest.mark.parametrize("introspection", ["on", "off"])
def test_the_audit_of_graphql_over_http_finds_nothing(
    introspection: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """All 61 audits of the npm package `graphql-http`: 13 MUST, 23 SHOULD, 25 MAY."""
    if not AUDIT.is_dir():
        pytest.skip(f"the audit is not at {AUDIT}: set IDENTITY_GRAPH_TEST_DATA to the folder of test data")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("the audit of GraphQL over HTTP needs node and npm: install Node.js")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("graphql_http_audit")
    for name in ("audit.mjs", "package.json"):
        (folder / name).write_bytes((AUDIT / name).read_bytes())
    if not (folder / "node_modules" / "graphql-http").is_dir():
        installed = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True
        )
        if installed.returncode:
            pytest.skip(f"npm could not install graphql-http for the audit: {installed.stderr[-300:]}")
    with serving(tmp_path, introspection=introspection == "on") as server:
        audit = subprocess.run(
            [node, "audit.mjs", server.url + "/graphql"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
    assert audit.stdout.splitlines() == ["audits 61 13 MUST 23 SHOULD 25 MAY", "{ ok: 61 }"]
