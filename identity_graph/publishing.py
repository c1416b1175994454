"""Persons follow what arrives: published soon after it is stored, and not so often that storing has to wait."""

from __future__ import annotations

import gc
import logging
import time
from math import inf

from identity_graph.errors import IdentityGraphError
from identity_graph.resolver import Resolver

PACE = 0.008  # seconds from one publication to the next, in which others store and answer
SHARE = 9.0  # while much comes, storing gets this many times as long as publishing
AGAIN = 1.0  # seconds after a failure

log = logging.getLogger("identity_graph.publishing")


class Publishing:
    """`failure` is what keeps persons from being published now, if anything does, and `trouble` its code; else empty.
    `count` publications took `seconds`, the last of them `took`, which is more than any before there is one."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._pending = False
        self._next = self._next_hurried = 0.0
        self._arrived = 0.0
        self.failure: IdentityGraphError | None = None
        self.count = 0
        self.seconds = 0.0
        self.took = inf

    @property
    def trouble(self) -> str:
        return self.failure.code if self.failure else ""

    def arrived(self) -> None:
        if not self._pending:
            self._arrived = time.monotonic()
        self._pending = True

    @property
    def lag(self) -> float:
        """Seconds for which the oldest of what arrived waits to be published."""
        return max(0.0, time.monotonic() - self._arrived) if self._pending else 0.0

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
        self.count += 1
        self.took = now - begun
        self.seconds += self.took
        if self.count == 1:
            gc.freeze()  # what it loaded stays, and full collections need not keep everybody waiting to walk it again
        self._next = max(begun + PACE, now)
        self._next_hurried = now + SHARE * self.took

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, IdentityGraphError):  # its own words may name somebody
            error = IdentityGraphError("INTERNAL", f"{type(error).__qualname__} while persons were to be published")
        if error.code != self.trouble:
            log.error("persons are not published: %s: %s. %s", error.code, error.message, error.help)
        self.failure = error
        self._next = self._next_hurried = time.monotonic() + AGAIN
