"""What a store can do, as small protocols by noun. The docstrings are the contract; `tests/store/` tests it.

One law: a read by keys takes a sequence and returns a list of the same length and order, with None or an
empty sequence for the unknown. *Numbers* are a store's own names for identifiers, persons and events; they
never leave the services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from identity_graph.delivery import Delivery, Parcel
from identity_graph.event_table import EventTable
from identity_graph.model import (
    Change,
    ChangeKind,
    Event,
    Identifier,
    Origin,
    Person,
    Quarantined,
    Reason,
    Refused,
    Run,
    Segment,
)
from identity_graph.policy import Policy
from identity_graph.store.deliveries import DeliveryStore as DeliveryStore
from identity_graph.tables import EvidenceTable, IdentifierTable, Int64, ObservationTable, StatementTable

T = TypeVar("T")


class EventRow(NamedTuple):
    """An event as stored: `number` grows in the order of arrival and is never given twice; `identifiers` are numbers,
    ascending. The event's own identifiers and stated pairs are in order of key, whatever the order in which they came.
    """

    number: int
    event: Event
    identifiers: tuple[int, ...]


class IdentifierRow(NamedTuple):
    """An identifier as stored. `person` is a person's number; `pruned` one of the codes of `Reason`."""

    number: int
    identifier: Identifier
    person: int | None
    since: int
    pruned: str | None


class Sighting(NamedTuple):
    """How often, when and by whom an identifier was observed."""

    first_seen: int
    last_seen: int
    observations: int
    sources: tuple[str, ...]


class SuppressedRow(NamedTuple):
    """A link between two identifier numbers that a limit refused, `a < b`."""

    a: int
    b: int
    reason: Reason


class SimilarRow(NamedTuple):
    """A link that nobody observed, between two numbers of identifiers seen with the same others: `a < b`, ascending."""

    a: int
    b: int
    weight: float
    last_seen: int
    shared: tuple[int, ...]


class PersonRow(NamedTuple):
    """`survivor` is the person's number that a merge left, for a retired person; else None."""

    number: int
    id: str
    created: int
    updated: int
    survivor: int | None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """Persons with what is stored of them and around them, of one moment; every row as the other reads give it.

    `moment` differs where a publication or an erasure lies between two subgraphs. `asked` has of each identifier asked
    for its row, of each person id its row, or None. `persons` and `identifiers`, by number, hold whatever a row here
    names, but for the other ends of suppressed links; `members`, by person, is in order of key, `suppressed` and
    `similar` are by member and `segments` by person, in order of name. `events`, by member, is in order of time, then
    id; None where events were left out.
    """

    moment: object
    asked: Mapping[Identifier | str, IdentifierRow | PersonRow | None]
    persons: Mapping[int, PersonRow]
    identifiers: Mapping[int, IdentifierRow]
    members: Mapping[int, Sequence[IdentifierRow]]
    suppressed: Mapping[int, Sequence[SuppressedRow]]
    similar: Mapping[int, Sequence[SimilarRow]]
    segments: Mapping[int, Sequence[Segment]]
    events: Mapping[int, Sequence[EventRow]] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction of a load stores, read at `time`, and where the load then stands. `replayed`: its records
    are in quarantine already, and what is refused again is set aside again."""

    events: Sequence[Event]
    origins: Sequence[Origin]
    refused: Sequence[Refused] = ()
    position: int = 0
    offset: int = 0
    replayed: bool = False
    trail: str = ""
    time: int = 0


@dataclass(frozen=True, slots=True)
class Publication:
    """The difference that one resolution publishes, in one transaction.

    Identifier and person numbers; a new person is named by -1, -2, ... for the first, second, ... of `created`
    (ids). `members` moves identifiers to persons; `pruned` and `joined` set and clear the code of pruned ones, which
    are members of nobody. Retired persons leave their segments.
    `suppressed` replaces all suppressed links of which an end is in `scope` (None: all there are), `similar` all the
    similar ones (None: they stay).
    `retired` pairs persons with their survivor (None: gone without one, because nothing is left of it).
    `changes` have number 0; the store gives the real one. `resolved` is the last event number taken into
    account.
    """

    time: int
    policy: str
    created: Sequence[str]
    members: tuple[Int64, Int64]
    pruned: Sequence[tuple[int, str]]
    joined: Int64
    suppressed: Sequence[SuppressedRow]
    scope: Int64 | None
    retired: Sequence[tuple[int, int | None]]
    updated: Int64
    changes: Sequence[Change]
    resolved: int
    similar: Sequence[SimilarRow] | None = None


class EvidenceStore(Protocol):
    """Events and observations: appended, never changed."""

    def append(self, run: Run, batch: Batch) -> Run:
        """Store a batch in one transaction, durable on return; answers the run with its new counts.

        An event whose id is stored already counts as duplicate when its content is equal (identifiers, traits,
        properties, name, time, source, stated pairs) and goes to quarantine as ID_REUSE when not; the same within a
        batch. A record to be set aside that is in quarantine already, from the same place of the same source, is not
        set aside twice; it counts as quarantined. Both ends of a stated pair are observed. An event with a tombstoned
        id or identifier, and a refused record that an erasure took out of quarantine, counts as suppressed. Raises
        SOURCE_CHANGED when another process has moved this run on, and StoreError; nothing is then stored.
        """
        ...

    def events(self, ids: Sequence[str]) -> list[EventRow | None]: ...

    def events_of(self, identifiers: Sequence[int]) -> list[list[EventRow]]:
        """Of each identifier number: its events, by time, then id."""
        ...

    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierRow | None]: ...
    def identifiers_by_number(self, numbers: Sequence[int]) -> list[IdentifierRow | None]: ...
    def sightings(self, numbers: Sequence[int]) -> list[Sighting | None]: ...

    def identifier_table(self, numbers: Int64 | None = None) -> tuple[IdentifierTable, Sequence[str]]:
        """Every identifier, or those of the given numbers, as columns, with their values."""
        ...

    def observation_table(self, numbers: Int64 | None = None) -> ObservationTable:
        """Every observation, or all those of the events that saw any of the given identifiers."""
        ...

    def link_table(self, identifiers: IdentifierTable, values: Sequence[str], policy: Policy) -> EvidenceTable:
        """Every link, by source: of dense identifiers, positions in the table of all of them, and of sources numbered
        by name. What follows from every observation by `resolve.fold_links`; a store may keep it."""
        ...

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        """All that events stated of pairs of identifiers, or what touches any of the given ones."""
        ...

    def sources(self) -> Sequence[str]:
        """Names of sources; the index is what `ObservationTable.source` holds."""
        ...

    def newest(self) -> int:
        """The latest time of any event; 0 where there is none. Walks all events."""
        ...

    def arrived_since(self, event_number: int) -> tuple[Int64, int]:
        """Identifier numbers that events after this one saw, ascending; and the last event number there is."""
        ...


class PersonStore(Protocol):
    """What resolutions published."""

    def publish(self, publication: Publication) -> None: ...

    def resolved(self) -> tuple[int, str | None]:
        """The last event number taken into account, and the digest of the policy in force (None: never)."""
        ...

    def membership(self, numbers: Int64 | None = None) -> tuple[Int64, Int64]:
        """Identifier numbers and the person numbers that they belong to; by identifier. None: all."""
        ...

    def persons(self, ids: Sequence[str]) -> list[PersonRow | None]:
        """By person id, retired ones included; an erased id is unknown."""
        ...

    def persons_by_number(self, numbers: Sequence[int]) -> list[PersonRow | None]: ...

    def members(self, persons: Sequence[int]) -> list[list[IdentifierRow]]:
        """Of each person number: its identifiers, by key."""
        ...

    def pruned(self, numbers: Int64 | None = None) -> tuple[Int64, Sequence[str]]:
        """Of these identifier numbers (None: all), those that are pruned, ascending, and their codes."""
        ...

    def suppressed(self, numbers: Sequence[int]) -> list[list[SuppressedRow]]:
        """Of each identifier number: the suppressed links that end in it, by `a`, then `b`."""
        ...

    def similar(self, numbers: Sequence[int]) -> list[list[SimilarRow]]:
        """Of each identifier number: the similar links that end in it, as the last resolution of everything found them.
        An erasure takes those of its identifiers with it."""
        ...

    def changes(
        self, *, after: int = 0, limit: int = 100, person_id: str | None = None, kinds: Sequence[ChangeKind] = ()
    ) -> list[Change]:
        """In order of number."""
        ...

    def changes_of(self, person_ids: Sequence[str]) -> list[list[Change]]:
        """Of each person id: all of its changes, in order of number."""
        ...

    def page(self, *, after: str = "", limit: int = 100, backward: bool = False) -> list[Person]:
        """Live persons in order of id: the next after the given id or, going backward, the last before it."""
        ...

    def count(self) -> int: ...

    def subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], *, events: bool) -> Subgraph:
        """The persons that have these identifiers, and those of these ids (of a retired one: its survivor), by as few
        reads as the store can: one, where each read is a journey over a network."""
        ...


class SegmentStore(Protocol):
    """Saved conditions and who meets them. Whoever enters or leaves is a change, in the same transaction; an erased
    person's are deleted."""

    def save(self, segment: Segment, members: Sequence[str] | None) -> None:
        """Create or replace, with all its members (None: as they are): ids of live persons, others are left out."""

    def delete(self, name: str, time: int) -> bool: ...

    def segments(self, names: Sequence[str] | None = None) -> list[Segment | None]:
        """By name, aligned; None: all, by name."""

    def refresh(self, name: str, entered: Sequence[str], left: Sequence[str], evaluated: int, time: int) -> None:
        """At this time persons leave, then enter (ids of live ones, others are left out). Raises SEGMENT_UNKNOWN."""

    def of_persons(self, person_ids: Sequence[str]) -> list[list[str]]:
        """Of each person: the names of its segments, in order."""

    def members(self, name: str, *, after: str = "", limit: int = 100) -> list[str]:
        """Person ids in order."""

    def overlap(self, name: str, other: str) -> int:
        """How many persons are in both."""

    def computed(self) -> Mapping[str, Mapping[str, Any]]:
        """What each computed trait measures, by name in order."""

    def declare(self, computed: Mapping[str, Mapping[str, Any]]) -> None:
        """All computed traits there are from now on."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure deletes: event and identifier numbers, event ids and identifiers to keep from returning.

    `emptied` are other persons of which nothing is left.
    """

    person: int
    person_id: str
    events: Sequence[int]
    event_ids: Sequence[str]
    identifiers: Sequence[int]
    tombstones: Sequence[Identifier]
    quarantined: Sequence[int] = ()
    emptied: Sequence[int] = ()
    changes: Sequence[Change] = field(default_factory=tuple)


class PrivacyStore(Protocol):
    """Erasure and what it leaves: keyed hashes."""

    def erase(self, erasure: Erasure) -> None:
        """Delete within the transaction in hand and write the tombstones."""
        ...

    def scrub(self) -> None:
        """Leave no deleted byte in the store's files; outside a transaction."""
        ...

    def tombstoned(self, identifiers: Sequence[Identifier]) -> list[bool]: ...

    def keyed_hash(self, text: str) -> bytes:
        """HMAC-SHA256 by the store's key."""
        ...


class OperationStore(Protocol):
    """Runs, quarantine, counts."""

    def begin_run(self, run: Run) -> Run:
        """Record a run; where one is `interrupted` that it would repeat: that one, as it stands, running again."""

    def interrupted(self, fingerprint: str, loader: str) -> Run | None:
        """The run of this fingerprint and loader that was killed, paused or failed."""

    def end_run(self, run: Run) -> None: ...

    def runs(self, *, before: str = "", limit: int = 100) -> list[Run]:
        """Newest first."""

    def find_runs(self, ids: Sequence[str]) -> list[Run | None]: ...

    def quarantined(self, *, after: int = 0, limit: int = 100, code: str | None = None) -> list[Quarantined]:
        """In order of number."""

    def newest_quarantined(self) -> int:
        """The highest number in quarantine, 0 if it is empty; what is set aside later has a higher one."""

    def quarantine_sizes(self, after: int, limit: int) -> list[tuple[int, int, int]]:
        """Of records in quarantine, in order of number: number, time and bytes."""

    def release(self, numbers: Sequence[int]) -> None:
        """Remove records from quarantine."""

    def counts(self) -> dict[str, int]:
        """events, identifiers, observations, persons, largest_person, hubs, suppressed_links, quarantined, ..."""

    def canonical_lines(self) -> Iterator[bytes]:
        """Evidence and memberships, one line each, in an order that does not depend on arrival: the digest's input."""


class EventColumns(NamedTuple):
    """Events as stored, in order of their `numbers`; `named` are the numbers of `events.named`."""

    numbers: Int64
    events: EventTable
    named: Int64


class Standing(NamedTuple):
    """How far resolutions came and by which policy; the highest numbers ever given, so that none is given twice."""

    resolved: int = 0
    policy: str | None = None
    event: int = 0
    identifier: int = 0
    person: int = 0
    change: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one store to be written into another, under their own numbers and times.

    Whatever a row names is in the same piece or was in an earlier one. Of `members` each pairs a segment with ids of
    persons that are in it. `key_check` tells the key of the tombstones, without giving it away.
    """

    key_check: bytes | None = None
    tombstones: Sequence[bytes] = ()
    persons: Sequence[PersonRow] = ()
    identifiers: Sequence[IdentifierRow] = ()
    suppressed: Sequence[SuppressedRow] = ()
    similar: Sequence[SimilarRow] = ()
    events: EventColumns | None = None
    changes: Sequence[Change] = ()
    runs: Sequence[Run] = ()
    quarantined: Sequence[Quarantined] = ()
    segments: Sequence[Segment] = ()
    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: Sequence[tuple[Segment, Sequence[str]]] = ()
    deliveries: Sequence[Delivery] = ()
    dead_letters: Sequence[Parcel] = ()
    standing: Standing | None = None


PIECE_CHARACTERS = 16 * 1024 * 1024


class TransferStore(Protocol):
    """What it takes to move a store: the rest of what there is to read, and writing as it was elsewhere."""

    def hold(self) -> AbstractContextManager[Any]:
        """What is read inside, in this thread, is of one moment: nobody writes meanwhile, or it is not seen."""

    def standing(self) -> Standing: ...

    def key_check(self) -> bytes | None:
        """None where there are no tombstones."""

    def has_key(self, check: bytes) -> bool:
        """Whether this store has the key that made the check; False when it has none, and none is made. Raises
        STORE_KEY when it has another."""

    def key_place(self) -> Path | None:
        """Where the key of the tombstones is kept, unless the environment gives it; None: in memory alone."""

    def events(self, after: int, limit: int) -> EventColumns:
        """In order of number, from the next after this one; `named` ascends. Fewer than `limit`, but one if there is
        any, where traits and properties of more are over PIECE_CHARACTERS."""

    def runs(self, after: str, limit: int) -> list[Run]:
        """In order of id, from the next after this one."""

    def tombstones(self, after: bytes, limit: int) -> list[bytes]:
        """In order, from the next after this one."""

    def mark(self) -> str | None:
        """What the last piece was written with; None: none ever was."""

    def restore(self, piece: Piece, mark: str) -> None:
        """Write a piece in one transaction, durable on return. No row of it may be there already."""


class Store(Protocol):
    """Everything, and the transaction that holds it together. `kind` is the scheme of its URL."""

    kind: str
    evidence: EvidenceStore
    persons: PersonStore
    segments: SegmentStore
    privacy: PrivacyStore
    operations: OperationStore
    deliveries: DeliveryStore
    transfer: TransferStore

    def transaction(self) -> AbstractContextManager[Any]:
        """All or nothing, one writer at a time; nests. Raises STORE_BUSY, STORE_FULL, STORE_FAILED."""

    def moment(self, read: Callable[[], T]) -> T:
        """What `read` answers when all that it reads is of one moment, whoever writes meanwhile; nests.

        Where a store cannot hold a moment still, it calls `read` again after a publication or an erasure came between.
        """

    def trace(self, hear: Any) -> AbstractContextManager[Any]:
        """Calls `hear(statement)` for each statement: for logs and for counting in tests."""

    def close(self) -> None: ...
