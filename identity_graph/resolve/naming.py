"""Which values a refused link would have brought together: what an explanation names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.forest import CANNOT, JOINED, Forest, Listed, apart, first_links, full
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.shares import UInt32
from identity_graph.tables import Bool, Int16, Int32, Int64

VALUE = 2**32 - 1
"""The bits of a value of a group."""

_NONE = 2**63 - 1


def name_values(part: Part, forest: Forest, limits: Limits, rows: Int64) -> tuple[Int64, Int32, Int32]:
    """Of links that end in two groups two identifiers that would have come together, one of a's group and one of b's.

    They are the pair that must not be, or a value of either group; where the limit has a window, of the first that is
    full. Of several the one whose links were taken first; of two ends of one link that of the smaller key, for which
    texts are compared, if any of the links needs it.

    By label and limit the value of each group, own numbers in the lower half of int64[n * limits]; and those of each
    link where it is another one's, int32[rows] or empty: -1 where a limit without a window refused it, or nothing did.
    """
    count = len(limits.spaces)
    label = forest.label.view(np.uint32)
    first = first_links(forest.one, forest.two, len(part)) if forest.first is None else forest.first
    best, slot, one, other = _first_values(first, label, forest.limited, count)
    links = rows, forest.refused, part.a, part.b, forest.label
    if len(slot):
        needed = _asked(*links, count)[slot] & (best[slot] & VALUE == one)
        slot, one, other = slot[needed], one[needed], other[needed]
        larger = part.facts.larger_value(part.inside[one], part.inside[other])
        best[slot[larger]] = other[larger]
    windows = [space for space, window in zip(limits.spaces, limits.window.tolist(), strict=True) if window >= 0]
    if not windows and not len(part.cannot[0]):
        return best, np.empty(0, np.int32), np.empty(0, np.int32)
    grown = _ranks(part, forest, windows, first), forest.begin, forest.later, forest.seen, forest.listed
    return best, *_name(*links, label, *grown, limits.most, limits.window)


def _ranks(part: Part, forest: Forest, windows: Sequence[int], first: Int32) -> Int64:
    """Where there is a choice by more than the first of a group: twice the place of each identifier's first link; one
    more for that of the larger key where it is the other's too. int64[n]."""
    choice: Bool = np.isin(part.namespace, windows)
    choice[np.r_[part.cannot]] = True
    rank = 2 * first.astype(np.int64)
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
    first: Int32, label: UInt32, limited: UInt32, count: int
) -> tuple[Int64, Int64, Int32, Int32]:  # pragma: no cover - compiled
    """By label and limit the value whose first link comes first, below the place of that; and where there are two such,
    ends of one link, the slot of the first one named, that one and the other."""
    width, low, k = np.uint32(count), np.int64(32), 0
    best, own = np.full(len(label) * count, _NONE, np.int64), np.empty(len(label) + 1, np.uint32)
    for x in range(len(label)):
        own[k] = x
        k += limited[x] < width  # a branch that nobody can predict costs more
    slots, ones, others, even = np.empty(k + 1, np.int64), np.empty(k + 1, np.int32), np.empty(k + 1, np.int32), 0
    for i in range(k):
        x = own[i]
        slot, mine = label[x] * width + limited[x], np.int64(first[x]) << low | np.int64(x)
        before = best[slot]
        slots[even], ones[even], others[even] = slot, before, x
        even += (before ^ mine) >> low == 0
        best[slot] = min(before, mine)
    return best, slots[:even].copy(), ones[:even].copy(), others[:even].copy()


@kernel(nogil=True)
def _asked(
    rows: Int64, refused: Int16, a: Int32, b: Int32, label: Int32, count: int
) -> Bool:  # pragma: no cover - compiled
    """By label and limit, whether the limit refused any of these links of the group; and at the end, something else."""
    asked, nothing = np.zeros(len(label) * count + 1, np.bool_), len(label) * count
    for at in range(len(rows)):
        row = rows[at]
        limit = refused[row]
        asked[label[a[row]] * count + limit if limit >= 0 else nothing] = True
        asked[label[b[row]] * count + limit if limit >= 0 else nothing] = True
    return asked


@kernel(nogil=True)
def _name(
    rows: Int64,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    root: UInt32,
    rank: Int64,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    most: Int32,
    window: Int64,
) -> tuple[Int32, Int32]:  # pragma: no cover - compiled
    """Of links that a pair or a limit with a window refused."""
    one, other = np.full(len(rows), -1, np.int32), np.full(len(rows), -1, np.int32)
    for at in range(len(rows)):
        row = rows[at]
        x, y, limit = label[a[row]], label[b[row]], refused[row]
        if limit == CANNOT:
            one[at], other[at] = apart(root, listed, x, y, rank)
        elif limit != JOINED and window[limit] >= 0:
            x, y = begin[x, limit], begin[y, limit]
            in_x, x, in_y, y = full(seen, later, x, y, most[limit], window[limit])
            one[at], other[at] = _first(later, x, in_x, rank), _first(later, y, in_y, rank)
    return one, other


@kernel(nogil=True)
def _first(later: Int32, x: int, count: int, rank: Int64) -> int:  # pragma: no cover - compiled
    """Of `count` values from x on, that of the smallest rank."""
    found = x
    for _ in range(count):
        if rank[x] < rank[found]:
            found = x
        x = later[x]
    return found
