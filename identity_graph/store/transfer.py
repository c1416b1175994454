"""How a store is read and written whole, to move it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from identity_graph.delivery import Delivery, Parcel
from identity_graph.erasing import ErasureRequest
from identity_graph.event_table import EventTable
from identity_graph.model import Change, Quarantined, Run, Segment
from identity_graph.store.rows import IdentifierRow, PersonRow, SimilarRow, SuppressedRow
from identity_graph.subject_request import SubjectRequest
from identity_graph.tables import Int64


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
    restricted: Sequence[tuple[int, int]] = ()
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
    erasures: Sequence[ErasureRequest] = ()
    subject_requests: Sequence[SubjectRequest] = ()
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


def alike(check: bytes, other: bytes) -> bool:
    """Whether both are key checks of one store, which may have got another key since."""
    return check.startswith(other) or other.startswith(check)
