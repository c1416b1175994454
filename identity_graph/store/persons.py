"""What a store keeps of that which resolutions published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from identity_graph.model import Change, ChangeKind, Identifier, Person
from identity_graph.store.rows import IdentifierRow, Marks, PersonRow, SimilarRow, Subgraph, SuppressedRow
from identity_graph.tables import Int64


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


class PersonStore(Protocol):
    """What resolutions published."""

    def publish(self, publication: Publication) -> None: ...

    def resolved(self) -> tuple[int, str | None]:
        """The last event number taken into account, and the digest of the policy in force (None: never)."""
        ...

    def marks(self) -> Marks: ...

    def touched(self, since: Marks) -> Int64:
        """Numbers, ascending, of all persons that are not what they were: those that publications created, updated or
        merged, or that own what events after that saw. Retired ones are among them, deleted ones are not."""
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

    def page_by_creation(
        self, *, after: int | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        """Live persons as they came to be, in order of number: as `page`, from a number on (None: from the end)."""
        ...

    def page_by_update(
        self, *, after: tuple[int, int] | None = None, limit: int = 100, backward: bool = False
    ) -> list[PersonRow]:
        """Live persons in order of when they were updated, then of number: as `page`, from such a pair on."""
        ...

    def count(self) -> int: ...

    def subgraph(self, identifiers: Sequence[Identifier], ids: Sequence[str], *, events: bool) -> Subgraph:
        """The persons that have these identifiers, and those of these ids (of a retired one: its survivor), by as few
        reads as the store can: one, where each read is a journey over a network."""
        ...
