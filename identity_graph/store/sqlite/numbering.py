"""Numbers of rows: they grow, and one that was deleted is never given again."""

from __future__ import annotations

from typing import Literal

from identity_graph.store.sqlite.connection import Connection

Table = Literal["event", "identifier", "person"]


def last_number(database: Connection, table: Table) -> int:
    """The highest number ever given."""
    found: int = database.one(
        f"SELECT max(coalesce((SELECT max(number) FROM {table}), 0),"
        f" coalesce((SELECT value FROM meta WHERE key = 'last_{table}'), 0))"
    )
    return found


def keep_numbers(database: Connection, table: Table) -> None:
    """Remember the highest number; to be called before rows are deleted."""
    database.write(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (f"last_{table}", last_number(database, table)),
    )
