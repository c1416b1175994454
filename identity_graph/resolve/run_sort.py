"""Many short runs of rows, each to be sorted: in place, in the nearest cache, and without holding the interpreter."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.threads import Thread, both
from identity_graph.tables import Int64

_FEW = 16  # so many rows are sorted by moving each to its place,
_MANY = 2**14  # and more than so many by their digits
_BITS = 11  # of a digit: as many places to write to as address tables have


@kernel(nogil=True)
def sort_runs(key: Int64, row: Int64, start: Int64) -> None:  # pragma: no cover - compiled
    """Sort keys int64[m] and rows int64[m] by key within each run, which is from one of the starts to the next; rows of
    one key stay as they are. The largest and the smallest key of a run are less than 2**63 apart.

    Merges of short sorted pieces; a radix sort of long runs (Knuth, The Art of Computer Programming 3, 5.2). O(m log m)
    in the worst case; besides, room for the longest run.

    >>> key, row = np.array([2, 1, -5, 7, 7]), np.arange(5)
    >>> sort_runs(key, row, np.array([0, 2, 5]))
    >>> key.tolist(), row.tolist()
    ([1, 2, -5, 7, 7], [1, 0, 2, 3, 4])
    """
    longest = 0
    for run in range(len(start) - 1):
        longest = max(longest, start[run + 1] - start[run])
    keys, rows = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for run in range(len(start) - 1):
        begin, end = start[run], start[run + 1]
        if end - begin > _MANY:
            _sort_digits(key[begin:end], row[begin:end], keys, rows)
            continue
        for low in range(begin, end, _FEW):
            _insert(key, row, low, min(low + _FEW, end))
        width = _FEW
        while width < end - begin:
            for low in range(begin, end - width, 2 * width):
                _merge(key, row, low, low + width, min(low + 2 * width, end), keys, rows)
            width *= 2


@kernel(nogil=True)
def _insert(key: Int64, row: Int64, begin: int, end: int) -> None:  # pragma: no cover - compiled
    for i in range(begin + 1, end):
        own, number, j = key[i], row[i], i
        while j > begin and key[j - 1] > own:
            key[j], row[j] = key[j - 1], row[j - 1]
            j -= 1
        key[j], row[j] = own, number


@kernel(nogil=True)
def _merge(
    key: Int64, row: Int64, begin: int, middle: int, end: int, keys: Int64, rows: Int64
) -> None:  # pragma: no cover - compiled
    if key[middle - 1] <= key[middle]:
        return
    first = middle - begin
    keys[:first], rows[:first] = key[begin:middle], row[begin:middle]
    i, j, at = 0, middle, begin
    while i < first and j < end:
        if key[j] < keys[i]:
            key[at], row[at] = key[j], row[j]
            j += 1
        else:
            key[at], row[at] = keys[i], rows[i]
            i += 1
        at += 1
    while i < first:
        key[at], row[at] = keys[i], rows[i]
        i, at = i + 1, at + 1


@kernel(nogil=True)
def _sort_digits(key: Int64, row: Int64, keys: Int64, rows: Int64) -> None:  # pragma: no cover - compiled
    least, width = key.min(), key.max() - key.min()
    here, there, mine, its = key, keys, row, rows
    shift, mask = 0, (1 << _BITS) - 1
    while shift < 63 and width >> shift > 0:
        place = np.zeros(mask + 2, np.int64)
        for i in range(len(key)):
            place[(((here[i] - least) >> shift) & mask) + 1] += 1
        if place[(((here[0] - least) >> shift) & mask) + 1] < len(key):
            place = np.cumsum(place)
            for i in range(len(key)):
                digit = ((here[i] - least) >> shift) & mask
                there[place[digit]], its[place[digit]] = here[i], mine[i]
                place[digit] += 1
            here, there = there, here
            mine, its = its, mine
        shift += _BITS
    if here is not key:
        key[:], row[:] = here[: len(key)], mine[: len(key)]


def sort_words(word: Int64, room: Int64, low: int, high: int, thread: Thread = None) -> Int64:
    """Words int64[m], none below 0, sorted by their bits from `low` to `high`; those of even bits stay as they are. The
    answer is one of both arrays, of which the other is then room for as many words.

    A radix sort, O(m * bits), of each half where there is a thread: these two are then merged from both their ends.
    """
    if thread is None:
        return word if _sort_bits(word, room, low, high) else room
    at = len(word) // 2
    halves = (word[:at], room[:at], low, high), (word[at:], room[at:], low, high)
    if not both(thread, _sort_bits, *halves)[0]:
        word, room = room, word
    both(thread, _merge_words, *((word, room, low, high, back) for back in (False, True)))
    return room


@kernel(nogil=True)
def _sort_bits(word: Int64, room: Int64, low: int, high: int) -> bool:  # pragma: no cover - compiled
    """Whether the sorted ones are where the words were, else they are in the room: it goes by the bits alone."""
    digits, mask = max(0, (high - low + _BITS - 1) // _BITS), (1 << _BITS) - 1
    here, there = word.view(np.uint64), room.view(np.uint64)
    own = np.uint64((1 << max(0, high - low)) - 1)
    place = np.zeros((digits, mask + 1), np.int64)
    for i in range(len(here)):
        rest = here[i] >> np.uint64(low) & own
        for digit in range(digits):
            place[digit, rest & np.uint64(mask)] += 1
            rest >>= np.uint64(_BITS)
    for digit in range(digits):
        shift, own_place, before = np.uint64(low + digit * _BITS), place[digit], 0
        width = np.uint64((1 << min(_BITS, high - low - digit * _BITS)) - 1)
        for value in range(mask + 1):
            own_place[value], before = before, before + own_place[value]
        for i in range(len(here)):
            value = here[i] >> shift & width
            there[own_place[value]] = here[i]
            own_place[value] += 1
        here, there = there, here
    return digits % 2 == 0


@kernel(nogil=True)
def _merge_words(word: Int64, out: Int64, low: int, high: int, back: bool) -> None:  # pragma: no cover - compiled
    """The first half of the sorted words, from the first ones of the two sorted halves on, or the second one from the
    last ones `back`."""
    middle, own = len(word) // 2, (1 << high - low) - 1
    i, j = (middle - 1, len(word) - 1) if back else (0, middle)
    if back:
        for at in range(len(word) - 1, middle - 1, -1):
            first = j < middle or (i >= 0 and (word[i] >> low & own) > (word[j] >> low & own))
            out[at] = word[i if first else j]
            i, j = i - first, j - (not first)
    else:
        for at in range(middle):
            first = j == len(word) or (i < middle and (word[i] >> low & own) <= (word[j] >> low & own))
            out[at] = word[i if first else j]
            i, j = i + first, j + (not first)


@kernel(nogil=True)
def even_runs(key: Int64, start: Int64) -> tuple[Int64, Int64]:  # pragma: no cover - compiled
    """Of sorted runs, the places that share their key with a neighbour of their run; and where, among these, the runs
    of one key begin, and the last of them ends."""
    at, begin = np.empty(0, np.int64), np.zeros(1, np.int64)
    for fill in range(2):
        places, runs = 0, 0
        for run in range(len(start) - 1):
            i = start[run]
            while i < start[run + 1]:
                j = i + 1
                while j < start[run + 1] and key[j] == key[i]:
                    j += 1
                if j - i > 1:
                    if fill:
                        for k in range(i, j):
                            at[places + k - i] = k
                        begin[runs + 1] = places + j - i
                    places, runs = places + j - i, runs + 1
                i = j
        if not fill:
            at, begin = np.empty(places, np.int64), np.zeros(runs + 1, np.int64)
    return at, begin
