"""Identifiers and links side by side with those of their component, so that work on one stays in the nearest cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Int32, Int64


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Some components, numbered in the order of their smallest identifiers; identifiers are numbered anew by component,
    and in one by their number.

    `number` int32[n] is the new number of each identifier (-1: not in any of them), `inside` int64[k] the former one of
    each new number. `rows` int64[m] are the links between them, by component and in one as they were, of which those of
    component c are `rows[begin[c] : begin[c + 1]]`; `a`, `b` int32[m] are their ends in new numbers.
    """

    number: Int32
    inside: Int64
    rows: Int64
    a: Int32
    b: Int32
    begin: Int64


def arrange(label: Int32, chosen: Bool, a: Int32, b: Int32, kept: Bool) -> Arrangement:
    """Of all n identifiers those of `chosen` labels, each the smallest of its component; and of all links the `kept`
    ones between them. Both ends of a kept link have one label.

    Counting sorts by component (Knuth, The Art of Computer Programming 3, 5.2), by 2 threads: each reads a half of the
    rows, and writes its own places. O(n + links).
    """
    n, m, count = len(label), len(a), int(np.count_nonzero(chosen))
    with second_thread(n + m) as thread:
        parts, counts = halves(n), np.zeros((2, count + 1), np.int64)
        own = _number_smallest(chosen)
        both(thread, _count_members, *((label, own, *part, counts[t]) for t, part in enumerate(parts)))
        place, begin = _places(counts)
        number, inside = np.empty(n, np.int32), np.empty(begin[-1] + 1, np.int64)
        both(thread, _deal_members, *((own, *part, place[t], number, inside) for t, part in enumerate(parts)))
        parts, counts = halves(m), np.zeros((2, count + 1), np.int64)
        both(thread, _count_links, *((a, kept, own, *part, counts[t]) for t, part in enumerate(parts)))
        place, begin = _places(counts)
        rows, one, other = (np.empty(begin[-1] + 1, kind) for kind in (np.int64, np.int32, np.int32))
        links = a, b, kept, own, number
        both(thread, _deal_links, *((*links, *part, place[t], rows, one, other) for t, part in enumerate(parts)))
    return Arrangement(number, inside[:-1], rows[:-1], one[:-1], other[:-1], begin)


def _places(counts: Int64) -> tuple[Int64, Int64]:
    """Where each thread writes the first one of each component, int64[2, components + 1], and where components begin.
    What is of nobody, the last of the columns, all goes to one place after all others."""
    begin = np.r_[0, np.cumsum(counts[:, :-1].sum(axis=0))]
    place = np.stack([begin, begin + counts[0]])
    place[:, -1] = begin[-1]
    return place, begin


@njit(cache=True, nogil=True)
def _number_smallest(chosen: Bool) -> Int32:  # pragma: no cover - compiled
    """The numbers of components, at their smallest identifiers; what is not chosen is of nobody, who comes last."""
    count = chosen.sum()
    found, number = np.empty(len(chosen), np.int32), 0
    for x in range(len(chosen)):
        found[x] = number if chosen[x] else count
        number += chosen[x]
    return found


@njit(cache=True, nogil=True)
def _count_members(label: Int32, own: Int32, start: int, stop: int, counts: Int64) -> None:  # pragma: no cover
    """Number all others too: what is at the smallest ones, which both threads read, stays as it is."""
    for x in range(start, stop):
        found = own[label[x]]
        own[x] = found
        counts[found] += 1


@njit(cache=True, nogil=True)
def _deal_members(
    own: Int32, start: int, stop: int, place: Int64, number: Int32, inside: Int64
) -> None:  # pragma: no cover - compiled
    nobody = len(place) - 1
    for x in range(start, stop):
        at = place[own[x]]
        place[own[x]] = at + (own[x] != nobody)  # a branch that nobody can predict costs more
        number[x] = at if own[x] != nobody else -1
        inside[at] = x


@njit(cache=True, nogil=True)
def _count_links(
    a: Int32, kept: Bool, own: Int32, start: int, stop: int, counts: Int64
) -> None:  # pragma: no cover - compiled
    nobody = len(counts) - 1
    for i in range(start, stop):
        counts[own[a[i]] if kept[i] else nobody] += 1


@njit(cache=True, nogil=True)
def _deal_links(
    a: Int32,
    b: Int32,
    kept: Bool,
    own: Int32,
    number: Int32,
    start: int,
    stop: int,
    place: Int64,
    rows: Int64,
    one: Int32,
    other: Int32,
) -> None:  # pragma: no cover - compiled
    nobody = len(place) - 1
    for i in range(start, stop):
        group = own[a[i]] if kept[i] else nobody
        at = place[group]
        place[group] = at + (group != nobody)
        rows[at], one[at], other[at] = i, number[a[i]], number[b[i]]
