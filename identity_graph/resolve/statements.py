"""What people and programs said of two identifiers: that they are one person, or that they are not."""

from __future__ import annotations

import numpy as np

from identity_graph.tables import Bool, Int64, StatementTable

Numbers = tuple[Int64, Int64]


def settle(stated: StatementTable) -> tuple[Numbers, Numbers]:
    """The pairs that must be one person, and those that cannot be, of m statements in any order; see `standing`.

    Both answers are `stated` and `cannot` of `resolve`. Chains are for the forest: where stated pairs connect two that
    cannot be one person, the last of them by the order of links is suppressed.

    >>> one, two, time, event = np.array([1, 1, 1]), np.array([2, 2, 3]), np.array([5, 9, 5]), np.array([7, 8, 7])
    >>> must, cannot = settle(StatementTable(one, two, time, np.array([False, True, False]), event))
    >>> list(zip(*must)), list(zip(*cannot))
    ([(np.int64(1), np.int64(3))], [(np.int64(1), np.int64(2))])
    """
    last = standing(stated)
    must, cannot = ~last.apart, last.apart
    return (last.a[must], last.b[must]), (last.a[cannot], last.b[cannot])


def standing(stated: StatementTable) -> StatementTable:
    """Of each pair, in either direction, the newest statement; of two of one time that which keeps apart (`apart`).

    Sorted, smaller number first, no pair twice. Statements about one identifier say nothing.
    """
    low, high = np.minimum(stated.a, stated.b), np.maximum(stated.a, stated.b)
    order = np.lexsort((stated.apart, stated.time, high, low))
    low, high = low[order], high[order]
    counts: Bool = np.ones(len(low), dtype=np.bool_)
    counts[:-1] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    counts &= low != high
    last = order[counts]
    return StatementTable(low[counts], high[counts], stated.time[last], stated.apart[last], stated.event[last])
