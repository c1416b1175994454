"""What a store keeps of requests that controllers send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from identity_graph.subject_request import SubjectRequest


class SubjectRequestStore(Protocol):
    """Durable when a transaction ends."""

    def keep(self, requests: Sequence[SubjectRequest]) -> None:
        """Each in the place of one of its id."""

    def find(self, ids: Sequence[str]) -> list[SubjectRequest | None]: ...

    def due(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        """Those for which something is to be done by this time, the first due first."""

    def calling(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        """Those of which somebody is to be told by this time, the first due first."""

    def requests(self, *, after: str = "", limit: int = 100) -> list[SubjectRequest]:
        """In order of id."""
