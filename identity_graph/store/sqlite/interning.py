"""Identifiers as numbers: the step that every event of a load pays for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import cast

import apsw
import numpy as np

from identity_graph.errors import StoreError
from identity_graph.store.numbered import LARGEST_NUMBER
from identity_graph.store.sqlite.columns import text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.layers import both
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number

CACHED = 120_000  # some 35 MB; a file of any size fills it
Key = tuple[str, str]
"""An identifier, or a plain pair of namespace and value, which is equal to it."""

_FIND = both(
    "SELECT v.namespace, v.value, v.number FROM carray(?1) k CROSS JOIN {recent}identifier_value v ON v.value = k.value"
)

# All new ones by one statement: values bound row by row take twice as long. A namespace is cut from a text of numbers.
_WIDTH = 5
_INSERT = (
    "INSERT INTO identifier (number, namespace, value)"
    f" SELECT ?1 + rowid, CAST(substr(?2, {_WIDTH} * rowid - {_WIDTH - 1}, {_WIDTH}) AS INTEGER), value FROM carray(?3)"
)
_INSERT_VALUES = (
    "INSERT INTO {recent}identifier_value (value, namespace, number)"
    " SELECT value, namespace, number FROM identifier WHERE number >= ? ORDER BY value, namespace"
)


class Interning:
    """Numbers of identifiers, with the latest in memory. For use inside a transaction only."""

    def __init__(self, database: Connection, namespaces: Names) -> None:
        self._database = database
        self._namespaces = namespaces
        self._numbers: dict[Key, int] = {}
        self._version = -1
        database.rolled_back.append(self.forget)

    def forget(self) -> None:
        self._numbers = {}

    def refresh(self) -> None:
        """Forget what another process may have changed. Call once a transaction."""
        version = self._database.foreign_version()
        if version != self._version:
            self.forget()
            self._version = version

    def find(self, identifiers: Collection[Key]) -> dict[Key, int]:
        """A dictionary that holds the number of each of the identifiers that has one, and of others."""
        if len(self._numbers) > CACHED:
            self._numbers = dict(islice(self._numbers.items(), len(self._numbers) // 2, None))
        missing = [identifier for identifier in identifiers if identifier not in self._numbers]
        if missing:
            name = self._namespaces.name
            found = self._database.rows(
                _FIND,
                (text_set({value for _, value in missing}),),
            )
            self._numbers.update(((name(space), value), number) for space, value, number in found)
        return self._numbers

    def intern(self, identifiers: Sequence[Key], layer: str) -> list[int]:
        """The number of each, none of which comes twice; new ones get theirs in this order, and lie in this layer."""
        numbers = list(map(self._numbers.get, identifiers))
        missing = [place for place, number in enumerate(numbers) if number is None]
        if missing:
            wanted = [identifiers[place] for place in missing]
            known = self.find(wanted)
            new = [identifier for identifier in wanted if identifier not in known]
            known.update(zip(new, self._insert(new, layer), strict=True))
            for place, identifier in zip(missing, wanted, strict=True):
                numbers[place] = known[identifier]
        return cast("list[int]", numbers)

    def _insert(self, new: Sequence[Key], layer: str) -> range:
        if not new:
            return range(0)
        spaces = self._namespaces.intern({space for space, _ in new})
        first = 1 + last_number(self._database, "identifier")
        if first + len(new) > LARGEST_NUMBER:
            raise StoreError("STORE_FULL", "the store has numbers for 2,147,483,647 identifiers, and no more")
        numbers = range(first, first + len(new))
        named, values = zip(*new, strict=True)
        found = [spaces[space] for space in named]
        try:
            column = apsw.carray(values)
        except ValueError:  # a NUL, which no loader lets pass
            rows = zip(numbers, found, values, strict=True)
            self._database.write_many("INSERT INTO identifier (number, namespace, value) VALUES (?, ?, ?)", rows)
        else:
            spaces_text = np.array(found).astype(f"S{_WIDTH}").tobytes()
            self._database.write(_INSERT, (first - 1, spaces_text, column))
        self._database.write(_INSERT_VALUES.format(recent=layer), (first,))
        return numbers
