"""Which values a refused link would have brought together: what an explanation names."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.forest import CANNOT, JOINED, Forest, Listed, apart, full
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Int16, Int32, Int64


def name_values(part: Part, forest: Forest, limits: Limits, rows: Int64) -> tuple[Int32, Int32]:
    """Of links that end in two groups two identifiers that would have come together, one of a's group and one of b's,
    int32[rows]; -1 for those that were not refused.

    They are the pair that must not be, or a value of either group; where the limit has a window, of the first that is
    full. Of several the one whose links were taken first; of two ends of one link that of the smaller key. 2 threads.
    """
    value_a, value_b = np.full((2, len(rows)), -1, dtype=np.int32)
    best, shares = forest.best.copy(), halves(len(rows))
    links = rows, forest.refused, part.a, part.b, forest.label, best
    with second_thread(len(rows)) as thread:
        known = np.zeros(len(part), np.bool_)  # of both threads: to find some twice does no harm
        found = both(thread, _even, *((*half, *links, limits.window, forest.even, known) for half in shares))
        one, limit = np.concatenate(found, axis=1)
        other = forest.even[one]
        larger = part.facts.larger(part.inside[one], part.inside[other])
        best[forest.label[one[larger]], limit[larger]] = other[larger]
        grown = _ranks(part, forest, limits), forest.begin, forest.later, forest.seen, forest.listed
        rules = limits.most, limits.window
        both(thread, _name, *((*half, *links, *grown, *rules, value_a, value_b) for half in shares))
    return value_a, value_b


def _ranks(part: Part, forest: Forest, limits: Limits) -> Int64:
    """Where there is a choice by more than the first of a group: twice the place of each identifier's first link; one
    more for that of the larger key where it is the other's too. int64[n], or empty."""
    windows = [space for space, window in zip(limits.spaces, limits.window.tolist(), strict=True) if window >= 0]
    if not windows and not len(part.cannot[0]):
        return np.empty(0, np.int64)
    choice: Bool = np.isin(part.namespace(), windows)
    choice[np.r_[part.cannot]] = True
    first, order = forest.first, forest.order
    rank = 2 * first.astype(np.int64)
    one = np.flatnonzero(choice & (first < len(order)))
    link = order[first[one]]
    other = part.a[link] + part.b[link] - one
    shared = (one < other) & choice[other] & (first[one] == first[other])
    one, other = one[shared], other[shared]
    larger = part.facts.larger(part.inside[one], part.inside[other])
    rank[np.where(larger, one, other)] += 1
    return rank


@kernel(nogil=True)
def _even(
    start: int,
    stop: int,
    rows: Int64,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    best: Int32,
    window: Int64,
    even: Int32,
    known: Bool,
) -> Int64:  # pragma: no cover - compiled
    """The first values of groups that another of the group is even with, and the positions of their limits: int64[2,
    r]."""
    count = 0
    found = np.empty((2, 2 * (stop - start)), np.int64)
    for at in range(start, stop):
        row = rows[at]
        limit = refused[row]
        if limit < 0 or window[limit] >= 0:
            continue
        for end in (a[row], b[row]):
            value = best[label[end], limit]
            if even[value] >= 0 and not known[value]:
                known[value] = True
                found[0, count], found[1, count] = value, limit
                count += 1
    return found[:, :count]


@kernel(nogil=True)
def _name(
    start: int,
    stop: int,
    rows: Int64,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    best: Int32,
    rank: Int64,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    most: Int32,
    window: Int64,
    value_a: Int32,
    value_b: Int32,
) -> None:  # pragma: no cover - compiled
    for at in range(start, stop):
        row = rows[at]
        x, y, limit = label[a[row]], label[b[row]], refused[row]
        if limit == JOINED:
            continue
        if limit == CANNOT:
            value_a[at], value_b[at] = apart(label, listed, x, y, rank)
        elif window[limit] < 0:
            value_a[at], value_b[at] = best[x, limit], best[y, limit]
        else:
            x, y = begin[x, limit], begin[y, limit]
            in_x, x, in_y, y = full(seen, later, x, y, most[limit], window[limit])
            value_a[at], value_b[at] = _first(later, x, in_x, rank), _first(later, y, in_y, rank)


@kernel(nogil=True)
def _first(later: Int32, x: int, count: int, rank: Int64) -> int:  # pragma: no cover - compiled
    """Of `count` values from x on, that of the smallest rank."""
    found = x
    for _ in range(count):
        if rank[x] < rank[found]:
            found = x
        x = later[x]
    return found
