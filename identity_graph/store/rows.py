"""What a store hands out of its tables: rows, and persons with all that is around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from identity_graph.model import Event, Identifier, Reason, Segment


class EventRow(NamedTuple):
    """An event as stored: `number` grows in the order of arrival and is never given twice; `identifiers` are numbers,
    ascending. The event's own identifiers and stated pairs are in order of key, whatever the order in which they came.
    """

    number: int
    event: Event
    identifiers: tuple[int, ...]


class AgedEvent(NamedTuple):
    """What says for how long an event is kept."""

    number: int
    id: str
    time: int
    source: str
    name: str


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


class Marks(NamedTuple):
    """How far a store has come: `edition` counts publications and erasures, `event` is the last event number that was
    given, `gone` the edition in which last a person was deleted."""

    edition: int = 0
    event: int = 0
    gone: int = 0


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

    `restricted` are numbers of all persons that have a restricted identifier, asked for or not. `moment` differs where
    a publication or an erasure lies between two subgraphs. `asked` has of each identifier asked for its row, of each
    person id its row, or None. `persons` and `identifiers`, by number, hold whatever a row here names, but for the
    other ends of suppressed links; `members`, by person, is in order of key, `suppressed` and `similar` are by member
    and `segments` by person, in order of name. `events`, by member, is in order of time, then id; None where events
    were left out.
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
    restricted: Set[int] = frozenset()
