"""Texts where they lie: the columns of polars by Arrow's C interface, and kernels that read memory by its address."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from identity_graph.resolve.prefetch import prefetch_at

if TYPE_CHECKING:
    import polars as pl

UInt64 = npt.NDArray[np.uint64]

_INLINE = 12  # so many bytes lie in the view itself
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


class Texts(NamedTuple):
    """`views` uint64[2n]: of each text its length and first bytes, then the number of a buffer and the place in it, or
    the other bytes of a short one, as Arrow lays out Utf8View. `buffers` uint64: their addresses."""

    views: UInt64
    buffers: UInt64


class _Schema(c.Structure):
    _fields_ = (
        ("format", c.c_char_p), ("name", c.c_char_p), ("metadata", c.c_char_p), ("flags", c.c_int64),
        ("n_children", c.c_int64), ("children", c.c_void_p), ("dictionary", c.c_void_p),
        ("release", c.CFUNCTYPE(None, c.c_void_p)), ("private", c.c_void_p),
    )  # fmt: skip


class _Array(c.Structure):
    _fields_ = (
        ("length", c.c_int64), ("null_count", c.c_int64), ("offset", c.c_int64), ("n_buffers", c.c_int64),
        ("n_children", c.c_int64), ("buffers", c.POINTER(c.c_void_p)), ("children", c.c_void_p),
        ("dictionary", c.c_void_p), ("release", c.CFUNCTYPE(None, c.c_void_p)), ("private", c.c_void_p),
    )  # fmt: skip


class _Stream(c.Structure):
    _fields_ = (
        ("get_schema", c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)),
        ("get_next", c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)),
        ("get_last_error", c.c_void_p), ("release", c.c_void_p), ("private", c.c_void_p),
    )  # fmt: skip


_pointer = c.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = c.c_void_p, (c.py_object, c.c_char_p)


@contextmanager
def lent(column: pl.Series) -> Iterator[Texts]:
    """The texts of a column of one piece and without nulls, for as long as the context lasts; nothing is copied."""
    capsule = column.__arrow_c_stream__()
    address = _pointer(capsule, b"arrow_array_stream")
    stream, schema, array = _Stream.from_address(address), _Schema(), _Array()
    failed = stream.get_schema(address, c.byref(schema)) or stream.get_next(address, c.byref(array))
    try:
        if failed or schema.format != b"vu" or array.length != len(column):
            raise TypeError(f"{column.name}: {column.dtype} in {column.n_chunks()} pieces is not one column of texts")
        words = (c.c_uint64 * (2 * array.length)).from_address(array.buffers[1] + 16 * array.offset)
        addresses = [array.buffers[number] or 0 for number in range(2, array.n_buffers - 1)]
        yield Texts(np.frombuffer(words, np.uint64), np.array(addresses, np.uint64))
    finally:
        for one in (schema, array):
            if one.release:
                one.release(c.byref(one))


def _read(typing_context: Any, address: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(types.uint64), emit


_word_at: Callable[[Any], Any] = intrinsic(_read)  # type: ignore[assignment]


@njit(cache=True, nogil=True)
def fetch(texts: Texts, at: int) -> None:  # pragma: no cover - compiled
    """Start to fetch the bytes of a text into the cache."""
    views, buffers = texts
    if views[2 * at] & _LOW > _INLINE:
        place = views[2 * at + 1]
        prefetch_at(buffers[place & _LOW] + (place >> _HALF))


@njit(cache=True, nogil=True)
def same_text(texts: Texts, one: int, others: Texts, other: int) -> bool:  # pragma: no cover - compiled
    length, place, its = texts.views[2 * one] & _LOW, texts.views[2 * one + 1], others.views[2 * other + 1]
    if texts.views[2 * one] != others.views[2 * other] or length <= _INLINE:
        return bool(texts.views[2 * one] == others.views[2 * other] and place == its)
    here = texts.buffers[place & _LOW] + (place >> _HALF)
    there = others.buffers[its & _LOW] + (its >> _HALF)
    last, at = length - np.uint64(8), np.uint64(4)  # the first four are in the view
    while at < last:
        if _word_at(here + at) != _word_at(there + at):
            return False
        at += np.uint64(8)
    return bool(_word_at(here + last) == _word_at(there + last))
