"""Sets of keys into a statement, and columns of numbers out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import apsw
import numpy as np

from identity_graph.store.numbered import is_plain
from identity_graph.tables import Int64

CHUNK = 20_000


def number_set(numbers: Sequence[int] | Int64) -> apsw.CArrayBinding:
    """To be read as `carray(?)`: `rowid` counts from 1, `value` is the number. At least one."""
    return apsw.carray(np.ascontiguousarray(numbers, dtype=np.int64))


def text_set(texts: Iterable[str]) -> apsw.CArrayBinding:
    """As `number_set`, of texts. What SQLite's text cannot be (NUL, lone surrogates) becomes empty: never stored."""
    found = tuple(texts)
    try:
        return apsw.carray(found)
    except ValueError:  # UnicodeEncodeError is one
        return apsw.carray(tuple(text if is_plain(text) else "" for text in found))


def pack(numbers: Sequence[int] | Int64) -> bytes:
    """As little-endian int64, the form of numbers in a row."""
    return np.asarray(numbers, dtype="<i8").tobytes()


def unpack(blob: bytes) -> Int64:
    return np.frombuffer(blob, dtype="<i8").astype(np.int64, copy=False)


def columns(rows: Iterable[Sequence[int]], width: int) -> tuple[Int64, ...]:
    """Rows of `width` numbers as that many columns, without holding the rows."""
    table = np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, width)
    return tuple(np.ascontiguousarray(table[:, column]) for column in range(width))


def chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Rows in lists of a size that stays in the processor's cache, each gone before the next is made."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
