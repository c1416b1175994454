"""Profiles by GraphQL over HTTP beside a raw handler that returns the same bytes: `python -m bench.profile`.

One uvicorn in a process of its own serves both; this process asks through eight connections that stay open. Of
the persons with traits in a seeded world it is the one with the median number of events. Best of five, interleaved.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.resolve import prepare
from identity_graph.api import create_app, execute
from identity_graph.files import data_folder
from identity_graph.service import IdentityGraph

PEOPLE = 1_000
ROUNDS = 5
REQUESTS = 1_600
CONNECTIONS = 8
MEDIA = "application/graphql-response+json; charset=utf-8"


def serve(path: str, expected: str, descriptor: str) -> None:
    """The application, and `/raw` beside it: reads the body and returns the bytes of the file."""
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    answer = Path(expected).read_bytes()

    async def raw(request: Request) -> Response:
        await request.body()
        return Response(answer, media_type=MEDIA)

    with IdentityGraph.open(f"sqlite:///{path}") as graph:
        app = create_app(graph)
        app.routes.append(Route("/raw", raw, methods=["POST"]))
        # By `fd=` uvicorn takes it for a Unix socket, and each answer then waits 40 ms for Nagle's algorithm.
        listening = socket.socket(fileno=int(descriptor))
        uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listening])


@contextmanager
def served(path: Path, expected: Path) -> Iterator[int]:
    """The port of a server in a process of its own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        descriptor = listening.fileno()
        command = [sys.executable, "-m", "bench.profile", str(path), str(expected), str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


async def ask(port: int, route: str, body: bytes, times: int) -> bytes:
    """The last answer to the same request sent again and again through one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST {route} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    request = head.encode() + f"accept: {MEDIA.split(';')[0]}\r\n\r\n".encode() + body
    answer = b""
    for _ in range(times):
        writer.write(request)
        headers = await reader.readuntil(b"\r\n\r\n")
        assert headers.startswith(b"HTTP/1.1 200 "), headers
        length = next(line for line in headers.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        answer = await reader.readexactly(int(length.split(b":")[1]))
    writer.close()
    await writer.wait_closed()
    return answer


async def rate(port: int, route: str, body: bytes, expected: bytes) -> float:
    """Requests a second through all connections."""
    started = time.perf_counter()
    asked = [ask(port, route, body, REQUESTS // CONNECTIONS) for _ in range(CONNECTIONS)]
    assert set(await asyncio.gather(*asked)) == {expected}, f"{route} answers something else"
    return REQUESTS / (time.perf_counter() - started)


def choose(graph: IdentityGraph) -> tuple[str, int]:
    """Of the persons with traits, the one with the median number of events, and that number; ties by key."""
    ids = [person.id for person in graph.people.page("", 2 * PEOPLE)]
    known = zip(ids, graph.people.journeys(ids), graph.people.profiles(ids), graph.people.members(ids), strict=True)
    sizes = sorted(
        (len(events), members[0].identifier.key, id) for id, events, profile, members in known if profile.traits
    )
    length, _, person_id = sizes[len(sizes) // 2]
    return person_id, length


def seconds_of_services(graph: IdentityGraph, person_id: str) -> float:
    started = time.perf_counter()
    graph.people.find([person_id])
    graph.people.profiles([person_id])
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, expected = prepare(Path(folder), PEOPLE), Path(folder) / "expected.json"
        query = (data_folder("graphql") / "operations" / "profile.graphql").read_text(encoding="utf-8")
        with IdentityGraph.open(f"sqlite:///{path}") as graph:
            graph.resolver.resolve()
            person_id, events = choose(graph)
            variables = {"by": {"id": person_id}}
            answer = orjson.dumps(execute(graph, query, variables))
            services = min(seconds_of_services(graph, person_id) for _ in range(100))
        expected.write_bytes(answer)
        body = orjson.dumps({"query": query, "variables": variables})
        with served(path, expected) as port:
            asyncio.run(ask(port, "/graphql", body, 20))
            asyncio.run(ask(port, "/raw", body, 20))
            profiles, raws = [], []
            for _ in range(ROUNDS):
                profiles.append(asyncio.run(rate(port, "/graphql", body, answer)))
                raws.append(asyncio.run(rate(port, "/raw", body, answer)))
    best, floor = max(profiles), max(raws)
    print(f"profile: one of {events} events, {len(answer):,} bytes; the services alone take {services * 1000:.2f} ms")
    print(f"profile: GraphQL {best:,.0f} requests/s, a raw handler of the same bytes {floor:,.0f}: {best / floor:.2f}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        serve(*sys.argv[1:])
    else:
        main()
