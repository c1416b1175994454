"""What a store does for an erasure, and keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from identity_graph.model import Change, Identifier


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

    def buried(self) -> int:
        """How many tombstones there are: more after each erasure of an event."""
        ...

    def tombstoned(self, identifiers: Sequence[Identifier]) -> list[bool]: ...

    def keyed_hash(self, text: str) -> bytes:
        """HMAC-SHA256 by the store's key."""
        ...
