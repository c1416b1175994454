"""What comes next is made while the one before is on its way to a server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event as Signal
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")
LOOK = 0.1  # seconds after which a side sees that the other has ended


def ahead(things: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same things, none of them None, and the same error after the last of them, made in a thread of their own; to
    be closed.

    One waits and one is being made: memory is that of three.
    """
    made: Queue[tuple[T | None, BaseException | None]] = Queue(maxsize=1)
    ended = Signal()

    def offer(found: tuple[T | None, BaseException | None]) -> None:
        while not ended.is_set():
            try:
                made.put(found, timeout=LOOK)
                return
            except Full:
                continue

    def make() -> None:
        with closing(things):
            try:
                for thing in things:
                    offer((thing, None))
                    if ended.is_set():
                        return
            except BaseException as error:
                offer((None, error))
            else:
                offer((None, None))

    maker = Thread(target=make, name="ahead", daemon=True)
    maker.start()
    try:
        while True:
            thing, error = _next(made, maker)
            if error is not None:
                raise error
            if thing is None:
                return
            yield thing
    finally:
        ended.set()
        maker.join()


def _next(made: Queue[Any], maker: Thread) -> Any:
    while True:
        try:
            return made.get(timeout=LOOK)
        except Empty:
            if not maker.is_alive() and made.empty():
                raise RuntimeError("the thread that works ahead is gone") from None
