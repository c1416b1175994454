"""Which identifiers were seen with which neighbours, from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.tables import Int32, Int64

Whole = TypeVar("Whole", Int32, Int64)


@dataclass(frozen=True, slots=True)
class Incidence:
    """n identifiers and f neighbours by position, each pair of them once; neighbours that too many share are left out.

    `identifier` int32[n] gives their numbers, by rank; `neighbour` int32[f] theirs, the rarest first. The neighbours of
    the identifier at position i are `seen[start[i] : start[i + 1]]`, int32 positions, ascending: so sums over them are
    in an order that does not depend on how anybody is numbered. `shared_by` int32[f] is how many identifiers saw each.
    """

    identifier: Int32
    neighbour: Int32
    start: Int64
    seen: Int32
    shared_by: Int32

    @classmethod
    def of(
        cls,
        identifier: Int32,
        neighbour: Int32,
        *,
        most: int,
        rank: Int32 | None = None,
        shared_by: Int32 | None = None,
    ) -> Incidence:
        """From pairs in any order, int32[m] each, not negative, some perhaps repeated.

        A neighbour of more than `most` identifiers means nobody in particular and is left out, as are identifiers that
        then have none. `rank` int32 is by identifier, distinct, and their numbers where left out. Where not all are
        here, `shared_by` int32 says of each neighbour how many share it. Two sorts of m, and a byte for every number up
        to the largest: numbers are dense.
        """
        numbers = distinct(identifier)
        if rank is not None:
            numbers = numbers[np.argsort(rank[numbers])]
        pairs = _sorted(positions(numbers, identifier), neighbour)
        one, other = _parted(each_once(pairs))
        neighbours = distinct(other)
        of = positions(neighbours, other)
        sharing = np.bincount(of, minlength=len(neighbours)) if shared_by is None else shared_by[neighbours]
        few = sharing[of] <= most
        one, of = one[few], of[few]
        rarest = np.argsort(sharing, kind="stable")
        rarest = rarest[: np.searchsorted(sharing[rarest], most, side="right")]
        place = np.zeros(len(neighbours), np.int32)
        place[rarest] = np.arange(len(rarest), dtype=np.int32)
        one, seen = _parted(_sorted(one, place[of]))
        start = np.searchsorted(one, np.arange(len(numbers) + 1, dtype=np.int32))
        some = np.flatnonzero(np.diff(start))
        return cls(
            numbers[some],
            neighbours[rarest],
            np.r_[start[some], start[-1:]].astype(np.int64),
            seen,
            sharing[rarest].astype(np.int32),
        )

    def __len__(self) -> int:
        return len(self.identifier)

    def shared(self, a: Int32, b: Int32) -> tuple[Int64, Int32]:
        """The neighbours that pairs of identifiers share: those of row i are the numbers [start[i] : start[i + 1]].

        `a` and `b` int32[r] are numbers; who is not here shares none. O(neighbours of all).
        """
        known = np.sort(self.identifier)
        one, other = (positions(self.identifier, np.where(np.isin(ends, known), ends, -1)) for ends in (a, b))
        start, places = _shared(self.start, self.seen, one, other)
        return start, self.neighbour[places]


def distinct(numbers: Int32) -> Int32:
    """Each number once, sorted. Ten times faster than `np.unique`, which hashes, and no dearer than the largest."""
    there = np.zeros(int(numbers.max(initial=-1)) + 1, np.bool_)
    there[numbers] = True
    return np.flatnonzero(there).astype(np.int32)


def each_once(ordered: Whole) -> Whole:
    """Of sorted integers."""
    found: Whole = ordered[np.diff(ordered, prepend=-1) != 0]
    return found


def positions(numbers: Int32, of: Int32) -> Int32:
    """Where each is among the numbers, which are distinct and in any order; -1 for -1."""
    position = np.full(int(numbers.max(initial=-1)) + 2, -1, np.int32)
    position[numbers] = np.arange(len(numbers), dtype=np.int32)
    return position[of]


def _sorted(one: Int32, other: Int32) -> Int64:
    """Pairs as single integers, which sort several times faster."""
    return np.sort(one.astype(np.int64) << 32 | other)


def _parted(pairs: Int64) -> tuple[Int32, Int32]:
    return (pairs >> 32).astype(np.int32), pairs.astype(np.int32)


@kernel()
def _shared(start: Int64, seen: Int32, one: Int32, other: Int32) -> tuple[Int64, Int32]:  # pragma: no cover - compiled
    most = 0
    for row in range(len(one)):
        if one[row] >= 0 and other[row] >= 0:
            most += min(start[one[row] + 1] - start[one[row]], start[other[row] + 1] - start[other[row]])
    begin = np.zeros(len(one) + 1, np.int64)
    found = np.empty(most, np.int32)
    count = 0
    for row in range(len(one)):
        if one[row] >= 0 and other[row] >= 0:
            i, j = start[one[row]], start[other[row]]
            while i < start[one[row] + 1] and j < start[other[row] + 1]:
                if seen[i] == seen[j]:
                    found[count] = seen[i]
                    count += 1
                    i, j = i + 1, j + 1
                elif seen[i] < seen[j]:
                    i += 1
                else:
                    j += 1
        begin[row + 1] = count
    return begin, found[:count]
