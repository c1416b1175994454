"""Requests on their way to the store: as many as there is room for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Generic, Protocol, TypeVar

from identity_graph.errors import QueryError

ROOM = 16 << 20  # bytes of bodies; as objects they take about eight times as much
SEAT = 1 << 10  # bytes that each request takes beside its body


class Sized(Protocol):
    def __len__(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


class Waiting(Generic[Item]):
    """A queue between threads. Who sends takes a seat before it reads a body, and keeps it until it has answered."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._taken = 0
        self._held = 0
        self._items: deque[Item] = deque()
        self._changed = Condition()
        self._closed = False

    @contextmanager
    def seat(self, size: int) -> Iterator[None]:
        """Raises SERVER_BUSY."""
        size += SEAT
        with self._changed:
            if self._taken + size > self._room or self._closed:
                raise QueryError(
                    "SERVER_BUSY", "the server stores as fast as it can, and more is waiting than it holds"
                )
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size

    @property
    def full(self) -> bool:
        """Whether the largest of all requests would be refused now."""
        return self._taken > self._room * 15 // 16

    @property
    def taken(self) -> int:
        return self._taken

    def put(self, item: Item) -> None:
        with self._changed:
            self._items.append(item)
            self._held += len(item)
            self._changed.notify()

    def take(self, most: int, patience: float | None) -> list[Item]:
        """What waits, up to about `most` of what the items hold; nothing after `patience` seconds, or once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, patience)
            found: list[Item] = []
            held = 0
            while self._items and (not found or held + len(self._items[0]) <= most):
                found.append(self._items.popleft())
                held += len(found[-1])
            self._held -= held
            return found

    @property
    def held(self) -> int:
        """How much the items that wait hold."""
        return self._held

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Nobody gets a seat any more; what has one is still stored."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
