"""The next step of a load is read and mapped while the one before is on its way to a server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event as Signal
from threading import Thread
from typing import Any

from identity_graph.ingest.steps import Steps
from identity_graph.store.protocols import Batch

LOOK = 0.1  # seconds after which a side sees that the other has ended


def ahead(steps: Steps) -> Generator[Batch, None, None]:
    """The same steps, and the same error after the last of them, made in a thread of their own; to be closed.

    One step waits and one is being made: memory is that of three.
    """
    made: Queue[tuple[Batch | None, BaseException | None]] = Queue(maxsize=1)
    ended = Signal()

    def offer(found: tuple[Batch | None, BaseException | None]) -> None:
        while not ended.is_set():
            try:
                made.put(found, timeout=LOOK)
                return
            except Full:
                continue

    def make() -> None:
        with closing(steps):
            try:
                for step in steps:
                    offer((step, None))
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
            step, error = _next(made, maker)
            if error is not None:
                raise error
            if step is None:
                return
            yield step
    finally:
        ended.set()
        maker.join()


def _next(made: Queue[Any], maker: Thread) -> Any:
    while True:
        try:
            return made.get(timeout=LOOK)
        except Empty:
            if not maker.is_alive() and made.empty():
                raise RuntimeError("the thread that reads ahead is gone") from None
