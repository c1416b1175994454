"""Puts one file of a store in the place of another."""

from __future__ import annotations

from pathlib import Path

import apsw

from identity_graph.errors import StoreError
from identity_graph.secret_file import keep_names


def install(made: Path, path: Path) -> None:
    """At once and for ever, with nothing of the old one beside it. Raises STORE_BUSY while anybody has either open."""
    ours = _alone(made)
    try:
        theirs = _alone(path) if path.exists() else None
        try:
            made.replace(path)
        finally:
            if theirs:
                theirs.close()
    finally:
        ours.close()
    keep_names(path.parent)


def check_alone(path: Path) -> None:
    """Raises STORE_BUSY while anybody has it open."""
    _alone(path).close()


def _alone(path: Path) -> apsw.Connection:
    """Nobody else can open it, and it has no log beside it any more: one of another file would be taken for its own."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("locking_mode", "exclusive")
        if connection.pragma("journal_mode", "delete") != "delete":
            raise apsw.BusyError
        connection.execute("BEGIN EXCLUSIVE")
    except apsw.BusyError:
        connection.close()
        raise StoreError(
            "STORE_BUSY", f"{path}: another process has it open", help="Stop the server and whatever else uses it."
        ) from None
    except BaseException:
        connection.close()
        raise
    return connection
