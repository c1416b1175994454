"""Numbers of rows: they grow, and one that was deleted is never given again."""

from __future__ import annotations

from typing import Literal

from identity_graph.store.sqlite.connection import Connection

Table = Literal["event", "identifier", "person"]
Sequence = Literal["change", "quarantine"]


def last_number(database: Connection, table: Table) -> int:
    """The highest number ever given."""
    found: int = database.one(
        f"SELECT max(coalesce((SELECT max(number) FROM {table}), 0),"
        f" coalesce((SELECT value FROM meta WHERE key = 'last_{table}'), 0))"
    )
    return found


def last_sequence(database: Connection, table: Sequence) -> int:
    """As `last_number`, of a table whose numbers SQLite keeps by itself."""
    found: int | None = database.one("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    return found or 0


def keep_numbers(database: Connection, table: Table) -> None:
    """Remember the highest number; to be called before rows are deleted."""
    keep_number(database, table, last_number(database, table))


def keep_number(database: Connection, table: Table, number: int) -> None:
    """Give no number up to this one again."""
    keep(database, **{f"last_{table}": number})


def keep_sequence(database: Connection, table: Sequence, number: int) -> None:
    database.write("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    database.write("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


def next_edition(database: Connection) -> int:
    """Whoever writes what persons are marks them with it."""
    number: int = 1 + (database.one("SELECT value FROM meta WHERE key = 'edition'") or 0)
    keep(database, edition=number)
    return number


def keep(database: Connection, **facts: int | str | bytes | None) -> None:
    """What the store knows of itself, by name."""
    database.write_many(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", facts.items()
    )
