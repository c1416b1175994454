"""What is found in a tree, whether in its recent layer or in its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from identity_graph.store.numbered import distinct, joined
from identity_graph.store.sqlite.columns import CHUNK, number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.pages import AT_ONCE, among, pages_at, places_for
from identity_graph.store.sqlite.tree import Tree, part_of
from identity_graph.tables import Int64


class Select(NamedTuple):
    """Columns of a table, its number first, and what it is joined by: {} stands for the number."""

    columns: tuple[str, ...]
    source: str


def fetch(database: Connection, tree: Tree, keys: Int64, select: Select) -> Iterator[Any]:
    """Rows of what is found under these keys, each once; keys ascend without repeats. Inside a snapshot: by one
    statement, and where parts have some, by one for each `AT_ONCE` pages and each `CHUNK` of rows."""
    if not len(keys):
        return
    *_, number = tree.fields
    rows, pieces = _found(database, tree, keys, select.columns, f" CROSS JOIN {select.source.format(f't.{number}')}")
    yield from {row[0]: row for row in rows}.values()
    numbers = distinct(joined([entries[:, -1] for entries in pieces], np.int64))
    for start in range(0, len(numbers), CHUNK):
        yield from of_numbers(database, numbers[start : start + CHUNK], select)


def of_numbers(database: Connection, numbers: Int64, select: Select) -> Sequence[Any]:
    """Rows of these numbers, which ascend without repeats, in their order."""
    if not len(numbers):
        return ()
    return database.rows(
        f"SELECT {', '.join(select.columns)} FROM carray(?1) k CROSS JOIN {select.source.format('k.value')}",
        (number_set(numbers),),
    )


def find(database: Connection, tree: Tree, keys: Int64) -> Int64:
    """All entries of these keys, which ascend without repeats; in no order. Inside a snapshot."""
    return np.concatenate((tree.matrix([]), *find_in_pieces(database, tree, keys)))


def find_in_pieces(database: Connection, tree: Tree, keys: Int64) -> Iterator[Int64]:
    """As `find`, of which there may be too many to hold."""
    if not len(keys):
        return
    rows, pieces = _found(database, tree, keys, tree.fields)
    yield tree.matrix(rows)
    yield from pieces


def _found(
    database: Connection, tree: Tree, keys: Int64, columns: Sequence[str], join: str = ""
) -> tuple[list[Any], Iterator[Int64]]:
    """These columns of recent entries `t`, and the entries of parts."""
    rows = database.rows(
        f"SELECT {', '.join(columns)} FROM carray(?1) k CROSS JOIN recent_{tree.name} t ON t.{tree.key} = k.value{join}"
        f" UNION ALL SELECT NULL, d.place{', NULL' * (len(columns) - 2)} FROM ({places_for(tree, keys)}) d",
        (number_set(keys),),
    )
    places = np.array([row[1] for row in rows if row[0] is None], dtype=np.int64)
    if not len(places):
        return rows, iter(())
    pieces = pages_at(database, tree, keys, places)
    found = (entries[_of_keys(tree, pages, entries, keys)] for pages, entries in pieces)
    return [row for row in rows if row[0] is not None], found


def stored(database: Connection, tree: Tree) -> Iterator[Int64]:
    """All entries, in pieces, in no order."""
    yield from tree.recent(database)
    pages = database.stream(f"SELECT entries FROM part_{tree.name}")
    while some := [page for (page,) in islice(pages, AT_ONCE)]:
        yield tree.unpacked(some)


def _of_keys(tree: Tree, pages: Sequence[tuple[int, int, bytes]], entries: Int64, keys: Int64) -> Int64:
    """Places of the entries of these pages that have one of the keys."""
    numbers = tree.keys(entries)
    if len(keys) == 1:
        return np.flatnonzero(among(numbers, keys))
    parts = part_of(np.array([place for _, place, _ in pages]))
    if parts[0] == parts[-1]:
        return _in_both(numbers, keys)
    lengths = [len(page) // tree.width for *_, page in pages]
    wanted = tree.places(distinct(parts)[:, None], keys).ravel()
    return _in_both(tree.places(np.repeat(parts, lengths), numbers), wanted)


def _in_both(numbers: Int64, wanted: Int64) -> Int64:
    """Places of the numbers, which ascend, that are among the wanted, which ascend without repeats. Whichever are fewer
    are looked for among the others."""
    wanted = wanted[np.searchsorted(wanted, numbers[0]) : np.searchsorted(wanted, numbers[-1], side="right")]
    if len(numbers) <= 2 * len(wanted):
        return np.flatnonzero(among(numbers, wanted))
    first, behind = (np.searchsorted(numbers, wanted, side) for side in ("left", "right"))
    return spread(first, behind - first)


def spread(first: Int64, many: Int64) -> Int64:
    """From each number on, as many as stand beside it.

    >>> spread(np.array([3, 9]), np.array([2, 1])).tolist()
    [3, 4, 9]
    """
    found: Int64 = np.arange(many.sum()) + np.repeat(first - (np.cumsum(many) - many), many)
    return found
