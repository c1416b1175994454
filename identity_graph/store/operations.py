"""What a store keeps of runs and of quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from identity_graph.model import Quarantined, Run


class OperationStore(Protocol):
    """Runs, quarantine, counts."""

    def begin_run(self, run: Run) -> Run:
        """Record a run; where one is `interrupted` that it would repeat: that one, as it stands, running again. Durable
        with the first batch of it, or its end."""

    def interrupted(self, fingerprint: str, loader: str) -> Run | None:
        """The run of this fingerprint and loader that was killed, paused or failed."""

    def end_run(self, run: Run) -> None: ...

    def runs(self, *, before: str = "", limit: int = 100) -> list[Run]:
        """Newest first."""

    def find_runs(self, ids: Sequence[str]) -> list[Run | None]: ...

    def quarantined(self, *, after: int = 0, limit: int = 100, code: str | None = None) -> list[Quarantined]:
        """In order of number."""

    def newest_quarantined(self) -> int:
        """The highest number in quarantine, 0 if it is empty; what is set aside later has a higher one."""

    def quarantine_sizes(self, after: int, limit: int) -> list[tuple[int, int, int]]:
        """Of records in quarantine, in order of number: number, time and bytes."""

    def release(self, numbers: Sequence[int]) -> None:
        """Remove records from quarantine."""

    def counts(self) -> dict[str, int]:
        """events, identifiers, observations, persons, largest_person, hubs, suppressed_links, quarantined, ..."""

    def canonical_lines(self) -> Iterator[bytes]:
        """Evidence and memberships, one line each, in an order that does not depend on arrival: the digest's input."""
