"""Profiles by GraphQL over HTTP beside stock strawberry and a raw handler: `python -m bench.profile`.

Persons of 20 identifiers, 15 traits and 20 events, each asked for whole, one after the other. Stock strawberry has the
same answers in memory and reads no store; the raw handler reads the body and returns the bytes of one answer. Each is a
server with a process of its own; this process asks through eight connections that stay open. Best of five, interleaved,
and every answer is compared. A hundred persons in one request are compared with one, through one connection.

A process that has read a person remembers it until somebody writes. `new to it` is the first look of a server at each.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson

from bench.stock import stock
from identity_graph.api import create_app, execute
from identity_graph.model import Event, Identifier
from identity_graph.service import IdentityGraph
from identity_graph.times import SECOND, parse_time

PERSONS = 400
IDENTIFIERS, TRAITS, EVENTS = 20, 15, 20
MANY = 100
ROUNDS = 5
REQUESTS = 1_600
CONNECTIONS = 8
STOCK, RAW, HUNDRED = 10.0, 0.8, 20.0  # bars: times stock strawberry, of a raw handler, times one person
KINDS = ("ours", "raw", "stock")

FIELDS = """id identifiers { identifier { key namespace value } confidence since }
    profile { traits { name value source time } } journey(first: 20) { nodes { id time source name } }"""
ONE = f"query Person($by: PersonBy!) {{ person(by: $by) {{ {FIELDS} }} }}"
SOME = f"query People($by: [PersonBy!]!) {{ people(by: $by) {{ {FIELDS} }} }}"


def events() -> Iterator[Event]:
    """A user signs in from many browsers."""
    begin = parse_time("2025-06-01T00:00:00Z")
    for person in range(PERSONS):
        own = [Identifier("user_id", f"u-{person}"), Identifier("email", f"u-{person}@example.org")]
        cookies = [Identifier("anonymous_id", f"a-{person}-{n}") for n in range(IDENTIFIERS - len(own))]
        for number in range(EVENTS):
            seen = (*own, cookies[number % len(cookies)])
            traits = {f"trait_{trait}": f"{person} {trait}" for trait in range(TRAITS) if trait % EVENTS <= number}
            time = begin + (person + number * 3_600) * SECOND
            yield Event(f"e-{person}-{number}", time, "web", "Page Viewed", seen, traits, {"path": f"/{number}"})


def serve(kind: str, path: str, answers: str, descriptor: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    known = orjson.loads(Path(answers).read_bytes())
    first = orjson.dumps({"data": {"person": next(iter(known.values()))}})

    async def raw(request: Request) -> Response:
        await request.body()
        return Response(first, media_type="application/json")

    with ExitStack() as stack:
        if kind == "ours":
            app = create_app(stack.enter_context(IdentityGraph.open(f"sqlite:///{path}")))
        elif kind == "stock":
            app = stock(known)
        else:
            app = Starlette(routes=[Route("/graphql", raw, methods=["POST"])])
        # By `fd=` uvicorn takes it for a Unix socket, and each answer then waits 40 ms for Nagle's algorithm.
        listening = socket.socket(fileno=int(descriptor))
        uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listening])


@contextmanager
def served(kind: str, path: Path, answers: Path) -> Iterator[int]:
    """The port of a server in a process of its own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        descriptor = listening.fileno()
        command = [sys.executable, "-m", "bench.profile", kind, str(path), str(answers), str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


async def ask(port: int, bodies: Sequence[bytes]) -> list[bytes]:
    """The answers to requests that are sent one after the other through one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for body in bodies:
        head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        headers = await reader.readuntil(b"\r\n\r\n")
        assert headers.startswith(b"HTTP/1.1 200 "), headers
        length = next(line for line in headers.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        answers.append(await reader.readexactly(int(length.split(b":")[1])))
    writer.close()
    await writer.wait_closed()
    return answers


async def rate(port: int, bodies: Sequence[bytes], expected: Sequence[object] | None) -> float:
    """Requests a second through all connections."""
    shares = [range(n, len(bodies), CONNECTIONS) for n in range(CONNECTIONS)]
    started = time.perf_counter()
    found = await asyncio.gather(*(ask(port, [bodies[n] for n in share]) for share in shares))
    taken = time.perf_counter() - started
    if expected is not None:
        for share, answers in zip(shares, found, strict=True):
            assert [orjson.loads(answer) for answer in answers] == [expected[n] for n in share]
    return len(bodies) / taken


def seconds(port: int, body: bytes) -> float:
    """Of the quickest of some requests, one after the other."""
    taken = []
    for _ in range(10):
        started = time.perf_counter()
        asyncio.run(ask(port, [body]))
        taken.append(time.perf_counter() - started)
    return min(taken)


def prepare(path: Path) -> dict[str, Mapping[str, Any]]:
    """Each person as it is answered, by person id."""
    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        graph.ingest.events(list(events()))
        graph.resolver.resolve()
        answers: dict[str, Mapping[str, Any]] = {}
        for person in graph.people.page("", PERSONS + 1):
            answer = execute(graph, ONE, {"by": {"id": person.id}})
            found = answers[person.id] = answer["data"]["person"]
            shape = (len(found["identifiers"]), len(found["profile"]["traits"]), len(found["journey"]["nodes"]))
            assert shape == (IDENTIFIERS, TRAITS, EVENTS), shape
        assert len(answers) == PERSONS
        return answers


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path, file = Path(folder) / "people.db", Path(folder) / "answers.json"
        answers = prepare(path)
        file.write_bytes(orjson.dumps(answers))
        ids = list(answers)
        bodies = [orjson.dumps({"query": ONE, "variables": {"by": {"id": id}}}) for id in ids]
        expected: list[object] = [{"data": {"person": answers[id]}} for id in ids]
        ports = {kind: stack.enter_context(served(kind, path, file)) for kind in KINDS}
        rate_of_new = asyncio.run(rate(ports["ours"], bodies, expected))
        asked = {"ours": (bodies * 4, expected * 4), "raw": (bodies * 4, None), "stock": (bodies, expected)}
        rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(ROUNDS):
            for kind, port in ports.items():
                rates[kind].append(asyncio.run(rate(port, *asked[kind])))
        many = orjson.dumps({"query": SOME, "variables": {"by": [{"id": id} for id in ids[:MANY]]}})
        hundred = seconds(ports["ours"], many) / seconds(ports["ours"], bodies[0])
    ours, raw, theirs = (max(rates[kind]) for kind in KINDS)
    size = len(orjson.dumps(expected[0]))
    print(f"profile: {size:,} bytes; {ours:,.0f} requests/s; {rate_of_new:,.0f} of persons that are new to the server")
    print(f"profile: stock strawberry {theirs:,.0f} requests/s: {ours / theirs:.1f} times as many (bar {STOCK:.0f})")
    print(f"profile: a raw handler {raw:,.0f} requests/s: {ours / raw:.2f} of it (goal {RAW})")
    print(f"profile: {MANY} persons in one request take {hundred:.1f} times as long as one (bar {HUNDRED:.0f})")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(*sys.argv[1:])
    else:
        main()
