"""Texts where they lie: the columns of polars by Arrow's C interface."""

from __future__ import annotations

import ctypes as c
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from identity_graph.tables import Words

if TYPE_CHECKING:
    import polars as pl

INLINE = 12  # so many bytes of a text lie in its view itself


class Texts(NamedTuple):
    """`views` uint64[2n]: of each text its length and first bytes, then the number of a buffer and the place in it, or
    the other bytes of a short one, as Arrow lays out Utf8View. `buffers` uint64: their addresses."""

    views: Words
    buffers: Words


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
def lent(column: pl.Series) -> Iterator[list[Texts]]:
    """The texts of a column without nulls, piece by piece, for as long as the context lasts; nothing is copied."""
    capsule = column.__arrow_c_stream__()
    address = _pointer(capsule, b"arrow_array_stream")
    stream, schema = _Stream.from_address(address), _Schema()
    pieces: list[_Array] = []
    try:
        failed = stream.get_schema(address, c.byref(schema))
        while not failed:
            array = _Array()
            failed = stream.get_next(address, c.byref(array))
            if failed or not array.release:
                break
            pieces.append(array)
        if failed or schema.format != b"vu" or sum(array.length for array in pieces) != len(column):
            raise TypeError(f"{column.name}: {column.dtype} is not a column of texts")
        yield [_texts(array) for array in pieces]
    finally:
        for one in (schema, *pieces):
            if one.release:
                one.release(c.byref(one))


def _texts(array: _Array) -> Texts:
    views = (c.c_uint64 * (2 * array.length)).from_address(array.buffers[1] + 16 * array.offset)
    addresses = [array.buffers[number] or 0 for number in range(2, array.n_buffers - 1)]
    return Texts(np.frombuffer(views, np.uint64), np.array(addresses, np.uint64))
