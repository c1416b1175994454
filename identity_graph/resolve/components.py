"""Connected components of integer links."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from identity_graph.kernel import kernel
from identity_graph.resolve.lockstep import lockstep, meet
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.ranks import rank, ranked
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Int32, Int64, Words, read_only

UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Ends = tuple[int, int]

FEW = 2**17
"""So few links that starting a second thread costs more than it saves."""

_LOW, _ONE = np.uint64(32), np.uint64(1)
_OWNER = np.uint64(32 + 10)  # of links: identifiers go to two threads in blocks of 1024, no cache line being of both
_SOME = 2**16  # new links in a round: what one leaves is still in the cache in the next one
_ROOM = 2**18  # links that wait: new ones are taken while there is room
_RARE = 2**12  # links that one thread joins in less time than two
_AHEAD = 32  # links between the asking for a parent and its use: tens of nanoseconds each way


@kernel(inline=True)
def _link(parent: UInt32, x: np.uint32, y: np.uint32) -> None:  # pragma: no cover - compiled
    """Rem's algorithm with splicing: climb from both ends at once, each step hanging the higher onto the lower."""
    above_x, above_y = parent[x], parent[y]
    while above_x != above_y:
        if above_x < above_y:
            x, y, above_x, above_y = y, x, above_y, above_x
        parent[x] = above_y
        if x == above_x:
            break
        x, above_x = above_x, parent[above_x]


@kernel()
def _join(parent: UInt32, a: UInt32, b: UInt32) -> None:  # pragma: no cover - compiled
    for i in range(len(a)):
        _link(parent, a[i], b[i])


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
    is faster. At most 8 MiB besides.

    >>> components(5, np.array([0, 3], np.int32), np.array([2, 4], np.int32)).tolist()
    [0, 1, 0, 3, 3]
    """
    one, other = (np.ascontiguousarray(column, dtype=np.int32).view(np.uint32) for column in (a, b))
    parent = np.empty(n, dtype=np.uint32)
    with second_thread(len(a), FEW) as thread:
        if thread is None:
            _number(parent, 0, n)
            _join(parent, one, other)
            _flatten(parent, 0, n)  # a parent comes before its children
        else:
            room = min(_ROOM, len(a) + 2)
            rooms, ends = np.empty((2, 2, room), np.uint64), np.full((2, 2, 2), (0, room - 1))
            lockstep(thread, _join_by_rounds, parent, one, other, rooms, ends, _SOME)
    return parent.view(np.int32)


@kernel(nogil=True)
def _join_by_rounds(
    me: int, meeting: Int64, parent: UInt32, a: UInt32, b: UInt32, rooms: UInt64, ends: Int64, some: int
) -> None:  # pragma: no cover - compiled
    """What one of two threads does. `rooms`: uint64[2, 2, room], of each thread what it wrote in the last round and
    writes in this one: links of thread 0's identifiers from the front up to an end, of thread 1's from the back down to
    another; `ends`: int64[2, 2, 2], of both rounds and threads."""
    n, m, room = len(parent), len(a), rooms.shape[2]
    start = turn = left = before = 0
    _number(parent, n // 2 * me, n if me else n // 2)
    going = meet(meeting, me)
    while going and (start < m or left > 0):
        new = min(some, m - start)
        if left + new >= room:
            new = 0
        front, back = 0, room - 1
        if new == 0 and (left < _RARE or left > 0.9 * before):  # a few, or paths that rounds are slow to shorten
            if me == 0:
                _join_shares(parent, rooms[:, turn], ends[turn])
        else:
            out, middle = rooms[me, 1 - turn], start + new // 2
            for whose in range(2):
                front, back = _step(parent, _share(rooms[whose, turn], ends[turn, whose], me), out, front, back)
            low, high = (middle, start + new) if me else (start, middle)
            front, back = _deal(a[low:high], b[low:high], out, front, back)
        before = 2 * m if new else left
        start, turn = start + new, 1 - turn
        ends[turn, me, 0], ends[turn, me, 1] = front, back
        going = meet(meeting, me)
        left = ends[turn, 0, 0] + ends[turn, 1, 0] + 2 * (room - 1) - ends[turn, 0, 1] - ends[turn, 1, 1]
    low, middle = n // 3 * 2, n // 6 * 5
    if going:
        _flatten(parent, low if me else 0, n if me else low)
        going = meet(meeting, me)
    if going:  # hang on roots those that hang on others above `low`
        _flatten(parent, middle if me else low, n if me else middle)


@kernel(inline=True)
def _share(links: UInt64, ends: Int64, me: int) -> UInt64:  # pragma: no cover - compiled
    return links[ends[1] + 1 :] if me else links[: ends[0]]


@kernel()
def _join_shares(parent: UInt32, rooms: UInt64, ends: Int64) -> None:  # pragma: no cover - compiled
    for whose in range(2):
        for me in range(2):
            for link in _share(rooms[whose], ends[whose], me):
                _link(parent, np.uint32(link >> _LOW), np.uint32(link))


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
