"""Work for two cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def both(thread: ThreadPoolExecutor, task: Callable[..., T], *shares: tuple[Any, ...]) -> list[T]:
    """What the task gives for the first share, in the thread, and for the second, here; it must not hold the
    interpreter while it works."""
    first, second = shares
    waiting = thread.submit(task, *first)
    done = task(*second)
    return [waiting.result(), done]


def spread(thread: ThreadPoolExecutor, task: Callable[..., T], shares: Sequence[tuple[Any, ...]]) -> list[T]:
    """What the task gives for each share, of which the thread and this one always take the next: for shares that may
    take unlike times. Of one alone the thread is not started."""
    found: dict[int, T] = {}
    waiting = iter(enumerate(shares))

    def work() -> None:
        for number, share in waiting:
            found[number] = task(*share)

    other = thread.submit(work) if len(shares) > 1 else None
    work()
    if other:
        other.result()
    return [found[number] for number in range(len(shares))]


def halves(rows: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the rows of each of the two begin and end."""
    return (0, rows // 2), (rows // 2, rows)
