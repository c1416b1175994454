"""The tracking API of a real server, its clients beside it: `python -m bench.tracking [EVENTS]`.

Two questions. How many events a second become durable in batches of a hundred, as libraries send them? Once a first
message is acknowledged (the process that stores begins with it), and while the process that maps begins; and then as
many again, where all that there is to begin has begun. And at rates of single events: how long until one is
acknowledged, and how long until GraphQL shows its person? The events are those of `bench.load`, which is the floor,
too: the same events from a file, by one process, without HTTP. Each rate is offered whatever the server does; the
clients are all in this process. A bare durable commit in the same run says what the disk and the neighbours on the
machine take.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import orjson

from bench.increment import bare
from bench.load import load, write
from identity_graph.store import open_store

EVENTS = 100_000
BATCH = 100
CONNECTIONS = 16
RATES = (100, 300, 1_000)
SECONDS = 8.0
BAR, ACKNOWLEDGED, VISIBLE = 25_000, 10.0, 20.0  # events a second; p99 in milliseconds

KEY = base64.b64encode(b"bench:").decode()
QUERY = 'query($v: String!) { person(by: {identifier: {namespace: "user_id", value: $v}}) { id } }'


@contextmanager
def server(store: Path) -> Iterator[tuple[str, int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "identity_graph", "serve", "--store", f"sqlite:///{store}", "--port", "0", "--open"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        address = urlsplit(next(word for word in process.stderr.readline().split() if word.startswith("http")))
        yield str(address.hostname), int(address.port or 0)
    finally:
        process.terminate()
        process.wait()


class Client:
    """One connection that is kept; answers are read as far as is needed to know them."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.wire = socket.create_connection(address)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: bytes) -> bytes:
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Basic {KEY}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wire.sendall(head.encode() + body)
        answer = b""
        while True:
            answer += self.wire.recv(65_536)
            top, end, rest = answer.partition(b"\r\n\r\n")
            if end and len(rest) >= int(top.lower().partition(b"content-length: ")[2].split()[0]):
                break
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return rest


def batches(lines: Sequence[bytes]) -> list[bytes]:
    return [b'{"batch":[' + b",".join(lines[i : i + BATCH]) + b"]}" for i in range(0, len(lines), BATCH)]


def in_batches(address: tuple[str, int], bodies: Sequence[bytes]) -> float:
    """Seconds until all are acknowledged."""

    def send(own: Sequence[bytes]) -> None:
        client = Client(address)
        for body in own:
            client.post("/v1/batch", body)

    threads = [threading.Thread(target=send, args=(bodies[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def one_by_one(address: tuple[str, int], rate: int) -> tuple[list[float], list[float]]:
    """Seconds until acknowledged, of every event; and until visible, of some, each of a new user."""
    acknowledged: list[float] = []
    visible: list[float] = []
    clients = max(4, min(32, rate // 20))
    begin = time.perf_counter() + 0.1

    def event(user: str, number: int) -> bytes:
        traits = {"email": f"{user}@example.org", "plan": "pro"}
        return orjson.dumps(
            {"userId": user, "anonymousId": f"a-{user}", "event": "Seen", "context": {"traits": traits},
             "messageId": f"{user}-{rate}-{number}"}
        )  # fmt: skip

    def send(first: int) -> None:
        client = Client(address)
        for number in range(first, int(rate * SECONDS), clients):
            due = begin + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            start = time.perf_counter()
            client.post("/v1/track", event(f"u{number * 7919 % 5_000}", number))
            acknowledged.append(time.perf_counter() - start)

    def look() -> None:
        sender, asker = Client(address), Client(address)
        number = 0
        while time.perf_counter() < begin + SECONDS:
            user = f"new-{rate}-{number}"
            start = time.perf_counter()
            sender.post("/v1/track", event(user, number))
            acknowledged.append(time.perf_counter() - start)
            question = orjson.dumps({"query": QUERY, "variables": {"v": user}})
            while b'"id"' not in asker.post("/graphql", question):
                time.sleep(0.001)
            visible.append(time.perf_counter() - start)
            number += 1
            time.sleep(0.05)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(clients)] + [threading.Thread(target=look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged, visible


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    sys.setswitchinterval(0.0005)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "events.jsonl", 2 * events)
        lines = (folder / "events.jsonl").read_bytes().splitlines()
        first, later = batches(lines[:events]), batches(lines[events:])
        beginning, running, floors = [], [], []
        for turn in range(3):
            with server(folder / f"{turn}.db") as address:
                Client(address).post("/v1/track", b'{"userId":"first","event":"Seen","messageId":"first"}')
                beginning.append(events / in_batches(address, first))
                running.append(events / in_batches(address, later))
            floors.append(2 * events / load(folder / "events.jsonl", folder / f"floor-{turn}.db"))
            store = open_store(f"sqlite:///{folder / f'{turn}.db'}")
            assert store.operations.counts()["events"] == 2 * events + 1
            store.close()
        print(
            f"tracking: batches of {BATCH}: {max(beginning):,.0f} durable events/s, its clients included, while"
            f" processes begin, then {max(running):,.0f} (bar {BAR:,});"
            f" from a file {max(floors):,.0f}: {max(running) / max(floors):.2f}"
        )
        commits = [1000 * float(found) for found in np.percentile(bare(folder), [50, 99])]
        print(f"tracking: a bare durable commit: p50 {commits[0]:.1f}, p99 {commits[1]:.1f} ms")
        with server(folder / "single.db") as address:
            one_by_one(address, 50)
            for rate in RATES:
                acknowledged, visible = one_by_one(address, rate)
                half, most = (1000 * float(found) for found in np.percentile(acknowledged, [50, 99]))
                seen = [1000 * float(found) for found in np.percentile(visible, [50, 99])]
                print(
                    f"tracking: {rate:,} single events/s: acknowledged p50 {half:.1f}, p99 {most:.1f} ms"
                    f" (bar {ACKNOWLEDGED:.0f}); visible p50 {seen[0]:.1f}, p99 {seen[1]:.1f} ms"
                    f" (bar {VISIBLE:.0f}, {len(visible)} looked at)"
                )


if __name__ == "__main__":
    main()
