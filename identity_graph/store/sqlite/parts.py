"""Sorted parts of a tree: what a large batch adds to it, as columns in as few rows of the database as they fill.

A tree of SQLite takes half a microsecond for each entry. A part is sorted by NumPy and written by the page; whoever
looks something up reads one page of each part that there is. (As the sorted runs of O'Neil et al., "The log-structured
merge-tree", 1996.)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.pages import AT_ONCE, among, pages_at, places_of
from identity_graph.store.sqlite.tree import Tree, first_place, part_of
from identity_graph.tables import Int64

MOST = 126
"""Parts that there can be: numbered from 1, in the highest bits of where their pages lie."""


def write(database: Connection, tree: Tree, part: int, pieces: Iterable[Int64]) -> None:
    """Entries in order, inside a transaction."""
    writer = Writer(database, tree, part)
    for entries in pieces:
        writer.add(entries)
    writer.close()


def write_hashed(database: Connection, tree: Tree, part: int, hashes: Int64, numbers: Int64) -> None:
    """Numbers under their hashes, in any order."""
    order = np.argsort(hashes)
    write(database, tree, part, [np.column_stack((hashes[order], numbers[order]))])


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


def remove(database: Connection, tree: Tree, keys: Int64, numbers: Int64) -> None:
    """The entries of these keys that have these numbers; both ascend without repeats."""
    if not len(keys) or not len(numbers):
        return
    *_, found = tree.fields
    database.write(
        f"DELETE FROM recent_{tree.name} WHERE {tree.key} IN (SELECT value FROM carray(?1))"
        f" AND {found} IN (SELECT value FROM carray(?2))",
        (number_set(keys), number_set(numbers)),
    )
    for pages, entries in pages_at(database, tree, keys, places_of(database, tree, keys)):
        parts = part_of(np.array([place for _, place, _ in pages]))
        kept = ~(among(entries[:, -1], numbers) & among(tree.keys(entries), keys))
        ends = np.cumsum([len(page) for *_, page in pages]) // tree.width
        for row in np.unique(np.searchsorted(ends, np.flatnonzero(~kept), side="right")).tolist():
            start, end, number = ends[row - 1] if row else 0, ends[row], pages[row][0]
            left = entries[start:end][kept[start:end]]
            if not len(left):
                database.write(f"DELETE FROM part_{tree.name} WHERE number = ?", (number,))
                continue
            database.write(f"UPDATE part_{tree.name} SET entries = ? WHERE number = ?", (left.tobytes(), number))
            if not kept[start]:  # where it lies must not tell of what is gone
                before = int(tree.places(int(parts[row]), tree.keys(left)[:1])[0]) - 1
                database.write(f"UPDATE part_{tree.name} SET place = max(place, ?) WHERE number = ?", (before, number))


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
        places = self._tree.places(self._part, keys)
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


class _Taken:
    """What was taken out of a part, and was not written yet."""

    def __init__(self, database: Connection, tree: Tree, part: int) -> None:
        self._database = database
        self._tree = tree
        self._end = first_place(part + 1)
        self._next = first_place(part)
        self.entries = np.empty((0, len(tree.fields)), dtype=np.int64)

    def more(self) -> bool:
        """Whether there was any."""
        rows = self._database.rows(
            f"SELECT place, entries FROM part_{self._tree.name} WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
            (self._next, self._end, AT_ONCE),
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
