"""The constrained spanning forest: links in an order of precedence, as long as no limit breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.components import _find
from identity_graph.resolve.part import Limits, Pairs, Part
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.threads import both, halves, second_thread, spread
from identity_graph.tables import Bool, Int16, Int32, Int64

JOINED, CANNOT = -2, -1
"""What `Forest.refused` says beside the position of a limit."""

NEVER = 2**31 - 1
"""At which place of the order an identifier without links came first."""

_AHEAD = 16  # links between the asking for where they end and the asking for these ends, and from there to their use

Listed = tuple[Int32, Int32, Int32, Int32, Int32, Int32]
"""Pairs as linked lists: the first and the last entry of each identifier, and how many it has, int32[n], or empty
without any; of each entry the following one, the other end, and its own."""


@dataclass(frozen=True, slots=True)
class Forest:
    """`label` int32[n]: some member of each identifier's group. `refused` int16[m] of each link: JOINED, CANNOT or the
    position of a limit. The others are what `name_values` needs: among them `first`, at which place of the order each
    identifier came first; `best`, by label and limit the value that did; and `even`, the other one at that place."""

    label: Int32
    refused: Int16
    order: Int64
    first: Int32
    best: Int32
    even: Int32
    begin: Int32
    later: Int32
    seen: Int64
    listed: Listed


def grow_forest(part: Part, order: Int64, limits: Limits, open: Bool | None = None) -> Forest:
    """Group the identifiers of a part by taking its links in the order given, by position; refuse those that would
    break a limit, of which the first is named. The order goes component by component; of its links only those of
    `open` bool[m] are taken.

    Pairs that must not be in one group come before limits, these in their order. Stated links (`must`) heed the pairs
    only. A group that stated links brought over a limit may still grow by what does not count. Groups only grow, so
    what was refused once stays refused: every refused link ends in two groups.

    Kruskal's algorithm (1956) with a test before each union, 2 threads with components of their own.
    O(links * limits) after the sort; a pair costs a look at the smaller of two lists of pairs, a limit with a window
    one pass over the values of both groups.
    """
    n, count, windows = len(part), len(limits.spaces), bool((limits.window >= 0).any())
    # One row an identifier, as one cache line mostly: at which place it came first; as of its group the size, then how
    # many values it holds of each limit, then which of these came first.
    node = np.empty((n, 2 + 2 * count), np.int32)
    parent, label, even = np.empty(n, np.int32), np.empty(n, np.int32), np.full(n, -1, np.int32)
    first, best = node[:, 0], node[:, 2 + count :]
    alone = part.inside, part.facts.namespace, np.array(limits.spaces, np.int16), parent, node
    with second_thread(n + len(order)) as thread:
        both(thread, _begin, *((*half, *alone) for half in halves(n)))
    begin = np.ascontiguousarray(best) if windows else np.empty((0, 0), np.int32)
    later = np.full(n if windows else 0, -1, dtype=np.int32)
    seen = part.seen() if windows else np.empty(0, np.int64)
    listed = _listed(part.cannot, n)
    must = part.must() if part.stated else np.empty(0, np.bool_)
    refused: Int16 = np.full(len(part.a), JOINED, dtype=np.int16)
    taken = np.empty(0, np.bool_) if open is None else open
    graph = (
        part.a,
        part.b,
        must,
        taken,
        parent,
        node,
        even,
        begin,
        later,
        seen,
        listed,
        limits.most,
        limits.window,
    )
    with second_thread(n + len(order)) as thread:
        spread(thread, _grow, [(order, own[0], own[-1], *graph, refused) for own in part.shares()])
        both(thread, _flatten, *((parent, *half, label) for half in halves(n)))
    return Forest(label, refused, order, first, best, even, begin, later, seen, listed)


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
    start: int,
    stop: int,
    inside: Int64,
    namespace: Int16,
    spaces: Int16,
    parent: Int32,
    node: Int32,
) -> None:  # pragma: no cover - compiled
    """Everybody alone."""
    held, best = 2, 2 + len(spaces)
    for x in range(start, stop):
        parent[x], node[x, 0], node[x, 1] = x, NEVER, 1
        space = namespace[inside[x]]
        for limit in range(len(spaces)):
            own = spaces[limit] == space
            node[x, held + limit], node[x, best + limit] = own, x if own else -1


@kernel(nogil=True)
def _grow(
    order: Int64,
    start: int,
    stop: int,
    a: Int32,
    b: Int32,
    must: Bool,
    taken: Bool,
    parent: Int32,
    node: Int32,
    even: Int32,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    most: Int32,
    window: Int64,
    refused: Int16,
) -> None:  # pragma: no cover - compiled
    entry, last, many, following, _, _ = listed
    held, best, width = 2, 2 + len(most), node.shape[1]
    cells = node.reshape(-1)
    for place in range(start, stop):
        near, far = order[min(place + _AHEAD, stop - 1)], order[min(place + 2 * _AHEAD, stop - 1)]
        prefetch(a, far)
        prefetch(b, far)
        for end in (a[near], b[near]):
            prefetch(parent, np.intp(end))
            prefetch(cells, np.intp(end) * width)
        row = order[place]
        if len(taken) and not taken[row]:
            continue
        one, two = a[row], b[row]
        node[one, 0], node[two, 0] = min(node[one, 0], place), min(node[two, 0], place)
        x, y = _find(parent, one), _find(parent, two)
        if x == y:
            continue
        why = JOINED
        if len(many) and apart(parent, listed, x, y, node[:, 0])[0] >= 0:
            why = CANNOT
        elif not (len(must) and must[row]):
            for limit in range(len(most)):
                here, there = node[x, held + limit], node[y, held + limit]
                if here and there and here + there > most[limit]:
                    if window[limit] >= 0:
                        here = full(seen, later, begin[x, limit], begin[y, limit], most[limit], window[limit])[0]
                    if here:
                        why = limit
                        break
        if why != JOINED:
            refused[row] = why
            continue
        if node[x, 1] < node[y, 1]:
            x, y = y, x
        parent[y] = x
        node[x, 1] += node[y, 1]
        for limit in range(len(most)):
            if node[y, held + limit]:
                if window[limit] >= 0:
                    begin[x, limit] = _merged(seen, later, begin[x, limit], begin[y, limit])
                node[x, held + limit] += node[y, held + limit]
                mine, its = node[x, best + limit], node[y, best + limit]
                if mine < 0 or node[its, 0] < node[mine, 0]:
                    node[x, best + limit] = its
                elif node[its, 0] == node[mine, 0]:  # both ends of this link
                    even[mine] = its
        if len(many) and many[y]:
            if many[x]:
                following[last[x]] = entry[y]
            else:
                entry[x] = entry[y]
            last[x] = last[y]
            many[x] += many[y]


@kernel(nogil=True)
def _flatten(parent: Int32, start: int, stop: int, label: Int32) -> None:  # pragma: no cover - compiled
    for x in range(start, stop):
        root = x
        while parent[root] != root:
            root = parent[root]
        label[x] = root


@kernel(nogil=True)
def apart(
    parent: Int32, listed: Listed, x: int, y: int, rank: Int32 | Int64
) -> tuple[int, int]:  # pragma: no cover - compiled
    """The pair that roots x and y hold an end each of, x's first; of several that of the smaller `rank`, which each
    identifier has; else -1, -1."""
    first, _, many, following, other, owner = listed
    in_x, in_y = -1, -1
    turned = many[x] > many[y]
    entry = first[y] if turned else first[x]
    far = x if turned else y
    while entry >= 0:
        if _find(parent, other[entry]) == far:
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
