"""The constrained spanning forest: links in an order of precedence, as long as no limit breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from identity_graph.resolve.components import _find
from identity_graph.resolve.part import Limits, Pairs, Part
from identity_graph.tables import Bool, Int16, Int32, Int64

JOINED, CANNOT, OVERSIZED = -3, -2, -1
"""What `Forest.refused` says beside the position of a limit."""


@dataclass(frozen=True, slots=True)
class Forest:
    """`label` int32[n]: some member of each identifier's group. Of each link, in the order in which they were taken:
    `refused` int16, JOINED, CANNOT, OVERSIZED or the position of a limit; `value_a`, `value_b` int32, the two
    identifiers that would have come together, -1 where it was the size."""

    label: Int32
    refused: Int16
    value_a: Int32
    value_b: Int32


@njit(cache=True)
def _apart(
    parent: Int32, first: Int32, following: Int32, other: Int32, owner: Int32, many: Int32, x: int, y: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """The smallest pair that must not be in one group and would be if roots x and y were; -1 if there is none."""
    if many[x] > many[y]:
        x, y = y, x
    low, high = -1, -1
    entry = first[x]
    while entry >= 0:
        if _find(parent, other[entry]) == y:
            one, two = min(owner[entry], other[entry]), max(owner[entry], other[entry])
            if low < 0 or one < low or (one == low and two < high):
                low, high = one, two
        entry = following[entry]
    return low, high


@njit(cache=True)
def _earlier(seen: Int64, x: int, y: int) -> bool:  # pragma: no cover - compiled
    return y < 0 or (x >= 0 and (seen[x] < seen[y] or (seen[x] == seen[y] and x < y)))


@njit(cache=True)
def _crowded(
    seen: Int64, later: Int32, x: int, y: int, most: int, window: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """The smallest of x's and of y's values in the first window that would hold more than `most` of both; else -1.

    x and y begin two lists in order of time, by `later`: as they are merged, a window slides over them.
    """
    from_x, from_y, in_x, in_y = x, y, 0, 0
    while x >= 0 or y >= 0:
        if _earlier(seen, x, y):
            end, x, in_x = seen[x], later[x], in_x + 1
        else:
            end, y, in_y = seen[y], later[y], in_y + 1
        while in_x and seen[from_x] <= end - window:
            from_x, in_x = later[from_x], in_x - 1
        while in_y and seen[from_y] <= end - window:
            from_y, in_y = later[from_y], in_y - 1
        if in_x and in_y and in_x + in_y > most:
            one, two = from_x, from_y
            for _ in range(in_x):
                one, from_x = min(one, from_x), later[from_x]
            for _ in range(in_y):
                two, from_y = min(two, from_y), later[from_y]
            return one, two
    return -1, -1


@njit(cache=True)
def _merged(seen: Int64, later: Int32, x: int, y: int) -> int:  # pragma: no cover - compiled
    """The beginning of the two lists made one."""
    begin, end = -1, -1
    while x >= 0 and y >= 0:
        if _earlier(seen, x, y):
            taken, x = x, later[x]
        else:
            taken, y = y, later[y]
        if end < 0:
            begin = taken
        else:
            later[end] = taken
        end = taken
    rest = max(x, y)
    if end < 0:
        return rest
    later[end] = rest
    return begin


@njit(cache=True)
def _grow(
    parent: Int32,
    size: Int32,
    held: Int32,
    best: Int32,
    begin: Int32,
    later: Int32,
    seen: Int64,
    first: Int32,
    last: Int32,
    many: Int32,
    following: Int32,
    other: Int32,
    owner: Int32,
    most: Int32,
    window: Int64,
    cap: int,
    a: Int32,
    b: Int32,
    must: Bool,
    refused: Int16,
    value_a: Int32,
    value_b: Int32,
) -> None:  # pragma: no cover - compiled
    for i in range(len(a)):
        x, y = _find(parent, a[i]), _find(parent, b[i])
        if x == y:
            continue
        why = -3
        if len(first) and many[x] and many[y]:
            one, two = _apart(parent, first, following, other, owner, many, x, y)
            if one >= 0:
                why, value_a[i], value_b[i] = -2, one, two
        if why == -3 and not must[i]:
            for limit in range(len(most)):
                if held[x, limit] and held[y, limit] and held[x, limit] + held[y, limit] > most[limit]:
                    one, two = best[x, limit], best[y, limit]
                    if window[limit] >= 0:
                        one, two = _crowded(seen, later, begin[x, limit], begin[y, limit], most[limit], window[limit])
                    if one >= 0:
                        why, value_a[i], value_b[i] = limit, one, two
                        break
            if why == -3 and size[x] + size[y] > cap:
                why = -1
        if why != -3:
            refused[i] = why
            continue
        if size[x] < size[y]:
            x, y = y, x
        parent[y] = x
        size[x] += size[y]
        for limit in range(len(most)):
            if held[y, limit]:
                if held[x, limit] == 0 or best[y, limit] < best[x, limit]:
                    best[x, limit] = best[y, limit]
                held[x, limit] += held[y, limit]
                if window[limit] >= 0:
                    begin[x, limit] = _merged(seen, later, begin[x, limit], begin[y, limit])
        if len(first) and many[y]:
            if many[x]:
                following[last[x]] = first[y]
            else:
                first[x] = first[y]
            last[x] = last[y]
            many[x] += many[y]


def grow_forest(part: Part, order: Int64, limits: Limits) -> Forest:
    """Group the identifiers of a part by taking its links in the order given, as row numbers; refuse those that would
    break a limit, of which the first is named.

    Pairs that must not be in one group come before limits, these in their order, and the size last. Stated links
    (`must`) heed the pairs only. A group that stated links brought over a limit may still grow by what does not count.
    Groups only grow, so what was refused once stays refused: every refused link ends in two groups.

    Kruskal's algorithm (1956) with a test before each union. O(links * limits) after the sort; a pair costs a look at
    the smaller of two lists of pairs, a limit with a window one pass over the values of both groups.
    """
    n, count = len(part), len(limits.spaces)
    held = np.zeros((n, count), dtype=np.int32)
    for column, space in enumerate(limits.spaces):
        held[:, column] = part.namespace == space
    own = np.arange(n, dtype=np.int32)
    best = np.repeat(own[:, None], max(count, 1), axis=1)
    windows = bool((limits.window >= 0).any())
    begin = np.where(held > 0, own[:, None], -1).astype(np.int32) if windows else best
    first, last, many, following, other, owner = _listed(part.cannot, n)
    m = len(order)
    refused: Int16 = np.full(m, JOINED, dtype=np.int16)
    value_a, value_b = np.full(m, -1, dtype=np.int32), np.full(m, -1, dtype=np.int32)
    parent = own.copy()
    a, b = part.a[order], part.b[order]
    _grow(
        parent,
        np.ones(n, dtype=np.int32),
        held,
        best,
        begin,
        np.full(n if windows else 0, -1, dtype=np.int32),
        part.seen,
        first,
        last,
        many,
        following,
        other,
        owner,
        limits.most,
        limits.window,
        limits.cap,
        a,
        b,
        part.must[order],
        refused,
        value_a,
        value_b,
    )
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return Forest(parent, refused, value_a, value_b)


def _listed(cannot: Pairs, n: int) -> tuple[Int32, Int32, Int32, Int32, Int32, Int32]:
    """Pairs as linked lists by identifier: the first and last entry and how many there are, int32[n], or empty without
    any; of each entry the following one, the other end and its own."""
    none: Int32 = np.empty(0, np.int32)
    if not len(cannot[0]):
        return none, none, none, none, none, none
    owner, other = np.r_[cannot[0], cannot[1]], np.r_[cannot[1], cannot[0]]
    order = np.argsort(owner, kind="stable")
    owner, other = owner[order], other[order]
    many = np.bincount(owner, minlength=n).astype(np.int32)
    end = np.cumsum(many).astype(np.int32)
    following = np.arange(1, len(owner) + 1, dtype=np.int32)
    following[end[many > 0] - 1] = -1
    first = np.where(many > 0, end - many, -1).astype(np.int32)
    return first, np.where(many > 0, end - 1, -1).astype(np.int32), many, following, other, owner
