"""From an event to the message of a subscription, by a real server: `python -m bench.subscription`.

A client waits for changes by server-sent events while another one sends the events of new users, one at a time; each
makes a person, of which the first hears. Timed is from the answer to the event, which says that it is durable, until
its message is there; and from the sending of the event. A bare durable commit in the same run says what the disk and
the neighbours on the machine alone take.
"""

from __future__ import annotations

import queue
import socket
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import orjson

from bench.increment import bare
from bench.tracking import Client, server

EVENTS, WARM = 500, 20
PAUSE = 0.02  # seconds between events
BAR = 50.0  # milliseconds, p99
QUERY = 'subscription { changes { kind person { identifier(namespace: "user_id") } } }'


def listen(address: tuple[str, int], heard: queue.Queue[tuple[str, float]]) -> None:
    """The user id of each person that was created, and when its message was there."""
    body = orjson.dumps({"query": QUERY})
    head = "POST /graphql HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(address) as wire, wire.makefile("rb") as lines:
        wire.sendall(head.encode() + body)
        assert lines.readline().startswith(b"HTTP/1.1 200 ")
        heard.put(("", 0.0))
        for line in lines:
            now = time.perf_counter()
            if line.startswith(b"data: {"):
                change = orjson.loads(line.removeprefix(b"data: "))["data"]["changes"]
                assert change["kind"] == "CREATED", change
                heard.put((change["person"]["identifier"], now))


def send(address: tuple[str, int], heard: queue.Queue[tuple[str, float]]) -> tuple[list[float], list[float]]:
    """Seconds from the answer, and from the sending, until the message was there."""
    client = Client(address)
    answered, sent = [], []
    for number in range(EVENTS):
        user = f"u-{number}"
        start = time.perf_counter()
        client.post("/v1/track", orjson.dumps({"userId": user, "event": "Seen", "messageId": user}))
        accepted = time.perf_counter()
        who, when = heard.get(timeout=30)
        assert who == user, (who, user)
        answered.append(max(0.0, when - accepted))
        sent.append(when - start)
        time.sleep(PAUSE)
    return answered[WARM:], sent[WARM:]


def main() -> None:
    heard: queue.Queue[tuple[str, float]] = queue.Queue()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with server(folder / "people.db") as address:
            threading.Thread(target=listen, args=(address, heard), daemon=True).start()
            heard.get(timeout=30)
            time.sleep(0.5)
            answered, sent = send(address, heard)
        commit = 1000 * float(np.percentile(bare(folder), 99))
    (half, most), (_, whole) = (np.percentile(found, [50, 99]) * 1000 for found in (answered, sent))
    print(f"subscription: from an accepted event to its message: p50 {half:.1f}, p99 {most:.1f} ms (bar {BAR:.0f} ms)")
    print(f"subscription: from its sending p99 {whole:.1f} ms; a bare durable commit p99 {commit:.1f} ms")


if __name__ == "__main__":
    main()
