"""Connected components of integer links."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from identity_graph.kernel import kernel
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.ranks import rank, ranked
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Int32, Int64, Words, read_only

UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Ends = tuple[int, int]
Dealt = tuple[UInt64, int, int]

FEW = 2**17
"""So few links that starting a second thread costs more than it saves."""

_LOW, _ONE = np.uint64(32), np.uint64(1)
_OWNER = np.uint64(32 + 10)  # of links: identifiers go to two threads in blocks of 1024, no cache line being of both
_SOME = 2**19  # new links in a round: less memory to touch anew than for all at once, which costs more than rounds
_AHEAD = 32  # links between the asking for a parent and its use: tens of nanoseconds each way


@kernel()
def _find(parent: Int32, x: int) -> int:  # pragma: no cover - compiled
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@kernel()
def _join(parent: UInt32, a: UInt32, b: UInt32) -> None:  # pragma: no cover - compiled
    """Rem's algorithm with splicing: climb from both ends at once, each step hanging the higher onto the lower."""
    for i in range(len(a)):
        x, y = a[i], b[i]
        above_x, above_y = parent[x], parent[y]
        while above_x != above_y:
            if above_x < above_y:
                x, y, above_x, above_y = y, x, above_y, above_x
            parent[x] = above_y
            if x == above_x:
                break
            x, above_x = above_x, parent[above_x]


@kernel(nogil=True)
def _number(parent: UInt32, start: int, stop: int) -> None:  # pragma: no cover - compiled
    for x in range(start, stop):
        parent[x] = x


@kernel(nogil=True)
def _deal(a: UInt32, b: UInt32, out: UInt64, start: int, stop: int) -> Ends:  # pragma: no cover - compiled
    """Write links as (higher << 32 | lower): those of thread 0 from the front of `out`, of thread 1 from its back.

    Both places are written each time and one is then kept, for a branch that nobody can predict costs more.
    """
    front, back = np.uint64(start), np.uint64(stop)
    for i in range(len(a)):
        link = (np.uint64(max(a[i], b[i])) << _LOW) | np.uint64(min(a[i], b[i]))
        out[front], out[back] = link, link
        other = (link >> _OWNER) & _ONE
        front += _ONE - other
        back -= other
    return int(front), int(back)


@kernel(nogil=True)
def _step(parent: UInt32, links: UInt64, out: UInt64, start: int, stop: int) -> Ends:  # pragma: no cover - compiled
    """One step of Rem's climb for each link; what is not joined after it is written as a lower link, as by `_deal`."""
    front, back, last = np.uint64(start), np.uint64(stop), len(links) - 1
    for i in range(len(links)):
        prefetch(parent, np.intp(links[min(i + _AHEAD, last)] >> _LOW))
        x, y = np.uint32(links[i] >> _LOW), np.uint32(links[i])
        above = parent[x]
        low, high = min(above, y), max(above, y)
        parent[x] = low
        link = (np.uint64(high) << _LOW) | np.uint64(low)
        out[front], out[back] = link, link
        more = np.uint64((above != x) & (above != y))
        other = more & (link >> _OWNER)
        front += more - other
        back -= other
    return int(front), int(back)


@kernel(nogil=True)
def _flatten(parent: UInt32, start: int, stop: int) -> None:  # pragma: no cover - compiled
    """Hang each identifier on its parent's parent: on its root, once that of every parent between is done."""
    for x in range(start, stop):
        parent[x] = parent[parent[x]]


def components(n: int, a: Int32, b: Int32) -> Int32:
    """The smallest member of each identifier's component, int32[n]; a and b int32[m] in 0..n-1, in any order.

    Union-find where a parent is never larger than its child, by Rem (Dijkstra, A Discipline of Programming, 1976, 23;
    Patwary, Blair, Manne 2010), a link being done once both ends have one parent. Many links are taken by two threads
    breadth first: each round takes every pending link one step up, and some new ones in, branchless and with the
    parents asked for ahead, and a thread writes only the parents of its own identifiers. So the answer is one, whoever
    is faster. 8 bytes a pending link besides, which are some hundred thousand mostly.

    >>> components(5, np.array([0, 3], np.int32), np.array([2, 4], np.int32)).tolist()
    [0, 1, 0, 3, 3]
    """
    one, other = (np.ascontiguousarray(column, dtype=np.int32).view(np.uint32) for column in (a, b))
    parent = np.empty(n, dtype=np.uint32)
    if len(a) < FEW:
        _number(parent, 0, n)
        _join(parent, one, other)
        _flatten(parent, 0, n)  # a parent comes before its children
    else:
        with ThreadPoolExecutor(1) as thread:
            _join_by_rounds(parent, one, other, thread)
    return parent.view(np.int32)


def _join_by_rounds(parent: UInt32, a: UInt32, b: UInt32, thread: ThreadPoolExecutor) -> None:
    n, m = len(parent), len(a)
    both(thread, _number, (parent, 0, n // 2), (parent, n // 2, n))
    rooms = np.empty((2, 2, 2 * _SOME), np.uint64)  # of two threads, for what one round leaves and for the next one
    mine: tuple[list[UInt64], list[UInt64]] = [], []
    start = before = left = turn = 0
    while start < m or FEW // 4 < left <= 0.9 * before:  # until few, or paths that rounds are slow to shorten
        middle, stop = start + _SOME // 2, start + _SOME
        dealt = both(
            thread,
            _climb,
            (parent, mine[0], a[start:middle], b[start:middle], rooms[turn, 0]),
            (parent, mine[1], a[middle:stop], b[middle:stop], rooms[turn, 1]),
        )
        mine = [out[:front] for out, front, _ in dealt], [out[back + 1 :] for out, _, back in dealt]
        before = 2 * m if start < m else left
        left, start, turn = sum(len(links) for own in mine for links in own), stop, 1 - turn
    for links in (*mine[0], *mine[1]):
        _join(parent, (links >> _LOW).astype(np.uint32), links.astype(np.uint32))
    low, middle = n // 3 * 2, n // 6 * 5
    both(thread, _flatten, (parent, 0, low), (parent, low, n))
    both(thread, _flatten, (parent, low, middle), (parent, middle, n))  # which hang on roots, or on those below `low`


def _climb(parent: UInt32, shares: list[UInt64], a: UInt32, b: UInt32, room: UInt64) -> Dealt:
    """A step of this thread's pending links, and some new links."""
    most = sum(map(len, shares)) + len(a) + 1
    out = room if most <= len(room) else np.empty(most, np.uint64)
    front, back = 0, len(out) - 1
    for links in shares:
        front, back = _step(parent, links, out, front, back)
    return out, *_deal(a, b, out, front, back)


def dense(label: Int32) -> Int64:
    """Groups from 0 in the order of their smallest members, by which they are labelled, int64[n]; -1 for nobody. 2
    threads."""
    label, found = read_only(label), np.empty(len(label), np.int64)
    with second_thread(len(label)) as thread:
        ranks, _ = ranked(label, thread)
        both(thread, _number_groups, *((label, ranks, *half, found) for half in halves(len(label))))
    return found


@kernel(nogil=True)
def _number_groups(
    label: Int32, ranks: Words, start: int, stop: int, found: Int64
) -> None:  # pragma: no cover - compiled
    for x in range(start, stop):
        found[x] = rank(ranks, label[x]) if label[x] >= 0 else -1
