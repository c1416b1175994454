"""What a store keeps of events and observations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from identity_graph.model import Event, Identifier, Origin, Refused, Run
from identity_graph.policy import Policy
from identity_graph.store.rows import AgedEvent, EventRow, IdentifierRow, Sighting
from identity_graph.tables import EvidenceTable, IdentifierTable, Int64, ObservationTable, StatementTable


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction of a load stores, read at `time`, and where the load then stands. `replayed`: its records
    are in quarantine already, and what is refused again is set aside again. `stand_ins` are, of these, ids and times of
    events whose record has no time; of others, what has the run's `default_time` is taken to have none."""

    events: Sequence[Event]
    origins: Sequence[Origin]
    refused: Sequence[Refused] = ()
    position: int = 0
    offset: int = 0
    replayed: bool = False
    trail: str = ""
    time: int = 0
    stand_ins: Collection[tuple[str, int]] = ()


Upcoming: TypeAlias = Callable[[], Batch | None]
"""The batch that comes next, if it is known."""


def nothing() -> None:
    """Nothing is known of what comes next."""


class EvidenceStore(Protocol):
    """Events and observations: appended, never changed."""

    def append(self, run: Run, batch: Batch, upcoming: Upcoming = nothing) -> Run:
        """Store a batch in one transaction, durable on return; answers the run with its new counts.

        An event whose id is stored already counts as duplicate when its content is equal (identifiers, traits,
        properties, name, time, source, stated pairs) and goes to quarantine as ID_REUSE when not; the same within a
        batch. A time that stands in for one that the record does not have makes no content another one: the first
        one's stays. A record to be set aside that is in quarantine already, from the same place of the same source, is
        not set aside twice; it counts as quarantined. Both ends of a stated pair are observed. An event with a
        tombstoned id or identifier, and a refused record that an erasure took out of quarantine, counts as suppressed.
        `upcoming` is asked before the commit: while a server works on that, a store may look for what the next batch
        needs. Raises SOURCE_CHANGED when another process has moved this run on, and StoreError; nothing is then stored.
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

    def link_table(
        self, identifiers: IdentifierTable, values: Sequence[str], policy: Policy, said: StatementTable
    ) -> EvidenceTable:
        """Every link, by source: of dense identifiers, positions in the table of all of them, and of sources numbered
        by name. What follows from every observation, and all that is `said`, by `resolve.fold_links`; a store may keep
        it."""
        ...

    def statements(self, numbers: Int64 | None = None) -> StatementTable:
        """All that events stated of pairs of identifiers, or what touches any of the given ones."""
        ...

    def sources(self) -> Sequence[str]:
        """Names of sources; the index is what `ObservationTable.source` holds."""
        ...

    def event_sum(self) -> bytes:
        """`event_sum` of all events. It is kept as events come and go; what a store of before does not have is read
        once, and kept from then on where that is in a transaction."""
        ...

    def newest(self) -> int:
        """The latest time of any event; 0 where there is none. Walks all events."""
        ...

    def aged(self, before: int, after: int, limit: int) -> list[AgedEvent]:
        """Events of a time before this one, in order of number, from the next after that one. Walks all events."""
        ...

    def arrived_since(self, event_number: int) -> tuple[Int64, int]:
        """Identifier numbers that events after this one saw, ascending; and the last event number there is."""
        ...

    def kept_apart_since(self, event_number: int) -> Int64:
        """Identifier numbers that events after this one keep apart from others, ascending."""
        ...
