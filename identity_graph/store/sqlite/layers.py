"""Trees that are written all over, in layers: a recent one for what comes one by one, and parts of ever more events.

A batch lands anywhere in a tree of event ids, and each page that it touches is written whole. So a small batch goes
into a small tree, where batches share their pages, and a large one becomes a part of its own. The small tree becomes
one when it has grown, and eight parts of like size become one of eight times as many events: each entry is written once
more whenever there are eight times as many, and is looked for in few places. (Jagadish et al., "Incremental
organization for data recording and warehousing", 1997.)
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from identity_graph import deadline
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.numbering import keep
from identity_graph.store.sqlite.parts import MOST, merge, write, write_hashed
from identity_graph.store.sqlite.tree import TREES, Tree
from identity_graph.tables import Int64

LARGE = 2_000
"""Events of a batch from which on it is a part of its own: sorting and writing its pages takes no longer than a tree
takes."""

LEAST = 50_000
"""Events that came one by one and are to become a part: a fifth of a second, once a minute where a thousand a second
come."""

TIER_BITS = 3
"""Of how many parts of like size one is made: two to this power. So at most seven of each size are left, of eleven
sizes up to eight thousand million events."""

_PLACE_BITS = 16
_MOST_PLACES = 1 << _PLACE_BITS


def begin_part(database: Connection, events: int) -> int:
    """The number of a new part, for as many; inside a transaction. There is one: see TIER_BITS."""
    taken = {number for (number,) in database.rows("SELECT number FROM part")}
    part = next(number for number in range(1, MOST + 1) if number not in taken)
    database.write("INSERT INTO part (number, events) VALUES (?, ?)", (part, events))
    return part


def part_for(database: Connection, events: int) -> int | None:
    """Where the entries of a batch of so many events go; None: into the recent layer, and so whatever a request with a
    deadline stores, in which nothing is merged."""
    return begin_part(database, events) if events >= LARGE and deadline.left() is None else None


def mark(database: Connection, part: int | None, tree: Tree, hashes: Int64, first: int) -> None:
    """Numbers from `first` on under their hashes."""
    if part is not None:
        write_hashed(database, tree, part, hashes, np.arange(first, first + len(hashes)))
        return
    # One column carries both, in order: no values are bound row by row. Numbers are new, so no key is there already:
    # without OR FAIL, SQLite would hold each page as it was lest one be.
    for start in range(0, len(hashes), _MOST_PLACES):
        some = hashes[start : start + _MOST_PLACES] << _PLACE_BITS
        database.write(
            f"INSERT OR FAIL INTO recent_{tree.name}"
            f" SELECT value >> {_PLACE_BITS}, ?2 + (value & {_MOST_PLACES - 1}) FROM carray(?1)",
            (number_set(np.sort(some | np.arange(len(some)))), first + start),
        )


def settle(database: Connection, last: int) -> None:
    """What is to become a part does, and what is to be merged is; inside the transaction that wrote up to the event of
    that number. A microsecond for each entry of the recent layer, and a fifth of one for each that is merged: for all
    there are, when there are eight times as many again. Not within a deadline: it would be undone and begun anew."""
    if deadline.left() is not None:
        return
    settled = database.one("SELECT coalesce((SELECT value FROM meta WHERE key = 'settled'), 0)")
    if last - settled >= LEAST:
        if events := database.one("SELECT count(*) FROM recent_event_id"):
            part = begin_part(database, events)
            for tree in TREES:
                write(database, tree, part, tree.recent(database))
                database.write(f"DELETE FROM recent_{tree.name}")
        keep(database, settled=last)
    while alike := _alike(database):
        events = sum(database.one("SELECT events FROM part WHERE number = ?", (part,)) for part in alike)
        into = begin_part(database, events)
        for tree in TREES:
            merge(database, tree, alike, into)
        database.write("DELETE FROM part WHERE number IN (SELECT value FROM carray(?))", (number_set(alike),))


def _alike(database: Connection) -> list[int]:
    """Parts that are as many as are merged."""
    tiers = defaultdict(list)
    for number, events in database.rows("SELECT number, events FROM part"):
        tiers[(events.bit_length() - 1) // TIER_BITS].append(number)
    return next((parts for parts in tiers.values() if len(parts) >= 1 << TIER_BITS), [])
