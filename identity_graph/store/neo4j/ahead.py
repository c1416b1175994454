"""Makes what is sent next while the server is busy with what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def made_ahead(things: Iterator[T]) -> Iterator[T]:
    """The same in the same order, one of them ahead, in another thread; errors come in their place.

    >>> list(made_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, things, end)
        while (thing := coming.result()) is not end:
            coming = thread.submit(next, things, end)
            yield thing  # type: ignore[misc]
