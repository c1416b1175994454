"""The service behind the tracking API: takes requests, and says when they are durable."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from threading import Lock

from identity_graph.loaders import Loader, read_loader
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Store
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.publishing import Publishing
from identity_graph.tracking.request import Request
from identity_graph.tracking.sent import Sent
from identity_graph.tracking.waiting import ROOM, Waiting
from identity_graph.tracking.writer import Writer


class Tracking:
    """Begins a thread at the first request; `close` stores what still waits, publishes it and ends the runs."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        *,
        room: int = ROOM,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._waiting: Waiting[Request] = Waiting(room)
        self._counting = Counting(store, clock, new_id)
        self._publishing = Publishing(store, resolver)
        self._loaders: dict[str, Loader] = {}
        self._beginning = Lock()
        self._writer: Writer | None = None

    def seat(self, size: int) -> AbstractContextManager[None]:
        """For a request with a body of up to this size, until it is answered. Raises SERVER_BUSY."""
        return self._waiting.seat(size)

    def store(self, sent: Sent, source: str) -> Future[None]:
        """Done when all is durable: stored, known already, suppressed, or in quarantine. Fails with StoreError."""
        loader = self._loaders.get(source)
        if loader is None:
            loader = self._loaders[source] = read_loader("segment" if source == "segment" else f"segment:{source}")
        request = Request(loader, sent, self._clock())
        self._begin()
        self._waiting.put(request)
        return request.stored

    @property
    def full(self) -> bool:
        return self._waiting.full

    @property
    def trouble(self) -> str:
        """The code of what keeps persons from being published; else empty."""
        return self._publishing.trouble

    def close(self) -> None:
        self._waiting.close()
        if self._writer:
            self._writer.join()

    def _begin(self) -> None:
        with self._beginning:
            if self._writer is None:
                self._writer = Writer(self._store, self._waiting, self._counting, self._publishing, self._new_id)
                self._writer.start()
