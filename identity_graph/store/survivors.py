"""The persons of a publication by their real numbers, and what becomes of those that it retires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from identity_graph.tables import Int64


def numbered_persons(persons: Int64, first: int) -> Int64:
    """With first, first + 1, ... in place of -1, -2, ...: the numbers of new persons."""
    return np.where(persons < 0, first - 1 - persons, persons)


def survivors(retired: Sequence[tuple[int, int | None]], first: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Who is retired with the live person at the end of its chain, and who is gone; raises ValueError for a ring.

    >>> survivors([(3, 4), (4, -1), (5, 6), (6, None)], first=7)
    ([(3, 7), (4, 7)], [5, 6])
    """
    following = {
        person: first - 1 - survivor if survivor is not None and survivor < 0 else survivor
        for person, survivor in retired
    }
    ends = {person: _end(person, following) for person in following}
    merged = [(person, end) for person, end in ends.items() if end is not None]
    return merged, [person for person, end in ends.items() if end is None]


def _end(person: int, following: Mapping[int, int | None]) -> int | None:
    seen = {person}
    while (survivor := following.get(person)) is not None:
        if survivor in seen:
            raise ValueError(f"persons {sorted(seen)} survive each other")
        seen.add(survivor)
        person = survivor
    return None if person in following else person
