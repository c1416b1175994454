"""The constrained spanning forest: links in an order of precedence, as long as no limit breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from identity_graph.resolve.components import _find
from identity_graph.resolve.part import Limits, Pairs, Part
from identity_graph.tables import Bool, Int16, Int32, Int64

JOINED, CANNOT = -2, -1
"""What `Forest.refused` says beside the position of a limit."""

Listed = tuple[Int32, Int32, Int32, Int32, Int32, Int32]
"""Pairs as linked lists: the first and the last entry of each identifier, and how many it has, int32[n], or empty
without any; of each entry the following one, the other end, and its own."""


@dataclass(frozen=True, slots=True)
class Forest:
    """`label` int32[n]: some member of each identifier's group. `refused` int16[m] of each link: JOINED, CANNOT or the
    position of a limit. `order`, `begin`, `later` and `listed` are what `name_values` needs."""

    label: Int32
    refused: Int16
    order: Int64
    begin: Int32
    later: Int32
    listed: Listed


def grow_forest(part: Part, order: Int64, limits: Limits) -> Forest:
    """Group the identifiers of a part by taking its links in the order given, as row numbers; refuse those that would
    break a limit, of which the first is named. Links that are not in `order` are not taken.

    Pairs that must not be in one group come before limits, these in their order. Stated links (`must`) heed the pairs
    only. A group that stated links brought over a limit may still grow by what does not count. Groups only grow, so
    what was refused once stays refused: every refused link ends in two groups.

    Kruskal's algorithm (1956) with a test before each union. O(links * limits) after the sort; a pair costs a look at
    the smaller of two lists of pairs, a limit with a window one pass over the values of both groups.
    """
    n, own = len(part), np.arange(len(part), dtype=np.int32)
    # One row an identifier, as of its group: its size, then how many values it holds of each limit.
    state = np.ones((n, 1 + len(limits.spaces)), dtype=np.int32)
    for column, space in enumerate(limits.spaces, 1):
        state[:, column] = part.namespace == space
    windows = bool((limits.window >= 0).any())
    begin = np.where(state[:, 1:] > 0, own[:, None], -1).astype(np.int32) if windows else np.empty((0, 0), np.int32)
    later = np.full(n if windows else 0, -1, dtype=np.int32)
    listed = _listed(part.cannot, n)
    parent, taken = own.copy(), np.full(len(order), JOINED, dtype=np.int16)
    rules = (limits.most, limits.window)
    _grow(part.a[order], part.b[order], part.must[order], parent, state, begin, later, part.seen, listed, rules, taken)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    refused: Int16 = np.full(len(part.a), JOINED, dtype=np.int16)
    refused[order] = taken
    return Forest(parent, refused, order, begin, later, listed)


def name_values(part: Part, forest: Forest, limits: Limits) -> tuple[Int32, Int32]:
    """Of each refused link two identifiers that would have come together, one of a's group and one of b's, int32[m]; -1
    for the others.

    They are the pair that must not be, or a value of either group; where the limit has a window, of the first that is
    full. Of several the one whose links were taken first; of two ends of one link that of the smaller key.
    """
    value_a, value_b = np.full((2, len(part.a)), -1, dtype=np.int32)
    rows = np.flatnonzero(forest.refused != JOINED)
    if len(rows):
        rank, best = _first_values(part, forest, limits, rows)
        rules = (limits.most, limits.window)
        grown = (forest.begin, forest.later, part.seen, forest.listed, rules, forest.refused)
        _name(rows, part.a, part.b, forest.label, rank, best, *grown, value_a, value_b)
    return value_a, value_b


def _first_values(part: Part, forest: Forest, limits: Limits, rows: Int64) -> tuple[Int64, Int32]:
    """Of identifiers among which there is a choice, how early they were taken, int64[n]; and the first value of each
    group and limit, int32[n, limits]."""
    n, label = len(part), forest.label
    touched = np.zeros(n, dtype=np.bool_)
    touched[label[part.a[rows]]] = touched[label[part.b[rows]]] = True
    choice: Bool = np.zeros(n, dtype=np.bool_)
    choice[np.r_[part.cannot]] = True
    values = [np.flatnonzero((part.namespace == space) & touched[label]) for space in limits.spaces]
    for own in values:
        choice[own] |= np.bincount(label[own], minlength=n)[label[own]] > 1
    rank = _taken(part, forest.order, choice)
    best = np.full((n, max(len(limits.spaces), 1)), -1, dtype=np.int32)
    for column, own in enumerate(values):
        best[label[own], column] = own
        several = own[choice[own]]
        several = several[np.argsort(-rank[several])]  # the first comes last, and stays
        best[label[several], column] = several
    return rank, best


def _taken(part: Part, order: Int64, choice: Bool) -> Int64:
    """Twice the place of each identifier's first link; one more for that of the larger key where it is the other's
    too, and both are in the `choice` bool[n]."""
    a, b = part.a[order], part.b[order]
    first, shared = _places(a, b, choice)
    rank = 2 * first
    one, other = part.inside[a[shared]], part.inside[b[shared]]
    larger = part.facts.larger(one, other)
    rank[np.where(larger, a[shared], b[shared])] += 1
    return rank


@njit(cache=True)
def _places(a: Int32, b: Int32, choice: Bool) -> tuple[Int64, Int64]:  # pragma: no cover - compiled
    """The place of the first link of each identifier; and the links that are the first of both their ends, of which
    both are in the choice."""
    first = np.full(len(choice), len(a), np.int64)
    for i in range(len(a) - 1, -1, -1):
        first[a[i]] = first[b[i]] = i
    count, shared = 0, np.empty(len(a), np.int64)
    for i in range(len(a)):
        if choice[a[i]] and choice[b[i]] and first[a[i]] == i and first[b[i]] == i:
            shared[count] = i
            count += 1
    return first, shared[:count]


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


@njit(cache=True)
def _grow(
    a: Int32,
    b: Int32,
    must: Bool,
    parent: Int32,
    state: Int32,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    rules: tuple[Int32, Int64],
    refused: Int16,
) -> None:  # pragma: no cover - compiled
    first, last, many, following, _, _ = listed
    most, window = rules
    for row in range(len(a)):
        x, y = _find(parent, a[row]), _find(parent, b[row])
        if x == y:
            continue
        why = JOINED
        if len(many) and _apart(parent, listed, x, y, seen)[0] >= 0:
            why = CANNOT
        elif not must[row]:
            for limit in range(len(most)):
                one, two = state[x, 1 + limit], state[y, 1 + limit]
                if one and two and one + two > most[limit]:
                    if window[limit] >= 0:
                        one = _full(seen, later, begin[x, limit], begin[y, limit], most[limit], window[limit])[0]
                    if one:
                        why = limit
                        break
        refused[row] = why
        if why != JOINED:
            continue
        if state[x, 0] < state[y, 0]:
            x, y = y, x
        parent[y] = x
        for column in range(state.shape[1]):
            if column and state[y, column] and window[column - 1] >= 0:
                begin[x, column - 1] = _merged(seen, later, begin[x, column - 1], begin[y, column - 1])
            state[x, column] += state[y, column]
        if len(many) and many[y]:
            if many[x]:
                following[last[x]] = first[y]
            else:
                first[x] = first[y]
            last[x] = last[y]
            many[x] += many[y]


@njit(cache=True)
def _name(
    rows: Int64,
    a: Int32,
    b: Int32,
    parent: Int32,
    rank: Int64,
    best: Int32,
    begin: Int32,
    later: Int32,
    seen: Int64,
    listed: Listed,
    rules: tuple[Int32, Int64],
    refused: Int16,
    value_a: Int32,
    value_b: Int32,
) -> None:  # pragma: no cover - compiled
    most, window = rules
    for row in rows:
        x, y, limit = parent[a[row]], parent[b[row]], refused[row]
        if limit == CANNOT:
            value_a[row], value_b[row] = _apart(parent, listed, x, y, rank)
        elif window[limit] < 0:
            value_a[row], value_b[row] = best[x, limit], best[y, limit]
        else:
            x, y = begin[x, limit], begin[y, limit]
            in_x, x, in_y, y = _full(seen, later, x, y, most[limit], window[limit])
            value_a[row], value_b[row] = _first(later, x, in_x, rank), _first(later, y, in_y, rank)


@njit(cache=True)
def _apart(
    parent: Int32, listed: Listed, x: int, y: int, rank: Int64
) -> tuple[int, int]:  # pragma: no cover - compiled
    """The pair that roots x and y hold an end each of, x's first; of several that of the smaller `rank` int64[n]; else
    -1, -1."""
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


@njit(cache=True)
def _earlier(seen: Int64, x: int, y: int) -> bool:  # pragma: no cover - compiled
    return y < 0 or (x >= 0 and seen[x] <= seen[y])


@njit(cache=True)
def _full(
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


@njit(cache=True)
def _first(later: Int32, x: int, count: int, rank: Int64) -> int:  # pragma: no cover - compiled
    """Of `count` values from x on, that of the smallest rank."""
    found = x
    for _ in range(count):
        if rank[x] < rank[found]:
            found = x
        x = later[x]
    return found


@njit(cache=True)
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
