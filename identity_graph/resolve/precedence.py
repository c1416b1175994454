"""In which order links are taken, so that the answer never depends on which came first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from identity_graph.resolve.incidence import distinct
from identity_graph.resolve.part import Part
from identity_graph.resolve.run_sort import even_runs, sort_runs
from identity_graph.resolve.threads import second_thread, spread
from identity_graph.tables import Bool, Int64

DIGITS = 10**12
"""Weights are compared by their first twelve digits."""

Column = Callable[[Int64], Int64]
"""What links of a part, by position, are sorted by: the smaller first, of less than 2**60 to either side of 0."""


def precedence(part: Part, order: str, later: Bool | None = None) -> Int64:
    """The positions of a part's links, component by component, in each those first that are taken first.

    Stated links before all others; those of `later` bool[m] after all others. Then `strongest` and `cut` take the
    heavier link, of two equal ones the newer; `newest` takes the newer, of one time that whose namespaces have the
    smaller sum of priorities, then the heavier (Adobe's identity optimization algorithm). Ties go by the smaller key,
    then by the larger; only for these are keys compared. 2 threads.
    """

    def newer(at: Int64) -> Int64:
        return -part.last_seen(at)

    def heavier(at: Int64) -> Int64:
        weight = part.weight(at) * -DIGITS
        return np.rint(weight, out=weight).astype(np.int64)

    first, *others = [newer, part.priority, heavier] if order == "newest" else [heavier, newer]

    def parted(at: Int64) -> Int64:
        column = first(at)
        if part.stated:
            column += np.where(part.must(at), -(2**62), 0)
        if later is not None:
            column += np.where(later[at], 2**60, 0)
        return column

    found = np.arange(len(part.rows), dtype=np.int64)
    with second_thread(len(found)) as thread:
        tied = spread(thread, _sort, [(found, share, [parted, *others]) for share in part.shares()])
    for places, start in tied:
        if len(places):
            rows = found[places]
            rank = part.ranked(distinct(np.r_[part.a[rows], part.b[rows]]).astype(np.int64))
            one, other = rank[part.a[rows]].astype(np.int64), rank[part.b[rows]]
            sort_runs(np.minimum(one, other) << 32 | np.maximum(one, other), rows, start)
            found[places] = rows
    return found


def _sort(order: Int64, begin: Int64, columns: Sequence[Column]) -> tuple[Int64, Int64]:
    """Sort each run of the order, which is from where one begins to the next; the places that are still even then, and
    where among these each run of even ones begins, and the last of them ends."""
    places, start = np.arange(begin[0], begin[-1], dtype=np.int64), begin - begin[0]
    for column in columns:
        rows = order[places]
        key = column(rows)
        sort_runs(key, rows, start)
        order[places] = rows
        at, start = even_runs(key, start)
        places = places[at]
        if not len(places):
            break
    return places, start
