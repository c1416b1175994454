"""What a store keeps of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from identity_graph.delivery import Delivery, Parcel


class DeliveryStore(Protocol):
    """How far each destination was told, and messages that did not arrive. Durable when a transaction ends."""

    def deliveries(self) -> list[Delivery]:
        """Of each destination that was ever told something, by its name."""

    def keep(self, delivery: Delivery) -> None:
        """In the place of what was known of its destination."""

    def dead_letters(self, *, after: str = "", limit: int = 100) -> list[Parcel]:
        """In order of id."""

    def find_dead_letters(self, ids: Sequence[str]) -> list[Parcel | None]: ...

    def set_aside(self, parcels: Sequence[Parcel]) -> None:
        """Keep messages as dead letters; each in the place of one of its id."""

    def discard(self, ids: Sequence[str]) -> None:
        """Dead letters, those that there are."""
