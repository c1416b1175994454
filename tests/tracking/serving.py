"""A real server in a process of its own, as its user starts it; and what its clients do."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from tests.nursery import Forked

PATIENCE = 120  # seconds: a server that compiles its kernels for the first time, on a busy machine, takes that long

PROFILE = """query($by: PersonBy!) { person(by: $by) {
    identifiers { identifier { key } } profile { values } journey(last: 50) { nodes { id name source time } } } }"""


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]


class Serving:
    def __init__(self, process: Forked, url: str) -> None:
        self.process = process
        self.url = url

    def send(self, path: str, body: Any, *, key: str | None = "any", method: str = "POST", **headers: str) -> Answer:
        """A body that is not bytes is sent as JSON; names of headers are written with _."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("content-type", "application/json")
        if key is not None:
            sent["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        request = urllib.request.Request(self.url + path, raw, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                content = response.read()
                return Answer(response.status, json.loads(content) if content else None, dict(response.headers))
        except urllib.error.HTTPError as error:
            content = error.read()
            return Answer(error.code, json.loads(content) if content else None, dict(error.headers))

    def get(self, path: str) -> Any:
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as response:
            found: bytes = response.read()
        return found.decode()

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self.send("/graphql", {"query": query, "variables": variables})
        assert "errors" not in answer.body, answer.body
        return answer.body["data"]

    def person(self, namespace: str, value: str) -> Any:
        by = {"identifier": {"namespace": namespace, "value": value}}
        return self.ask(PROFILE, by=by)["person"]

    def person_soon(self, namespace: str, value: str, events: int = 1, identifiers: int = 1) -> Any:
        """Once that many events are in the journey, and that many identifiers in the person: of these later."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.person(namespace, value)
            if found and len(found["journey"]["nodes"]) >= events and len(found["identifiers"]) >= identifiers:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.005)

    def runs(self) -> list[Any]:
        found = self.ask(
            "{ runs(first: 100) { nodes { kind state source read accepted duplicate quarantined suppressed } } }"
        )
        return [run for run in found["runs"]["nodes"] if run["kind"] == "track"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=PATIENCE) == 0


@contextmanager
def serving(store: str, *, port: int = 0, **settings: str) -> Iterator[Serving]:
    """`settings` are those of the environment, without their prefix. Without keys, also of tokens, it answers
    whoever asks."""
    opened = [] if {"keys", "jwt_keys"} & settings.keys() else ["--open"]
    command = ["-m", "identity_graph", "serve", "--store", store, "--port", str(port), *opened]
    with Forked(command, environment(**settings)) as process:
        yield Serving(process, heard(process.stderr))
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def environment(**settings: str) -> dict[str, str]:
    own = {"IDENTITY_GRAPH_DEADLINE": "60"}  # the machine may be busy with other things
    own |= {f"IDENTITY_GRAPH_{name.upper()}": value for name, value in settings.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_GRAPH_")}
    return kept | own


def heard(said: IO[str]) -> str:
    """The URL at which the server says that it is."""
    lines: list[str] = []  # of an erasure that was interrupted, say
    while not (found := re.search(r"GraphQL at (https?://[^/]+)", (line := said.readline()))):
        assert line and not line.startswith("ended"), "".join(lines)
        lines.append(line)
    return found[1]
