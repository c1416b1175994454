"""Which values a refused link would have brought together: what an explanation names."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.forest import CANNOT, JOINED, Forest, Listed, apart, full
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.shares import UInt32
from identity_graph.tables import Bool, Int16, Int32, Int64


def name_values(part: Part, forest: Forest, limits: Limits, rows: Int64) -> tuple[Int32, Int32]:
    """Of links that end in two groups two identifiers that would have come together, one of a's group and one of b's,
    int32[rows]; -1 for those that were not refused.

    They are the pair that must not be, or a value of either group; where the limit has a window, of the first that is
    full. Of several the one whose links were taken first; of two ends of one link that of the smaller key.
    """
    value_a, value_b = np.full((2, len(rows)), -1, dtype=np.int32)
    label = forest.label.view(np.uint32)
    best = _first_values(forest.one, forest.two, label, forest.limited, len(limits.spaces))
    links = rows, forest.refused, part.a, part.b, forest.label, label, best
    grown = _ranks(part, forest, limits), forest.begin, forest.later, forest.seen, forest.listed
    one, other = _name(*links, *grown, limits.most, limits.window, value_a, value_b)
    if len(one):
        larger = part.facts.larger_value(part.inside[one], part.inside[other])
        _exchange(rows, forest.refused, limits.window, one[larger], other[larger], len(part), value_a, value_b)
    return value_a, value_b


def _ranks(part: Part, forest: Forest, limits: Limits) -> Int64:
    """Where there is a choice by more than the first of a group: twice the place of each identifier's first link; one
    more for that of the larger key where it is the other's too. int64[n], or empty."""
    windows = [space for space, window in zip(limits.spaces, limits.window.tolist(), strict=True) if window >= 0]
    if not windows and not len(part.cannot[0]):
        return np.empty(0, np.int64)
    choice: Bool = np.isin(part.namespace, windows)
    choice[np.r_[part.cannot]] = True
    first = np.full(len(part), len(forest.order), np.int64)
    for ends in (forest.one, forest.two):
        np.minimum.at(first, ends, np.arange(len(ends)))
    rank = 2 * first
    one = np.flatnonzero(choice & (first < len(forest.order)))
    link = forest.order[first[one]]
    other = part.a[link] + part.b[link] - one
    shared = (one < other) & choice[other] & (first[one] == first[other])
    one, other = one[shared], other[shared]
    larger = part.facts.larger(part.inside[one], part.inside[other])
    rank[np.where(larger, one, other)] += 1
    return rank


@kernel(nogil=True)
def _first_values(
    one: UInt32, two: UInt32, label: UInt32, limited: UInt32, count: int
) -> Int32:  # pragma: no cover - compiled
    """By label and limit the value whose links were taken first, and the other end of the first one where that is such
    a value too, else -1: int32[n, limits + 1, 2]. What is of no limit is in the last column.

    Backwards, so that the first one is written last: without a branch.
    """
    width, low, nobody = np.uint32(count + 1), np.uint64(32), np.uint64(0xFFFFFFFF)
    found = np.empty(len(label) * width, np.uint64)
    for own in range(len(label)):
        found[own * width + limited[own]] = np.uint64(own) | nobody << low
    for back in range(len(one)):
        place = np.uint64(len(one) - 1 - back)
        x, y = np.uint64(one[place]), np.uint64(two[place])
        of_x, of_y = label[x] * width + limited[x], label[y] * width + limited[y]
        found[of_y] = y | (x if of_x == of_y else nobody) << low
        found[of_x] = x | (y if of_x == of_y else nobody) << low
    return found.view(np.int32).reshape((len(label), count + 1, 2))


@kernel(nogil=True)
def _name(
    rows: Int64,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    root: UInt32,
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
) -> tuple[Int32, Int32]:  # pragma: no cover - compiled
    """And the first values of groups that another one is even with, each once, which `best` then forgets; and this."""
    count, one, other = 0, np.empty(2 * len(rows), np.int32), np.empty(2 * len(rows), np.int32)
    for at in range(len(rows)):
        row = rows[at]
        x, y, limit = label[a[row]], label[b[row]], refused[row]
        if limit == JOINED:
            continue
        if limit == CANNOT:
            value_a[at], value_b[at] = apart(root, listed, x, y, rank)
        elif window[limit] < 0:
            value_a[at], value_b[at] = best[x, limit, 0], best[y, limit, 0]
            for group in (x, y):
                if best[group, limit, 1] >= 0:
                    one[count], other[count] = best[group, limit, 0], best[group, limit, 1]
                    best[group, limit, 1] = -1
                    count += 1
        else:
            x, y = begin[x, limit], begin[y, limit]
            in_x, x, in_y, y = full(seen, later, x, y, most[limit], window[limit])
            value_a[at], value_b[at] = _first(later, x, in_x, rank), _first(later, y, in_y, rank)
    return one[:count].copy(), other[:count].copy()


@kernel(nogil=True)
def _exchange(
    rows: Int64, refused: Int16, window: Int64, one: Int32, other: Int32, n: int, value_a: Int32, value_b: Int32
) -> None:  # pragma: no cover - compiled
    """Name the other one where one is named as the first value of its group."""
    now = np.arange(-1, n).astype(np.int32)
    for i in range(len(one)):
        now[one[i] + 1] = other[i]
    for at in range(len(value_a)):
        limit = refused[rows[at]]
        if limit >= 0 and window[limit] < 0:
            value_a[at], value_b[at] = now[value_a[at] + 1], now[value_b[at] + 1]


@kernel(nogil=True)
def _first(later: Int32, x: int, count: int, rank: Int64) -> int:  # pragma: no cover - compiled
    """Of `count` values from x on, that of the smallest rank."""
    found = x
    for _ in range(count):
        if rank[x] < rank[found]:
            found = x
        x = later[x]
    return found
