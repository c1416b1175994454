"""A webhook's receiver: a real server on loopback that checks signatures, and misbehaves when it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Receiver:
    """`got` are id and body of each request of which the signature is right, `forged` counts the others. How the next
    requests are answered is in `next`: a status, or what is done to the connection; then 200."""

    url: str = ""
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    forged: int = 0
    next: deque[int | Callable[[Answering], None]] = field(default_factory=deque)
    default: int = 200
    stopping: Event = field(default_factory=Event)

    @property
    def ids(self) -> list[str]:
        return [id for id, _ in self.got]

    def told(self) -> list[str]:
        """Kind and person of each change or member, in the order in which they came, each message once."""
        bodies = dict(self.got).values()
        return [
            f"{row.get('kind', 'MEMBER')} {row['personId']}"
            for body in bodies
            for row in body["data"].get("changes", body["data"].get("members"))
        ]


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver
    close_connection: bool
    connection: socket.socket

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        id, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = hmac.new(KEY, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        right = self.headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()
        if right and abs(time.time() - int(stamp)) < 300:
            receiver.got.append((id, json.loads(body)))
        else:
            receiver.forged += 1
        answer = receiver.next.popleft() if receiver.next else receiver.default
        if callable(answer):
            self.close_connection = True
            answer(self)
            return
        self.send_response(answer)
        if answer in (301, 302, 307, 308):
            self.send_header("location", f"{receiver.url}/elsewhere")
        if answer == 429:
            self.send_header("retry-after", "70")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def hangs(answering: Answering) -> None:
    answering.receiver.stopping.wait(60)


def drips(answering: Answering) -> None:
    """A header that never ends, a byte at a time: no single read is late."""
    try:
        answering.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        while not answering.receiver.stopping.wait(0.05):
            answering.wfile.write(b"x")
            answering.wfile.flush()
    except OSError:
        pass


def resets(answering: Answering) -> None:
    answering.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answering.connection.close()


def babbles(answering: Answering) -> None:
    answering.wfile.write(b"\x00\xff nothing of HTTP\r\n\r\n")


def floods(answering: Answering) -> None:
    """A good answer with more in it than anybody wants to have."""
    try:
        answering.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
        while not answering.receiver.stopping.is_set():
            answering.wfile.write(b"x" * 65536)
    except OSError:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that is gone


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    server = _Quiet(("127.0.0.1", 0), type("Handler", (Answering,), {"receiver": receiver}))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
