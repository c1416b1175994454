"""The constrained spanning forest: links in an order of precedence, as long as no limit breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.shares import Pairs, UInt32
from identity_graph.resolve.threads import Thread, both, halves
from identity_graph.tables import Bool, Int16, Int32, Int64

_ROOT = np.uint32(2**31)
_NEAR = 2**16  # identifiers whose words are in the near cache
_TILE = 32  # links

JOINED, CANNOT = -2, -1
"""What `Forest.refused` says beside the position of a limit."""

Listed = tuple[Int32, Int32, Int32, Int32, Int32, Int32]
"""Pairs as linked lists: the first and the last entry of each identifier, and how many it has, int32[n], or empty
without any; of each entry the following one, the other end, and its own."""


@dataclass(frozen=True, slots=True)
class Forest:
    """`label` int32[n]: the smallest of each identifier's group. `refused` int16[m] of each link: JOINED, CANNOT or the
    position of a limit. The others are what `name_values` needs: among them the links in the order that they were taken
    in, by position and as both their ends; and `limited` uint32[n], the position of the limit that each identifier
    counts for, or how many limits there are; `first` is what `first_links` gives, where that is known already."""

    label: Int32
    refused: Int16
    order: Int64
    one: UInt32
    two: UInt32
    limited: UInt32
    begin: Int32
    later: Int32
    seen: Int64
    listed: Listed
    first: Int32 | None


def grow_forest(part: Part, order: Int64, limits: Limits, open: Bool | None = None, thread: Thread = None) -> Forest:
    """Group the identifiers of a part by taking its links in the order given, by position; refuse those that would
    break a limit, of which the first is named. Only links of `open` bool[m] are taken.

    Pairs that must not be in one group come before limits, these in their order. Stated links (`must`) heed the pairs
    only. A group that stated links brought over a limit may still grow by what does not count. Groups only grow, so
    what was refused once stays refused: every refused link ends in two groups.

    Kruskal's algorithm (1956) with a test before each union; a parent is never larger than its child, which needs no
    branch. O(links * limits) after the sort; a pair costs a look at the smaller of two lists of pairs, a limit with a
    window one pass over the values of both groups.
    """
    n, count, windows = len(part), len(limits.spaces), bool((limits.window >= 0).any())
    taken = order if open is None else order[open[order]]
    limit_of = np.full(len(part.facts.rules.namespaces), count, np.uint32)
    limit_of[limits.spaces] = np.arange(count)
    limited, held = np.empty(n, np.uint32), np.empty(n * count, np.uint32)
    _begin(part.namespace, limit_of, limited, held, count)
    begin = np.empty((0, 0), np.int32)
    if windows:
        own = np.arange(n, dtype=np.int32)[:, None]
        begin = np.where(limited[:, None] == np.arange(count, dtype=np.uint32), own, np.int32(-1))
    later = np.full(n if windows else 0, -1, dtype=np.int32)
    seen = part.seen() if windows else np.empty(0, np.int64)
    listed = _listed(part.cannot, n)
    must = part.must() if part.stated else np.empty(0, np.bool_)
    refused: Int16 = np.full(len(part.a), JOINED, dtype=np.int16)
    one, two = np.empty((2, len(taken)), np.uint32)
    columns = taken, part.a.view(np.uint32), part.b.view(np.uint32)
    both(thread, _ends, *((*columns, *half, one, two) for half in halves(len(taken))))
    first = thread.submit(first_links, one, two, n) if thread else None
    most, label = limits.most.astype(np.uint32), np.empty(n, np.uint32)
    if count == 1 and not (len(listed[0]) or part.stated or windows):
        _grow_counting(taken, one, two, held, most[0], label, refused)
    else:
        _grow(taken, one, two, must, held, begin, later, seen, listed, most, limits.window, label, refused)
    return Forest(
        label.view(np.int32),
        refused,
        taken,
        one,
        two,
        limited,
        begin,
        later,
        seen,
        listed,
        first.result() if first else None,
    )


def _listed(cannot: Pairs, n: int) -> Listed:
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


@kernel(nogil=True)
def _begin(
    namespace: Int16, limit_of: UInt32, limited: UInt32, held: UInt32, count: int
) -> None:  # pragma: no cover - compiled
    """Which limit everybody counts for, and how many values of each limit everybody holds alone: 1 or 0."""
    for x in range(len(namespace)):
        limited[x] = limit_of[namespace[x]]
    for limit in range(count):
        for x in range(len(namespace)):
            held[x * count + limit] = limited[x] == limit


@kernel(nogil=True)
def _ends(
    order: Int64, a: UInt32, b: UInt32, start: int, stop: int, one: UInt32, two: UInt32
) -> None:  # pragma: no cover - compiled
    for i in range(start, stop):
        place = np.uint64(i)
        row = np.uint64(order[place])
        one[place], two[place] = a[row], b[row]


@kernel(nogil=True)
def first_links(one: UInt32, two: UInt32, n: int) -> Int32:  # pragma: no cover - compiled
    """The place of each identifier's first link in the order, or how many links there are. Backwards, so that the first
    one is written last."""
    first = np.full(n, len(one), np.int32)
    for back in range(len(one)):
        place = np.uint64(len(one) - 1 - back)
        first[one[place]] = place
        first[two[place]] = place
    return first


@kernel()
def _top(above: UInt32, x: int) -> int:  # pragma: no cover - compiled
    """Halves the way to the root, above which is no identifier, but what its group holds."""
    up = above[x]
    if up >= _ROOT:
        return x
    while True:
        next = above[up]
        if next >= _ROOT:
            return int(up)
        above[x] = next
        x, up = up, next


@kernel(nogil=True)
def _grow_counting(
    order: Int64, one: UInt32, two: UInt32, held: UInt32, most: int, above: UInt32, refused: Int16
) -> None:  # pragma: no cover - compiled
    """As `_grow`, for one limit alone, without a window, pairs and stated links: twice as fast. What is above an
    identifier and what a group holds share one word, so that a link touches two. Where they are too many for the near
    cache, words are asked for two tiles of links ahead, and what is above them one tile ahead."""
    over, m, large = np.empty(_TILE + 1, np.int64), len(one), len(above) > _NEAR
    for x in range(len(above)):
        above[x] = _ROOT | held[x]
    for low in range(0, m, _TILE):
        if large:
            for place in range(min(low + 2 * _TILE, m), min(low + 3 * _TILE, m)):
                prefetch(above, np.intp(one[place]))
                prefetch(above, np.intp(two[place]))
            for place in range(min(low + _TILE, m), min(low + 2 * _TILE, m)):
                prefetch(above, np.intp(above[one[place]] & ~_ROOT))
                prefetch(above, np.intp(above[two[place]] & ~_ROOT))
        count = 0
        for i in range(low, min(low + _TILE, m)):
            at = np.uint64(i)
            x, y = _top(above, one[at]), _top(above, two[at])
            here, there = above[x] & ~_ROOT, above[y] & ~_ROOT
            breaks = (here != 0) & (there != 0) & (here + there > most) & (x != y)
            joins = (x != y) & (not breaks)
            below, high = min(x, y), max(x, y)
            above[high] = below if joins else above[high]
            above[below] = _ROOT | (here + there) if joins else above[below]
            over[count] = i
            count += breaks
        for i in range(count):
            refused[np.uint64(order[over[i]])] = 0
    for x in range(len(above)):  # what is above is not larger, and done
        up = above[x]
        above[x] = x if up >= _ROOT else above[up]


@kernel()
def _root(parent: UInt32, x: int) -> int:  # pragma: no cover - compiled
    """Halves the way; unsigned, for numbers that may be below 0 take more steps to look up."""
    above = parent[x]
    while True:
        next = parent[above]
        if next == above:
            return int(above)
        parent[x] = next
        x, above = above, next


@kernel(nogil=True)
def _grow(
    order: Int64,
    one: UInt32,
    two: UInt32,
    must: Bool,
    held: UInt32,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    most: UInt32,
    window: Int64,
    parent: UInt32,
    refused: Int16,
) -> None:  # pragma: no cover - compiled
    """Without branches that nobody can predict: what does not join is added to itself as nothing."""
    entry, last, many, following, _, _ = listed
    count, pairs, stated, windows = np.uint32(len(most)), len(many) > 0, len(must) > 0, len(later) > 0
    for x in range(len(parent)):
        parent[x] = x
    for place in range(len(one)):
        x, y = _root(parent, one[place]), _root(parent, two[place])
        row = np.uint64(order[place])
        why = np.int16(JOINED)
        for back in range(count):
            limit = count - np.uint32(1) - np.uint32(back)
            here, there = held[x * count + limit], held[y * count + limit]
            over = (here != 0) & (there != 0) & (here + there > most[limit])
            if windows and over and window[limit] >= 0 and x != y:
                over = full(seen, later, begin[x, limit], begin[y, limit], most[limit], window[limit])[0] > 0
            why = np.int16(limit) if over else why
        if stated and must[row]:
            why = np.int16(JOINED)
        if pairs and x != y and apart(parent, listed, x, y, following)[0] >= 0:
            why = np.int16(CANNOT)
        two_groups = x != y
        refused[row] = why if two_groups else np.int16(JOINED)
        joins = two_groups & (why == JOINED)
        low, high = min(x, y), max(x, y)
        parent[high] = low if joins else high
        if joins and windows:
            for each in range(count):
                if window[each] >= 0 and held[high * count + each]:
                    begin[low, each] = _merged(seen, later, begin[low, each], begin[high, each])
        if joins and pairs and many[high]:
            if many[low]:
                following[last[low]] = entry[high]
            else:
                entry[low] = entry[high]
            last[low] = last[high]
            many[low] += many[high]
        for each in range(count):
            own = np.uint32(each)
            held[low * count + own] += held[high * count + own] if joins else np.uint32(0)
    for x in range(len(parent)):
        parent[x] = parent[parent[x]]  # which is done, for it is not larger


@kernel(nogil=True)
def apart(
    parent: UInt32, listed: Listed, x: int, y: int, rank: Int32 | Int64
) -> tuple[int, int]:  # pragma: no cover - compiled
    """The pair that roots x and y hold an end each of, x's first; of several that of the smaller `rank`, which each
    identifier has; else -1, -1."""
    first, _, many, following, other, owner = listed
    in_x, in_y = -1, -1
    turned = many[x] > many[y]
    entry = first[y] if turned else first[x]
    far = x if turned else y
    while entry >= 0:
        if _root(parent, other[entry]) == far:
            one, two = (other[entry], owner[entry]) if turned else (owner[entry], other[entry])
            low, high = min(rank[one], rank[two]), max(rank[one], rank[two])
            if in_x < 0 or (low, high) < (min(rank[in_x], rank[in_y]), max(rank[in_x], rank[in_y])):
                in_x, in_y = one, two
        entry = following[entry]
    return in_x, in_y


@kernel(nogil=True)
def _earlier(seen: Int64, x: int, y: int) -> bool:  # pragma: no cover - compiled
    return y < 0 or (x >= 0 and seen[x] <= seen[y])


@kernel(nogil=True)
def full(
    seen: Int64, later: Int32, x: int, y: int, most: int, window: int
) -> tuple[int, int, int, int]:  # pragma: no cover - compiled
    """The first window that would hold more than `most` values, some of x's and some of y's: how many of x's and the
    first of them, how many of y's and the first of them; zeros and -1 if there is none.

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
        more = (x >= 0 and seen[x] == end) or (y >= 0 and seen[y] == end)
        if in_x and in_y and in_x + in_y > most and not more:
            return in_x, from_x, in_y, from_y
    return 0, -1, 0, -1


@kernel(nogil=True)
def _merged(seen: Int64, later: Int32, x: int, y: int) -> int:  # pragma: no cover - compiled
    """The beginning of the two lists made one."""
    begin, end = -1, -1
    while x >= 0 or y >= 0:
        if _earlier(seen, x, y):
            taken, x = x, later[x]
        else:
            taken, y = y, later[y]
        if end < 0:
            begin = taken
        else:
            later[end] = taken
        end = taken
    return begin
