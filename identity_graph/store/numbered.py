"""Events with numbers for identifiers: what every store makes of a batch before it writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from identity_graph.event_table import EventTable
from identity_graph.model import Identifier
from identity_graph.tables import Int64

NUMBER_BITS = 31  # identifiers and persons are numbered below 2^31, as the dense ids of resolve/ are int32
LARGEST_NUMBER = 2**NUMBER_BITS - 1
Number = TypeVar("Number", bound=np.generic)


Stated = tuple[int, int, int]
"""Two numbers, a < b, and whether they are kept apart (1) or joined (0)."""


FARTHEST = 2**63 - 1
"""No number and no time is beyond it."""


def numbered(events: EventTable, numbers: Int64) -> tuple[Int64, Mapping[int, Sequence[Stated]]]:
    """Which event saw which identifier, and what it states, by places of events and `numbers` of `events.named`.

    The first, int64, pairs place and number (see `paired`), ascending and without repeats: both ends of a stated pair
    are observed too. The second has of each place that states anything what it states, ascending.
    """
    stating = np.array(events.stated, dtype=np.int64).reshape(-1, 4)
    ends = numbers[stating[:, 1:3]]
    places = np.concatenate((np.repeat(np.arange(len(events)), events.lengths), np.repeat(stating[:, 0], 2)))
    # One number for event and identifier: nearly sorted, so that sorting takes less than NumPy's own way of `unique`.
    seen = np.sort(paired(places, np.concatenate((numbers[events.seen], ends.ravel()))))
    seen = seen[np.diff(seen, prepend=-1) != 0]
    found: dict[int, set[Stated]] = defaultdict(set)
    for (place, _, _, apart), (a, b) in zip(stating.tolist(), ends.tolist(), strict=True):
        if a != b:
            found[place].add((min(a, b), max(a, b), apart))
    return seen, {place: sorted(stated) for place, stated in found.items()}


Pairs = tuple[tuple[Identifier, Identifier], ...]


def told_apart(stated: Iterable[tuple[Identifier, Identifier, int]]) -> tuple[Pairs, Pairs]:
    """Pairs that are one person, and pairs that are kept apart: each by key, and in order."""
    found: tuple[list[tuple[Identifier, Identifier]], list[tuple[Identifier, Identifier]]] = ([], [])
    for one, other, apart in stated:
        a, b = sorted((one, other), key=lambda end: end.key)
        found[apart].append((a, b))
    return tuple(sorted(found[0])), tuple(sorted(found[1]))


def unflat(numbers: Sequence[int]) -> list[Stated]:
    """What was stated, from one list of all of its numbers."""
    return list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))


def apart_ends(stated: Iterable[Sequence[Stated]]) -> Int64:
    """Numbers that are kept apart from others, ascending."""
    return np.array(sorted({end for of in stated for *ends, apart in of if apart for end in ends}), dtype=np.int64)


def paired(left: Int64, right: Int64) -> Int64:
    """Two columns of numbers as one, to be taken apart by `>> NUMBER_BITS` and `& LARGEST_NUMBER`."""
    return (left << NUMBER_BITS) | right


def is_plain(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def joined(pieces: Sequence[npt.NDArray[Number]], kind: type[Number]) -> npt.NDArray[Number]:
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=kind)


def distinct(numbers: Int64) -> Int64:
    """Ascending, without repeats; of many, by ticking them off instead of sorting."""
    if len(numbers) < 2:
        return numbers
    if len(numbers) < 1_000 or len(numbers) < numbers.max() // 8 or numbers.min() < 0:
        return np.unique(numbers)
    ticked = np.zeros(numbers.max() + 1, dtype=bool)
    ticked[numbers] = True
    return np.flatnonzero(ticked)
