"""What a store keeps of requests to erase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from identity_graph.erasing import ErasureRequest


class ErasureStore(Protocol):
    """Requests, and how far each came. Durable when a transaction ends."""

    def keep(self, requests: Sequence[ErasureRequest], *, durable: bool = True) -> None:
        """Each in the place of one of its id. What need not be `durable` may be as before after a cut of the power."""

    def open(self) -> list[ErasureRequest]:
        """Those that are neither done nor refused, in order of id."""

    def requests(self, *, after: str = "", limit: int = 100) -> list[ErasureRequest]:
        """In order of id."""

    def find(self, ids: Sequence[str]) -> list[ErasureRequest | None]: ...

    def of_batch(self, batch: str, *, after: int = 0, limit: int = 100) -> list[ErasureRequest]:
        """In order of line."""
