"""The trees of the store that are written all over, and where pages of their parts lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from identity_graph.store.sqlite.columns import chunks
from identity_graph.store.sqlite.connection import PAGE_BYTES, Connection
from identity_graph.tables import Int64

PLACE_BITS = 56
"""Of the number under which a page lies, below that of its part."""

_ROW_BYTES = 64  # and less: what SQLite needs of a page for itself


class Tree(NamedTuple):
    """Its entries are rows of an int64 matrix, ascending by their keys: the first column without its lowest bits. The
    last column has the number of what is found.

    Pages whose first entries have the same key are told apart by `copies` bits: 256 pages of a hash, more than the
    32,767 namespaces that a value may be in, and than ids that share 48 bits by chance; 16 million of an identifier.
    """

    name: str
    key: str
    fields: tuple[str, ...]
    low: int = 0
    copies: int = 8

    @property
    def width(self) -> int:
        """Bytes of an entry."""
        return 8 * len(self.fields)

    @property
    def page(self) -> int:
        """How many entries fill it."""
        return (PAGE_BYTES - _ROW_BYTES) // self.width

    def keys(self, entries: Int64) -> Int64:
        return entries[:, 0] >> self.low

    def places(self, part: int | Int64, keys: Int64) -> Int64:
        """Of the first page that begins with each key."""
        return (part << PLACE_BITS) + (keys << self.copies)

    def recent(self, database: Connection) -> Iterator[Int64]:
        """Entries that are in no part yet, in order, in pieces."""
        for piece in chunks(
            database.stream(f"SELECT {', '.join(self.fields)} FROM recent_{self.name} ORDER BY {self.key}")
        ):
            yield self.matrix(piece)

    def matrix(self, rows: Sequence[Sequence[int]]) -> Int64:
        return np.array(rows, dtype=np.int64).reshape(-1, len(self.fields))

    def unpacked(self, pages: Iterable[bytes]) -> Int64:
        return np.frombuffer(b"".join(pages), dtype="<i8").reshape(-1, len(self.fields))


IDENTIFIER_VALUE = Tree("identifier_value", "hash", ("hash", "identifier"))
EVENT_ID = Tree("event_id", "hash", ("hash", "event"))
SOURCE_BITS = 16
OBSERVATION = Tree("observation", "identifier", (f"identifier << {SOURCE_BITS} | source", "time", "event"), 16, 24)
TREES = (IDENTIFIER_VALUE, EVENT_ID, OBSERVATION)


def first_place(part: int) -> int:
    """Where its pages may begin: keys may be negative."""
    return (part << PLACE_BITS) - (1 << (PLACE_BITS - 1))


def part_of(places: Int64) -> Int64:
    """Numbers of the parts of pages that lie there."""
    return (places + (1 << (PLACE_BITS - 1))) >> PLACE_BITS
