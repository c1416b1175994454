"""Hands requests to a process that stores them and publishes what follows, so that this one goes on taking them.

Two interpreters are two cores: in one, whoever asks or sends waits while anybody else's events are stored or published.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
from collections.abc import Callable
from itertools import count
from typing import Any

from identity_graph.errors import StoreError
from identity_graph.process import begin_process
from identity_graph.publishing import Standing
from identity_graph.tally import Tally
from identity_graph.tracking.request import Request
from identity_graph.wire import Unframing, framed

_PIECE = 1 << 16
_ROOM = 2 << 20  # bytes that the socket is to hold, as far as the system lets it: all that makes up one transaction
_ERRORS = 2  # of this process, where whatever prints goes


class Storer:
    """For one event loop. `opens` is called in the other process, so it goes there by `pickle`.

    That process begins with the first request, or to publish what another service did not come to. Where it ends by
    itself, what it has not answered fails, for to send a message again is safe; another begins with the next request,
    or at once where something is stored that it has not published.
    """

    def __init__(self, opens: Callable[[], Any], tally: Tally) -> None:
        self.standing = Standing()
        self._opens = opens
        self._tally = tally
        self._counts: dict[str, int] = {}
        self._numbers = count()
        self._unanswered: dict[int, Request] = {}
        self._unsent = bytearray()
        self._loop: asyncio.AbstractEventLoop
        self._wire: socket.socket
        self._unframing: Unframing
        self._heard = self._closing = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def held(self) -> int:
        """How many messages wait to be stored."""
        return sum(map(len, list(self._unanswered.values())))

    def begin(self) -> None:
        """In the event loop."""
        if self._process is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._wire, other = socket.socketpair()
        self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        with other:
            self._process = begin_process("identity_graph.tracking.storing", stdin=other.fileno(), stdout=_ERRORS)
        self._wire.setblocking(False)
        self._unframing, self._counts, self._heard = Unframing(), {}, False
        self._loop.add_reader(self._wire, self._hear)
        self._send(pickle.dumps(self._opens))

    def put(self, request: Request) -> None:
        """In the event loop."""
        self.begin()
        number = next(self._numbers)
        self._unanswered[number] = request
        self._send((number, request.loader.reference, tuple(request.body), request.packed))

    def put_soon(self, request: Request) -> None:
        """From another thread, after `begin`."""
        self._loop.call_soon_threadsafe(self.put, request)

    def close(self) -> None:
        """From another thread: what was put is still stored, published and answered."""
        self._closing = True
        if self._process:
            process = self._process
            self._loop.call_soon_threadsafe(self._send, None)
            process.wait()

    def _send(self, content: Any) -> None:
        frame = framed(content)
        if self._unsent:
            self._unsent += frame
            return
        self._unsent += frame[self._sent(frame) :]
        if self._unsent:
            self._loop.add_writer(self._wire, self._send_more)

    def _send_more(self) -> None:
        del self._unsent[: self._sent(self._unsent)]
        if not self._unsent:
            self._loop.remove_writer(self._wire)

    def _sent(self, content: bytes | bytearray) -> int:
        """How much of it the socket takes now."""
        try:
            return self._wire.send(content)
        except BlockingIOError:
            return 0
        except OSError:
            return len(content)  # nobody is there: what `_hear` finds then

    def _hear(self) -> None:
        try:
            piece = self._wire.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._gone(StoreError("STORE_FAILED", "the process that stores ended before it had answered"))
            return
        for numbers, trouble, counts, standing in self._unframing.add(piece):
            if standing is None:
                self._gone(pickle.loads(trouble))
                return
            self.standing, self._heard = Standing(*standing), True
            self._tally.add_counts({outcome: n - self._counts.get(outcome, 0) for outcome, n in counts.items()})
            self._counts = counts
            for number in numbers:
                stored = self._unanswered.pop(number).stored
                if trouble:
                    stored.set_exception(pickle.loads(trouble))
                else:
                    stored.set_result(None)

    def _gone(self, error: Exception) -> None:
        self._loop.remove_reader(self._wire)
        self._loop.remove_writer(self._wire)
        self._wire.close()
        self._unsent.clear()
        if self._process:
            self._loop.run_in_executor(None, self._process.wait)
            self._process = None
        unanswered, self._unanswered = self._unanswered, {}
        for request in unanswered.values():
            request.stored.set_exception(error)
        # One that ends before it has answered anything would do so again.
        if self._heard and not self._closing and self.standing.since is not None:
            self.begin()
