"""The process that stores and publishes, begun by `storer.py`: the one that serves keeps its interpreter for requests.

It reads frames from the socket that is its standard input, and answers there. The first says how to open the store;
each other one is a request, and the last is None. Where the socket ends without that, whoever began it is gone, and it
ends at once: what nobody was told to be stored need not be.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import socket
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from identity_graph.errors import IdentityGraphError
from identity_graph.loaders import read_loader
from identity_graph.publishing import Publishing
from identity_graph.tally import Tally
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.request import Body, Request
from identity_graph.tracking.waiting import Waiting
from identity_graph.tracking.writer import Writer
from identity_graph.wire import Unframing, framed, next_frame

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph

_PIECE = 2 << 20  # all that the socket holds


class Inbox:
    """Requests from the socket, for who stores them: it is the only thread, so nobody fills a queue beside it."""

    def __init__(self, wire: socket.socket, new_id: Callable[[], str]) -> None:
        self._wire = wire
        self._new_id = new_id
        self._poll = select.poll()
        self._poll.register(wire, select.POLLIN)
        self._unframing = Unframing()
        self._waiting: Waiting[Request] = Waiting()
        self._loader = cache(read_loader)

    @property
    def held(self) -> int:
        return self._waiting.held

    @property
    def closed(self) -> bool:
        return self._waiting.closed

    def take(self, most: int, patience: float | None) -> list[Request]:
        """As `Waiting` has it. Raises EOFError where the other process is gone."""
        if not self.closed:
            if self.held:
                patience = 0.0
            if self._poll.poll(None if patience is None else 1000 * patience):
                self._read()
        return self._waiting.take(most, 0.0)

    def _read(self) -> None:
        piece = self._wire.recv(_PIECE)
        if not piece:
            raise EOFError
        for frame in self._unframing.add(piece):
            if frame is None:
                self._waiting.close()
                return
            number, reference, body, packed = frame
            request = Request(Body(*body), self._loader(reference), self._new_id, number)
            request.packed = packed
            self._waiting.put(request)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the process that began this one, and then ends it
    wire = socket.socket(fileno=os.dup(0))
    try:
        try:
            graph: IdentityGraph = pickle.loads(next_frame(wire))()
        except IdentityGraphError as error:
            wire.sendall(framed(((), _told(error), {}, None)))
            return
        gc.freeze()
        with graph:
            _store(graph, wire)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)


def _store(graph: IdentityGraph, wire: socket.socket) -> None:
    """Until the last frame; then publish what is stored, and end the runs."""
    publishing, tally = Publishing(graph.resolver), Tally()
    publishing.arrived()  # it may have, when another process did not come to publish it

    def answer(group: Sequence[Request], error: Exception | None) -> None:
        numbers = [request.number for request in group]
        wire.sendall(framed((numbers, error and _told(error), tally.counts, tuple(publishing.standing))))

    counting = Counting(graph.store, graph.clock, graph.new_id, graph.policy.digest, tally)
    Writer(graph.store, Inbox(wire, graph.new_id), counting, publishing, answer, lambda: answer((), None)).run()


def _told(error: Exception) -> bytes:
    if not isinstance(error, IdentityGraphError):  # its own words may name somebody
        error = IdentityGraphError("INTERNAL", f"{type(error).__qualname__} while messages were to be stored")
    return pickle.dumps(error)
