"""What comes next is made while the one before is on its way to a server."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event as Signal
from threading import Thread
from typing import Generic, Self, TypeVar

T = TypeVar("T")
LOOK = 0.1  # seconds after which a side sees that the other has ended


class Ahead(Generic[T]):
    """The same things, none of them None, and the same error after the last of them, made in a thread of their own; to
    be closed.

    One waits and one is being made: memory is that of three, and of one more while `upcoming` was looked at.
    """

    def __init__(self, things: Generator[T, None, None]) -> None:
        self._things = things
        self._made: Queue[tuple[T | None, BaseException | None]] = Queue(maxsize=1)
        self._seen: deque[tuple[T | None, BaseException | None]] = deque(maxlen=1)
        self._ended = Signal()
        self._maker = Thread(target=self._make, name="ahead", daemon=True)
        self._maker.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._ended.is_set():
            raise StopIteration
        thing, error = self._seen.popleft() if self._seen else self._next()
        if thing is None:
            self.close()
            raise error or StopIteration
        return thing

    def upcoming(self) -> T | None:
        """What comes next, where it is made already."""
        if not self._seen and not self._ended.is_set():
            try:
                self._seen.append(self._made.get_nowait())
            except Empty:
                return None
        return self._seen[0][0] if self._seen else None

    def close(self) -> None:
        self._ended.set()
        self._maker.join()

    def _next(self) -> tuple[T | None, BaseException | None]:
        while True:
            try:
                return self._made.get(timeout=LOOK)
            except Empty:
                if not self._maker.is_alive() and self._made.empty():
                    raise RuntimeError("the thread that works ahead is gone") from None

    def _make(self) -> None:
        with closing(self._things):
            try:
                for thing in self._things:
                    self._offer((thing, None))
                    if self._ended.is_set():
                        return
            except BaseException as error:
                self._offer((None, error))
            else:
                self._offer((None, None))

    def _offer(self, found: tuple[T | None, BaseException | None]) -> None:
        while not self._ended.is_set():
            try:
                self._made.put(found, timeout=LOOK)
                return
            except Full:
                continue
