"""A column in which every row has the same: one value, however many rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TypeVar, overload

T = TypeVar("T")


class Repeated(Sequence[T]):
    """
    >>> column = Repeated("web", 3)
    >>> list(column), column[1], list(column[1:])
    (['web', 'web', 'web'], 'web', ['web', 'web'])
    """

    __slots__ = ("_count", "value")

    def __init__(self, value: T, count: int) -> None:
        self.value = value
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> T: ...

    @overload
    def __getitem__(self, row: slice) -> Repeated[T]: ...

    def __getitem__(self, row: int | slice) -> T | Repeated[T]:
        found = range(self._count)[row]
        return Repeated(self.value, len(found)) if isinstance(found, range) else self.value

    def __iter__(self) -> Iterator[T]:
        return repeat(self.value, self._count)

    def __contains__(self, value: object) -> bool:
        return self._count > 0 and self.value == value
