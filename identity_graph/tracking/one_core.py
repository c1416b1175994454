"""Threads on one core while they take turns at the interpreter.

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
LENGTH = 1.0  # seconds after which all are let go for a moment, in which they may leave a core that others want
_THREADS = Path("/proc/self/task")
_PROCESSOR = 36  # of the fields of a thread's `stat` behind its name


class OneCore:
    """For the thread that calls it and one other, by its native id, and for who joins them. Does nothing where there is
    no choice of cores, or where the system does not let threads choose."""

    _core: ClassVar[int | None] = None
    _bound: ClassVar[set[int]] = set()

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
        with suppress(OSError):
            core = _core_of(self._other)
            for thread in (self._other, threading.get_native_id()):
                self._bind(thread, core)
            OneCore._core = core
            for begun in (int(one.name) for one in _THREADS.iterdir()):
                if begun not in self._bound:
                    free(begun)

    def part(self) -> None:
        """Let all go where they like."""
        if self.shared:
            self.shared = False
            OneCore._core = None
            while self._bound:
                free(self._bound.pop())

    @classmethod
    def join(cls) -> None:
        """Go where two share a core, if any do: for a thread that does something short for one of them."""
        core, thread = cls._core, threading.get_native_id()
        if core is not None and thread not in cls._bound:
            with suppress(OSError):
                cls._bind(thread, core)
            if cls._core is None:  # they parted meanwhile, and did not see it
                cls._bound.discard(thread)
                free(thread)

    @classmethod
    def _bind(cls, thread: int, core: int) -> None:
        cls._bound.add(thread)
        os.sched_setaffinity(thread, {core})


def free(thread: int = 0) -> None:
    """A thread, or this one, which may have been begun by one that shares a core, and so be bound to it as well."""
    if len(ALL) > 1:
        with suppress(OSError):
            os.sched_setaffinity(thread, ALL)


def _core_of(thread: int) -> int:
    return int((_THREADS / str(thread) / "stat").read_text().rpartition(")")[2].split()[_PROCESSOR])
