"""Which pages of the parts of a tree may have what is looked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.tree import PLACE_BITS, Tree, part_of
from identity_graph.tables import Bool, Int64

MANY = 2_000
"""Keys from which on it is looked through where all pages lie: fewer are looked for in the tree of pages."""

AT_ONCE = 64
"""Pages that are in memory, of each part where some are merged."""


def are_many(keys: Int64) -> bool:
    return len(keys) >= MANY


def places_of(tree: Tree) -> str:
    """A statement: where the pages lie that may have entries of the keys ?1: from the last that begins before a key to
    the last that begins with it, of each part."""
    pages = f"part_{tree.name}"
    low = f"((part.number << {PLACE_BITS}) + (k.value << {tree.copies}))"
    return (
        f"SELECT DISTINCT p.place FROM part CROSS JOIN carray(?1) k CROSS JOIN {pages} p INDEXED BY {pages}_place"
        f" ON p.place >= coalesce((SELECT max(b.place) FROM {pages} b INDEXED BY {pages}_place WHERE b.place < {low}"
        f" AND b.place >= (part.number << {PLACE_BITS}) - (1 << {PLACE_BITS - 1})), {low})"
        f" AND p.place < {low} + (1 << {tree.copies})"
    )


def pages_of(database: Connection, tree: Tree, keys: Int64) -> Iterator[list[tuple[int, bytes]]]:
    """Places and entries of all pages that may have entries of these keys; of many, in pieces of a part each."""
    join = f"CROSS JOIN part_{tree.name} p ON p.place ="
    if not are_many(keys):
        yield database.rows(f"SELECT p.place, p.entries FROM ({places_of(tree)}) d {join} d.place", (number_set(keys),))
        return
    places = _all_places(database, tree)
    for part in np.unique(part_of(places)).tolist():
        here = places[part_of(places) == part]
        low = (part << PLACE_BITS) + (keys << tree.copies)
        first = np.maximum(np.searchsorted(here, low) - 1, 0)
        behind = np.searchsorted(here, low + (1 << tree.copies))
        many = len(here) + 1
        begun = np.cumsum(np.bincount(first, minlength=many) - np.bincount(behind, minlength=many))
        wanted = here[begun[:-1] > 0]
        for start in range(0, len(wanted), AT_ONCE):
            some = number_set(wanted[start : start + AT_ONCE])
            yield database.rows(f"SELECT p.place, p.entries FROM carray(?1) k {join} k.value", (some,))


def _all_places(database: Connection, tree: Tree) -> Int64:
    rows = database.rows(f"SELECT place FROM part_{tree.name} INDEXED BY part_{tree.name}_place ORDER BY place")
    return np.fromiter((place for (place,) in rows), np.int64, len(rows))


def among(numbers: Int64, wanted: Int64) -> Bool:
    """Which of the numbers are wanted; those ascend without repeats."""
    found: Bool
    if len(wanted) == 1:  # what one looks up
        found = numbers == wanted[0]
    else:
        found = wanted[np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)] == numbers
    return found
