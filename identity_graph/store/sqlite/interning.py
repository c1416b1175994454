"""Identifiers as numbers: the step that every event of a load pays for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, islice, repeat
from operator import eq

import apsw
import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable, hashes
from identity_graph.store.numbered import LARGEST_NUMBER
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.layers import both, mark
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.tables import Int64

CACHED = 120_000  # some 35 MB; a file of any size fills it
MOST_NEW = CACHED // 4  # of one batch that are remembered: more would drive out what comes again
Key = tuple[str, str]
"""An identifier, or a plain pair of namespace and value, which is equal to it."""

_FIND = both(
    "SELECT k.rowid, i.namespace, i.value, i.number FROM carray(?1) k"
    " CROSS JOIN {recent}identifier_value v ON v.hash = k.value CROSS JOIN identifier i ON i.number = v.identifier"
)

# All new ones by one statement: values bound row by row take twice as long. A namespace is cut from a text of numbers.
_WIDTH = 5
_INSERT = (
    "INSERT INTO identifier (number, namespace, value)"
    f" SELECT ?1 + rowid, CAST(substr(?2, {_WIDTH} * rowid - {_WIDTH - 1}, {_WIDTH}) AS INTEGER), value FROM carray(?3)"
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

    def find(self, events: EventTable) -> Int64:
        """The numbers of the table's identifiers; 0, which none has, of one that is not stored."""
        return self._find(events)[0]

    def intern(self, events: EventTable, layer: str) -> Int64:
        """As `find`; new ones get their numbers in the table's order, and lie in this layer."""
        numbers, found = self._find(events)
        new = numbers == 0
        if new.any():
            names = list(compress(events.named, new.tolist()))
            given = self._insert(names, found[new], layer)
            self._remember(names, given)
            numbers[new] = given
        return numbers

    def _find(self, events: EventTable) -> tuple[Int64, Int64]:
        """Numbers, and hashes of those that were not remembered."""
        if len(self._numbers) > CACHED:
            self._numbers = dict(islice(self._numbers.items(), len(self._numbers) // 2, None))
        named, remembered = events.named, self._numbers
        numbers = np.array(list(map(remembered.get, named, repeat(0))) if remembered else [0] * len(named), np.int64)
        missing = np.flatnonzero(numbers == 0)
        found = np.zeros(len(named), dtype=np.int64)
        if not len(missing):
            return numbers, found
        found[missing] = hashes([named[place][1] for place in missing.tolist()])
        asked = missing[np.argsort(found[missing])]
        rows = self._database.rows(_FIND, (number_set(found[asked]),))
        if rows:
            row, space, value, number = zip(*rows, strict=True)
            places = asked[np.array(row) - 1]
            names = {one: self._namespaces.name(one) for one in set(space)}
            stored = zip(map(names.__getitem__, space), value, strict=True)
            wanted = list(map(named.__getitem__, places.tolist()))
            same = list(map(eq, wanted, stored))  # another value may have the same hash
            known = list(compress(number, same))
            numbers[places[same]] = known
            self._remember(list(compress(wanted, same)), known)
        return numbers, found

    def _remember(self, found: Sequence[Key], numbers: Sequence[int]) -> None:
        if len(found) <= MOST_NEW:
            self._numbers.update(zip(found, numbers, strict=True))

    def _insert(self, new: Sequence[Key], found: Int64, layer: str) -> range:
        names, values = zip(*new, strict=True)
        spaces = self._namespaces.intern(names)
        first = 1 + last_number(self._database, "identifier")
        if first + len(new) > LARGEST_NUMBER:
            raise StoreError("STORE_FULL", "the store has numbers for 2,147,483,647 identifiers, and no more")
        numbers = range(first, first + len(new))
        try:
            column = apsw.carray(values)
        except ValueError:  # a NUL, which no loader lets pass
            rows = zip(numbers, map(spaces.__getitem__, names), values, strict=True)
            self._database.write_many("INSERT INTO identifier (number, namespace, value) VALUES (?, ?, ?)", rows)
        else:
            texts = {name: f"{spaces[name]:0{_WIDTH}}" for name in set(names)}
            self._database.write(_INSERT, (first - 1, "".join(map(texts.__getitem__, names)).encode(), column))
        mark(self._database, f"{layer}identifier_value", found, first)
        return numbers
