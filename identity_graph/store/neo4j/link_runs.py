"""Links of more events than fit into memory, counted together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import numpy as np

from identity_graph.resolve.fold import merge
from identity_graph.tables import EvidenceTable

ROW = np.dtype(
    [("a", "<i4"), ("b", "<i4"), ("source", "<i2"), ("count", "<i4"), ("first_seen", "<i8"), ("last_seen", "<i8")]
)
ROWS = 2_000_000
"""In memory: some 200 MB while they are being sorted."""


class LinkRuns:
    """Takes tables of links one by one and keeps them, merged and sorted, as files (runs) in a folder.

    The merging of sorted runs is the usual external sort: Knuth, "The Art of Computer Programming" 3, 5.4.
    """

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self._folder = folder
        self._most = rows
        self._waiting: list[EvidenceTable] = []
        self._runs: list[Path] = []

    def add(self, links: EvidenceTable) -> None:
        self._waiting.append(links)
        if sum(map(len, self._waiting)) >= self._most:
            merged = merge(self._waiting)
            # What was counted together may leave room for more.
            self._waiting = [merged]
            if len(merged) > self._most // 2:
                self._store(merged)

    def _store(self, links: EvidenceTable) -> None:
        rows = np.empty(len(links), dtype=ROW)
        for name in ROW.names or ():
            rows[name] = getattr(links, name)
        path = self._folder / f"links-{len(self._runs)}.npy"
        np.save(path, rows)
        self._runs.append(path)
        self._waiting = []

    def merged(self) -> Iterator[EvidenceTable]:
        """All links in order, each once, in tables of about as many rows as fit into memory; more, where one identifier
        alone has more. Nothing can be added afterwards."""
        if not self._runs:
            yield merge(self._waiting)
            return
        self._store(merge(self._waiting))
        runs = [np.load(path, mmap_mode="r") for path in self._runs]
        places = [0] * len(runs)
        while any(place < len(run) for run, place in zip(runs, places, strict=True)):
            bound = self._bound(runs, places)
            ends = [
                bisect_left(run, bound, lo=place, key=itemgetter("a")) for run, place in zip(runs, places, strict=True)
            ]
            yield merge([_table(run[place:end]) for run, place, end in zip(runs, places, ends, strict=True)])
            places = ends

    def _bound(self, runs: Sequence[np.ndarray], places: Sequence[int]) -> int:
        """The identifier before which so many rows are left; past the one where the next rows begin."""
        step = max(1, self._most // len(runs))
        left = [run for run, place in zip(runs, places, strict=True) if place < len(run)]
        last = max(int(run[-1]["a"]) for run in left) + 1
        for run, place in zip(runs, places, strict=True):
            if place + step < len(run):
                last = min(last, max(int(run[place + step]["a"]), int(run[place]["a"]) + 1))
        return last


def _table(rows: np.ndarray) -> EvidenceTable:
    return EvidenceTable(**{name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()})
