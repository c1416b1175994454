"""Links that alone hold two parts together, and hold them worse than the parts hold themselves."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.tables import Bool, Float64, Int32, Int64


def weak_bridges(n: int, a: Int32, b: Int32, weight: Float64) -> Bool:
    """Which of m links, no pair twice, are bridges that weigh less than the median link on either side, bool[m].

    A bridge is a link without which its ends are not connected (Tarjan 1974). A side without links has no median, so
    that nobody who hangs on by one link is cut off. O((n + m) log n).

    >>> a, b = np.array([0, 0, 1, 2, 3, 3, 4], np.int32), np.array([1, 2, 2, 3, 4, 5, 5], np.int32)
    >>> weak_bridges(6, a, b, np.array([0.9, 0.9, 0.9, 0.3, 0.5, 0.5, 0.5])).tolist().index(True)
    3
    """
    start, other, link = _beside(n, a, b)
    enter, leave, root, deeper = _walk(n, start, other, link, len(a))
    bridge = _bridges(n, a, b, enter, leave, deeper)
    order = np.argsort(-weight, kind="stable")
    return _weaker(n, order, weight, enter, leave, root, deeper, bridge)


def _beside(n: int, a: Int32, b: Int32) -> tuple[Int64, Int32, Int64]:
    """The links of each identifier: from `start[x]` to `start[x + 1]`, the other end and the row of each."""
    ends = np.r_[a, b]
    order = np.argsort(ends, kind="stable")
    start = np.r_[0, np.cumsum(np.bincount(ends, minlength=n))].astype(np.int64)
    return start, np.r_[b, a][order].astype(np.int32), (order % max(len(a), 1)).astype(np.int64)


@kernel()
def _walk(
    n: int, start: Int64, other: Int32, link: Int64, m: int
) -> tuple[Int64, Int64, Int64, Int64]:  # pragma: no cover - compiled
    """A walk in depth over all components: when each identifier is entered, when the last below it is, where its
    component is entered; and of each link, when its deeper end is, negative less one where the link was not walked."""
    enter, leave, root = np.full(n, -1, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    deeper = np.zeros(m, np.int64)
    came = np.full(n, -1, np.int64)
    turn = start[:n].copy()
    stack = np.empty(n, np.int64)
    clock = 0
    for first in range(n):
        if enter[first] >= 0:
            continue
        stack[0], height = first, 1
        enter[first], begin = clock, clock
        clock += 1
        while height:
            x = stack[height - 1]
            if turn[x] == start[x + 1]:
                height -= 1
                leave[x], root[x] = clock - 1, begin
                continue
            y, row = other[turn[x]], link[turn[x]]
            turn[x] += 1
            if enter[y] < 0:
                enter[y], came[y], deeper[row] = clock, row, clock
                clock += 1
                stack[height] = y
                height += 1
            elif row != came[x]:
                deeper[row] = -1 - max(enter[x], enter[y])
    return enter, leave, root, deeper


@kernel()
def _bridges(
    n: int, a: Int32, b: Int32, enter: Int64, leave: Int64, deeper: Int64
) -> Bool:  # pragma: no cover - compiled
    """Walked links over which no other leads back: what is entered from there on reaches nothing earlier."""
    least = np.arange(n)  # by time of entry: the earliest that it or one below reaches
    at = np.empty(n, np.int64)
    for x in range(n):
        at[enter[x]] = x
    for row in range(len(a)):
        if deeper[row] < 0:
            low, high = min(enter[a[row]], enter[b[row]]), max(enter[a[row]], enter[b[row]])
            least[high] = min(least[high], low)
    above = np.full(n, -1, np.int64)
    for row in range(len(a)):
        if deeper[row] >= 0:
            above[deeper[row]] = min(enter[a[row]], enter[b[row]])
    for time in range(n - 1, -1, -1):
        if above[time] >= 0:
            least[above[time]] = min(least[above[time]], least[time])
    found = np.zeros(len(a), np.bool_)
    for row in range(len(a)):
        found[row] = deeper[row] >= 0 and least[deeper[row]] == deeper[row]
    return found


@kernel()
def _weaker(
    n: int,
    order: Int64,
    weight: Float64,
    enter: Int64,
    leave: Int64,
    root: Int64,
    deeper: Int64,
    bridge: Bool,
) -> Bool:  # pragma: no cover - compiled
    """Bridges of which more than half of the links on either side are heavier: counted as they come, heaviest first, in
    a tree of sums by time of entry (Fenwick 1994). What is below a bridge is entered in one stretch of time."""
    at = np.empty(n, np.int64)
    for x in range(n):
        at[enter[x]] = x
    total = np.zeros(n + 1, np.int64)
    for row in order:
        total[_time(deeper[row]) + 1] += 1
    for time in range(n):
        total[time + 1] += total[time]
    heavier = np.zeros(n + 1, np.int64)
    weak = np.zeros(len(order), np.bool_)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and weight[order[end]] == weight[order[begin]]:
            end += 1
        for row in order[begin:end]:
            if bridge[row]:
                below = at[deeper[row]]
                first, last = enter[below], leave[below]
                begins = root[below]
                ends = leave[at[begins]]
                inside, here = total[last + 1] - total[first] - 1, _sum(heavier, last) - _sum(heavier, first - 1)
                outside = total[ends + 1] - total[begins] - 1 - inside
                there = _sum(heavier, ends) - _sum(heavier, begins - 1) - here
                weak[row] = 2 * here > inside and 2 * there > outside
        for row in order[begin:end]:
            time = _time(deeper[row]) + 1
            while time <= n:
                heavier[time] += 1
                time += time & -time
        begin = end
    return weak


@kernel()
def _time(deeper: int) -> int:  # pragma: no cover - compiled
    return deeper if deeper >= 0 else -1 - deeper


@kernel()
def _sum(tree: Int64, last: int) -> int:  # pragma: no cover - compiled
    found, time = 0, last + 1
    while time > 0:
        found += tree[time]
        time -= time & -time
    return found
