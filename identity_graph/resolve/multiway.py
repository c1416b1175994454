"""The least that must be cut so that no group breaks a limit: an exact minimum multiway cut of a small graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Matrix = npt.NDArray[np.int64]
Vector = npt.NDArray[np.int64]


@njit(cache=True)
def least_cut(
    capacity: Matrix, held: Matrix, most: Vector, block: Vector, budget: int
) -> int:  # pragma: no cover - compiled
    """The least capacity between blocks of k nodes; or -1, if that is not known after `budget` steps.

    `capacity` int64[k, k] is symmetric, its sum below 2**61. `held` int64[k, c] says how many values each node holds of
    each of c limits, `most` int64[c] how many a block may hold, unless all are one node's. `block` int64[k] is a
    partition that keeps the limits; it becomes the best one.

    First, a node that holds nothing goes with the neighbour to which at least half of its capacity leads: away from it,
    it would cost no less. Then branch and bound. A node that holds values joins one of the blocks that there are, or
    begins one; when all have their place, the others are divided among the blocks. No division is cheaper than half
    the sum, over the blocks, of the least cut that isolates one from all others, and what that cut leaves with a block
    may stay there (Dahlhaus, Johnson, Papadimitriou, Seymour and Yannakakis 1994); of two blocks it is the answer.
    """
    into = _contracted(capacity, held)
    nodes = np.flatnonzero(into == np.arange(len(into)))
    best = _cost(capacity, block)
    small = np.zeros((len(nodes), len(nodes)), np.int64)
    number = np.zeros(len(into), np.int64)
    number[nodes] = np.arange(len(nodes))
    for u in range(len(into)):
        for v in range(len(into)):
            if into[u] != into[v]:
                small[number[into[u]], number[into[v]]] += capacity[u, v]
    division = np.full(len(nodes), -1, np.int64)
    cost = _divide(small, held[nodes], most, best, division, budget)
    if cost < best and cost >= 0:
        for u in range(len(into)):
            block[u] = division[number[into[u]]]
    return cost


@njit(cache=True)
def _contracted(capacity: Matrix, held: Matrix) -> Vector:  # pragma: no cover - compiled
    """The node that each goes with."""
    k = len(capacity)
    joined = capacity.copy()
    into = np.arange(k)
    again = True
    while again:
        again = False
        for u in range(k):
            if into[u] != u or held[u].max() > 0:
                continue
            v = joined[u].argmax()
            if joined[u, v] > 0 and 2 * joined[u, v] >= joined[u].sum():
                again = True
                joined[v] += joined[u]
                joined[:, v] += joined[:, u]
                joined[u] = 0
                joined[:, u] = 0
                joined[v, v] = 0
                into[u] = v
    for u in range(k):
        while into[into[u]] != into[u]:
            into[u] = into[into[u]]
    return into


@njit(cache=True)
def _divide(
    capacity: Matrix, held: Matrix, most: Vector, best: int, block: Vector, budget: int
) -> int:  # pragma: no cover - compiled
    """The capacity of the cheapest division, and it in `block`, if it is cheaper than `best`; else that, or -1."""
    k = len(capacity)
    assigned = np.full(((k + 1) * (k + 2), k), -1, np.int64)
    height, steps = 1, 0
    while height > 0:
        height -= 1
        steps += 1
        if steps > budget:
            return -1
        place = assigned[height].copy()
        count = place.max() + 1
        node, options = _most_bound(capacity, held, most, place, count)
        bound, widest, widest_at = 0, -1, 0
        for j in range(count):
            value = _isolate(capacity, place, j, node < 0)
            bound += value
            if value > widest:
                widest, widest_at = value, j
        bound = max((bound + 1) // 2, _torn(capacity, place, count))
        if bound >= best:
            continue
        if node < 0:
            rough = np.where(place < 0, widest_at, place)
            cost = _cost(capacity, rough)
            if cost < best:
                best = cost
                block[:] = rough
            node, options = _closest(capacity, place, count)
            if node < 0 or bound >= best:
                continue
        for option in options[::-1]:  # the most promising is on top
            assigned[height] = place
            assigned[height, node] = option
            height += 1
    return best


@njit(cache=True)
def _cost(capacity: Matrix, block: Vector) -> int:  # pragma: no cover - compiled
    cost = 0
    for u in range(len(block)):
        for v in range(u):
            if block[u] != block[v]:
                cost += capacity[u, v]
    return cost


@njit(cache=True)
def _torn(capacity: Matrix, place: Vector, count: int) -> int:  # pragma: no cover - compiled
    """What is cut at least: all between blocks, and of each other node all that leads to blocks but to one."""
    cost = 0
    for u in range(len(place)):
        drawn = _drawn(capacity, place, count, u)
        if place[u] < 0 and count:
            cost += drawn.sum() - drawn.max()
        elif place[u] >= 0:
            for j in range(place[u]):
                cost += drawn[j]
    return cost


@njit(cache=True)
def _drawn(capacity: Matrix, place: Vector, count: int, node: int) -> Vector:  # pragma: no cover - compiled
    """The capacity between a node and each block."""
    drawn = np.zeros(count, np.int64)
    for v in range(len(place)):
        if place[v] >= 0:
            drawn[place[v]] += capacity[node, v]
    return drawn


@njit(cache=True)
def _most_bound(
    capacity: Matrix, held: Matrix, most: Vector, place: Vector, count: int
) -> tuple[int, Vector]:  # pragma: no cover - compiled
    """Of the nodes that hold values and have no block, that with the least choice, and its choices, best first."""
    k, limits = held.shape
    full = np.zeros((count, limits), np.int64)
    for u in range(k):
        if place[u] >= 0:
            full[place[u]] += held[u]
    node, least, weight = -1, k + 2, -1
    choices = np.zeros(0, np.int64)
    for u in range(k):
        if place[u] >= 0 or held[u].max() == 0:
            continue
        fits = np.zeros(count + 1, np.bool_)
        fits[count] = True
        for j in range(count):
            fits[j] = True
            for limit in range(limits):
                one, two = full[j, limit], held[u, limit]
                if one and two and one + two > most[limit]:
                    fits[j] = False
        here, total = fits.sum(), capacity[u].sum()
        if here < least or (here == least and total > weight):
            node, least, weight = u, here, total
            choices = np.flatnonzero(fits)
    if node >= 0 and count:
        drawn = np.append(_drawn(capacity, place, count, node), -1)
        choices = choices[np.argsort(-drawn[choices], kind="mergesort")]
    return node, choices


@njit(cache=True)
def _closest(capacity: Matrix, place: Vector, count: int) -> tuple[int, Vector]:  # pragma: no cover - compiled
    """The node without a block that is drawn most to blocks, and these, best first."""
    node, most = -1, -1
    choices = np.zeros(0, np.int64)
    for u in range(len(place)):
        if place[u] < 0:
            drawn = _drawn(capacity, place, count, u)
            if drawn.sum() > most:
                node, most = u, drawn.sum()
                choices = np.argsort(-drawn, kind="mergesort")
    return node, choices


@njit(cache=True)
def _isolate(capacity: Matrix, place: Vector, block: int, take: bool) -> int:  # pragma: no cover - compiled
    """The least cut between one block and all others. Where `take` says so, the nodes without a block that it leaves
    with this one get their place there.

    Augmenting paths by breadth (Edmonds and Karp 1972) over the nodes without a block; of all least cuts that which
    leaves the most nodes with the block.
    """
    k = len(place)
    free = np.flatnonzero(place < 0)
    n = len(free) + 2
    source, sink = n - 2, n - 1
    left = np.zeros((n, n), np.int64)
    value = 0
    for i in range(len(free)):
        for j in range(len(free)):
            left[i, j] = capacity[free[i], free[j]]
        for v in range(k):
            if place[v] == block:
                left[source, i] += capacity[free[i], v]
            elif place[v] >= 0:
                left[i, sink] += capacity[free[i], v]
    for u in range(k):
        if place[u] == block:
            for v in range(k):
                if place[v] >= 0 and place[v] != block:
                    value += capacity[u, v]
    came, queue = np.empty(n, np.int64), np.empty(n, np.int64)
    while True:
        came[:] = -1
        came[source] = source
        queue[0], begin, end = source, 0, 1
        while begin < end and came[sink] < 0:
            u = queue[begin]
            begin += 1
            for v in range(n):
                if came[v] < 0 and left[u, v] > 0:
                    came[v] = u
                    queue[end] = v
                    end += 1
        if came[sink] < 0:
            break
        narrowest, v = left[came[sink], sink], sink
        while v != source:
            narrowest = min(narrowest, left[came[v], v])
            v = came[v]
        v = sink
        while v != source:
            left[came[v], v] -= narrowest
            left[v, came[v]] += narrowest
            v = came[v]
        value += narrowest
    if take:
        came[:] = -1
        came[sink], queue[0], begin, end = sink, sink, 0, 1
        while begin < end:
            u = queue[begin]
            begin += 1
            for v in range(n):
                if came[v] < 0 and left[v, u] > 0:
                    came[v] = u
                    queue[end] = v
                    end += 1
        for i in range(len(free)):
            if came[i] < 0:
                place[free[i]] = block
    return value
