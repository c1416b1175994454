"""Until when the work in hand has to be done. A request sets it; the stores give up what is not done by then.

It goes along with the context, also into the worker threads of a request, and not into threads that live longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from identity_graph.errors import StoreError

_until: ContextVar[float | None] = ContextVar("until", default=None)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """None: as long as it takes."""
    token = _until.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def left() -> float | None:
    """Seconds, not above zero when it has passed; None without a deadline.

    >>> with within(60):
    ...     0 < (left() or 0) <= 60
    True
    """
    until = _until.get()
    return None if until is None else until - time.monotonic()


def passed() -> bool:
    until = _until.get()
    return until is not None and time.monotonic() > until


def check() -> None:
    """Raises STORE_TIMEOUT when it has passed."""
    if passed():
        raise too_late()


def too_late() -> StoreError:
    return StoreError("STORE_TIMEOUT", "the request took longer than it may")
