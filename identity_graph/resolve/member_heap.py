"""Leftist heaps of numbers inside one array: each number is in one heap, and the smallest of a heap is its top.

By Crane, Linear lists and priority queues as balanced binary trees, 1972: the shorter way down is always to the right
and at most log2 of the size, so melding two heaps and taking out any member are O(log n) in the worst case.
"""

from __future__ import annotations

from identity_graph.kernel import kernel
from identity_graph.tables import Int32

# Columns of `nodes`, one row a number. A rank is the length of the way down to the right; -1 is nobody.
LEFT, RIGHT, PARENT, RANK = 0, 1, 2, 3


@kernel()
def _settle(nodes: Int32, x: int) -> bool:  # pragma: no cover - compiled
    """The longer way to the left, and the rank; whether that changed."""
    left, right = nodes[x, LEFT], nodes[x, RIGHT]
    one = nodes[left, RANK] if left >= 0 else 0
    other = nodes[right, RANK] if right >= 0 else 0
    if one < other:
        nodes[x, LEFT], nodes[x, RIGHT] = right, left
        one, other = other, one
    changed = nodes[x, RANK] != other + 1
    nodes[x, RANK] = other + 1
    return bool(changed)


@kernel()
def meld(nodes: Int32, x: int, y: int) -> int:  # pragma: no cover - compiled
    """The top of the heap of both, whose parent is then nobody; -1 is an empty heap."""
    if x < 0 or y < 0:
        top = max(x, y)
        if top >= 0:
            nodes[top, PARENT] = -1
        return top
    top, last = min(x, y), -1
    while x >= 0 and y >= 0:
        if y < x:
            x, y = y, x
        nodes[x, PARENT] = last
        if last >= 0:
            nodes[last, RIGHT] = x
        last = x
        x = nodes[x, RIGHT]
    rest = max(x, y)
    nodes[last, RIGHT] = rest
    if rest >= 0:
        nodes[rest, PARENT] = last
    while last >= 0:
        _settle(nodes, last)
        last = nodes[last, PARENT]
    return top


@kernel()
def drop(nodes: Int32, top: int, x: int) -> int:  # pragma: no cover - compiled
    """The top of the heap without x, which is then a heap of its own."""
    above = nodes[x, PARENT]
    below = meld(nodes, nodes[x, LEFT], nodes[x, RIGHT])
    if above < 0:
        top = below
    else:
        if nodes[above, LEFT] == x:
            nodes[above, LEFT] = below
        else:
            nodes[above, RIGHT] = below
        if below >= 0:
            nodes[below, PARENT] = above
        while above >= 0 and _settle(nodes, above):
            above = nodes[above, PARENT]
    nodes[x, LEFT], nodes[x, RIGHT], nodes[x, PARENT], nodes[x, RANK] = -1, -1, -1, 1
    return top
