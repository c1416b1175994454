"""Sorted parts of a tree: what a large batch adds to it, as columns in as few rows of the database as they fill.

A tree of SQLite takes half a microsecond for each entry. A part is sorted by NumPy and written by the page; whoever
looks something up reads one page of each part that there is. (As the sorted runs of O'Neil et al., "The log-structured
merge-tree", 1996.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from identity_graph.store.sqlite.columns import chunks, number_set
from identity_graph.store.sqlite.connection import PAGE_BYTES, Connection
from identity_graph.tables import Bool, Int64

MOST = 126
"""Parts that there can be: numbered from 1, in the highest bits of where their pages lie."""

MANY = 2_000
"""Keys from which on it is looked through where all pages lie: fewer are looked for in the tree of pages."""

_PLACE_BITS = 56  # below the number of a part
_ROW_BYTES = 64  # and less: what SQLite needs of a page for itself
_AT_ONCE = 64  # pages that are in memory, of each part where some are merged


class Tree(NamedTuple):
    """Its entries are rows of an int64 matrix, ascending by their keys: the first column without its lowest bits. The
    last column has the number of what is found.

    Pages whose first entries have the same key are told apart by `copies` bits. 32,767 namespaces may have a value,
    and as many events an identifier as there are.
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


class Writer:
    """Writes a part of a tree from pieces of entries, in order."""

    def __init__(self, database: Connection, tree: Tree, part: int) -> None:
        self._database = database
        self._tree = tree
        self._part = part
        self._left = np.empty((0, len(tree.fields)), dtype=np.int64)
        self._last = 0

    def add(self, entries: Int64) -> None:
        entries = np.concatenate((self._left, entries)) if len(self._left) else entries
        full = len(entries) - len(entries) % self._tree.page
        self._write(entries[:full])
        self._left = entries[full:]

    def close(self) -> None:
        self._write(self._left)

    def _write(self, entries: Int64) -> None:
        if not len(entries):
            return
        starts = np.arange(0, len(entries), self._tree.page)
        keys = self._tree.keys(entries[starts])
        places = (self._part << _PLACE_BITS) + (keys << self._tree.copies)
        copies = np.arange(len(keys)) - np.searchsorted(keys, keys)
        if self._last >= places[0]:  # what was written before ends with this key
            copies[keys == keys[0]] += 1 + self._last - places[0]
        assert (copies >> self._tree.copies).max() == 0
        places += copies
        self._last = int(places[-1])
        whole = np.ascontiguousarray(entries, dtype="<i8")
        pages = (whole[start : start + self._tree.page].tobytes() for start in starts.tolist())
        # Without OR FAIL, SQLite would hold each page as it was, in memory, lest a place be taken.
        self._database.write_many(
            f"INSERT OR FAIL INTO part_{self._tree.name} (place, entries) VALUES (?, ?)",
            zip(places.tolist(), pages, strict=True),
        )


def write(database: Connection, tree: Tree, part: int, pieces: Iterable[Int64]) -> None:
    """Entries in order, inside a transaction."""
    writer = Writer(database, tree, part)
    for entries in pieces:
        writer.add(entries)
    writer.close()


class Select(NamedTuple):
    """Columns of a table, its number first, and what it is joined by: {} stands for the number."""

    columns: tuple[str, ...]
    source: str


def fetch(database: Connection, tree: Tree, keys: Int64, select: Select) -> Sequence[Any]:
    """Rows of what is found under these keys, each once; keys ascend without repeats. Inside a snapshot: by one
    statement, and where parts have some, by another one."""
    if not len(keys):
        return ()
    *_, number = tree.fields
    rows, entries = _found(database, tree, keys, select.columns, f" CROSS JOIN {select.source.format(f't.{number}')}")
    rows += of_numbers(database, np.unique(entries[:, -1]), select)
    return list({row[0]: row for row in rows}.values())


def of_numbers(database: Connection, numbers: Int64, select: Select) -> Sequence[Any]:
    """Rows of these numbers, which ascend without repeats, in their order."""
    if not len(numbers):
        return ()
    return database.rows(
        f"SELECT {', '.join(select.columns)} FROM carray(?1) k CROSS JOIN {select.source.format('k.value')}",
        (number_set(numbers),),
    )


def find(database: Connection, tree: Tree, keys: Int64) -> Int64:
    """All entries of these keys, which ascend without repeats; in no order."""
    if not len(keys):
        return tree.matrix([])
    rows, entries = _found(database, tree, keys, tree.fields)
    return np.concatenate((tree.matrix(rows), entries))


def _found(
    database: Connection, tree: Tree, keys: Int64, columns: Sequence[str], join: str = ""
) -> tuple[list[Any], Int64]:
    """These columns of recent entries `t`, and the entries of parts."""
    statement = (
        f"SELECT {', '.join(columns)} FROM carray(?1) k CROSS JOIN recent_{tree.name} t ON t.{tree.key} = k.value{join}"
    )
    if len(keys) < MANY:
        rows = database.rows(
            f"{statement} UNION ALL SELECT NULL, p.entries{', NULL' * (len(columns) - 2)} FROM ({_places(tree)}) d"
            f" CROSS JOIN part_{tree.name} p ON p.place = d.place",
            (number_set(keys),),
        )
        entries = tree.unpacked(row[1] for row in rows if row[0] is None)
        return [row for row in rows if row[0] is not None], entries[_among(tree.keys(entries), keys)]
    found = [tree.matrix([])]
    for pages in _pages(database, tree, keys):
        entries = tree.unpacked(page for _, page in pages)
        found.append(entries[_in_both(tree.keys(entries), keys)])
    return database.rows(statement, (number_set(keys),)), np.concatenate(found)


def remove(database: Connection, tree: Tree, keys: Int64, numbers: Int64) -> None:
    """The entries of these keys that have these numbers; both ascend without repeats."""
    *_, number = tree.fields
    database.write(
        f"DELETE FROM recent_{tree.name} WHERE {tree.key} IN (SELECT value FROM carray(?1))"
        f" AND {number} IN (SELECT value FROM carray(?2))",
        (number_set(keys), number_set(numbers)),
    )
    for pages in _pages(database, tree, keys):
        entries = tree.unpacked(page for _, page in pages)
        kept = ~(_among(entries[:, -1], numbers) & _among(tree.keys(entries), keys))
        ends = np.cumsum([len(page) for _, page in pages]) // tree.width
        parts = _part_of(np.array([place for place, _ in pages], dtype=np.int64)).tolist()
        for row in np.unique(np.searchsorted(ends, np.flatnonzero(~kept), side="right")).tolist():
            start, end, place = ends[row - 1] if row else 0, ends[row], pages[row][0]
            left = entries[start:end][kept[start:end]]
            if len(left) and kept[start]:
                database.write(f"UPDATE part_{tree.name} SET entries = ? WHERE place = ?", (left.tobytes(), place))
                continue
            database.write(f"DELETE FROM part_{tree.name} WHERE place = ?", (place,))
            if len(left):  # where it lies must not tell of what is gone
                before = (parts[row] << _PLACE_BITS) + (int(tree.keys(left)[0]) << tree.copies) - 1
                database.write(
                    f"INSERT INTO part_{tree.name} (place, entries) VALUES (?, ?)", (max(before, place), left.tobytes())
                )


def merge(database: Connection, tree: Tree, parts: Iterable[int], into: int) -> None:
    """Make one of several, in memory for some of their pages: room that is given back is used again at once."""
    writer = Writer(database, tree, into)
    ahead = {part: _Taken(database, tree, part) for part in parts}
    while ahead:
        for part in [part for part, taken in ahead.items() if not len(taken.entries) and not taken.more()]:
            del ahead[part]
        if not ahead:
            break
        # Up to here nothing is missing: what is read later has this key or a higher one.
        last = min(int(tree.keys(taken.entries[-1:])[0]) for taken in ahead.values())
        entries = np.concatenate([taken.up_to(last) for taken in ahead.values()])
        writer.add(entries[np.argsort(tree.keys(entries), kind="stable")])
    writer.close()


def stored(database: Connection, tree: Tree) -> Iterator[Int64]:
    """All entries, in pieces, in no order."""
    yield from tree.recent(database)
    pages = database.stream(f"SELECT entries FROM part_{tree.name}")
    while some := [page for (page,) in islice(pages, _AT_ONCE)]:
        yield tree.unpacked(some)


class _Taken:
    """What was taken out of a part, and was not written yet."""

    def __init__(self, database: Connection, tree: Tree, part: int) -> None:
        self._database = database
        self._tree = tree
        self._end = _first(part + 1)
        self._next = _first(part)
        self.entries = np.empty((0, len(tree.fields)), dtype=np.int64)

    def more(self) -> bool:
        """Whether there was any."""
        rows = self._database.rows(
            f"SELECT place, entries FROM part_{self._tree.name} WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
            (self._next, self._end, _AT_ONCE),
        )
        if not rows:
            return False
        last = rows[-1][0]
        self._database.write(f"DELETE FROM part_{self._tree.name} WHERE place >= ? AND place <= ?", (self._next, last))
        self._next = last + 1
        self.entries = self._tree.unpacked(page for _, page in rows)
        return True

    def up_to(self, key: int) -> Int64:
        many = int(np.searchsorted(self._tree.keys(self.entries), key, side="right"))
        taken, self.entries = self.entries[:many], self.entries[many:]
        return taken


def _pages(database: Connection, tree: Tree, keys: Int64) -> Iterator[list[tuple[int, bytes]]]:
    """Places and entries of all pages that may have entries of these keys; of many, in pieces of a part each."""
    join = f"CROSS JOIN part_{tree.name} p ON p.place ="
    if len(keys) < MANY:
        yield database.rows(f"SELECT p.place, p.entries FROM ({_places(tree)}) d {join} d.place", (number_set(keys),))
        return
    places = _all_places(database, tree)
    for part in np.unique(_part_of(places)).tolist():
        here = places[_part_of(places) == part]
        low = (part << _PLACE_BITS) + (keys << tree.copies)
        first = np.maximum(np.searchsorted(here, low) - 1, 0)
        behind = np.searchsorted(here, low + (1 << tree.copies))
        many = len(here) + 1
        begun = np.cumsum(np.bincount(first, minlength=many) - np.bincount(behind, minlength=many))
        wanted = here[begun[:-1] > 0]
        for start in range(0, len(wanted), _AT_ONCE):
            some = number_set(wanted[start : start + _AT_ONCE])
            yield database.rows(f"SELECT p.place, p.entries FROM carray(?1) k {join} k.value", (some,))


def _all_places(database: Connection, tree: Tree) -> Int64:
    rows = database.rows(f"SELECT place FROM part_{tree.name} INDEXED BY part_{tree.name}_place ORDER BY place")
    return np.fromiter((place for (place,) in rows), np.int64, len(rows))


def _part_of(places: Int64) -> Int64:
    return (places + (1 << (_PLACE_BITS - 1))) >> _PLACE_BITS


def _places(tree: Tree) -> str:
    """A statement: where the pages lie that may have entries of the keys ?1: from the last that begins before a key to
    the last that begins with it, of each part."""
    pages = f"part_{tree.name}"
    low = f"((part.number << {_PLACE_BITS}) + (k.value << {tree.copies}))"
    return (
        f"SELECT DISTINCT p.place FROM part CROSS JOIN carray(?1) k CROSS JOIN {pages} p INDEXED BY {pages}_place"
        f" ON p.place >= coalesce((SELECT max(b.place) FROM {pages} b INDEXED BY {pages}_place WHERE b.place < {low}"
        f" AND b.place >= (part.number << {_PLACE_BITS}) - (1 << {_PLACE_BITS - 1})), {low})"
        f" AND p.place < {low} + (1 << {tree.copies})"
    )


def _first(part: int) -> int:
    """Where its pages may begin. Keys may be negative."""
    return (part << _PLACE_BITS) - (1 << (_PLACE_BITS - 1))


def _among(numbers: Int64, wanted: Int64) -> Bool:
    found: Bool = wanted[np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)] == numbers
    return found


def _in_both(numbers: Int64, wanted: Int64) -> Int64:
    """Places of the numbers, which ascend, that are among the wanted, which ascend without repeats. Whichever are fewer
    are looked for among the others."""
    wanted = wanted[np.searchsorted(wanted, numbers[0]) : np.searchsorted(wanted, numbers[-1], side="right")]
    if len(numbers) <= 2 * len(wanted):
        return np.flatnonzero(_among(numbers, wanted))
    first, behind = (np.searchsorted(numbers, wanted, side) for side in ("left", "right"))
    return spread(first, behind - first)


def spread(first: Int64, many: Int64) -> Int64:
    """From each number on, as many as stand beside it.

    >>> spread(np.array([3, 9]), np.array([2, 1])).tolist()
    [3, 4, 9]
    """
    found: Int64 = np.arange(many.sum()) + np.repeat(first - (np.cumsum(many) - many), many)
    return found
