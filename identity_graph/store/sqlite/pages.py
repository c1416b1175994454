"""Which pages of the parts of a tree may have what is looked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.tree import PLACE_BITS, Tree, part_of
from identity_graph.tables import Bool, Int64

MANY = 200
"""Keys from which on all places are read and looked through: fewer are looked for one by one."""

AT_ONCE = 64
"""Pages that are in memory, of each part where some are merged."""


def places_for(tree: Tree, keys: Int64) -> str:
    """A statement: of few keys ?1, where the pages lie that may have entries of them, from the last that begins before
    a key to the last that begins with it, of each part; of many, where all pages lie."""
    pages = f"part_{tree.name}"
    if len(keys) >= MANY:
        return f"SELECT place FROM {pages} INDEXED BY {pages}_place"
    low = f"((part.number << {PLACE_BITS}) + (k.value << {tree.copies}))"
    return (
        f"SELECT DISTINCT p.place FROM part CROSS JOIN carray(?1) k CROSS JOIN {pages} p INDEXED BY {pages}_place"
        f" ON p.place >= coalesce((SELECT max(b.place) FROM {pages} b INDEXED BY {pages}_place WHERE b.place < {low}"
        f" AND b.place >= (part.number << {PLACE_BITS}) - (1 << {PLACE_BITS - 1})), {low})"
        f" AND p.place < {low} + (1 << {tree.copies})"
    )


def places_of(database: Connection, tree: Tree, keys: Int64) -> Int64:
    """What the statement `places_for` finds."""
    rows = database.rows(places_for(tree, keys), (number_set(keys),) if len(keys) < MANY else ())
    return np.array([place for (place,) in rows], dtype=np.int64)


def pages_at(
    database: Connection, tree: Tree, keys: Int64, places: Int64
) -> Iterator[tuple[list[tuple[int, int, bytes]], Int64]]:
    """Number, place and content of pages, and all of their entries, in pieces, ascending by where they lie: of the
    places that `places_for` these keys are. Of few keys, the pages of all parts come together; of many, a piece is of
    one part. Inside the snapshot in which it found them."""
    places = np.sort(places)
    for run in _by_part(tree, keys, places) if len(keys) >= MANY else (places,):
        for start in range(0, len(run), AT_ONCE):
            rows = database.rows(
                f"SELECT p.number, p.place, p.entries FROM carray(?1) k CROSS JOIN part_{tree.name} p"
                f" INDEXED BY part_{tree.name}_place ON p.place = k.value",
                (number_set(run[start : start + AT_ONCE]),),
            )
            yield rows, tree.unpacked(page for *_, page in rows)


def _by_part(tree: Tree, keys: Int64, places: Int64) -> Iterator[Int64]:
    """Of all places, those that may have entries of these keys."""
    parts = part_of(places)
    for part in np.unique(parts).tolist():
        here = places[parts == part]
        low = tree.places(part, keys)
        first = np.maximum(np.searchsorted(here, low) - 1, 0)
        behind = np.searchsorted(here, low + (1 << tree.copies))
        many = len(here) + 1
        begun = np.cumsum(np.bincount(first, minlength=many) - np.bincount(behind, minlength=many))
        yield here[begun[:-1] > 0]


def among(numbers: Int64, wanted: Int64) -> Bool:
    """Which of the numbers are wanted; those ascend without repeats."""
    found: Bool
    if len(wanted) == 1:  # what one looks up
        found = numbers == wanted[0]
    else:
        found = wanted[np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)] == numbers
    return found
