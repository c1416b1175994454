"""What is kept too long, or is too much, is deleted while a server runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event as Signal
from threading import Thread
from typing import NamedTuple

from identity_graph.errors import IdentityGraphError
from identity_graph.ingest import Ingest
from identity_graph.retention import Retention

OFTEN = 300.0  # seconds
SELDOM = 3600.0  # what walks all events

log = logging.getLogger("identity_graph.sweeping")


class Keeping(NamedTuple):
    """For how many days, and how many bytes of it, what was set aside is kept; None: no limit."""

    days: int | None = None
    bytes: int | None = None


class Sweeping:
    """A thread that sweeps at once and then now and then; without `sweep`, which gives how many it deleted, none is
    begun. Several servers of one store may all do it: what one of them has deleted, the others no longer find.

    `trouble` is the code of what keeps it from sweeping; else empty. `deleted` counts what it deleted. For the log,
    `what` is swept and `by` whose word.
    """

    def __init__(self, what: str, by: str, sweep: Callable[[], int] | None, every: float) -> None:
        self._what = what
        self._by = by
        self._sweep_once = sweep
        self._every = every
        self._closing = Signal()
        self._thread: Thread | None = None
        self.trouble = ""
        self.deleted = 0

    @classmethod
    def quarantine(cls, ingest: Ingest, keeping: Keeping, every: float = OFTEN) -> Sweeping:
        limited = any(limit is not None for limit in keeping)
        return cls("quarantine", "settings say", (lambda: ingest.sweep(*keeping)) if limited else None, every)

    @classmethod
    def retention(cls, retention: Retention, every: float = SELDOM) -> Sweeping:
        """Of evidence."""
        limited = retention.limited
        return cls("evidence", "policy says", (lambda: retention.sweep().events) if limited else None, every)

    def begin(self) -> None:
        """Nothing where there is no limit."""
        if self._sweep_once:
            self._thread = Thread(target=self._run, args=(self._sweep_once,), name="sweeping", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread:
            self._thread.join()

    def _run(self, sweep: Callable[[], int]) -> None:
        while True:
            self._sweep(sweep)
            if self._closing.wait(self._every):
                return

    def _sweep(self, sweep: Callable[[], int]) -> None:
        try:
            gone = sweep()
        except Exception as error:
            code = error.code if isinstance(error, IdentityGraphError) else "INTERNAL"
            if code != self.trouble:
                log.error("%s is not swept: %s, %s", self._what, code, type(error).__qualname__)
            self.trouble = code
            return
        self.trouble = ""
        if gone:
            self.deleted += gone
            log.warning("deleted from %s, as the %s: %d", self._what, self._by, gone)
