"""Texts of which there are few, as numbers: namespaces and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from identity_graph.store.sqlite.connection import Connection


class Names:
    """One table of names, numbered from 0 and kept in memory. Names are never deleted: they tell of nobody."""

    def __init__(self, database: Connection, table: Literal["namespace", "source"]) -> None:
        self._database = database
        self._table = table
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        database.forgetting.append(self._forget)

    def _forget(self) -> None:
        self._names, self._numbers = [], {}

    def _read(self) -> tuple[list[str], dict[str, int]]:
        # Other threads read beside a writer: what is here is replaced as a whole, never changed.
        names = [name for (name,) in self._database.rows(f"SELECT name FROM {self._table} ORDER BY number")]
        numbers = {name: number for number, name in enumerate(names)}
        self._names, self._numbers = names, numbers
        return names, numbers

    def all(self) -> Sequence[str]:
        """As stored at this moment, by number."""
        return self._read()[0]

    def name(self, number: int) -> str:
        names = self._names
        return names[number] if number < len(names) else self._read()[0][number]

    def number(self, name: str) -> int | None:
        found = self._numbers.get(name)
        return self._read()[1].get(name) if found is None else found

    def intern(self, names: Iterable[str]) -> Mapping[str, int]:
        """Numbers of at least these names, new ones included; inside a transaction."""
        wanted, numbers = set(names), self._numbers
        if wanted <= numbers.keys():
            return numbers
        new = sorted(wanted - self._read()[1].keys())
        self._database.write_many(
            f"INSERT INTO {self._table} (number, name) VALUES (?, ?)", enumerate(new, len(self._names))
        )
        return self._read()[1]
