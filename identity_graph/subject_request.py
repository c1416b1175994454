"""Words of requests that a controller sends for a person, as OpenDSR writes them: what was asked, how far it came, and
who is to be told of it.

Whom it is about stands here in plain only until it is done, or called off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

import orjson

from identity_graph.model import SharedRule


class RequestKind(StrEnum):
    ACCESS = "access"
    PORTABILITY = "portability"
    ERASURE = "erasure"


class RequestStatus(StrEnum):
    """PENDING: it can be cancelled. CANCELLED: nothing was done."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Identity:
    """`value` is canonical where `form` is empty, else the digest of that name of a canonical value, hexadecimal."""

    namespace: str
    value: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Statuses that wait to be told to this address, oldest first, and those that it never took: `dead`.

    `attempts` were made with the first of them, `due` is the time of the next, `trouble` what the last one came to.
    """

    url: str
    waiting: tuple[RequestStatus, ...] = ()
    attempts: int = 0
    due: int | None = None
    trouble: str = ""
    dead: tuple[RequestStatus, ...] = ()

    def with_(self, status: RequestStatus, now: int) -> Call:
        """One more to tell."""
        return replace(self, waiting=(*self.waiting, status), due=now if self.due is None else self.due)


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """`begins`: until then it may be cancelled. `due` is when something is to be done for it; None: no more.

    `digest` is a keyed hash of what was sent. `hidden` are numbers of identifiers that it restricted, `persons` whom it
    discloses, `erasures` the requests that erase, `results` how many events were found. `trouble` is the code of what
    its last step came to; `shared` what was decided where that was IDENTIFIERS_SHARED.
    """

    id: str
    controller: str
    kind: RequestKind
    status: RequestStatus
    received: int
    expected: int
    begins: int
    digest: str
    due: int | None = None
    identities: tuple[Identity, ...] = ()
    sought: bool = False
    hidden: tuple[int, ...] = ()
    persons: tuple[str, ...] = ()
    erasures: tuple[str, ...] = ()
    results: int | None = None
    ended: int | None = None
    calls: tuple[Call, ...] = ()
    trouble: str = ""
    shared: SharedRule | None = None

    @property
    def call_due(self) -> int | None:
        return min((call.due for call in self.calls if call.due is not None), default=None)

    def moved(self, status: RequestStatus, now: int, **more: Any) -> SubjectRequest:
        """With another status, of which everybody who wants to be told will be."""
        return replace(self, status=status, calls=tuple(call.with_(status, now) for call in self.calls), **more)

    def pack(self) -> str:
        """As stores keep it."""
        return orjson.dumps(self).decode()

    @classmethod
    def unpack(cls, text: str) -> Self:
        """
        >>> call = Call("https://example.org", (RequestStatus.PENDING,), 1, 5, "503")
        >>> one = SubjectRequest("id", "c", RequestKind.ERASURE, RequestStatus.PENDING, 1, 3, 2, "d", 2, calls=(call,))
        >>> SubjectRequest.unpack(one.pack()) == one, one.call_due
        (True, 5)
        """
        found = orjson.loads(text)
        for name in ("hidden", "persons", "erasures"):
            found[name] = tuple(found[name])
        read = {
            "kind": RequestKind(found["kind"]),
            "status": RequestStatus(found["status"]),
            "identities": tuple(Identity(**one) for one in found["identities"]),
            "calls": tuple(_call(one) for one in found["calls"]),
            "shared": SharedRule(found["shared"]) if found.get("shared") else None,
        }
        return cls(**found | read)


def _call(found: Mapping[str, Any]) -> Call:
    statuses = {name: tuple(map(RequestStatus, found[name])) for name in ("waiting", "dead")}
    return Call(**{**found, **statuses})
