"""Texts to dense numbers, by their fingerprints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from identity_graph.errors import InputError
from identity_graph.kernel import kernel
from identity_graph.resolve.fingerprint import fingerprints
from identity_graph.resolve.threads import Thread, both, halves
from identity_graph.tables import Int32, Int64, Words

if TYPE_CHECKING:
    import polars as pl

UInt32 = npt.NDArray[np.uint32]

_PART = 2**15  # rows of a part, whose table stays in the nearest cache
_MOST_PARTS = 2**11  # more places to write to at once than caches and address tables have are slower


def intern(*tables: pl.DataFrame) -> tuple[list[Int32], pl.DataFrame]:
    """Number the distinct rows of tables, which are of texts without nulls, equally high and have the same columns.

    Returns a column of numbers for each table, int32[m], and the distinct rows: those numbered 0, 1, ... in the order
    in which they are first met, row by row and, within a row, table by table. So what is seen together has numbers
    that are near each other.

    Rows are told apart by their fingerprints, in parts that fit the cache (radix partitioned hash join: Manegold,
    Boncz, Kersten 2002). 2 threads; 40 bytes a row, and 16 more for where its text lies.

    >>> import polars as pl
    >>> numbers, found = intern(pl.DataFrame({"key": ["a", "b"]}), pl.DataFrame({"key": ["c", "a"]}))
    >>> [column.tolist() for column in numbers], found["key"].to_list()
    ([[0, 2], [1, 0]], ['a', 'c', 'b'])
    """
    import polars as pl

    width, height = len(tables), tables[0].height
    with ThreadPoolExecutor(1) as thread:
        whole = thread.submit(lambda: pl.concat(tables).rechunk())
        first = _first_rows(fingerprints(tables, thread), width, thread)
        number, new = _numbers(first, thread)
        found = whole.result()[new // np.uint32(width) + new % np.uint32(width) * np.uint32(height)]
    return [np.ascontiguousarray(number[column::width]) for column in range(width)], found


def _first_rows(given: Words, width: int, thread: Thread) -> UInt32:
    """For each row, numbered across the tables, the first one with the same fingerprint, uint32[m]; those that are
    given are of one table after the other."""
    m = len(given) // 2
    bits = max(1, min(_MOST_PARTS, m // _PART).bit_length())
    shift = np.uint64(64 - bits)
    shares = halves(m // width)
    counts = both(thread, _count, *((given, width, *half, shift, np.zeros(2**bits, np.int64)) for half in shares))
    place = np.cumsum(np.stack(counts, axis=1)).reshape(-1, 2)  # where each part ends, first what the one thread writes
    key, row = np.empty(2 * m, np.uint64), np.empty(m, np.uint32)
    ends = place[:, 1].copy()
    place -= np.stack(counts, axis=1)
    both(thread, _part, *((given, width, *half, shift, place[:, n].copy(), key, row) for n, half in enumerate(shares)))
    first = np.empty(m, np.uint32)
    middle = int(np.searchsorted(ends, m // 2))
    both(thread, _match, (key, row, ends, 0, middle, first), (key, row, ends, middle, len(ends), first))
    return first


def _numbers(first: UInt32, thread: Thread) -> tuple[Int32, UInt32]:
    """Dense numbers of rows in the order of the first ones, and those."""
    m = len(first)
    shares = halves(m)
    before, rest = both(thread, _count_first, *((first, *half) for half in shares))
    if before + rest >= 2**31:
        raise InputError("FRAME_INVALID", f"{before + rest:,} identifiers", help=f"At most {2**31 - 1:,}.")
    number, new = np.empty(m, np.int32), np.empty(before + rest + 1, np.uint32)
    mine, its = (*shares[0], 0, before), (*shares[1], before, before + rest)
    both(thread, _number_first, (first, *mine, number, new), (first, *its, number, new))
    both(thread, _number_rest, *((first, *half, number) for half in shares))
    return number, new[:-1]


@kernel(nogil=True)
def _count(
    given: Words, width: int, start: int, stop: int, shift: np.uint64, counts: Int64
) -> Int64:  # pragma: no cover - compiled
    height = len(given) // 2 // width
    for table in range(width):
        for i in range(table * height + start, table * height + stop):
            counts[given[2 * i] >> shift] += 1
    return counts


@kernel(nogil=True)
def _part(
    given: Words, width: int, start: int, stop: int, shift: np.uint64, place: Int64, key: Words, row: UInt32
) -> None:  # pragma: no cover - compiled
    number, height = start * width, len(given) // 2 // width
    for i in range(start, stop):
        for table in range(width):
            one, other = given[2 * (table * height + i)], given[2 * (table * height + i) + 1]
            at = place[one >> shift]
            key[2 * at], key[2 * at + 1], row[at] = one, other, number
            place[one >> shift] = at + 1
            number += 1


@kernel(nogil=True)
def _match(
    key: Words, row: UInt32, ends: Int64, start: int, stop: int, first: UInt32
) -> None:  # pragma: no cover - compiled
    """Open addressing with linear probing in a table of its own for each part."""
    free = np.uint32(2**32 - 1)
    table = np.empty(0, np.uint32)
    for part in range(start, stop):
        begin = ends[part - 1] if part else 0
        size = 2
        while size < 2 * (ends[part] - begin):
            size *= 2
        if size > len(table):
            table = np.empty(size, np.uint32)
        table[:size] = free
        mask = np.uint64(size - 1)
        for at in range(begin, ends[part]):
            one, other = key[2 * at], key[2 * at + 1]
            slot = one & mask
            while table[slot] != free and (key[2 * table[slot]] != one or key[2 * table[slot] + 1] != other):
                slot = (slot + np.uint64(1)) & mask
            if table[slot] == free:
                table[slot] = at
            first[row[at]] = row[table[slot]]


@kernel(nogil=True)
def _count_first(first: UInt32, start: int, stop: int) -> int:  # pragma: no cover - compiled
    found = 0
    for i in range(start, stop):
        found += first[i] == i
    return found


@kernel(nogil=True)
def _number_first(
    first: UInt32, start: int, stop: int, number: int, end: int, numbers: Int32, new: UInt32
) -> None:  # pragma: no cover - compiled
    """Every row is written as the next new one until one is: a branch that nobody can predict costs more. Those after
    the `end` go to the last place, which is nobody's."""
    spare = len(new) - 1
    for i in range(start, stop):
        numbers[i] = number
        new[number if number < end else spare] = i
        number += first[i] == i


@kernel(nogil=True)
def _number_rest(first: UInt32, start: int, stop: int, numbers: Int32) -> None:  # pragma: no cover - compiled
    """The numbers of first rows stay as they are, so that the other thread may read them."""
    for i in range(start, stop):
        numbers[i] = numbers[first[i]]
