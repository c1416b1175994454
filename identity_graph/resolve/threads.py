"""Work for two cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

Thread = ThreadPoolExecutor | None
"""A second thread, or None: then this one does everything."""

_FEW = 2**15
"""So few rows that starting a second thread costs more than it saves."""


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def second_thread(rows: int, few: int | None = None) -> Iterator[Thread]:
    """One for as many rows of work, where there is a second processor; `few` are so few that it does not pay."""
    if rows < (_FEW if few is None else few) or processors() == 1:
        yield None
    else:
        with ThreadPoolExecutor(1) as thread:
            yield thread


def both(thread: Thread, task: Callable[..., T], *shares: tuple[Any, ...]) -> list[T]:
    """What the task gives for the first share, in the thread, and for the second, here; it must not hold the
    interpreter while it works."""
    first, second = shares
    if thread is None:
        return [task(*first), task(*second)]
    waiting = thread.submit(task, *first)
    done = task(*second)
    return [waiting.result(), done]


def spread(thread: Thread, task: Callable[..., T], shares: Sequence[tuple[Any, ...]]) -> list[T]:
    """What the task gives for each share, of which the thread and this one always take the next: for shares that may
    take unlike times."""
    found: dict[int, T] = {}
    waiting = iter(enumerate(shares))

    def work() -> None:
        for number, share in waiting:
            found[number] = task(*share)

    other = thread.submit(work) if thread else None
    work()
    if other:
        other.result()
    return [found[number] for number in range(len(shares))]


def halves(rows: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the rows of each of the two begin and end."""
    return (0, rows // 2), (rows // 2, rows)
