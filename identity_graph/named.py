"""Identifiers of many events as columns: objects are made when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    def _pairs(self, space: Int32, values: Sequence[str]) -> Iterator[Pair]:
        return zip(map(self.spaces.__getitem__, space.tolist()), values, strict=True)
