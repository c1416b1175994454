"""A file that an earlier version wrote becomes one of this version, in the transaction that looks at it first."""

from __future__ import annotations

from collections.abc import Callable

import apsw
import numpy as np

from identity_graph.event_table import hashes
from identity_graph.store.sqlite.columns import chunks

_TREE = (
    "CREATE TABLE {} (hash INTEGER NOT NULL, identifier INTEGER NOT NULL, PRIMARY KEY (hash, identifier))"
    " STRICT, WITHOUT ROWID"
)


def _values_as_hashes(writer: apsw.Connection) -> None:
    """The values were the key themselves; two layers of them become one."""
    numbers, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for rows in chunks(writer.execute("SELECT number, value FROM identifier")):
        numbers.append(np.array([number for number, _ in rows], dtype=np.int64))
        found.append(hashes(value for _, value in rows))
    number, hashed = np.concatenate(numbers), np.concatenate(found)
    order = np.argsort(hashed)
    for tree in ("identifier_value", "recent_identifier_value"):
        writer.execute(f"DROP TABLE {tree}")
        writer.execute(_TREE.format(tree))
    writer.executemany(
        "INSERT INTO identifier_value (hash, identifier) VALUES (?, ?)",
        zip(hashed[order].tolist(), number[order].tolist(), strict=True),
    )


def _persons_have_editions(writer: apsw.Connection) -> None:
    """Some files of version 5 have them already."""
    if "edition" not in (name for (name,) in writer.execute("SELECT name FROM pragma_table_info('person')").fetchall()):
        writer.execute("ALTER TABLE person ADD COLUMN edition INTEGER NOT NULL DEFAULT 0")
    writer.execute("CREATE INDEX IF NOT EXISTS person_edition ON person (edition)")


def _from_5(writer: apsw.Connection) -> None:
    _persons_have_editions(writer)
    _values_as_hashes(writer)


UPGRADES: dict[int, Callable[[apsw.Connection], None]] = {5: _from_5}
"""By the version that each is for, which it makes one of the next."""


def upgrade(writer: apsw.Connection, version: int) -> None:
    """Step by step, as far as they go."""
    while version in UPGRADES:
        UPGRADES[version](writer)
        version += 1
