"""Components that stay exact while links come and go, one at a time."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.components import components
from identity_graph.resolve.member_heap import LEFT, PARENT, RANK, RIGHT, drop, meld
from identity_graph.tables import Int32

# Columns of `nodes`, after those of the heap: the first end of a link here, who visited last, the component.
HEAD, VISITED, COMPONENT = 4, 5, 6
# Columns of `ends`, of which a link has two, side by side: the other identifier, the next and the previous one here.
OTHER, NEXT, PREVIOUS = 0, 1, 2
# Columns of `groups`, by component: the top of its heap, and how many members; of an unused one the next unused.
TOP, SIZE = 0, 1
# Places of `state`: the first unused end and component, and the last mark of a visit.
FREE_END, FREE_GROUP, MARK = 0, 1, 2

_LAST_MARK = 2**31 - 4


class LiveComponents:
    """Identifiers 0..n-1 and the links between them, a set: no pair twice, none to itself.

    Adding a link gives the members of the smaller component the number of the larger one. Removing one searches from
    both of its ends in turns, link by link: they meet, or the side that ends first is what split off. So a correction
    costs what the smaller side has links, at most; but a bridge between halves of a very large component costs half of
    it. The smallest member is the top of a leftist heap (Crane 1972), which two components meld and which a member
    leaves in O(log n). 40 bytes an identifier and 24 a link.

    >>> live = LiveComponents(4, np.array([0, 1], np.int32), np.array([1, 2], np.int32))
    >>> live.remove(0, 1), live.labels().tolist(), live.add(3, 2), live.label(3)
    (True, [0, 1, 1, 3], True, 1)
    """

    def __init__(self, n: int, a: Int32, b: Int32) -> None:
        """Of int32[m] in 0..n-1, in any order. As much as `components`, and a sort of m."""
        pairs = np.unique(np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
        a, b = (pairs >> 32).astype(np.int32), pairs.astype(np.int32)
        a, b = a[a != b], b[a != b]
        self._nodes: Int32 = np.full((n, 7), -1, np.int32)
        self._groups: Int32 = np.empty((n, 2), np.int32)
        self._ends: Int32 = np.empty((2 * len(a), 3), np.int32)
        self._queue: Int32 = np.empty(n, np.int32)
        self._state: Int32 = np.array([-1, -1, 0], np.int32)
        _begin(self._nodes, self._groups, self._state, components(n, a, b), 0)
        _tie(self._nodes, self._ends, a, b)

    def __len__(self) -> int:
        """How many identifiers there are."""
        return len(self._nodes)

    def grow(self, n: int) -> None:
        """Identifiers up to n, the new ones without links. O(n)."""
        old = len(self)
        if n > old:
            nodes = np.full((n, 7), -1, np.int32)
            groups = np.empty((n, 2), np.int32)
            nodes[:old], groups[:old] = self._nodes, self._groups
            self._nodes, self._groups, self._queue = nodes, groups, np.empty(n, np.int32)
            _begin(nodes, groups, self._state, np.arange(old, n, dtype=np.int32), old)

    def add(self, a: int, b: int) -> bool:
        """Whether the link was not there yet. Raises IndexError."""
        self._check(a, b)
        if a == b or _find_end(self._nodes, self._ends, a, b) >= 0:
            return False
        if self._state[FREE_END] < 0:
            self._make_ends()
        _add(self._nodes, self._ends, self._groups, self._queue, self._state, a, b)
        return True

    def remove(self, a: int, b: int) -> bool:
        """Whether the link was there. Raises IndexError."""
        self._check(a, b)
        return bool(_remove(self._nodes, self._ends, self._groups, self._queue, self._state, a, b))

    def label(self, x: int) -> int:
        """The smallest member of the component."""
        return int(self._groups[self._nodes[x, COMPONENT], TOP])

    def labels(self) -> Int32:
        """The smallest member of each identifier's component, int32[n]."""
        return np.asarray(self._groups[self._nodes[:, COMPONENT], TOP], np.int32)

    def _check(self, a: int, b: int) -> None:
        if not (0 <= a < len(self) and 0 <= b < len(self)):
            raise IndexError(f"a link of {a} and {b} among {len(self)} identifiers")

    def _make_ends(self) -> None:
        """Half as many links again, unused."""
        old = len(self._ends)
        ends = np.full((old + max(8, old // 4 * 2), 3), -1, np.int32)
        ends[:old] = self._ends
        ends[old::2, NEXT] = np.r_[np.arange(old + 2, len(ends), 2), -1]
        self._ends, self._state[FREE_END] = ends, old


@kernel()
def _begin(nodes: Int32, groups: Int32, state: Int32, label: Int32, start: int) -> None:  # pragma: no cover - compiled
    """Identifiers from `start` with these labels: a component has the number of its smallest member, and as a heap its
    members in their order, each the left one of the one before."""
    last = groups[:, SIZE]  # for now, the member met last
    for x in range(start, len(nodes)):
        group = label[x - start]
        nodes[x, COMPONENT], nodes[x, RANK] = group, 1
        if group == x:
            groups[x, TOP] = x
        else:
            nodes[x, PARENT] = last[group]
            nodes[last[group], LEFT] = x
        last[group] = x
    for x in range(len(nodes) - 1, start - 1, -1):
        if label[x - start] == x:
            groups[x, SIZE] = 0
        else:
            groups[x, TOP], state[FREE_GROUP] = state[FREE_GROUP], x
    for x in range(start, len(nodes)):
        groups[label[x - start], SIZE] += 1


@kernel()
def _tie(nodes: Int32, ends: Int32, a: Int32, b: Int32) -> None:  # pragma: no cover - compiled
    for link in range(len(a)):
        _hang(nodes, ends, a[link], 2 * link, b[link])
        _hang(nodes, ends, b[link], 2 * link + 1, a[link])


@kernel()
def _hang(nodes: Int32, ends: Int32, x: int, end: int, other: int) -> None:  # pragma: no cover - compiled
    first = nodes[x, HEAD]
    ends[end, OTHER], ends[end, NEXT], ends[end, PREVIOUS] = other, first, -1
    if first >= 0:
        ends[first, PREVIOUS] = end
    nodes[x, HEAD] = end


@kernel()
def _unhang(nodes: Int32, ends: Int32, x: int, end: int) -> None:  # pragma: no cover - compiled
    following, previous = ends[end, NEXT], ends[end, PREVIOUS]
    if following >= 0:
        ends[following, PREVIOUS] = previous
    if previous >= 0:
        ends[previous, NEXT] = following
    else:
        nodes[x, HEAD] = following


@kernel()
def _find_end(nodes: Int32, ends: Int32, a: int, b: int) -> int:  # pragma: no cover - compiled
    """The end of the link that either has, -1 if there is none: as long as the shorter of their lists."""
    one, other = nodes[a, HEAD], nodes[b, HEAD]
    while one >= 0 and other >= 0:
        if ends[one, OTHER] == b:
            return int(one)
        if ends[other, OTHER] == a:
            return int(other)
        one, other = ends[one, NEXT], ends[other, NEXT]
    return -1


@kernel()
def _add(
    nodes: Int32, ends: Int32, groups: Int32, queue: Int32, state: Int32, a: int, b: int
) -> None:  # pragma: no cover - compiled
    end = state[FREE_END]
    state[FREE_END] = ends[end, NEXT]
    _hang(nodes, ends, a, end, b)
    _hang(nodes, ends, b, end + 1, a)
    large, small = nodes[a, COMPONENT], nodes[b, COMPONENT]
    if large == small:
        return
    if groups[large, SIZE] < groups[small, SIZE]:
        large, small = small, large
    queue[0], count, i = groups[small, TOP], 1, 0
    while i < count:
        x = queue[i]
        i += 1
        nodes[x, COMPONENT] = large
        for side in (LEFT, RIGHT):
            if nodes[x, side] >= 0:
                queue[count] = nodes[x, side]
                count += 1
    groups[large, SIZE] += groups[small, SIZE]
    groups[large, TOP] = meld(nodes, groups[large, TOP], groups[small, TOP])
    groups[small, TOP], state[FREE_GROUP] = state[FREE_GROUP], small


@kernel()
def _remove(
    nodes: Int32, ends: Int32, groups: Int32, queue: Int32, state: Int32, a: int, b: int
) -> bool:  # pragma: no cover - compiled
    end = _find_end(nodes, ends, a, b)
    if end < 0:
        return False
    twin = end ^ 1
    _unhang(nodes, ends, ends[twin, OTHER], end)
    _unhang(nodes, ends, ends[end, OTHER], twin)
    ends[end & ~1, NEXT], state[FREE_END] = state[FREE_END], end & ~1
    if state[MARK] >= _LAST_MARK:
        nodes[:, VISITED] = -1
        state[MARK] = 0
    side, count = _search(nodes, ends, queue, state[MARK], a, b)
    state[MARK] += 2
    if count:
        _split(nodes, groups, queue[:count] if side == 0 else queue[len(queue) - count :], state)
    return True


@kernel()
def _search(
    nodes: Int32, ends: Int32, queue: Int32, mark: int, a: int, b: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """From both in turns, a link each; the side that ended first, 0 or 1, and how many it found; 0 if they meet.

    What side 0 found is at the front of `queue`, what side 1 found at its back.
    """
    back = len(queue) - 1
    queue[0], queue[back] = a, b
    nodes[a, VISITED], nodes[b, VISITED] = mark, mark + 1
    found = np.array([1, 1])
    at = np.array([0, 0])
    end = np.array([nodes[a, HEAD], nodes[b, HEAD]])
    side = 1
    while True:
        side = 1 - side
        while end[side] < 0:
            at[side] += 1
            if at[side] == found[side]:
                return side, found[side]
            end[side] = nodes[queue[at[side] if side == 0 else back - at[side]], HEAD]
        y = ends[end[side], OTHER]
        end[side] = ends[end[side], NEXT]
        if nodes[y, VISITED] == mark + 1 - side:
            return side, 0
        if nodes[y, VISITED] != mark + side:
            nodes[y, VISITED] = mark + side
            queue[found[side] if side == 0 else back - found[side]] = y
            found[side] += 1


@kernel()
def _split(nodes: Int32, groups: Int32, members: Int32, state: Int32) -> None:  # pragma: no cover - compiled
    old, new = nodes[members[0], COMPONENT], state[FREE_GROUP]
    state[FREE_GROUP] = groups[new, TOP]
    rest, top = groups[old, TOP], -1
    for x in members:
        rest = drop(nodes, rest, x)
        top = meld(nodes, top, x)
        nodes[x, COMPONENT] = new
    groups[old, TOP], groups[new, TOP] = rest, top
    groups[old, SIZE] -= len(members)
    groups[new, SIZE] = len(members)
