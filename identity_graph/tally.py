"""What came of the records that this process read, whatever they came by."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from identity_graph.model import Run

OUTCOMES = ("accepted", "duplicate", "quarantined", "suppressed")


class Tally:
    """Counts from the beginning of the process, by outcome; threads may add at the same time.

    >>> Tally().counts
    {'accepted': 0, 'duplicate': 0, 'quarantined': 0, 'suppressed': 0}
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(OUTCOMES, 0)
        self._lock = Lock()

    def add(self, before: Run, after: Run) -> None:
        """What a run that is stored counts more than it did."""
        self.add_counts({outcome: getattr(after, outcome) - getattr(before, outcome) for outcome in OUTCOMES})

    def add_counts(self, counts: Mapping[str, int]) -> None:
        with self._lock:
            for outcome, count in counts.items():
                self._counts[outcome] += count

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
