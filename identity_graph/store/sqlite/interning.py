"""Identifiers as numbers: the step that every event of a load pays for."""

from __future__ import annotations

from itertools import islice, repeat
from operator import eq

import apsw
import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.hashed import hashes
from identity_graph.named import Named
from identity_graph.store.numbered import LARGEST_NUMBER
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.entries import find, spread
from identity_graph.store.sqlite.layers import mark
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.sieve import Sieve
from identity_graph.store.sqlite.tree import IDENTIFIER_VALUE
from identity_graph.tables import Int64

CACHED = 120_000  # some 35 MB; a file of any size fills it
MOST_NEW = CACHED // 4  # of one batch that are remembered: more would drive out what comes again
MOST_ASKED = CACHED // 2  # of one batch that are looked for in memory: of more, most are not there
Key = tuple[str, str]
"""An identifier, or a plain pair of namespace and value, which is equal to it."""

# In the order of their numbers, in which they lie.
_READ = "SELECT i.namespace, i.value FROM carray(?1) k CROSS JOIN identifier i ON i.number = k.value"

# All new ones but the first by one statement: values bound row by row take twice as long. A namespace is cut from a
# text of numbers. Numbers that SQLite gives itself, the highest and one more, it need not look for: a third less.
_WIDTH = 5
_INSERT = "INSERT INTO identifier (number, namespace, value) VALUES (?, ?, ?)"
_INSERT_NEXT = (
    "INSERT INTO identifier (namespace, value)"
    f" SELECT CAST(substr(?1, {_WIDTH} * rowid - {_WIDTH - 1}, {_WIDTH}) AS INTEGER), value FROM carray(?2)"
)


class Interning:
    """Numbers of identifiers, with the latest in memory. For use inside a transaction only."""

    def __init__(self, database: Connection, namespaces: Names) -> None:
        self._database = database
        self._namespaces = namespaces
        self._numbers: dict[Key, int] = {}
        self._sieve = Sieve(database, IDENTIFIER_VALUE, "identifier")

    def forget(self) -> None:
        self._numbers = {}
        self._sieve.forget()

    def find(self, events: EventTable) -> Int64:
        """The numbers of the table's identifiers; 0, which none has, of one that is not stored."""
        return self._find(events, Named.of(events.named))[0]

    def intern(self, events: EventTable, part: int | None) -> Int64:
        """As `find`; new ones get their numbers in the table's order, and lie in this part."""
        named = Named.of(events.named)
        numbers, found = self._find(events, named)
        new = np.flatnonzero(numbers == 0)
        if len(new):
            numbers[new] = self._insert(named.at(new), found[new], part)
            self._remember(named, new, numbers)
        return numbers

    def _find(self, events: EventTable, named: Named) -> tuple[Int64, Int64]:
        """Numbers, and hashes of those that were not remembered."""
        numbers = self._remembered(named)
        missing = np.flatnonzero(numbers == 0)
        if not len(missing):
            return numbers, numbers
        if events.hashed:
            found, order = events.hashed.values, events.hashed.order
            asked = order[numbers[order] == 0]
        else:
            found = np.zeros(len(named), dtype=np.int64)
            found[missing] = hashes(named.at(missing).values)
            asked = missing[np.argsort(found[missing])]
        asked = asked[self._sieve.passed(found[asked])]
        values = found[asked]
        keys = values[np.diff(values, prepend=values[:1] - 1) != 0]
        places, number = _each_with_each(values, find(self._database, IDENTIFIER_VALUE, keys))
        if len(places):
            places = asked[places]
            space, value = zip(*self._database.rows(_READ, (number_set(number),)), strict=True)
            wanted = named.at(places)
            spaces = np.array([-1 if n is None else n for n in map(self._namespaces.number, named.spaces)])
            same = spaces[wanted.space] == np.array(space)
            if wanted.values != list(value):  # another value may have the same hash
                same &= np.array(list(map(eq, wanted.values, value)))
            known = places[same]
            numbers[known] = number[same]
            self._remember(named, known, numbers)
        return numbers, found

    def _remembered(self, named: Named) -> Int64:
        """Numbers; 0 where there is none in memory."""
        if len(self._numbers) > CACHED:
            self._numbers = dict(islice(self._numbers.items(), len(self._numbers) // 2, None))
        if not self._numbers or len(named) > MOST_ASKED:
            return np.zeros(len(named), dtype=np.int64)
        return np.array(list(map(self._numbers.get, named, repeat(0))), np.int64)

    def _remember(self, named: Named, places: Int64, numbers: Int64) -> None:
        if len(places) <= MOST_NEW:
            self._numbers.update(zip(named.at(places), numbers[places].tolist(), strict=True))

    def _insert(self, new: Named, found: Int64, part: int | None) -> Int64:
        spaces = self._namespaces.intern(new.spaces[place] for place in np.unique(new.space).tolist())
        first = 1 + last_number(self._database, "identifier")
        if first + len(new) > LARGEST_NUMBER:
            raise StoreError("STORE_FULL", "the store has numbers for 2,147,483,647 identifiers, and no more")
        numbers = np.arange(first, first + len(new))
        rows = ((number, spaces[name], value) for number, (name, value) in zip(numbers.tolist(), new, strict=True))
        self._database.write(_INSERT, next(rows))
        try:
            column = apsw.carray(tuple(new.values[1:])) if len(new) > 1 else None
        except ValueError:  # a NUL, which no loader lets pass
            self._database.write_many(_INSERT, rows)
        else:
            texts = np.array([f"{spaces.get(name, 0):0{_WIDTH}}" for name in new.spaces], dtype=f"S{_WIDTH}")
            if column is not None:
                self._database.write(_INSERT_NEXT, (texts[new.space[1:]].tobytes(), column))
        mark(self._database, part, IDENTIFIER_VALUE, found, first)
        self._sieve.add(found)
        return numbers


def _each_with_each(asked: Int64, entries: Int64) -> tuple[Int64, Int64]:
    """Places of hashes, which ascend, and numbers that are stored under them, by number."""
    entries = entries[np.argsort(entries[:, 1])]
    first, end = (np.searchsorted(asked, entries[:, 0], side) for side in ("left", "right"))
    return spread(first, end - first), np.repeat(entries[:, 1], end - first)
