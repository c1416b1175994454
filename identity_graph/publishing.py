"""Persons follow what arrives: published soon after it is stored, and not so often that storing has to wait."""

from __future__ import annotations

import gc
import logging
import time
from typing import NamedTuple

from identity_graph.errors import IdentityGraphError
from identity_graph.resolver import Resolver

PACE = 0.004  # seconds from one publication to the next, in which others store and answer
SHARE = 9.0  # while much comes, storing gets this many times as long as publishing
AGAIN = 1.0  # seconds after a failure

log = logging.getLogger("identity_graph.publishing")


class Standing(NamedTuple):
    """How publishing goes: `publications` took `seconds`. The oldest of what arrived and is not published waits
    `since` then, on the clock that all processes share; None: nothing waits. `trouble` is the code of what keeps
    persons from being published now, or empty."""

    publications: int = 0
    seconds: float = 0.0
    since: float | None = None
    trouble: str = ""

    @property
    def lag(self) -> float:
        """Seconds for which the oldest of what arrived waits to be published."""
        return 0.0 if self.since is None else max(0.0, time.monotonic() - self.since)


class Publishing:
    """`failure` is what keeps persons from being published now, if anything does, and `trouble` its code."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._pending = False
        self._next = self._next_hurried = 0.0
        self._arrived = 0.0
        self.failure: IdentityGraphError | None = None
        self._count = 0
        self._seconds = 0.0

    @property
    def trouble(self) -> str:
        return self.failure.code if self.failure else ""

    def arrived(self) -> None:
        if not self._pending:
            self._arrived = time.monotonic()
        self._pending = True

    @property
    def standing(self) -> Standing:
        return Standing(self._count, self._seconds, self._arrived if self._pending else None, self.trouble)

    def patience(self, *, hurried: bool) -> float | None:
        """Seconds until it is time to publish; None: there is nothing to publish. `hurried`: much comes to be stored,
        so that it is time more seldom."""
        if not self._pending:
            return None
        return max(0.0, (self._next_hurried if hurried else self._next) - time.monotonic())

    def due(self, *, hurried: bool) -> bool:
        return self.patience(hurried=hurried) == 0.0

    def publish(self) -> None:
        if not self._pending:
            return
        begun = time.monotonic()
        try:
            if not self._resolver.follow():
                self._resolver.resolve()
        except Exception as error:
            self._failed(error)
            return
        self._pending, self.failure = False, None
        now = time.monotonic()
        took = now - begun
        self._count += 1
        self._seconds += took
        if self._count == 1:
            gc.freeze()  # what it loaded stays, and full collections need not keep everybody waiting to walk it again
        self._next = max(begun + PACE, now)
        self._next_hurried = now + SHARE * took

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, IdentityGraphError):  # its own words may name somebody
            error = IdentityGraphError("INTERNAL", f"{type(error).__qualname__} while persons were to be published")
        if error.code != self.trouble:
            log.error("persons are not published: %s: %s. %s", error.code, error.message, error.help)
        self.failure = error
        self._next = self._next_hurried = time.monotonic() + AGAIN
