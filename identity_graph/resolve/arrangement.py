"""Identifiers and links side by side with those of their component, so that work on one stays in the nearest cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Int32, Int64, read_only

_AHEAD = 16  # rows between the asking for a word and its use


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
    rows, and writes its own places. There are as many of these as components, so that what is written of a link lies
    together. O(n + links).
    """
    n, m = len(label), len(a)
    smallest = np.flatnonzero(chosen)
    count = len(smallest)
    at = np.full(n, count, np.int32)  # what is not chosen is of nobody, who comes last
    at[smallest] = np.arange(count, dtype=np.int32)
    label, at, own = read_only(label), read_only(at), np.empty(n, np.int32)
    with second_thread(n + m) as thread:
        parts, counts = halves(n), np.zeros((2, count), np.int64)
        found = np.empty(n, np.int32)
        some = both(thread, _members, *((label, at, *part, own, found, counts[t]) for t, part in enumerate(parts)))
        place, begin = _places(counts)
        number, inside = np.full(n, -1, np.int32), np.empty(begin[-1], np.int64)
        both(thread, _deal_members, *((half, own, place[t], number, inside) for t, half in enumerate(some)))
        parts, counts = halves(m), np.zeros((2, count + 1), np.int64)
        both(thread, _count_links, *((a, kept, own, *part, counts[t]) for t, part in enumerate(parts)))
        place, begin = _places(counts[:, :-1])
        place = np.c_[place, begin[-1:].repeat(2)]
        dealt = np.empty((begin[-1] + 1, 2), np.int64)
        links = a, b, kept, own, read_only(number)
        both(thread, _deal_links, *((*links, *part, place[t], dealt) for t, part in enumerate(parts)))
    dealt = dealt[:-1]
    ends = dealt.view(np.int32)
    return Arrangement(number, inside, dealt[:, 0], ends[:, 2], ends[:, 3], begin)


def _places(counts: Int64) -> tuple[Int64, Int64]:
    """Where each thread writes the first one of each component, int64[2, components], and where components begin."""
    begin = np.r_[0, np.cumsum(counts.sum(axis=0))]
    return np.stack([begin[:-1], begin[:-1] + counts[0]]), begin


@kernel(nogil=True)
def _members(
    label: Int32, at: Int32, start: int, stop: int, own: Int32, found: Int32, counts: Int64
) -> Int32:  # pragma: no cover - compiled
    """Who is of some component; `found` is room for these."""
    nobody, end, last = len(counts), start, stop - 1
    for x in range(start, stop):
        prefetch(at, np.intp(label[min(x + _AHEAD, last)]))
        own[x] = at[label[x]]
        found[end] = x
        end += own[x] != nobody  # a branch that nobody can predict costs more
    for x in found[start:end]:
        counts[own[x]] += 1
    return found[start:end]


@kernel(nogil=True)
def _deal_members(
    found: Int32, own: Int32, place: Int64, number: Int32, inside: Int64
) -> None:  # pragma: no cover - compiled
    for x in found:
        at = place[own[x]]
        place[own[x]] = at + 1
        number[x] = at
        inside[at] = x


@kernel(nogil=True)
def _count_links(
    a: Int32, kept: Bool, own: Int32, start: int, stop: int, counts: Int64
) -> None:  # pragma: no cover - compiled
    nobody = len(counts) - 1
    for i in range(start, stop):
        counts[own[a[i]] if kept[i] else nobody] += 1


@kernel(nogil=True)
def _deal_links(
    a: Int32, b: Int32, kept: Bool, own: Int32, number: Int32, start: int, stop: int, place: Int64, dealt: Int64
) -> None:  # pragma: no cover - compiled
    nobody, last = len(place) - 1, stop - 1
    for i in range(start, stop):
        prefetch(number, np.intp(b[min(i + _AHEAD, last)]))
        group = own[a[i]] if kept[i] else nobody
        at = place[group]
        place[group] = at + (group != nobody)
        dealt[at, 0] = i
        dealt[at, 1] = np.int64(number[a[i]]) & 0xFFFFFFFF | np.int64(number[b[i]]) << 32
