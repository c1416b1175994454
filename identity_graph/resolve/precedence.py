"""In which order links are taken, so that the answer never depends on which came first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.incidence import distinct
from identity_graph.resolve.part import At, Part
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.run_sort import even_runs, sort_runs, sort_words
from identity_graph.resolve.shares import DIGITS, KEY, WHOLE, UInt32
from identity_graph.resolve.threads import Thread, both, halves
from identity_graph.tables import Bool, Float64, Int8, Int64, read_only

_FEW = 2**16  # links of which few are even in
_MANY = 2**17  # links of which a half are even are all looked at in passing
_TILE = 512  # links whose rest is asked for before any of them is sorted
_BITS = 22  # bits, two passes
_AHEAD = 8  # runs between the asking for weights and times and their use

Column = Callable[[At], Int64]
"""What links of a part, by position, are sorted by: the smaller first, of less than 2**60 to either side of 0."""


def precedence(part: Part, order: str, later: Bool | None = None, thread: Thread = None) -> Int64:
    """The positions of a part's links, of each component those first that are taken first.

    Stated links before all others; those of `later` bool[m] after all others. Then `strongest` and `cut` take the
    heavier link, of two equal ones the newer; `newest` takes the newer, of one time that whose namespaces have the
    smaller sum of priorities, then the heavier (Adobe's identity optimization algorithm). Ties go by the smaller key,
    then by the larger; only for these are keys compared.

    First all are sorted by the first bits of the first column, which the part has. Where much is even then, weights
    and times of all links are read in passing, and even ones are sorted by what is left of them; else it mostly comes
    in twos, which are compared. What is even still is sorted by whole columns.
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
    m, (word, room) = len(part.a), np.empty((2, len(part.a)), np.int64)
    _words(part.key, turn, low, word)
    words = sort_words(word, room, low + left, low + KEY + (2 if len(turn) else 0), thread)
    rest, found = room if words is word else word, np.empty(m, np.int64)
    border = _border(words, low + left) if thread else m
    pieces = (0, border), (border, m)
    even = both(thread, _taken, *((words, low, left, *piece, found) for piece in pieces))
    worth = read_only(part.links.weight), read_only(part.links.last_seen)
    if 2 * sum(len(places) for places, _ in even) > max(_MANY, m) and all(
        both(
            thread,
            _rests,
            *((part.rows, *worth, order == "newest", WHOLE - KEY + left, *half, rest) for half in halves(m)),
        )
    ):
        places, start = _joined(both(thread, _sort_even, *((found, *own, rest) for own in even)))
        columns = columns[1:] if order == "newest" else []
    else:
        places, start = _twos(found, *_joined(even), part.rows, *worth, order == "newest")
    for column in (*columns, part.component):
        if not len(places):
            return found
        rows = found[places]
        key = column(rows)
        sort_runs(key, rows, start)
        found[places] = rows
        at, start = even_runs(key, start)
        places = places[at]
    if len(places):
        rows = found[places]
        rank = part.ranked(distinct(np.r_[part.a[rows], part.b[rows]]))
        one, other = rank[part.a[rows]].astype(np.int64), rank[part.b[rows]]
        sort_runs(np.minimum(one, other) << 32 | np.maximum(one, other), rows, start)
        found[places] = rows
    return found


def _joined(pieces: Sequence[tuple[Int64, Int64]]) -> tuple[Int64, Int64]:
    """Places and their runs, of two pieces, as those of one."""
    (places, start), (others, starts) = pieces
    return (np.r_[places, others], np.r_[start, len(places) + starts[1:]]) if len(others) else (places, start)


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
def _rests(
    rows: Int64, weight: Float64, last_seen: Int64, newest: bool, room: int, start: int, stop: int, rest: Int64
) -> bool:  # pragma: no cover - compiled
    """What tells links of even first bits apart, by position: as many last bits of the weight as there is `room` for,
    and the time; the time alone where `newest`. Whether it tells all: else some time or weight is too large. Rows
    mostly ascend, so that weights and times are read in passing."""
    fits, half = True, 1 << 62 - room
    for i in range(start, stop):
        older = last_seen[rows[0]] - last_seen[rows[i]]
        if newest:
            rest[i] = older
        else:
            whole = int(np.rint(weight[rows[i]] * -DIGITS)) + DIGITS
            fits &= (whole >= 0) & (whole >> WHOLE == 0) & (older >= -half) & (older < half)
            rest[i] = (whole & (1 << room) - 1) << 63 - room | older + half
    return fits


@kernel(nogil=True)
def _sort_even(
    found: Int64, places: Int64, start: Int64, rest: Int64
) -> tuple[Int64, Int64]:  # pragma: no cover - compiled
    """Sort runs of even first bits by the rest, some at a time; the places and the runs of those that are even then."""
    left, begin = np.empty_like(places), np.empty(len(places) // 2 + 1, np.int64)
    begin[0], count, runs, run = 0, 0, 0, 0
    while run < len(start) - 1:
        stop, base = run + 1, start[run]
        while stop < len(start) - 1 and start[stop + 1] - base <= _TILE:
            stop += 1
        own, its = places[base : start[stop]], start[run : stop + 1] - base
        row, key = np.empty_like(own), np.empty_like(own)
        for i in range(len(own)):
            row[i] = found[own[i]]
            prefetch(rest, np.intp(row[i]))
        for i in range(len(own)):
            key[i] = rest[row[i]]
        sort_runs(key, row, its)
        for i in range(len(own)):
            found[own[i]] = row[i]
        at, starts = even_runs(key, its)
        for i in range(len(at)):
            left[count + i] = own[at[i]]
        for i in range(1, len(starts)):
            begin[runs + i] = count + starts[i]
        count, runs, run = count + len(at), runs + len(starts) - 1, stop
    return left[:count].copy(), begin[: runs + 1].copy()


@kernel(nogil=True)
def _words(key: UInt32, turn: Int8, low: int, word: Int64) -> None:  # pragma: no cover - compiled
    """The turn of each link, or none, its key and its position, which takes the bits below `low`."""
    for i in range(len(key)):
        word[i] = np.int64(key[i]) << low | i
    for i in range(len(turn)):
        word[i] |= np.int64(turn[i]) << low + KEY


@kernel(nogil=True)
def _border(word: Int64, shift: int) -> int:  # pragma: no cover - compiled
    """The first place behind the middle of sorted words that is not even with the place before."""
    at = len(word) // 2
    while 0 < at < len(word) and word[at] >> shift == word[at - 1] >> shift:
        at += 1
    return at


@kernel(nogil=True)
def _taken(
    word: Int64, low: int, left: int, first: int, last: int, found: Int64
) -> tuple[Int64, Int64]:  # pragma: no cover - compiled
    """Find the positions in sorted words from the first one to before the last one. The places that are even with a
    neighbour but for the last bits that are left out; and where, among these, the runs of even ones begin, and the last
    of them ends."""
    mask, shift, m = (1 << low) - 1, low + left, last - first
    places, start = np.empty(m + 1, np.int64), np.empty(m // 2 + 1, np.int64)
    count, runs, before, end = 0, 0, np.int64(-1), -1
    for i in range(first, last):
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
    return places[:count].copy(), start[: runs + 1].copy()
