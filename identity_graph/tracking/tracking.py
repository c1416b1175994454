"""The service behind the tracking API: takes requests, and says when they are durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import cache
from threading import Lock, Thread
from typing import Any

from identity_graph.loaders import read_loader
from identity_graph.model import RunState
from identity_graph.publishing import Publishing, Standing
from identity_graph.resolve.threads import processors
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Store
from identity_graph.tally import Tally
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.mapper import LARGE, Mapper
from identity_graph.tracking.request import Body, Request
from identity_graph.tracking.sent import read_sent
from identity_graph.tracking.storer import Storer
from identity_graph.tracking.waiting import ROOM, Waiting
from identity_graph.tracking.write_keys import SOURCE, WriteKeys
from identity_graph.tracking.writer import Writer


class Tracking:
    """Begins at the first request, or by `resume`: a thread that stores and publishes, or where `elsewhere` opens the
    same store in another process, that process. `close` stores what still waits, publishes it and ends the runs.

    With `elsewhere` requests are taken in one event loop, and `close` is for another thread.
    """

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        keys: WriteKeys,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        *,
        policy: str = "",
        tally: Tally | None = None,
        room: int = ROOM,
        elsewhere: Callable[[], Any] | None = None,
    ) -> None:
        several, tally = processors() > 1, tally or Tally()
        self.keys = keys
        self.room = room
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._waiting: Waiting[Request] = Waiting(room)
        self._counting = Counting(store, clock, new_id, policy, tally)
        self._publishing = Publishing(resolver)
        self._mapper = Mapper() if several else None
        self._storer = Storer(elsewhere, tally) if elsewhere and several else None
        self._loader = cache(read_loader)
        self._beginning = Lock()
        self._writer: Thread | None = None

    def interrupted(self) -> bool:
        """Whether a service that was killed, which leaves its run open, stored what it did not come to publish."""
        if not any(run.kind == "track" and run.state == RunState.RUNNING for run in self._store.operations.runs()):
            return False
        published, _ = self._store.persons.resolved()
        return self._store.persons.marks().event > published

    def resume(self) -> None:
        """Publish what a service that was killed did not come to. In the event loop."""
        self._publishing.arrived()
        self._begin()

    def seat(self, size: int) -> AbstractContextManager[None]:
        """For a request with a body of up to this size, until it is answered. Raises SERVER_BUSY."""
        return self._waiting.seat(size)

    def store(
        self, raw: bytes, kind: str, key: str | None, *, known: bool = False, objects: bool = False
    ) -> Future[None]:
        """Done when all is durable: stored, known already, suppressed, or in quarantine. Without a key the body has it;
        a sender that is known by other means needs none. `objects`: to being sold or shared, as browsers say.

        Raises, or fails with, WRITE_KEY_INVALID, MESSAGE_INVALID, MESSAGE_TOO_LARGE and StoreError.
        """
        source = SOURCE if known else self.keys.source(read_sent(raw, kind).key if key is None else key)
        self._begin()
        loader = self._loader("segment" if source == SOURCE else f"segment:{source}")
        request = Request(Body(raw, kind, self._clock(), objects), loader, self._new_id)
        put, put_soon = (self._storer.put, self._storer.put_soon) if self._storer else (self._waiting.put,) * 2
        if self._mapper and len(raw) >= LARGE and self._mapper.ready:
            self._mapper.map(request, put_soon)
        else:
            request.map()
            put(request)
        return request.stored

    @property
    def standing(self) -> Standing:
        """Of publishing."""
        return self._storer.standing if self._storer else self._publishing.standing

    @property
    def full(self) -> bool:
        return self._waiting.full

    @property
    def waiting_messages(self) -> int:
        return self._storer.held if self._storer else self._waiting.held

    @property
    def taken(self) -> int:
        """Bytes of the room that requests take now."""
        return self._waiting.taken

    def close(self) -> None:
        if self._mapper:
            self._mapper.close()
        self._waiting.close()
        if self._storer:
            self._storer.close()
        if self._writer:
            self._writer.join()

    def _begin(self) -> None:
        if self._storer:
            self._storer.begin()
            return
        with self._beginning:
            if self._writer is None:
                writer = Writer(self._store, self._waiting, self._counting, self._publishing, _answer)
                self._writer = Thread(target=writer.run, name="tracking", daemon=True)
                self._writer.start()


def _answer(group: Sequence[Request], error: Exception | None) -> None:
    for request in group:
        if error:
            request.stored.set_exception(error)
        else:
            request.stored.set_result(None)
