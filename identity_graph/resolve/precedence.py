"""In which order links are taken, so that the answer never depends on which came first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from identity_graph.resolve.part import Part
from identity_graph.tables import Bool, Int64

DIGITS = 10**12
"""Weights are compared by their first twelve digits."""

Column = npt.NDArray[np.generic]


def precedence(part: Part, order: str, later: Bool | None = None) -> Int64:
    """Row numbers of a part's links, those first that are taken first.

    Stated links before all others; those of `later` bool[m] after all others. Then `strongest` and `cut` take the
    heavier link, of two equal ones the newer; `newest` takes the newer, of one time that whose namespaces have the
    smaller sum of priorities, then the heavier (Adobe's identity optimization algorithm). Ties go by the smaller key,
    then by the larger; only for these are keys compared.
    """
    newer, heavier = -part.last_seen, -np.round(part.weight * DIGITS).astype(np.int64)
    first = [newer, part.priority, heavier] if order == "newest" else [heavier, newer]
    columns = [~part.must, *([] if later is None else [later]), *first]
    found = lexicographic(columns)
    return found if part.ordered else _untied(part, found, columns)


def _untied(part: Part, order: Int64, columns: Sequence[Column]) -> Int64:
    same: Bool = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    places = np.flatnonzero(np.r_[same, False] | np.r_[False, same]) if len(order) else np.empty(0, np.int64)
    if len(places):
        run = np.cumsum(~np.r_[False, same])[places]
        rows = order[places]
        rank = part.ranked(np.unique(np.r_[part.a[rows], part.b[rows]]).astype(np.int64))
        one, other = rank[part.a[rows]], rank[part.b[rows]]
        order[places] = rows[lexicographic([run, np.minimum(one, other), np.maximum(one, other)])]
    return order


def lexicographic(columns: Sequence[Column]) -> Int64:
    """The order of rows by the first column, then the second, ...; rows of one key stay as they are. Columns are of
    booleans, or of integers that span less than 2**63.

    A radix sort from the last column to the first, eleven bits at a time (Knuth, The Art of Computer Programming 3,
    5.2.5): a third of the time of `np.lexsort`, O(rows * bits).

    >>> lexicographic([np.array([2, -5, 2]), np.array([7, 8, 6])]).tolist()
    [1, 2, 0]
    """
    order = np.arange(len(columns[0]), dtype=np.int64)
    for column in reversed(columns):
        if len(order):
            wide = column.astype(np.int64)
            order = _sorted_by(order, wide - wide.min())
    return order


@njit(cache=True)
def _sorted_by(order: Int64, column: Int64) -> Int64:  # pragma: no cover - compiled
    """The rows of `order` by a column of no negative numbers; rows of one number stay as they are."""
    key = column[order]
    other, moved = np.empty_like(key), np.empty_like(order)
    largest, shift = key.max(), 0
    while largest >> shift > 0:
        place = np.zeros(2049, np.int64)
        for i in range(len(key)):
            place[((key[i] >> shift) & 2047) + 1] += 1
        if place[((key[0] >> shift) & 2047) + 1] < len(key):
            for digit in range(2048):
                place[digit + 1] += place[digit]
            for i in range(len(key)):
                digit = (key[i] >> shift) & 2047
                other[place[digit]], moved[place[digit]] = key[i], order[i]
                place[digit] += 1
            key, other = other, key
            order, moved = moved, order
        shift += 11
    return order
