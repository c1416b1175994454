"""Two threads on one core while they take turns at the interpreter.

What one has touched is then in the cache of the core on which the other goes on, and to wake it up is to hand over,
not to call another core. With a thousand requests a second, each by itself, that is half of the time of both.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

ALL = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
LENGTH = 1.0  # seconds after which the two are let go for a moment, in which they may leave a core that others want
_THREADS = Path("/proc/self/task")
_PROCESSOR = 36  # of the fields of a thread's `stat` behind its name


class OneCore:
    """For the thread that calls it and one other, by its native id. Does nothing where there is no choice of cores, or
    where the system does not let threads choose."""

    _sharing: ClassVar[set[int]] = set()

    def __init__(self, other: int) -> None:
        self._other = other
        self._until = 0.0
        self.shared = False

    def share(self) -> None:
        """Go where the other is, and keep it there; to be called again and again."""
        if self.shared:
            if time.monotonic() > self._until:
                self.part()
            return
        if len(ALL) < 2:
            return
        self.shared, self._until = True, time.monotonic() + LENGTH
        both = {self._other, threading.get_native_id()}
        self._sharing.update(both)
        with suppress(OSError):
            core = _core_of(self._other)
            for thread in both:
                os.sched_setaffinity(thread, {core})
            for begun in (int(one.name) for one in _THREADS.iterdir()):
                if begun not in self._sharing:
                    free(begun)

    def part(self) -> None:
        """Let both go where they like."""
        if self.shared:
            self.shared = False
            for thread in (self._other, threading.get_native_id()):
                self._sharing.discard(thread)
                free(thread)


def free(thread: int = 0) -> None:
    """A thread, or this one, which may have been begun by one that shares a core, and so be bound to it as well."""
    if len(ALL) > 1:
        with suppress(OSError):
            os.sched_setaffinity(thread, ALL)


def _core_of(thread: int) -> int:
    return int((_THREADS / str(thread) / "stat").read_text().rpartition(")")[2].split()[_PROCESSOR])
