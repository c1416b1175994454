"""What a store does for an erasure, and keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from identity_graph.model import Change, Identifier


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure deletes: numbers of persons, events and identifiers; event ids and identifiers to keep from
    returning."""

    persons: Sequence[int]
    events: Sequence[int]
    event_ids: Sequence[str]
    identifiers: Sequence[int]
    tombstones: Sequence[Identifier]
    quarantined: Sequence[int] = ()
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
