"""A TCP proxy on 127.0.0.1 that cuts Bolt connections where a test wants them cut."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from urllib.parse import urlsplit

COMMIT = b"\x00\x02\xb0\x12\x00\x00"  # one chunk of two bytes: a structure without fields, of the kind 0x12; its end
LATE = 0.5  # seconds after the cut that a commit in Cut.LATE arrives


class Cut(Enum):
    """Where in a commit, as the client sends it, its connection is cut."""

    BEFORE = auto()  # the server never hears of it
    DURING = auto()  # the server hears of it, and at once that the client is gone
    AFTER = auto()  # the server has done it; the client never hears that
    LATE = auto()  # the client is gone before the server hears of it, which it does in the end


class _Pair:
    """The two ends of one connection."""

    def __init__(self, client: socket.socket, address: tuple[str, int]) -> None:
        self.client = client
        self.server = socket.create_connection(address)
        self.swallows = False  # what the server says
        self.listens = True  # the client, to what the server says, or is to begin
        self.answered = threading.Event()
        for end in (self.client, self.server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        _close(self.client)
        _close(self.server)
        self.answered.set()


class Proxy:
    """Of the server at `url`; to connect to at its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self._cutting: list[threading.Thread] = []
        self._cuts: list[Cut | None] = []
        self._closes = False
        self.commits = 0  # that clients sent
        self.turns = 0  # how often a client spoke since the server had last spoken: round trips, one begun with each
        self.closed = False  # while it is, connections are cut as soon as they are made
        self.answer: int | None = None  # bytes that the server sends until that connection is cut, once
        login = parts.netloc.rpartition("@")[0]
        # Not neo4j://, whose driver would go on to the address that the server gives for itself.
        self.url = f"bolt://{login}@127.0.0.1:{self._listener.getsockname()[1]}{parts.path}"

    def cut(self, *cuts: Cut | None, closes: bool = False) -> None:
        """The next commits, one after the other, None for one that passes; `closes`, and cuts all others,
        with the first of them."""
        self._cuts, self._closes = list(cuts), closes

    def cut_all(self, but: _Pair | None = None) -> None:
        """The connections that there are."""
        for pair in self._pairs:
            if pair is not but:
                pair.close()

    def settle(self) -> None:
        """Wait for commits that are late."""
        for thread in self._cutting:
            thread.join()

    def serve(self) -> None:
        with suppress(OSError):  # as it ends
            while True:
                client, _ = self._listener.accept()
                if self.closed:
                    _close(client)
                    continue
                pair = _Pair(client, self._server)
                self._pairs.append(pair)
                for work in (self._up, self._down):
                    threading.Thread(target=work, args=(pair,), daemon=True).start()

    def _up(self, pair: _Pair) -> None:
        with suppress(OSError):
            while data := pair.client.recv(1 << 16):
                self.turns += pair.listens
                pair.listens = False
                if COMMIT in data:
                    self.commits += 1
                    cut = self._cuts.pop(0) if self._cuts else None
                    if cut:
                        pair.swallows, self.closed = True, self._closes
                        if self._closes:
                            self.cut_all(but=pair)
                        self._cutting.append(threading.current_thread())
                        return _cut(pair, cut, data)
                pair.server.sendall(data)
        pair.close()

    def _down(self, pair: _Pair) -> None:
        with suppress(OSError):
            while data := pair.server.recv(1 << 16):
                pair.listens = True
                if pair.swallows:
                    pair.answered.set()
                    continue
                if self.answer is not None:
                    self.answer -= len(data)
                    if self.answer < 0:
                        pair.client.sendall(data[: self.answer])
                        self.answer = None
                        break
                pair.client.sendall(data)
        pair.close()


def _cut(pair: _Pair, cut: Cut, data: bytes) -> None:
    if cut is Cut.LATE:
        _close(pair.client)
        time.sleep(LATE)
    if cut is not Cut.BEFORE:
        pair.server.sendall(data)
    if cut in (Cut.AFTER, Cut.LATE):
        pair.answered.wait()
    pair.close()


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    serving = threading.Thread(target=proxy.serve, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        _close(proxy._listener)
        serving.join()
        proxy.settle()
        proxy.cut_all()
