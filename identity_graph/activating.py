"""Destinations follow what is published while a server runs, whichever process publishes it."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from identity_graph.activation import Activation
from identity_graph.destinations import Destination
from identity_graph.errors import IdentityGraphError
from identity_graph.store.protocols import Store
from identity_graph.times import SECOND

PAUSE = 0.5  # seconds between two looks at the store
AGAIN = 5.0  # seconds after a failure of the store, or of the destination's description
SHARE = 9.0  # a file that takes long to write is left alone this many times as long

log = logging.getLogger("identity_graph.activating")


class Activating:
    """A thread for each destination, so that none waits for a receiver that is slow. Raises DESTINATION_INVALID."""

    def __init__(self, store: Store, activation: Activation) -> None:
        self._closing = Event()
        self._threads = [
            _Following(store, activation, one, self._closing)
            for one in activation.destinations.values()
            if one.on_publication
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def troubles(self) -> dict[str, str]:
        """Of each destination that is followed, what keeps it from being told; else empty."""
        return {thread.destination.name: thread.trouble for thread in self._threads}

    def close(self) -> None:
        """Returns when no message is on its way any more."""
        self._closing.set()
        for thread in self._threads:
            thread.join()


class _Following(Thread):
    def __init__(self, store: Store, activation: Activation, destination: Destination, closing: Event) -> None:
        super().__init__(name=f"activating {destination.name}", daemon=True)
        self._store = store
        self._activation = activation
        self.destination = destination
        self._closing = closing
        self._seen: object = None
        self.trouble = ""

    def run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            try:
                pause = self._look()
            except Exception as error:
                self._say(error.code if isinstance(error, IdentityGraphError) else f"INTERNAL, {type(error).__name__}")
                pause = AGAIN

    def _look(self) -> float:
        """Deliver if anything was published since; seconds until it is time to look again."""
        standing = self._store.transfer.standing()
        published = (standing.resolved, standing.change)
        if published == self._seen:
            return PAUSE
        begun = time.monotonic()
        outcome = self._activation.run(self.destination.name, stop=self._closing)
        self._say(outcome.trouble)
        # What waits, or follows a dead letter, is not left until the next publication.
        self._seen = None if outcome.trouble else published
        if outcome.due:
            return max(0.0, (outcome.due - self._activation.clock()) / SECOND)
        return max(PAUSE, SHARE * (time.monotonic() - begun)) if self.destination.file else PAUSE

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.error("destination %s: %s", self.destination.name, trouble)
        self.trouble = trouble
