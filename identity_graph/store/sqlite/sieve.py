"""What is surely not in a tree, from memory: most of what a load looks for is new."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.entries import stored
from identity_graph.store.sqlite.numbering import Table, last_number
from identity_graph.store.sqlite.tree import Tree
from identity_graph.tables import Bool, Bytes, Int64

LEAST = 1_000
"""Hashes in a question from which on it is worth a thought."""

_HASH_BITS = 48
_BITS = 27  # from the beginning and from the end of a hash: 16 MiB
_FULL = 1 << (_BITS - 2)  # hashes after which it lets one in six pass


class Sieve:
    """Two bits for each hash, of all layers of a tree (Bloom, "Space/time trade-offs in hash coding with allowable
    errors", 1970).

    It is read from the tree when as much has been asked as there is to read, and must then hear of every hash that is
    added. Whoever uses it says `forget` when others may have added some; what is deleted does no harm. For use inside a
    transaction only.
    """

    def __init__(self, database: Connection, tree: Tree, table: Table) -> None:
        """The tree has a hash for each row of the table."""
        self._database = database
        self._tree = tree
        self._table: Table = table
        self.forget()

    def forget(self) -> None:
        self._bits: Bytes | None = None
        self._held = 0
        self._asked = 0

    def passed(self, hashes: Int64) -> Bool:
        """False of those that are surely not in the tree."""
        if self._bits is None and len(hashes) >= LEAST:
            self._asked += len(hashes)
            if last_number(self._database, self._table) <= min(self._asked, _FULL):
                self._read()
        if self._bits is None:
            return np.ones(len(hashes), dtype=bool)
        passed: Bool = np.ones(len(hashes), dtype=bool)
        for byte, bit in _places(hashes):
            passed &= (self._bits[byte] & bit) != 0
        return passed

    def add(self, hashes: Int64) -> None:
        if self._bits is None:
            return
        self._held += len(hashes)
        if self._held > _FULL:
            self.forget()
            return
        for byte, bit in _places(hashes):
            np.bitwise_or.at(self._bits, byte, bit)

    def _read(self) -> None:
        self._bits = np.zeros(1 << (_BITS - 3), dtype=np.uint8)
        for entries in stored(self._database, self._tree):
            self.add(self._tree.keys(entries))


def _places(hashes: Int64) -> Iterator[tuple[Int64, Bytes]]:
    for shift in (_HASH_BITS - _BITS, 0):
        found = (hashes >> shift) & ((1 << _BITS) - 1)
        yield found >> 3, np.left_shift(1, found & 7).astype(np.uint8)
