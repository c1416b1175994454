"""Sets of keys into a statement, and columns of numbers out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

import apsw
import numpy as np
import numpy.typing as npt

from identity_graph.tables import Int64

NUMBER_BITS = 31  # identifiers and persons are numbered below 2^31, as the dense ids of resolve/ are int32
CHUNK = 20_000
Number = TypeVar("Number", bound=np.generic)
LARGEST_NUMBER = 2**NUMBER_BITS - 1


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


def is_plain(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def pack(numbers: Sequence[int] | Int64) -> bytes:
    """As little-endian int64, the form of numbers in a row."""
    return np.asarray(numbers, dtype="<i8").tobytes()


def unpack(blob: bytes) -> Int64:
    return np.frombuffer(blob, dtype="<i8").astype(np.int64, copy=False)


def paired(left: Int64, right: Int64) -> Int64:
    """Two columns of numbers as one, for a statement to take apart: `value >> 31` and `value & 2147483647`."""
    return (left << NUMBER_BITS) | right


def columns(rows: Iterable[Sequence[int]], width: int) -> tuple[Int64, ...]:
    """Rows of `width` numbers as that many columns, without holding the rows."""
    table = np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, width)
    return tuple(np.ascontiguousarray(table[:, column]) for column in range(width))


def chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Rows in lists of a size that stays in the processor's cache, each gone before the next is made."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def joined(pieces: Sequence[npt.NDArray[Number]], kind: type[Number]) -> npt.NDArray[Number]:
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=kind)


def distinct(numbers: Int64) -> Int64:
    """Ascending, without repeats; of many, by ticking them off instead of sorting."""
    if len(numbers) < 1_000 or len(numbers) < numbers.max() // 8:
        return np.unique(numbers)
    ticked = np.zeros(numbers.max() + 1, dtype=bool)
    ticked[numbers] = True
    return np.flatnonzero(ticked)
