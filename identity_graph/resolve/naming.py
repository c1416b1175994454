"""Which values a refused link would have brought together: what an explanation names."""

from __future__ import annotations

import numpy as np
from numba import njit

from identity_graph.resolve.forest import CANNOT, JOINED, Forest, Listed, apart, full
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Int16, Int32, Int64


def name_values(part: Part, forest: Forest, limits: Limits) -> tuple[Int32, Int32]:
    """Of each refused link two identifiers that would have come together, one of a's group and one of b's, int32[m]; -1
    for the others.

    They are the pair that must not be, or a value of either group; where the limit has a window, of the first that is
    full. Of several the one whose links were taken first; of two ends of one link that of the smaller key. 2 threads.
    """
    value_a, value_b = np.full((2, len(part.a)), -1, dtype=np.int32)
    rows = np.flatnonzero(forest.refused != JOINED)
    if not len(rows):
        return value_a, value_b
    label, best, refused = forest.label, forest.best.copy(), forest.refused
    rules = limits.most, limits.window
    with second_thread(len(rows)) as thread:
        firsts = forest.first, forest.order, part.namespace()
        links = refused, part.a, part.b, label, best
        known = np.zeros(len(part), np.bool_)  # of both threads: to find some twice does no harm
        even = both(
            thread, _even, *((rows, *half, *links, limits.window, *firsts, known) for half in halves(len(rows)))
        )
        one, other, limit = np.concatenate(even, axis=1)
        larger = part.facts.larger(part.inside[one], part.inside[other])
        best[label[one[larger]], limit[larger]] = other[larger]
        rank = _ranks(part, forest, limits)
        grown = rank, forest.begin, forest.later, forest.seen, forest.listed, *rules
        both(thread, _name, *((rows, *half, *links, *grown, value_a, value_b) for half in halves(len(rows))))
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
    rank = 2 * first
    one = np.flatnonzero(choice & (first < len(order)))
    link = order[first[one]]
    other = part.a[link] + part.b[link] - one
    shared = (one < other) & choice[other] & (first[one] == first[other])
    one, other = one[shared], other[shared]
    larger = part.facts.larger(part.inside[one], part.inside[other])
    rank[np.where(larger, one, other)] += 1
    return rank


@njit(cache=True, nogil=True)
def _even(
    rows: Int64,
    start: int,
    stop: int,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    best: Int32,
    window: Int64,
    first: Int64,
    order: Int64,
    namespace: Int16,
    known: Bool,
) -> Int64:  # pragma: no cover - compiled
    """The first values of groups that another of the group is even with, being the other end of the same first link;
    these; and the positions of their limits: int64[3, r]."""
    count = 0
    found = np.empty((3, 2 * (stop - start)), np.int64)
    for at in range(start, stop):
        row = rows[at]
        limit = refused[row]
        if limit == CANNOT or window[limit] >= 0:
            continue
        for end in (a[row], b[row]):
            value = best[label[end], limit]
            if known[value]:
                continue
            known[value] = True
            link = order[first[value]]
            other = a[link] + b[link] - value
            if first[other] == first[value] and namespace[other] == namespace[value] and label[other] == label[value]:
                found[0, count], found[1, count], found[2, count] = value, other, limit
                count += 1
    return found[:, :count]


@njit(cache=True, nogil=True)
def _name(
    rows: Int64,
    start: int,
    stop: int,
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
        if limit == CANNOT:
            value_a[row], value_b[row] = apart(label, listed, x, y, rank)
        elif window[limit] < 0:
            value_a[row], value_b[row] = best[x, limit], best[y, limit]
        else:
            x, y = begin[x, limit], begin[y, limit]
            in_x, x, in_y, y = full(seen, later, x, y, most[limit], window[limit])
            value_a[row], value_b[row] = _first(later, x, in_x, rank), _first(later, y, in_y, rank)


@njit(cache=True, nogil=True)
def _first(later: Int32, x: int, count: int, rank: Int64) -> int:  # pragma: no cover - compiled
    """Of `count` values from x on, that of the smallest rank."""
    found = x
    for _ in range(count):
        if rank[x] < rank[found]:
            found = x
        x = later[x]
    return found
