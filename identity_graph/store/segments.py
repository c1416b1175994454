"""What a store keeps of segments and computed traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from identity_graph.model import Segment


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

    def settled(self) -> int:
        """Up to which edition of the persons all members are right."""

    def settle(self, edition: int) -> None: ...

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
