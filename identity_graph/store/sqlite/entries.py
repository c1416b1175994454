"""What is found in a tree, whether in its recent layer or in its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from identity_graph.store.numbered import distinct
from identity_graph.store.sqlite.columns import CHUNK, number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.pages import AT_ONCE, among, are_many, pages_of, places_of
from identity_graph.store.sqlite.tree import Tree
from identity_graph.tables import Int64


class Select(NamedTuple):
    """Columns of a table, its number first, and what it is joined by: {} stands for the number."""

    columns: tuple[str, ...]
    source: str


def fetch(database: Connection, tree: Tree, keys: Int64, select: Select) -> Iterator[Any]:
    """Rows of what is found under these keys, each once; keys ascend without repeats. Inside a snapshot: by one
    statement, and where parts have some, by another one for each `CHUNK` of them."""
    if not len(keys):
        return
    *_, number = tree.fields
    rows, entries = _found(database, tree, keys, select.columns, f" CROSS JOIN {select.source.format(f't.{number}')}")
    yield from {row[0]: row for row in rows}.values()
    numbers = distinct(entries[:, -1])
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
    if not are_many(keys):
        rows = database.rows(
            f"{statement} UNION ALL SELECT NULL, p.entries{', NULL' * (len(columns) - 2)} FROM ({places_of(tree)}) d"
            f" CROSS JOIN part_{tree.name} p ON p.place = d.place",
            (number_set(keys),),
        )
        entries = tree.unpacked(row[1] for row in rows if row[0] is None)
        return [row for row in rows if row[0] is not None], entries[among(tree.keys(entries), keys)]
    found = [tree.matrix([])]
    for pages in pages_of(database, tree, keys):
        entries = tree.unpacked(page for _, page in pages)
        found.append(entries[_in_both(tree.keys(entries), keys)])
    return database.rows(statement, (number_set(keys),)), np.concatenate(found)


def stored(database: Connection, tree: Tree) -> Iterator[Int64]:
    """All entries, in pieces, in no order."""
    yield from tree.recent(database)
    pages = database.stream(f"SELECT entries FROM part_{tree.name}")
    while some := [page for (page,) in islice(pages, AT_ONCE)]:
        yield tree.unpacked(some)


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
