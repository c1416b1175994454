"""Ctrl-C and its like, of a command that ends when it is told to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Signal


@contextmanager
def told_to_stop() -> Iterator[Signal]:
    """Set by the first SIGINT or SIGTERM. The second one interrupts."""
    stop = Signal()

    def hear(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
