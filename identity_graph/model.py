"""The words of the project, as values. Times are integers: microseconds since 1970, UTC.

What comes in by the million (`Identifier`, `Event`) is a named tuple, because building one costs a third of
a dataclass; what is published is a frozen dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

from identity_graph.errors import HELP, InputError
from identity_graph.times import SECOND


class Identifier(NamedTuple):
    """A namespace and a canonical value. Sorts by namespace, then value.

    >>> Identifier.parse("email:ann@example.org")
    Identifier(namespace='email', value='ann@example.org')
    """

    namespace: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.namespace}:{self.value}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read `namespace:value`; the value may hold colons and is taken as it is. Raises KEY_INVALID."""
        namespace, colon, value = key.partition(":")
        if not (namespace and colon and value):
            raise InputError("KEY_INVALID", f"{key!r} is not a key")
        return cls(namespace, value)


class Event(NamedTuple):
    """What comes in. `identifiers` are canonical, without repeats, in the order that the record named them.

    `same_person` holds pairs that the record *states* to be one person (Segment's alias): must-links; `apart` those
    that it states not to be: cannot-links. Of what is stated of a pair the newest counts.
    `traits` and `properties` are JSON objects. `formerly` is what earlier versions would have made of its identifiers,
    where that is something else: nobody keeps it, but an event stays out where it is a tombstone.
    """

    id: str
    time: int
    source: str
    name: str
    identifiers: Sequence[Identifier]
    traits: Mapping[str, Any]
    properties: Mapping[str, Any]
    same_person: Sequence[tuple[Identifier, Identifier]] = ()
    received: int = 0
    apart: Sequence[tuple[Identifier, Identifier]] = ()
    formerly: Sequence[Identifier] = ()


class Origin(NamedTuple):
    """Where a record came from: `line` counts from 1, `offset` in bytes of the (decompressed) file."""

    line: int
    offset: int
    raw: bytes


class Refused(NamedTuple):
    """A record on its way to quarantine."""

    origin: Origin
    code: str
    message: str


class LinkKind(StrEnum):
    OBSERVED = "OBSERVED"
    SIMILAR = "SIMILAR"
    MUST = "MUST"
    CANNOT = "CANNOT"


class ChangeKind(StrEnum):
    CREATED = "CREATED"
    ABSORBED = "ABSORBED"
    MERGED = "MERGED"
    SPLIT = "SPLIT"
    ERASED = "ERASED"
    ENTERED = "ENTERED"
    LEFT = "LEFT"


class PersonOrder(StrEnum):
    ID = "ID"
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    LAST_SEEN = "LAST_SEEN"
    SIZE = "SIZE"


class RunState(StrEnum):
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something does not join.

    Codes: LIMIT, CANNOT_LINK, HUB, BLOCKED, NOT_JOINING, WEAK, OVERSIZED, QUARANTINED, EXPIRED, UNSEEN, and in a view
    UNSURE and PURPOSE. `values` are of `namespace`; of CANNOT_LINK, which has none, they are the keys of the two
    identifiers.
    """

    code: str
    message: str
    namespace: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Two identifiers, `a < b`, observed together `count` times; `suppressed` is None when it joins.

    Of two that were only stated to be one person, or not to be (CANNOT), the times are that of the statement.
    `shared` are identifiers that both were seen with, by key, where the policy compares such identifiers; the link is
    SIMILAR if that says more than how often the two were seen together.
    """

    a: Identifier
    b: Identifier
    kind: LinkKind
    weight: float
    count: int
    first_seen: int
    last_seen: int
    sources: tuple[str, ...]
    suppressed: Reason | None = None
    shared: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another person to whom suppressed links lead, and the weight of the strongest; they are in order of weight."""

    person_id: str
    weight: float
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class IdentifierFacts:
    """What is known of one identifier. `person_id` is None where it was pruned or not resolved yet."""

    identifier: Identifier
    first_seen: int
    last_seen: int
    observations: int
    sources: tuple[str, ...]
    pruned: Reason | None
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Membership:
    identifier: Identifier
    confidence: float
    since: int


@dataclass(frozen=True, slots=True)
class Person:
    """A published person. `requested_id` is set when it was asked for by an id that a merge retired."""

    id: str
    created: int
    updated: int
    requested_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One event said so."""

    name: str
    value: Any
    source: str
    time: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Trait:
    """The statement that survived, and the different values that lost to it, newest first."""

    name: str
    value: Any
    source: str
    time: int
    event_id: str
    alternatives: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """Surviving traits, by name in order."""

    traits: tuple[Trait, ...]

    @property
    def values(self) -> dict[str, Any]:
        return {trait.name: trait.value for trait in self.traits}


class ConsentStatus(StrEnum):
    GRANTED = "GRANTED"
    DENIED = "DENIED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Consent:
    """One event said so of a purpose; it no longer counts once it has expired."""

    purpose: str
    status: ConsentStatus
    source: str
    time: int
    expires: int | None
    event_id: str

    @property
    def granted(self) -> bool:
        return self.status is ConsentStatus.GRANTED


@dataclass(frozen=True, slots=True)
class JourneyEvent:
    """An event and the identifier by which it is attributed to its person."""

    event: Event
    attributed_by: Identifier | None
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """Events of one person with no longer gap between two than the policy's `session_gap`; oldest first."""

    events: tuple[JourneyEvent, ...]

    @property
    def start(self) -> int:
        return self.events[0].event.time

    @property
    def end(self) -> int:
        return self.events[-1].event.time


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """Contacts through one channel, which is a source."""

    channel: str
    first: JourneyEvent
    last: JourneyEvent
    count: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A name and a condition tree; `size` is as of `evaluated`."""

    name: str
    description: str
    condition: Mapping[str, Any]
    created: int
    evaluated: int
    size: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a resolution did to a person, or which `segment` it entered or left. `number` grows with time and never
    repeats. `cause` is evidence, statement (see `stating`), policy, erasure, retention or segment."""

    number: int
    time: int
    kind: ChangeKind
    person_id: str
    from_ids: tuple[str, ...]
    to_ids: tuple[str, ...]
    cause: str
    message: str
    policy: str
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One load or resolution. Of a load: read = accepted + duplicate + quarantined + suppressed, always.

    `position` counts the records that are done with, `offset` is where the next one begins, and `size` where offsets
    end (None: nobody knows, as of standard input and of what is compressed); `default_time` is that of
    records without a time of their own. By `fingerprint`, of what is loaded, and `loader` a run that did not come to
    its end is found again; `trail` tells of a file that is followed what stood before the offset, and the next line,
    and of a large one that was loaded its content, and how many tombstones there were.
    `policy` is the digest of the rules that were given, `normaliser` the version of what made values canonical. The two
    errors are codes and lines of records that were set aside: no values.
    """

    id: str
    kind: str
    state: RunState
    started: int
    source: str = ""
    ended: int | None = None
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    suppressed: int = 0
    message: str = ""
    position: int = 0
    offset: int = 0
    default_time: int | None = None
    loader: str = ""
    file: str = ""
    fingerprint: str | None = None
    trail: str = ""
    policy: str = ""
    normaliser: int = 0
    first_error: str = ""
    last_error: str = ""
    size: int | None = None

    @property
    def progress(self) -> float | None:
        """How much is done, 0 to 1; None where nobody knows."""
        if self.state is RunState.DONE:
            return 1.0
        return min(1.0, self.offset / self.size) if self.size else None

    @property
    def rate(self) -> float | None:
        """Records a second, from its beginning to its end, interruptions included; None before that."""
        if self.ended is None or self.ended <= self.started:
            return None
        return self.read * SECOND / (self.ended - self.started)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record set aside, when, and its bytes (of a record over one mebibyte: the first 64 KiB)."""

    number: int
    run_id: str
    source: str
    loader: str
    line: int
    offset: int
    code: str
    message: str
    record: bytes
    time: int = 0

    @property
    def help(self) -> str:
        """What to do about it."""
        return HELP.get(self.code, "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, or why not, two identifiers are one person: the strongest path and what is in its way."""

    same_person: bool
    path: tuple[Link, ...]
    confidence: float | None
    obstacles: tuple[Reason, ...]
    message: str


class Scope(StrEnum):
    """What is asked about: a `CONNECTED` person, or one identifier of it, `EXACT`, and the events that saw it."""

    EXACT = "EXACT"
    CONNECTED = "CONNECTED"


class SharedRule(StrEnum):
    """What an erasure does about an identifier that others are seen with, too: `DETACH` it, so that it stays with
    their events alone, or `REFUSE` to erase anything, so that somebody decides."""

    DETACH = "DETACH"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """What `forget` would take: `exclusive` identifiers go, `shared` ones stay with the others' evidence.

    `beside` were not asked for, but no other events saw them, so they go too; `quarantined` counts records set aside
    that name the person.
    `kept` is the identifier that the person was asked for by, where it is a shared one. The `contested` are those of
    the shared ones for which `SharedRule.REFUSE` refuses: events of other people hold them, and they may join somebody.
    """

    token: str
    person_id: str
    scope: Scope
    exclusive: tuple[Identifier, ...]
    beside: tuple[Identifier, ...]
    shared: tuple[Identifier, ...]
    events: int
    quarantined: int
    segments: tuple[str, ...]
    kept: Identifier | None = None
    contested: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Restriction:
    """A person that nobody but the privacy desk sees, and how many of its identifiers that holds to."""

    person_id: str
    since: int
    identifiers: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an erasure without personal data: counts, times, digests; signed, see `signing`."""

    id: str
    document: Mapping[str, Any] = field(default_factory=dict)
