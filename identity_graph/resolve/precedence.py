"""In which order links are taken, so that the answer never depends on which came first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from identity_graph.resolve.incidence import distinct
from identity_graph.resolve.part import At, Part
from identity_graph.resolve.run_sort import even_runs, sort_runs, sort_words
from identity_graph.resolve.threads import second_thread, spread
from identity_graph.tables import Bool, Int64

DIGITS = 10**12
"""Weights are compared by their first twelve digits."""

SORTED = 33
"""Bits by which all links are sorted first, in three passes: what is even in these is little."""

Column = Callable[[At], Int64]
"""What links of a part, by position, are sorted by: the smaller first, of less than 2**60 to either side of 0."""


def precedence(part: Part, order: str, later: Bool | None = None) -> Int64:
    """The positions of a part's links, component by component, in each those first that are taken first.

    Stated links before all others; those of `later` bool[m] after all others. Then `strongest` and `cut` take the
    heavier link, of two equal ones the newer; `newest` takes the newer, of one time that whose namespaces have the
    smaller sum of priorities, then the heavier (Adobe's identity optimization algorithm). Ties go by the smaller key,
    then by the larger; only for these are keys compared. 2 threads.
    """

    def newer(at: At) -> Int64:
        return -part.last_seen(at)

    def heavier(at: At) -> Int64:
        weight = part.weight(at) * -DIGITS
        return np.rint(weight, out=weight).astype(np.int64)

    columns = [newer, part.priority, heavier] if order == "newest" else [heavier, newer]
    found = np.empty(len(part.rows), np.int64)
    with second_thread(len(found)) as thread:
        tied = spread(thread, _sort, [(part, found, share, columns, later) for share in part.shares()])
    for places, start in tied:
        if len(places):
            rows = found[places]
            rank = part.ranked(distinct(np.r_[part.a[rows], part.b[rows]]).astype(np.int64))
            one, other = rank[part.a[rows]].astype(np.int64), rank[part.b[rows]]
            sort_runs(np.minimum(one, other) << 32 | np.maximum(one, other), rows, start)
            found[places] = rows
    return found


def _sort(part: Part, order: Int64, begin: Int64, columns: Sequence[Column], later: Bool | None) -> tuple[Int64, Int64]:
    """Write where a share's links are in the order; the places that are even by all columns, and where among these each
    run of even ones begins, and the last of them ends.

    First all are sorted at once, as words that hold the component, as many digits of the first column as there is room
    for, and the position. What is even then is sorted by the whole columns.
    """
    at = slice(int(begin[0]), int(begin[-1]))
    position = np.arange(begin[-1] - begin[0])
    group = np.repeat(np.arange(len(begin) - 1), np.diff(begin))
    if part.stated or later is not None:
        turn = np.ones(len(group), np.int64) if later is None else 1 + later[at]
        group = 3 * group + np.where(part.must(at), 0, turn)
    key = columns[0](at)
    key -= key.min()
    low = len(group).bit_length()
    room = max(0, min(63 - low, SORTED) - int(group.max()).bit_length())
    key >>= max(0, int(key.max()).bit_length() - room)
    word = group << room
    word |= key
    word <<= low
    word |= position
    sort_words(word, low, low + SORTED)
    order[at] = begin[0] + (word & (1 << low) - 1)
    word >>= low
    places, start = even_runs(word, np.array([0, len(word)]))
    places += begin[0]
    for column in columns:
        if not len(places):
            break
        rows = order[places]
        key = column(rows)
        sort_runs(key, rows, start)
        order[places] = rows
        even, start = even_runs(key, start)
        places = places[even]
    return places, start
