"""Rows of texts in buckets by their fingerprints, in which those that are alike are near each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from identity_graph.kernel import kernel
from identity_graph.resolve.arrow_texts import Texts, lent
from identity_graph.resolve.fingerprint import factors, fingerprint, length
from identity_graph.resolve.threads import Thread, spread
from identity_graph.tables import Words

if TYPE_CHECKING:
    import polars as pl

UInt32 = npt.NDArray[np.uint32]

_BUCKET = 2**15  # rows of a bucket, whose table stays in the nearest cache
_MOST = 2**10  # buckets: more places to write to at once than caches and address tables have are slower
_USUAL = 2**10  # bytes of a text; where one is longer, all are dealt once more
_SHARES = 8  # of the rows, of which two threads always take the next
RUN = 2**8  # rows that lie together in a bucket
_RUN_BITS = np.uint64(8)
_LAST = np.uint64(RUN - 1)
_NONE = 2**32 - 1
_HIGH = np.uint64(2**64 - 2**32)
_ONE, _TWO = np.uint64(1), np.uint64(2)
_VIEW = np.uint64(16)  # bytes
_AT_ONCE = 2**8  # rows whose fingerprints stay in the nearest cache


class Buckets(NamedTuple):
    """`key` uint64[2p]: the first word of each fingerprint, and then the upper half of its second one above the number
    of the row whose it is: 96 bits and 32. Of each bucket each share of the rows has its own part, in the order of
    rows: runs of 256 places, of which `head` uint32[shares, buckets] names the first, `after` uint32[p / 256] the next
    of each, and `end` uint64[shares, buckets] the place behind the last row. 2^32-1 is no run."""

    key: Words
    head: UInt32
    after: UInt32
    end: Words


def buckets(tables: Sequence[pl.DataFrame], thread: Thread) -> Buckets:
    """Of the rows of tables, which are equally high and have the same columns of texts without nulls. Rows are numbered
    across the tables: first the first row of each table. 16 bytes a row."""
    columns = tables[0].columns
    with ExitStack() as borrowed:
        flat = [borrowed.enter_context(lent(table[name])) for table in tables for name in columns]
        found, longest = _dealt(flat, len(tables), tables[0].height, _USUAL, thread)
        if longest > _USUAL:
            del found
            found, _ = _dealt(flat, len(tables), tables[0].height, longest, thread)
    return found


def _dealt(texts: Sequence[Sequence[Texts]], width: int, height: int, most: int, thread: Thread) -> tuple[Buckets, int]:
    """Of texts, column by column and table by table, of at most so many bytes; and how many the longest has. If that is
    more they are to be dealt again: to look at all of them before is as long as a third of dealing them."""
    bits = max(1, min(_MOST - 1, width * height // _BUCKET).bit_length())
    each = [factors(most) for _ in range(len(texts) // width)]
    drawn = np.array([one.ctypes.data for one in each], np.uint64)  # where they are, as long as `each` is
    borders = np.linspace(0, height, (_SHARES if thread else 1) + 1).astype(np.int64)
    room = [int(rows) * width // RUN + 1 + 2**bits for rows in np.diff(borders)]
    first = np.cumsum([0, *room])  # runs
    found = Buckets(
        np.empty(2 * RUN * first[-1], np.uint64),
        np.full((len(room), 2**bits), _NONE, np.uint32),
        np.full(first[-1], _NONE, np.uint32),
        np.zeros((len(room), 2**bits), np.uint64),
    )
    longest = np.zeros(len(room), np.uint64)

    def deal(share: int) -> None:
        free = int(first[share])
        for places, start, stop in _stretches(texts, int(borders[share]), int(borders[share + 1])):
            free = _deal(
                places, drawn, width, start, stop, np.uint64(64 - bits), np.uint64(most),
                found.key, found.head[share], found.after, found.end[share], free, longest[share:],
            )  # fmt: skip

    spread(thread, deal, [(share,) for share in range(len(room))])
    return found, int(longest.max())


def _stretches(columns: Sequence[Sequence[Texts]], start: int, stop: int) -> Iterator[tuple[Words, int, int]]:
    """Rows from start to stop that lie in one piece of each column: of each column the addresses of its first one's
    view and of its buffers' addresses, uint64[2c], and which rows they are."""
    ends = [np.cumsum([len(texts.views) // 2 for texts in pieces]) for pieces in columns]
    while start < stop:
        at = [int(np.searchsorted(each, start, side="right")) for each in ends]
        until = min(stop, *(int(each[n]) for each, n in zip(ends, at, strict=True)))
        places = []
        for pieces, each, n in zip(columns, ends, at, strict=True):
            texts = pieces[n]
            places += [texts.views.ctypes.data + 16 * (start - int(each[n]) + len(texts.views) // 2)]
            places += [texts.buffers.ctypes.data]
        yield np.array(places, np.uint64), start, until
        start = until


@kernel(nogil=True)
def _deal(
    places: Words, factors: Words, width: int, start: int, stop: int, shift: np.uint64, most: np.uint64,
    key: Words, head: UInt32, after: UInt32, end: Words, free: int, longest: Words,
) -> int:  # fmt: skip  # pragma: no cover - compiled
    """The next run that is free. Fingerprints are worked out for some rows before these are dealt: a place to write to
    that waits for its fingerprint holds up the next ones."""
    number, columns, found = np.uint64(start * width), len(factors), longest[0]
    some = np.empty(2 * _AT_ONCE * width, np.uint64)
    for begin in range(0, stop - start, _AT_ONCE):
        rows = min(_AT_ONCE, stop - start - begin)
        some[:] = 0
        for table in range(width):
            for column in range(columns):
                n = 2 * (table * columns + column)
                view, buffers = places[n] + _VIEW * np.uint64(begin), places[n + 1]
                at, step = np.uint64(2 * table), np.uint64(2 * width)
                for _ in range(rows):
                    bytes = length(view)
                    found = max(found, bytes)
                    if bytes <= most:
                        one, other = fingerprint(view, buffers, factors[column])
                        some[at] += one
                        some[at + _ONE] += other
                    view += _VIEW
                    at += step
        for i in range(np.uint64(rows * width)):
            one, other = some[_TWO * i], some[_TWO * i + _ONE]
            bucket = one >> shift
            at = end[bucket]
            if at & _LAST == 0:  # its last run is full, or it has none
                if head[bucket] == _NONE:
                    head[bucket] = free
                else:
                    after[(at >> _RUN_BITS) - _ONE] = free
                at = np.uint64(free) << _RUN_BITS
                free += 1
            key[_TWO * at], key[_TWO * at + _ONE] = one, (other & _HIGH) | number
            end[bucket] = at + _ONE
            number += _ONE
    longest[0] = found
    return free
