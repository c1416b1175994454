"""The constrained maximum spanning forest: strongest links first, as long as no limit breaks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from identity_graph.resolve.components import _find
from identity_graph.tables import Bool, Int16, Int32, Int64, SuppressedTable

OVERSIZED = -1


@njit(cache=True)
def _grow(
    parent: Int32,
    size: Int32,
    held: Int32,
    best: Int32,
    limits: Int32,
    cap: int,
    a: Int32,
    b: Int32,
    must: Bool,
    refused: Int16,
    value_a: Int32,
    value_b: Int32,
) -> None:  # pragma: no cover - compiled
    for i in range(len(a)):
        x, y = _find(parent, a[i]), _find(parent, b[i])
        if x == y:
            continue
        if not must[i]:
            why = -2
            for limit in range(len(limits)):
                if held[x, limit] and held[y, limit] and held[x, limit] + held[y, limit] > limits[limit]:
                    why = limit
                    value_a[i], value_b[i] = best[x, limit], best[y, limit]
                    break
            if why == -2 and size[x] + size[y] > cap:
                why = -1
            if why > -2:
                refused[i] = why
                continue
        if size[x] < size[y]:
            x, y = y, x
        parent[y] = x
        size[x] += size[y]
        for limit in range(len(limits)):
            if held[y, limit]:
                if held[x, limit] == 0 or best[y, limit] < best[x, limit]:
                    best[x, limit] = best[y, limit]
                held[x, limit] += held[y, limit]


def grow_forest(
    namespace: Int16, a: Int32, b: Int32, must: Bool, *, limited: list[int], limits: Int32, cap: int
) -> tuple[Int32, SuppressedTable]:
    """Group n identifiers by taking the links in the order given; refuse those that would break a limit.

    Identifiers are numbered in order of their keys and links come strongest first. `limited` names the namespaces
    whose limits are `limits`, in the order in which they are checked; `cap` is the most identifiers of a group.
    Stated links (`must`) always join. Returns labels int32[n] (some member of the group) and the refused links, with
    the smallest identifier of the limited namespace on either side.

    Groups only grow, so what was refused once stays refused: every suppressed link ends in two groups.
    Kruskal's algorithm (1956) with a test before each union: O(links * limited namespaces), after the sort.
    """
    n = len(namespace)
    parent = np.arange(n, dtype=np.int32)
    held = np.zeros((n, len(limited)), dtype=np.int32)
    for column, space in enumerate(limited):
        held[:, column] = namespace == space
    best = np.repeat(np.arange(n, dtype=np.int32)[:, None], max(len(limited), 1), axis=1)
    refused: Int16 = np.full(len(a), -2, dtype=np.int16)
    value_a = np.full(len(a), -1, dtype=np.int32)
    value_b = np.full(len(a), -1, dtype=np.int32)
    size = np.ones(n, dtype=np.int32)
    _grow(parent, size, held, best, limits, cap, a, b, must, refused, value_a, value_b)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    link: Int64 = np.flatnonzero((refused > -2) & (parent[a] != parent[b]))
    codes: npt.NDArray[np.int16] = np.array([*limited, OVERSIZED], dtype=np.int16)
    return parent, SuppressedTable(link, codes[refused[link]], value_a[link], value_b[link])
