"""Records that hold nothing but texts, numbers and truth values, as columns: objects are made when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, overload


class Flat(Sequence[dict[str, Any]]):
    """`columns` are of one kind each; None where a record has nothing of that name."""

    __slots__ = ("_count", "columns")

    def __init__(self, columns: Mapping[str, Sequence[Any]], count: int) -> None:
        self.columns = columns
        self._count = count

    def take(self, rows: Sequence[int]) -> Flat:
        taken = {name: [column[row] for row in rows] for name, column in self.columns.items()}
        return Flat(taken, len(rows))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, row: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, row: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(row, slice):
            return [self[number] for number in range(self._count)[row]]
        return {name: column[row] for name, column in self.columns.items() if column[row] is not None}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = tuple(self.columns)
        rows = zip(*self.columns.values(), strict=True) if names else repeat((), self._count)
        if any(None in column for column in self.columns.values()):
            return ({name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows)
        return (dict(zip(names, row, strict=True)) for row in rows)
