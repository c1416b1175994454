"""Requests of controllers are carried out, and their callbacks made, while a server runs, whoever took them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from identity_graph.audit import AuditLog
from identity_graph.errors import IdentityGraphError
from identity_graph.opendsr.calling import Calling
from identity_graph.opendsr.desk import Desk
from identity_graph.subject_request import RequestStatus, SubjectRequest

PAUSE = 0.5  # seconds between two looks at the store
AGAIN = 5.0  # seconds after a failure of the store

log = logging.getLogger("identity_graph.opendsr")


class Fulfilling:
    """Two threads: whoever does not take its callbacks keeps no request waiting. What is done is `audit`ed in the name
    of the controller."""

    def __init__(self, desk: Desk, calling: Calling, audit: AuditLog | None = None) -> None:
        self._audit = audit
        self._closing = Event()
        work = (("requests", lambda: desk.round(self._heard)), ("callbacks", lambda: calling.round()[1]))
        self._threads = [_Repeating(what, step, self._closing) for what, step in work]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def troubles(self) -> dict[str, str]:
        """What keeps requests from being carried out, and callbacks from being taken; else empty."""
        return {thread.what: thread.trouble for thread in self._threads}

    def close(self) -> None:
        """Returns when nothing is under way any more."""
        self._closing.set()
        for thread in self._threads:
            thread.join()

    def _heard(self, request: SubjectRequest) -> None:
        if request.trouble:
            log.warning("opendsr request %s waits: %s", request.id, request.trouble)
        if self._audit and request.status is not RequestStatus.CANCELLED:
            waits = f"waits: {request.trouble}" if request.trouble else "begun"
            outcome = "done" if request.status is RequestStatus.COMPLETED else waits
            self._audit.add(request.controller, "", f"opendsr {request.kind}", outcome, request.id)


class _Repeating(Thread):
    def __init__(self, what: str, step: Callable[[], str], closing: Event) -> None:
        super().__init__(name=f"opendsr {what}", daemon=True)
        self.what = what
        self.trouble = ""
        self._step = step
        self._closing = closing

    def run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            try:
                trouble, pause = self._step(), PAUSE
            except Exception as error:
                trouble = error.code if isinstance(error, IdentityGraphError) else f"INTERNAL, {type(error).__name__}"
                pause = AGAIN
            if trouble and trouble != self.trouble:
                log.error("opendsr %s: %s", self.what, trouble)
            self.trouble = trouble
