"""Connected components of integer links."""

from __future__ import annotations

import numpy as np
from numba import njit

from identity_graph.tables import Int32


@njit(cache=True)
def _find(parent: Int32, x: int) -> int:  # pragma: no cover - compiled
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@njit(cache=True)
def _label(parent: Int32, a: Int32, b: Int32) -> None:  # pragma: no cover - compiled
    for i in range(len(a)):
        x, y = _find(parent, a[i]), _find(parent, b[i])
        if x < y:
            parent[y] = x
        elif y < x:
            parent[x] = y
    for x in range(len(parent)):
        parent[x] = parent[parent[x]]


def components(n: int, a: Int32, b: Int32) -> Int32:
    """The smallest member of each identifier's component, int32[n].

    Union by the smaller index with path halving (Tarjan and van Leeuwen 1984), compiled: one pass over the links and
    one over the identifiers. Since a parent is never larger than its child, the last pass needs one look.

    >>> components(5, np.array([0, 3], np.int32), np.array([2, 4], np.int32)).tolist()
    [0, 1, 0, 3, 3]
    """
    parent = np.arange(n, dtype=np.int32)
    _label(parent, a, b)
    return parent
