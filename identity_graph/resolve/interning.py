"""Texts to dense numbers, by their fingerprints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from identity_graph.errors import InputError
from identity_graph.kernel import kernel
from identity_graph.resolve.buckets import RUN, Buckets, buckets
from identity_graph.resolve.components import count_first
from identity_graph.resolve.threads import Thread, both, halves, spread
from identity_graph.tables import Int32, Words

if TYPE_CHECKING:
    import polars as pl

UInt32 = npt.NDArray[np.uint32]

_MOST = 2**32 - 2**24  # rows: their places, with the ends of runs that are left free, have numbers of 32 bits
_PIECES = 8  # in which distinct rows are gathered: of more, whoever looks for a row in all of them has to search
_PIECE = 2**16  # rows of each table, at least
_STRETCH = 16  # buckets that a thread takes at a time


def intern(*tables: pl.DataFrame) -> tuple[list[Int32], pl.DataFrame]:
    """Number the distinct rows of tables, which are of texts without nulls, equally high and have the same columns.

    Returns a column of numbers for each table, int32[m], and the distinct rows: those numbered 0, 1, ... in the order
    in which they are first met, row by row and, within a row, table by table. So what is seen together has numbers
    that are near each other.

    Rows are told apart by their fingerprints, in buckets that fit the cache (radix partitioned hash join: Manegold,
    Boncz, Kersten 2002). 2 threads; 24 bytes a row. Raises FRAME_INVALID of some 2^32 rows.

    >>> import polars as pl
    >>> numbers, found = intern(pl.DataFrame({"key": ["a", "b"]}), pl.DataFrame({"key": ["c", "a"]}))
    >>> [column.tolist() for column in numbers], found["key"].to_list()
    ([[0, 2], [1, 0]], ['a', 'c', 'b'])
    """
    import polars as pl

    width, height = len(tables), tables[0].height
    if width * height > _MOST:
        raise InputError("FRAME_INVALID", f"{width * height:,} texts", help=f"At most {_MOST:,}.")
    with ThreadPoolExecutor(1) as thread:
        first = _first_rows(buckets(tables, thread), width * height, thread)
        columns, new = _numbers(first, width, thread)

        def texts(start: int, stop: int) -> pl.DataFrame:
            low, high = np.searchsorted(new, np.array([width * start, width * stop], np.uint32))
            rows = new[low:high] - np.uint32(width * start)
            line = rows // np.uint32(width)
            some = pl.concat([each[start:stop] for each in tables]).rechunk()
            return some[line + (rows - line * np.uint32(width)) * np.uint32(stop - start)]

        piece = max(_PIECE, -(-height // _PIECES))
        starts = range(0, max(height, 1), piece)
        found = spread(thread, texts, [(start, min(start + piece, height)) for start in starts])
    return list(columns), pl.concat(found, rechunk=False)


def _first_rows(rows: Buckets, m: int, thread: Thread) -> UInt32:
    """For each row the first one with the same fingerprint, uint32[m]."""
    first = np.empty(m, np.uint32)
    many = rows.head.shape[1]
    starts = range(0, many, _STRETCH)
    spread(thread, _match, [(*rows, start, min(start + _STRETCH, many), first) for start in starts])
    return first


def _numbers(first: UInt32, width: int, thread: Thread) -> tuple[npt.NDArray[np.int32], UInt32]:
    """Dense numbers of rows in the order of the first ones, int32[width, m / width], and which those are, ascending."""
    m = len(first)
    shares = halves(m)
    before, rest = both(thread, count_first, *((first, *half) for half in shares))
    if before + rest >= 2**31:
        raise InputError("FRAME_INVALID", f"{before + rest:,} identifiers", help=f"At most {2**31 - 1:,}.")
    number, new = np.empty(m, np.int32), np.empty(before + rest + 1, np.uint32)
    columns = np.empty((width, m // width), np.int32)
    mine, its = (*shares[0], 0, before), (*shares[1], before, before + rest)
    both(thread, _number_first, (first, *mine, number, new), (first, *its, number, new))
    both(thread, _number_rest, *((first, number, *half, columns) for half in halves(m // width)))
    return columns, new[:-1]


@kernel(nogil=True)
def _match(
    key: Words, row: UInt32, head: UInt32, after: UInt32, end: Words, start: int, stop: int, first: UInt32
) -> None:  # pragma: no cover - compiled
    """Open addressing with linear probing in a table of its own for each bucket."""
    free = np.uint32(2**32 - 1)
    table = np.empty(0, np.uint32)
    for bucket in range(start, stop):
        rows, size = 0, 2
        for share in range(len(head)):
            run = head[share, bucket]
            while run != free:
                rows += RUN
                run = after[run]
        while size < 2 * rows:
            size *= 2
        if size > len(table):
            table = np.empty(size, np.uint32)
        table[:size] = free
        mask = np.uint64(size - 1)
        for share in range(len(head)):
            run = head[share, bucket]
            while run != free:
                begin = np.int64(run) * RUN
                run = after[run]
                for at in range(begin, begin + RUN if run != free else np.int64(end[share, bucket])):
                    one, other = key[2 * at], key[2 * at + 1]
                    slot = one & mask
                    while table[slot] != free and (key[2 * table[slot]] != one or key[2 * table[slot] + 1] != other):
                        slot = (slot + np.uint64(1)) & mask
                    if table[slot] == free:
                        table[slot] = at
                    first[row[at]] = row[table[slot]]


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
def _number_rest(
    first: UInt32, numbers: Int32, start: int, stop: int, columns: Int32
) -> None:  # pragma: no cover - compiled
    i, width = start * len(columns), len(columns)
    for line in range(start, stop):
        for table in range(width):
            columns[table, line] = numbers[first[i]]
            i += 1
