"""What people and programs said of two identifiers: that they are one person, or that they are not."""

from __future__ import annotations

import numpy as np

from identity_graph.tables import Bool, Int64, StatementTable

Numbers = tuple[Int64, Int64]


def settle(stated: StatementTable) -> tuple[Numbers, Numbers]:
    """The pairs that must be one person, and those that cannot be, of m statements in any order.

    Of each pair, in either direction, the newest statement counts; of two of one time that which keeps apart (`apart`).
    Both answers are `stated` and `cannot` of `resolve`: sorted, smaller number first, no pair twice. Statements about
    one identifier say nothing. Chains are for the forest: where stated pairs connect two that cannot be one person, the
    last of them by the order of links is suppressed.

    >>> one, two, time = np.array([1, 1, 1]), np.array([2, 2, 3]), np.array([5, 9, 5])
    >>> must, cannot = settle(StatementTable(one, two, time, np.array([False, True, False])))
    >>> list(zip(*must)), list(zip(*cannot))
    ([(np.int64(1), np.int64(3))], [(np.int64(1), np.int64(2))])
    """
    apart = stated.apart
    low, high = np.minimum(stated.a, stated.b), np.maximum(stated.a, stated.b)
    order = np.lexsort((apart, stated.time, high, low))
    low, high, apart = low[order], high[order], apart[order]
    counts: Bool = np.ones(len(low), dtype=np.bool_)
    counts[:-1] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    counts &= low != high
    must, cannot = counts & ~apart, counts & apart
    return (low[must], high[must]), (low[cannot], high[cannot])
