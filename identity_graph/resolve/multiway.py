"""The least that must be cut so that no group breaks a limit: an exact minimum multiway cut of a small graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from identity_graph.bits import Bits, lowest
from identity_graph.kernel import kernel

Matrix = npt.NDArray[np.int64]
Vector = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@kernel()
def least_cut(
    capacity: Matrix, held: Matrix, most: Vector, block: Vector, budget: int
) -> int:  # pragma: no cover - compiled
    """The least capacity between blocks of k nodes, 64 at most; or -1, if that is not known after `budget` steps.

    `capacity` int64[k, k] is symmetric, its sum below 2**61. `held` int64[k, c] says how many values each node holds of
    each of c limits, `most` int64[c] how many a block may hold, unless all are one node's. `block` int64[k] is a
    partition that keeps the limits; it becomes the best one. A step is a walk through the graph: O(k), for a node's
    neighbours are one word.

    Branch and bound over links, since the blocks of some cheapest division hang together: as long as a tree of links
    connects more values than a block may hold, its heaviest link is kept, which makes one node of its ends, or else is
    cut, and its ends are in two blocks. Nodes that may not be together are parted at once, and a node that holds
    nothing goes with the neighbour to which at least half of its capacity leads: away from it, it would cost no less.
    """
    k, best, steps, height = len(capacity), _cost(capacity, block), 0, 1
    room = k + np.count_nonzero(capacity) // 2 + 2  # of each link it is decided once
    into, joined = np.empty((room, k), np.int64), np.empty((room, k, k), np.int64)
    own, apart, spent = (
        np.empty((room, *held.shape), np.int64),
        np.empty((room, k, k), np.bool_),
        np.empty(room, np.int64),
    )
    into[0], joined[0], own[0], apart[0], spent[0] = np.arange(k), capacity, held, False, 0
    found = block.copy()
    while height > 0:
        height -= 1
        top = into[height], joined[height], own[height], apart[height]
        steps += 1
        cost = spent[height] + _settle(*top, most, best - spent[height])
        if cost >= best:
            continue
        one, other, walks = _branch(joined[height], own[height], most)
        steps += walks
        if one < 0:
            division = _components(into[height], joined[height])
            best = _cost(capacity, division)
            found[:] = division
            continue
        bound, walks = _bound(joined[height], own[height], most, best - cost)
        steps += walks
        if steps > budget:
            return -1
        if cost + bound >= best:
            continue
        spent[height] = cost
        into[height + 1], joined[height + 1] = into[height], joined[height]
        own[height + 1], apart[height + 1], spent[height + 1] = own[height], apart[height], cost
        apart[height, one, other] = apart[height, other, one] = True
        height += 1
        _merge(into[height], joined[height], own[height], apart[height], one, other)
        height += 1  # that which keeps the link is on top
    block[:] = found
    return best


@kernel()
def _cost(capacity: Matrix, block: Vector) -> int:  # pragma: no cover - compiled
    cost = 0
    for u in range(len(block)):
        for v in range(u):
            if block[u] != block[v]:
                cost += capacity[u, v]
    return cost


@kernel()
def _merge(into: Vector, joined: Matrix, own: Matrix, apart: Flags, u: int, v: int) -> None:  # pragma: no cover
    """Make node u one with v."""
    joined[v] += joined[u]
    joined[:, v] += joined[:, u]
    joined[u] = 0
    joined[:, u] = 0
    joined[v, v] = 0
    own[v] += own[u]
    own[u] = 0
    apart[v] |= apart[u]
    apart[:, v] |= apart[:, u]
    apart[u] = False
    apart[:, u] = False
    into[into == u] = v


@kernel()
def _settle(
    into: Vector, joined: Matrix, own: Matrix, apart: Flags, most: Vector, left: int
) -> int:  # pragma: no cover - compiled
    """Cut and contract what nothing is to be decided about; what that costs. A link that is worth more than is `left`
    is kept."""
    k, cost, again = len(joined), 0, True
    while again and cost < left:
        again = False
        for u in range(k):
            if joined[u].max() == 0:
                continue
            for v in range(k):
                if joined[u, v] and (apart[u, v] or _clash(own, most, u, v)):
                    cost += joined[u, v]
                    apart[u, v] = apart[v, u] = True
                    joined[u, v] = joined[v, u] = 0
            v = joined[u].argmax()
            free = own[u].max() == 0 and not apart[u].any() and 2 * joined[u, v] >= joined[u].sum()
            if joined[u, v] and (free or cost + joined[u, v] >= left):
                _merge(into, joined, own, apart, u, v)
                again = True
    return cost


@kernel()
def _clash(own: Matrix, most: Vector, u: int, v: int) -> bool:  # pragma: no cover - compiled
    for limit in range(len(most)):
        if own[u, limit] and own[v, limit] and own[u, limit] + own[v, limit] > most[limit]:
            return True
    return False


@kernel()
def _near(joined: Matrix) -> Bits:  # pragma: no cover - compiled
    """Of each node its neighbours, as the bits of one word."""
    k = len(joined)
    near = np.zeros(k, np.uint64)
    for u in range(k):
        for v in range(k):
            near[u] |= np.uint64(joined[u, v] > 0) << np.uint64(v)
    return near


@kernel()
def _components(into: Vector, joined: Matrix) -> Vector:  # pragma: no cover - compiled
    """The block of each node: what links connect that are not cut."""
    k, near = len(joined), _near(joined)
    came, queue, label = np.empty(k, np.int64), np.empty(k, np.int64), np.full(k, -1, np.int64)
    none = np.zeros(k, np.int64)
    for u in range(k):
        if label[u] < 0:
            end = _walk(near, none, 0, u, came, queue)[0]
            label[queue[:end]] = u
    return label[into]


@kernel()
def _walk(
    near: Bits, values: Vector, most: int, start: int, came: Vector, queue: Vector
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Go by breadth until more than `most` values of several nodes are met: how many nodes were, and the number of
    values, 0 if there were not so many. `queue` are these nodes, `came` from which each was reached."""
    came[start], queue[0] = start, start
    begin, end, held = 0, 1, values[start]
    fresh = ~(np.uint64(1) << np.uint64(start))
    while begin < end:
        u = queue[begin]
        begin += 1
        found = near[u] & fresh
        fresh ^= found
        while found:
            v = lowest(found)
            found &= found - np.uint64(1)
            came[v], queue[end] = u, v
            end += 1
            held += values[v]
            if values[v] and held > most and held > values[v]:
                return end, held
    return end, 0


@kernel()
def _narrowest(
    joined: Matrix, near: Bits, values: Vector, came: Vector, queue: Vector, end: int, take: int
) -> tuple[int, int, int, int]:  # pragma: no cover - compiled
    """Of the tree that leads to the values met on a walk: how many links it has, the least capacity of one, and the
    ends of the heaviest. `take` is taken off each link."""
    links, least, heaviest, one, other = 0, 0, -1, -1, -1
    met = np.uint64(1) << np.uint64(queue[0])
    for at in range(end):
        v = queue[at]
        while values[queue[at]] and not met >> np.uint64(v) & np.uint64(1):
            met |= np.uint64(1) << np.uint64(v)
            u = came[v]
            links += 1
            if links == 1 or joined[u, v] < least:
                least = joined[u, v]
            if joined[u, v] > heaviest:
                heaviest, one, other = joined[u, v], u, v
            if take:
                _take(joined, near, u, v, take)
            v = u
    return links, least, one, other


@kernel()
def _take(joined: Matrix, near: Bits, u: int, v: int, take: int) -> None:  # pragma: no cover - compiled
    joined[u, v] -= take
    joined[v, u] -= take
    if joined[u, v] == 0:
        near[u] &= ~(np.uint64(1) << np.uint64(v))
        near[v] &= ~(np.uint64(1) << np.uint64(u))


@kernel()
def _branch(joined: Matrix, own: Matrix, most: Vector) -> tuple[int, int, int]:  # pragma: no cover - compiled
    """The heaviest link of the smallest tree that connects too many values, or -1; and how many walks that took."""
    k, walks, fewest, one, other = len(joined), 0, 2**31, -1, -1
    came, queue, near = np.empty(k, np.int64), np.empty(k, np.int64), _near(joined)
    for limit in range(len(most)):
        values = own[:, limit].copy()
        if values.sum() <= most[limit]:
            continue
        for start in range(k):
            if not values[start]:
                continue
            walks += 1
            end, held = _walk(near, values, most[limit], start, came, queue)
            if not held:
                continue
            links, _, u, v = _narrowest(joined, near, values, came, queue, end, 0)
            if links < fewest:
                fewest, one, other = links, u, v
            if fewest <= most[limit] + 1:
                return one, other, walks
    return one, other, walks


@kernel()
def _bound(joined: Matrix, own: Matrix, most: Vector, enough: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """What must be cut at least, and how many walks it took to find out; no more than `enough` is looked for.

    One bound is a sum over trees that share no capacity. First the links from one node to values of a limit, of which
    all but as many as a block may hold are cut; then, in what that leaves, of each tree that connects too many values
    its least link. The other is of limits that no two nodes keep together: half the sum of the least cuts that isolate
    one value from all others, and the answer for two (Dahlhaus, Johnson, Papadimitriou, Seymour, Yannakakis 1994).
    """
    k, walks, bound = len(joined), 1, 0
    left, near = joined.copy(), _near(joined)
    for u in range(k):
        for limit in range(len(most)):
            bound += _star(left, near, own, most, u, limit)
    came, queue = np.empty(k, np.int64), np.empty(k, np.int64)
    for limit in range(len(most)):
        values = own[:, limit].copy()
        if values.sum() <= most[limit]:
            continue
        for start in range(k):
            if not values[start]:
                continue
            while bound < enough:
                walks += 1
                end, held = _walk(near, values, most[limit], start, came, queue)
                if not held:
                    break
                least = _narrowest(left, near, values, came, queue, end, 0)[1]
                _narrowest(left, near, values, came, queue, end, least)
                bound += least
    for limit in range(len(most)):
        holding = np.flatnonzero(own[:, limit])
        if bound < enough and len(holding) > 1 and 2 * own[holding, limit].min() > most[limit]:
            place, total = np.full(k, -1, np.int64), 0
            place[holding] = np.arange(len(holding))
            if len(holding) == 2:  # what isolates one isolates the other
                value, paths = _isolate(joined, place, 0)
                total, walks = 2 * value, walks + paths
            else:
                for number in range(len(holding)):
                    value, paths = _isolate(joined, place, number)
                    total, walks = total + value, walks + paths
            bound = max(bound, (total + 1) // 2)
    return bound, walks


@kernel()
def _star(
    left: Matrix, near: Bits, own: Matrix, most: Vector, u: int, limit: int
) -> int:  # pragma: no cover - compiled
    """What of the links from u to values of a limit must be cut; that much, and as much of the others, is taken off."""
    keep, count, around = most[limit] - own[u, limit], 0, near[u]
    if keep < 1:
        return 0
    while around:
        count += own[lowest(around), limit] > 0
        around &= around - np.uint64(1)
    if count <= keep:
        return 0
    ends = np.flatnonzero((own[:, limit] > 0) & (left[u] > 0))
    ends = ends[np.argsort(-left[u, ends], kind="mergesort")]
    cut, largest = left[u, ends[keep:]].sum(), left[u, ends[keep]]
    for v in ends:
        _take(left, near, u, int(v), min(left[u, v], largest))
    return int(cut)


@kernel()
def _isolate(capacity: Matrix, place: Vector, block: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """The least cut between one placed node and all others, by augmenting paths by breadth (Edmonds and Karp 1972) over
    the nodes without a place; and how many paths that took."""
    k = len(place)
    free = np.flatnonzero(place < 0)
    n = len(free) + 2
    source, sink = n - 2, n - 1
    left = np.zeros((n, n), np.int64)
    value, paths = 0, 1
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
    came, queue, near = np.empty(n, np.int64), np.empty(n, np.int64), _near(left)
    values = np.zeros(n, np.int64)
    values[source] = values[sink] = 1
    while _walk(near, values, 1, source, came, queue)[1]:
        narrowest, v = left[came[sink], sink], sink
        while v != source:
            narrowest = min(narrowest, left[came[v], v])
            v = came[v]
        v = sink
        while v != source:
            u = came[v]
            left[u, v] -= narrowest
            left[v, u] += narrowest
            near[u] &= ~(np.uint64(left[u, v] == 0) << np.uint64(v))
            near[v] |= np.uint64(1) << np.uint64(u)
            v = u
        value, paths = value + narrowest, paths + 1
    return value, paths
