"""What a store does for an erasure, and keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from identity_graph.event_table import EventTable
from identity_graph.model import Change, Identifier
from identity_graph.store.rows import PersonRow
from identity_graph.tables import Bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure deletes: numbers of persons, events and identifiers; event ids and identifiers to keep from
    returning. Suppressed links of identifiers that are `near` go where their reason quotes what is deleted."""

    persons: Sequence[int]
    events: Sequence[int]
    event_ids: Sequence[str]
    identifiers: Sequence[int]
    tombstones: Sequence[Identifier]
    quarantined: Sequence[int] = ()
    changes: Sequence[Change] = field(default_factory=tuple)
    near: Sequence[int] = ()


class PrivacyStore(Protocol):
    """Erasure and what it leaves: keyed hashes; and who is restricted, which hides a person until that is settled."""

    def erase(self, erasure: Erasure) -> None:
        """Delete within the transaction in hand and write the tombstones."""
        ...

    def scrub(self) -> None:
        """Leave no deleted byte in the store's files; outside a transaction."""
        ...

    def gone(self) -> tuple[int, int]:
        """How many tombstones there are, and how many events were stored and are no more. Each is another one after
        events were deleted, with tombstones or without, or identifiers were released."""
        ...

    def tombstoned(self, identifiers: Sequence[Identifier]) -> list[bool]: ...

    def buried_events(self, events: EventTable) -> Bool:
        """Whether the id of each, or an identifier that it names, was erased."""
        ...

    def buried_records(self, records: Sequence[bytes]) -> list[bool]: ...

    def freshly_buried(self) -> tuple[list[bytes], list[bytes]]:
        """The tombstones that this process wrote, and took away, since it was last asked; some perhaps in vain."""
        ...

    def release(self, identifiers: Sequence[Identifier]) -> list[bool]:
        """Let identifiers come back in new events, and say which had been erased. Nothing is restored: the ids of the
        events that went stay buried."""
        ...

    def marks(self, identifiers: Sequence[Identifier]) -> list[list[bytes]]:
        """What tells each to who has the keys, and nothing to others: its hash by the newest key, then by older ones.
        Inside a transaction. Raises STORE_KEY."""
        ...

    def restrict(self, identifiers: Sequence[tuple[int, int]]) -> None:
        """Numbers, and since when. One that is restricted stays so since then; an erasure takes it away."""
        ...

    def unrestrict(self, numbers: Sequence[int]) -> None: ...

    def restricted(self) -> list[tuple[int, int]]:
        """Identifier numbers, ascending, and since when."""
        ...

    def restricted_persons(self) -> list[PersonRow]:
        """Who has a restricted identifier, and those merged into them; by number."""
        ...

    def new_key(self) -> None:
        """Bury by another key from now on; what older ones buried stays out, and they are kept for it. Raises STORE_KEY
        where a key is amiss, and where the environment gives them."""
        ...

    def keyed_hash(self, text: str) -> bytes:
        """HMAC-SHA256 by the store's first key: it stays when another is brought in."""
        ...
