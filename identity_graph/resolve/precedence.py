"""In which order links are taken, so that the answer never depends on which came first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.incidence import distinct
from identity_graph.resolve.part import At, Part
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.run_sort import even_runs, sort_runs, sort_words
from identity_graph.resolve.shares import DIGITS, KEY, UInt32
from identity_graph.tables import Bool, Float64, Int8, Int64, read_only

_FEW = 2**16  # links of which few are even in
_BITS = 22  # bits, two passes
_AHEAD = 8  # runs between the asking for weights and times and their use

Column = Callable[[At], Int64]
"""What links of a part, by position, are sorted by: the smaller first, of less than 2**60 to either side of 0."""


def precedence(part: Part, order: str, later: Bool | None = None) -> Int64:
    """The positions of a part's links, of each component those first that are taken first.

    Stated links before all others; those of `later` bool[m] after all others. Then `strongest` and `cut` take the
    heavier link, of two equal ones the newer; `newest` takes the newer, of one time that whose namespaces have the
    smaller sum of priorities, then the heavier (Adobe's identity optimization algorithm). Ties go by the smaller key,
    then by the larger; only for these are keys compared.

    First all are sorted by the first bits of the first column, which the part has. What is even then mostly comes in
    twos, which are compared; the others are sorted by whole columns.
    """

    def newer(at: At) -> Int64:
        return -part.last_seen(at)

    def heavier(at: At) -> Int64:
        weight = part.weight(at) * -DIGITS
        return np.rint(weight, out=weight).astype(np.int64)

    columns = [newer, part.priority, heavier] if order == "newest" else [heavier, newer]
    turn = np.empty(0, np.int8)
    if part.stated or later is not None:
        turn = np.ones(len(part.a), np.int8) if later is None else 1 + later.astype(np.int8)
        turn[part.must()] = 0
    low, left = len(part.a).bit_length(), max(0, KEY - _BITS if len(part.a) < _FEW else 0)
    word = _words(part.key, turn, low)
    sort_words(word, low + left, low + KEY + (2 if len(turn) else 0))
    found, places, start = _taken(word, low, left)
    worth = read_only(part.links.weight), read_only(part.links.last_seen)
    places, start = _twos(found, places, start, part.rows, *worth, order == "newest")
    for column in (*columns, part.component):
        if not len(places):
            return found
        rows = found[places]
        key = column(rows)
        sort_runs(key, rows, start)
        found[places] = rows
        even, start = even_runs(key, start)
        places = places[even]
    if len(places):
        rows = found[places]
        rank = part.ranked(distinct(np.r_[part.a[rows], part.b[rows]]))
        one, other = rank[part.a[rows]].astype(np.int64), rank[part.b[rows]]
        sort_runs(np.minimum(one, other) << 32 | np.maximum(one, other), rows, start)
        found[places] = rows
    return found


@kernel(nogil=True)
def _twos(
    found: Int64, places: Int64, start: Int64, rows: Int64, weight: Float64, last_seen: Int64, newest: bool
) -> tuple[Int64, Int64]:  # pragma: no cover - compiled
    """Turn each two of even first bits that are in the wrong order by weight and time, by time alone where `newest`;
    the places and the runs of the others, and of those that are even."""
    left, begin, count, runs = np.empty_like(places), np.zeros_like(start), 0, 0
    for run in range(len(start) - 1):
        ahead = start[min(run + _AHEAD, len(start) - 2)]
        for one in (rows[found[places[ahead]]], rows[found[places[ahead + 1]]]):
            prefetch(weight, one)
            prefetch(last_seen, one)
        at, end = start[run], start[run + 1]
        if end - at == 2:
            here, there = places[at], places[at + 1]
            x, y = rows[found[here]], rows[found[there]]
            more = 0.0 if newest else np.rint(weight[y] * -DIGITS) - np.rint(weight[x] * -DIGITS)
            later = last_seen[x] - last_seen[y]
            if more < 0 or (more == 0 and later < 0):
                found[here], found[there] = found[there], found[here]
            if more != 0 or later != 0:
                continue
        for i in range(at, end):
            left[count] = places[i]
            count += 1
        runs += 1
        begin[runs] = count
    return left[:count].copy(), begin[: runs + 1].copy()


@kernel(nogil=True)
def _words(key: UInt32, turn: Int8, low: int) -> Int64:  # pragma: no cover - compiled
    """The turn of each link, or none, its key and its position, which takes the bits below `low`."""
    word = np.empty(len(key), np.int64)
    for i in range(len(key)):
        word[i] = np.int64(key[i]) << low | i
    for i in range(len(turn)):
        word[i] |= np.int64(turn[i]) << low + KEY
    return word


@kernel(nogil=True)
def _taken(word: Int64, low: int, left: int) -> tuple[Int64, Int64, Int64]:  # pragma: no cover - compiled
    """The positions in sorted words; the places that are even with a neighbour but for the last bits that are left
    out; and where, among these, the runs of even ones begin, and the last of them ends."""
    found, mask, shift = np.empty(len(word), np.int64), (1 << low) - 1, low + left
    places, start = np.empty(len(word) + 1, np.int64), np.zeros(len(word) // 2 + 1, np.int64)
    count, runs, before, end = 0, 0, np.int64(-1), -1
    for i in range(len(word)):
        found[i] = word[i] & mask
        own = word[i] >> shift
        if own == before:
            if end != i - 1:
                start[runs] = count
                runs += 1
                places[count] = i - 1
                count += 1
            places[count] = i
            count += 1
            end = i
        before = own
    start[runs] = count
    return found, places[:count].copy(), start[: runs + 1].copy()
