"""Identifiers of many events as columns: objects are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, compress
from operator import itemgetter
from typing import overload

import numpy as np

from identity_graph.tables import Int32, Int64

Pair = tuple[str, str]


class Named(Sequence[Pair]):
    """Pairs of namespace and value: `space` (int32) are places in `spaces`, which has none twice.

    >>> named = Named.of([("cookie", "a"), ("email", "b"), ("cookie", "c")])
    >>> named.spaces, named.space.tolist(), named.values, named[1]
    (['cookie', 'email'], [0, 1, 0], ['a', 'b', 'c'], ('email', 'b'))
    """

    __slots__ = ("space", "spaces", "values")

    def __init__(self, spaces: Sequence[str], space: Int32, values: Sequence[str]) -> None:
        self.spaces = spaces
        self.space = space
        self.values = values

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Named:
        """One that is columns already is itself."""
        if isinstance(pairs, Named):
            return pairs
        names = list(map(itemgetter(0), pairs))
        spaces = {space: number for number, space in enumerate(dict.fromkeys(names))}
        return cls(
            list(spaces), np.array(list(map(spaces.__getitem__, names)), np.int32), list(map(itemgetter(1), pairs))
        )

    @classmethod
    def column(cls, namespace: str, values: Sequence[str]) -> Named:
        """Of one namespace."""
        return cls([namespace], np.zeros(len(values), np.int32), values)

    def at(self, places: Int64) -> Named:
        return Named(self.spaces, self.space[places], list(map(self.values.__getitem__, places.tolist())))

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, row: int) -> Pair: ...

    @overload
    def __getitem__(self, row: slice) -> list[Pair]: ...

    def __getitem__(self, row: int | slice) -> Pair | list[Pair]:
        if isinstance(row, slice):
            return list(self._pairs(self.space[row], self.values[row]))
        return self.spaces[self.space[row]], self.values[row]

    def __iter__(self) -> Iterator[Pair]:
        return self._pairs(self.space, self.values)

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and pair in list(self)

    def _pairs(self, space: Int32, values: Sequence[str]) -> Iterator[Pair]:
        return zip(map(self.spaces.__getitem__, space.tolist()), values, strict=True)


def in_order(columns: Sequence[Named]) -> tuple[Named, Int32]:
    """Of columns of a namespace each: what they name, in the order in which it comes first, row by row; and of each of
    their rows the places in that, int32.

    >>> named, places = in_order([Named.column("email", ["a", "b"]), Named.column("phone", ["c", "c"])])
    >>> list(named), places.tolist()
    ([('email', 'a'), ('phone', 'c'), ('email', 'b')], [[0, 1], [2, 1]])
    """
    width, rows = len(columns), len(columns[0])
    first = np.empty((rows, width), dtype=np.int64)  # where the same value came first
    for number, column in enumerate(columns):
        found = dict(zip(reversed(column.values), range(rows - 1, -1, -1), strict=True))
        first[:, number] = np.fromiter(map(found.__getitem__, column.values), dtype=np.int64, count=rows)
    new = first == np.arange(rows)[:, None]
    places = np.take_along_axis((np.cumsum(new) - 1).reshape(first.shape), first, axis=0)
    values = compress(
        chain.from_iterable(zip(*(column.values for column in columns), strict=True)), new.ravel().tolist()
    )
    space = np.tile(np.arange(width, dtype=np.int32), rows)[new.ravel()]
    return Named([column.spaces[0] for column in columns], space, list(values)), places.astype(np.int32)
