"""Tells controllers how their requests come along: each status once it has changed, in order, at least once.

What is to be told stands in the store with the change itself, and is noted as told after it was taken. What is not
taken is tried again, later and later, and then kept as dead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from identity_graph.errors import NotFound
from identity_graph.opendsr.agreement import Agreement
from identity_graph.opendsr.answers import callback, headers
from identity_graph.opendsr.desk import Desk
from identity_graph.opendsr.seal import Seal
from identity_graph.store.protocols import Store
from identity_graph.subject_request import Call, RequestStatus, SubjectRequest
from identity_graph.times import SECOND
from identity_graph.webhook import Sent, post, wait_for_next

AT_ONCE = 8  # so that one who does not answer keeps few others waiting


class Calling:
    """`private`: whether the hosts that the agreement names may be anywhere."""

    def __init__(self, store: Store, desk: Desk, seal: Seal, *, private: bool = False) -> None:
        self._store = store
        self._desk = desk
        self._seal = seal
        self._private = private

    @property
    def _agreement(self) -> Agreement:
        return self._desk.agreement

    def round(self) -> tuple[int, str]:
        """Make the calls that are due: how many, and what the last one that failed came to."""
        claimed = self._claim()
        if not claimed:
            return 0, ""
        with ThreadPoolExecutor(min(AT_ONCE, len(claimed))) as threads:
            found = list(threads.map(lambda one: self._call(*one), claimed))
        return len(found), next((sent.trouble for sent in reversed(found) if sent.trouble), "")

    def _claim(self) -> list[tuple[SubjectRequest, Call]]:
        """Those that are due. They are due again when nobody can be calling any more, for whoever finds us killed."""
        if not self._store.subject_requests.calling(self._desk.clock(), 1):
            return []  # no turn to write is taken for nothing
        with self._store.transaction():
            now = self._desk.clock()
            until = now + round(2 * self._agreement.timeout * SECOND) + SECOND
            found, kept = [], []
            for request in self._store.subject_requests.calling(now):
                due = [call for call in request.calls if call.due is not None and call.due <= now]
                found += [(request, call) for call in due]
                calls = (replace(call, due=until) if call in due else call for call in request.calls)
                kept.append(replace(request, calls=tuple(calls)))
            self._store.subject_requests.keep(kept)
        return found

    def _call(self, request: SubjectRequest, call: Call) -> Sent:
        told = call.waiting[0]
        body = callback(request, told, call.url, self._agreement, self._desk.shown(request))
        named = bool(self._agreement.callback_hosts)
        sent = post(
            call.url,
            body,
            headers(self._agreement, self._seal, body),
            timeout=self._agreement.timeout,
            private=self._private and named,
            local=named,
        )
        self._change(request.id, call.url, lambda known: self._after(known, told, sent))
        return sent

    def _after(self, call: Call, told: RequestStatus, sent: Sent) -> Call:
        if call.waiting[:1] != (told,):  # another process has told it meanwhile
            return call
        now, rest = self._desk.clock(), call.waiting[1:]
        if not sent.trouble:
            return replace(call, waiting=rest, attempts=0, due=now if rest else None, trouble="")
        attempts = call.attempts + 1
        if attempts >= self._agreement.attempts:
            due = now if rest else None
            return replace(call, waiting=rest, dead=(*call.dead, told), attempts=0, due=due, trouble=sent.trouble)
        wait = round(wait_for_next(attempts, self._agreement.first_wait, sent) * SECOND)
        return replace(call, attempts=attempts, due=now + wait, trouble=sent.trouble)

    def _change(self, id: str, url: str, after: Callable[[Call], Call]) -> None:
        with self._store.transaction():
            (known,) = self._store.subject_requests.find([id])
            if known is not None:
                calls = (after(call) if call.url == url else call for call in known.calls)
                self._store.subject_requests.keep([replace(known, calls=tuple(calls))])


def call_again(store: Store, now: int, ids: Iterable[str] | None = None) -> int:
    """What of these requests, or of all, nobody took is to be told once more; how many callbacks those are. Raises
    SUBJECT_REQUEST_UNKNOWN."""
    count = 0
    with store.transaction():
        for request in _these(store, ids):
            dead = sum(len(call.dead) for call in request.calls)
            if dead:
                calls = (
                    replace(call, waiting=(*call.dead, *call.waiting), dead=(), attempts=0, due=now)
                    if call.dead
                    else call
                    for call in request.calls
                )
                store.subject_requests.keep([replace(request, calls=tuple(calls))])
            count += dead
    return count


def _these(store: Store, ids: Iterable[str] | None) -> Iterable[SubjectRequest]:
    if ids is not None:
        for id, found in zip(wanted := list(ids), store.subject_requests.find(wanted), strict=True):
            if found is None:
                raise NotFound("SUBJECT_REQUEST_UNKNOWN", f"no request has the id {id[:100]!r}")
            yield found
        return
    after = ""
    while page := store.subject_requests.requests(after=after):
        yield from page
        after = page[-1].id
