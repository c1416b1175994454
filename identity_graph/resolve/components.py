"""Connected components of integer links."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from numba import njit

from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.threads import both
from identity_graph.tables import Int32

UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Ends = tuple[int, int]
Dealt = tuple[UInt64, int, int]

FEW = 2**17
"""So few links that starting a second thread costs more than it saves."""

_OTHER = np.uint32(1024)  # identifiers go to the two threads in blocks of so many: no cache line belongs to both
_LOW = np.uint64(32)
_AHEAD = 32  # links between the asking for a parent and its use: tens of nanoseconds each way


@njit(cache=True)
def _find(parent: Int32, x: int) -> int:  # pragma: no cover - compiled
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@njit(cache=True)
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


@njit(cache=True, nogil=True)
def _number(parent: UInt32, start: int, stop: int) -> None:  # pragma: no cover - compiled
    for x in range(start, stop):
        parent[x] = x


@njit(cache=True, nogil=True)
def _deal(a: UInt32, b: UInt32, out: UInt64) -> Ends:  # pragma: no cover - compiled
    """Write links as (higher << 32 | lower): those of thread 0 from the front of `out`, of thread 1 from its back.

    Both places are written each time and one is then kept, for a branch that nobody can predict costs more.
    """
    front, back = 0, len(out) - 1
    for i in range(len(a)):
        high = max(a[i], b[i])
        link = (np.uint64(high) << _LOW) | np.uint64(min(a[i], b[i]))
        out[front], out[back] = link, link
        other = 1 if high & _OTHER else 0
        front += 1 - other
        back -= other
    return front, back


@njit(cache=True, nogil=True)
def _step(parent: UInt32, links: UInt64, out: UInt64, front: int, back: int) -> Ends:  # pragma: no cover - compiled
    """One step of Rem's climb for each link; what is not joined after it is written as a lower link, as by `_deal`."""
    last = len(links) - 1
    for i in range(len(links)):
        prefetch(parent, np.intp(links[min(i + _AHEAD, last)] >> _LOW))
        x, y = np.uint32(links[i] >> _LOW), np.uint32(links[i])
        above = parent[x]
        low, high = min(above, y), max(above, y)
        parent[x] = low
        link = (np.uint64(high) << _LOW) | np.uint64(low)
        out[front], out[back] = link, link
        more = 1 if (above != x) & (above != y) else 0
        other = more if high & _OTHER else 0
        front += more - other
        back -= other
    return front, back


@njit(cache=True, nogil=True)
def _flatten(parent: UInt32, start: int, stop: int) -> None:  # pragma: no cover - compiled
    """Roots stay as they are, so that the other thread may flatten the rest at the same time."""
    for x in range(start, stop):
        above = parent[parent[parent[x]]]  # mostly the root by now; asking without a branch is cheaper
        while above != parent[above]:
            above = parent[above]
        parent[x] = above


def components(n: int, a: Int32, b: Int32) -> Int32:
    """The smallest member of each identifier's component, int32[n]; a and b int32[m] in 0..n-1, in any order.

    Union-find where a parent is never larger than its child, by Rem (Dijkstra, A Discipline of Programming, 1976, 23;
    Patwary, Blair, Manne 2010), a link being done once both ends have one parent. Many links are taken by two threads
    breadth first: each round takes every pending link one step up, branchless and with the parents asked for ahead,
    and a thread writes only the parents of its own identifiers. So the answer is one, whoever is faster. 8 bytes a
    link besides.

    >>> components(5, np.array([0, 3], np.int32), np.array([2, 4], np.int32)).tolist()
    [0, 1, 0, 3, 3]
    """
    one, other = (np.ascontiguousarray(column, dtype=np.int32).view(np.uint32) for column in (a, b))
    parent = np.empty(n, dtype=np.uint32)
    if len(a) < FEW:
        _number(parent, 0, n)
        _join(parent, one, other)
        _flatten(parent, 0, n)
    else:
        with ThreadPoolExecutor(1) as thread:
            _join_by_rounds(parent, one, other, thread)
    return parent.view(np.int32)


def _join_by_rounds(parent: UInt32, a: UInt32, b: UInt32, thread: ThreadPoolExecutor) -> None:
    n, m = len(parent), len(a)
    below, above = slice(0, m // 2), slice(m // 2, m)
    dealt = both(thread, _begin, (parent, 0, n // 2, a[below], b[below]), (parent, n // 2, n, a[above], b[above]))
    before = 2 * m
    while True:
        mine = [out[:front] for out, front, _ in dealt], [out[back + 1 :] for out, _, back in dealt]
        left = sum(len(links) for shares in mine for links in shares)
        if left <= max(FEW, m) // 64 or left > 0.9 * before:  # few, or paths that rounds are slow to shorten
            break
        dealt = both(thread, _climb, (parent, mine[0]), (parent, mine[1]))
        before = left
    for links in (*mine[0], *mine[1]):
        _join(parent, (links >> _LOW).astype(np.uint32), links.astype(np.uint32))
    both(thread, _flatten, (parent, 0, n // 2), (parent, n // 2, n))


def _begin(parent: UInt32, start: int, stop: int, a: UInt32, b: UInt32) -> Dealt:
    _number(parent, start, stop)
    out = np.empty(len(a) + 1, np.uint64)
    return out, *_deal(a, b, out)


def _climb(parent: UInt32, shares: list[UInt64]) -> Dealt:
    out = np.empty(sum(map(len, shares)) + 1, np.uint64)
    front, back = 0, len(out) - 1
    for links in shares:
        front, back = _step(parent, links, out, front, back)
    return out, front, back
