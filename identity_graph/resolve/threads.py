"""Work for two cores."""

from __future__ import annotations

from collections.abc import Callable
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
