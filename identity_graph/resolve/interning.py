"""Texts to dense numbers, by their fingerprints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from identity_graph.errors import InputError
from identity_graph.kernel import kernel
from identity_graph.resolve.buckets import RUN, Buckets, buckets
from identity_graph.resolve.ranks import rank, ranked
from identity_graph.resolve.threads import Thread, spread
from identity_graph.tables import Int32, Words

if TYPE_CHECKING:
    import polars as pl

UInt32 = npt.NDArray[np.uint32]

_MOST = 2**32 - 2**24  # rows: their places, with the ends of runs that are left free, have numbers of 32 bits
_PIECES = 8  # in which distinct rows are gathered: of more, whoever looks for a row in all of them has to search
_PIECE = 2**16  # rows of each table, at least
_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)
_ONE, _TWO, _RUN = np.uint64(1), np.uint64(2), np.uint64(RUN)
_STRETCH = 16  # buckets that a thread takes at a time


def intern(*tables: pl.DataFrame) -> tuple[list[Int32], pl.DataFrame]:
    """Number the distinct rows of tables, which are of texts without nulls, equally high and have the same columns.

    Returns a column of numbers for each table, int32[m], and the distinct rows: those numbered 0, 1, ... in the order
    in which they are first met, row by row and, within a row, table by table. So what is seen together has numbers
    that are near each other.

    Rows are told apart by their fingerprints, in buckets that fit the cache (radix partitioned hash join: Manegold,
    Boncz, Kersten 2002). 2 threads; 20 bytes a row. Raises FRAME_INVALID of some 2^32 rows.

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
        ranks, found = ranked(first, thread)
        if found >= 2**31:
            raise InputError("FRAME_INVALID", f"{found:,} identifiers", help=f"At most {2**31 - 1:,}.")
        columns = np.empty((width, height), np.int32)

        def numbered(start: int, stop: int) -> pl.DataFrame:
            new = np.empty(width * (stop - start) + 1, np.uint32)
            many = _number(first, ranks, start, stop, columns, new)
            return pl.concat([each[start:stop] for each in tables]).rechunk()[new[:many]]

        piece = max(_PIECE, -(-height // _PIECES))
        starts = range(0, max(height, 1), piece)
        texts = spread(thread, numbered, [(start, min(start + piece, height)) for start in starts])
    return list(columns), pl.concat(texts, rechunk=False)


def _first_rows(rows: Buckets, m: int, thread: Thread) -> UInt32:
    """For each row the first one with the same fingerprint, uint32[m]."""
    first = np.empty(m, np.uint32)
    many = rows.head.shape[1]
    starts = range(0, many, _STRETCH)
    spread(thread, _match, [(*rows, start, min(start + _STRETCH, many), first) for start in starts])
    return first


@kernel(nogil=True)
def _match(
    key: Words, head: UInt32, after: UInt32, end: Words, start: int, stop: int, first: UInt32
) -> None:  # pragma: no cover - compiled
    """Open addressing with linear probing in a table of its own for each bucket. What is new is put into a free place
    and then found there, as what is not: one branch, and one that is foreseen."""
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
                begin = np.uint64(run) * _RUN
                run = after[run]
                for at in range(begin, begin + _RUN if run != free else end[share, bucket]):
                    one, other = key[_TWO * at], key[_TWO * at + _ONE]
                    slot = one & mask
                    while True:
                        found = np.uint64(at if table[slot] == free else table[slot])
                        table[slot] = found
                        row = key[_TWO * found + _ONE]
                        if key[_TWO * found] == one and (row ^ other) >> _HALF == 0:
                            break
                        slot = (slot + _ONE) & mask
                    first[other & _LOW] = row & _LOW


@kernel(nogil=True)
def _number(
    first: UInt32, ranks: Words, start: int, stop: int, columns: Int32, new: UInt32
) -> int:  # pragma: no cover - compiled
    """Numbers of the rows in these lines of all tables. Which of them are first ones goes to `new`, and how many these
    are is returned: their lines, those of a table behind those of the one before it. Every row is written as the next
    new one until one is: a branch that nobody can predict costs more."""
    width, found, i = len(columns), np.uint64(0), np.uint64(start * len(columns))
    for line in range(start, stop):
        for table in range(width):
            columns[table, line] = rank(ranks, first[i])
            new[found] = table * (stop - start) + line - start
            found += np.uint64(first[i] == i)
            i += _ONE
    return int(found)
