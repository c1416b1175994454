"""Trees that are written all over, in two layers: a small recent one, and the old one that takes it in now and then.

A batch lands anywhere in a tree of event ids, and each page that it touches is written whole. In a small tree the
batches share their pages; the large one is then written once for many batches, in its own order. On a million events
of random ids, in batches of 5,000, that is three times as fast as one layer. (The idea of O'Neil et al., "The
log-structured merge-tree", 1996, with two levels.)
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.numbering import keep
from identity_graph.tables import Int64

TREES = ("identifier_value", "event_id", "observation")
_PLACE_BITS = 16
_MOST_PLACES = 1 << _PLACE_BITS
LEAST = 50_000
GROWTH = 2
_USUAL = 5_000  # events of a batch
_FEW = 8  # batches


def both(statement: str) -> str:
    """The statement on both layers, as one: `{recent}` goes before the name of a tree.

    >>> both("SELECT event FROM {recent}event_id")
    'SELECT event FROM event_id UNION ALL SELECT event FROM recent_event_id'
    """
    return " UNION ALL ".join(statement.format(recent=prefix) for prefix in ("", "recent_"))


def layer_for(last: int, coming: int) -> str:
    """Before the name of a tree, into which so many events are to be written behind the event of that number: into one
    that is as small as a few such batches they can as well be written where they belong."""
    return "" if coming >= max(LEAST, (last + coming) // _FEW) else "recent_"


def mark(database: Connection, tree: str, hashes: Int64, first: int) -> None:
    """Numbers from `first` on under their hashes. One column carries both, in order: no values are bound row by row."""
    # Numbers are new, so no key is there already. Without OR FAIL, SQLite would hold each page as it was lest one be.
    for start in range(0, len(hashes), _MOST_PLACES):
        some = hashes[start : start + _MOST_PLACES] << _PLACE_BITS
        database.write(
            f"INSERT OR FAIL INTO {tree}"
            f" SELECT value >> {_PLACE_BITS}, ?2 + (value & {_MOST_PLACES - 1}) FROM carray(?1)",
            (number_set(np.sort(some | np.arange(len(some)))), first + start),
        )


def settle(database: Connection, last: int, coming: int) -> None:
    """Take the recent layer in when it has grown, up to the event of that number, the last of so many that were
    written; inside the transaction that made it grow.

    With T events stored and batches of B, a recent layer of Y events costs Y / 2B + T / Y page writes an event:
    least at the root of 2BT.
    """
    settled = database.one("SELECT coalesce((SELECT value FROM meta WHERE key = 'settled'), 0)")
    if last - settled < max(LEAST, isqrt(GROWTH * max(_USUAL, coming) * last)):
        return
    # No key is in both layers. Without OR FAIL, SQLite would hold each page as it was, in memory, lest one be.
    for tree in TREES:
        database.write(f"INSERT OR FAIL INTO {tree} SELECT * FROM recent_{tree}")
        database.write(f"DELETE FROM recent_{tree}")
    keep(database, settled=last)
