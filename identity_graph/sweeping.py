"""What was set aside is deleted while a server runs, once it is too old or too much."""

from __future__ import annotations

import logging
from threading import Event as Signal
from threading import Thread
from typing import NamedTuple

from identity_graph.errors import IdentityGraphError
from identity_graph.ingest import Ingest

EVERY = 300.0  # seconds

log = logging.getLogger("identity_graph.sweeping")


class Keeping(NamedTuple):
    """For how many days, and how many bytes of it, what was set aside is kept; None: no limit."""

    days: int | None = None
    bytes: int | None = None


class Sweeping:
    """A thread that sweeps at once and then now and then. Several servers of one store may all do it: what one of them
    has deleted, the others no longer find.

    `trouble` is the code of what keeps it from sweeping; else empty. `deleted` counts the records that it deleted.
    """

    def __init__(self, ingest: Ingest, keeping: Keeping, every: float = EVERY) -> None:
        self._ingest = ingest
        self._keeping = keeping
        self._every = every
        self._closing = Signal()
        self._thread: Thread | None = None
        self.trouble = ""
        self.deleted = 0

    def begin(self) -> None:
        """Nothing where there is no limit."""
        if any(limit is not None for limit in self._keeping):
            self._thread = Thread(target=self._run, name="sweeping", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._sweep()
            if self._closing.wait(self._every):
                return

    def _sweep(self) -> None:
        try:
            gone = self._ingest.sweep(*self._keeping)
        except Exception as error:
            code = error.code if isinstance(error, IdentityGraphError) else "INTERNAL"
            if code != self.trouble:
                log.error("quarantine is not swept: %s, %s", code, type(error).__qualname__)
            self.trouble = code
            return
        self.trouble = ""
        if gone:
            self.deleted += gone
            log.warning("deleted from quarantine, as the settings say: %d", gone)
