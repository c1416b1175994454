"""Whether a table has the columns that its loader names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from identity_graph.errors import InputError
from identity_graph.records.source import Form

_WITHOUT = {
    "event.id": "an event then gets a hash of its record",
    "event.time": "an event then gets --time, or the file's time",
}


def absent(form: Form, names: Sequence[str], where: str) -> tuple[str, ...]:
    """Of the loader's columns those that are not among these, in its order; `where` is the table, for messages.

    Raises SOURCE_COLUMNS where none is there, and where all are missing from which ids or times are read: every event
    would get one of another kind, and nothing would tell.
    """
    there = set(names)
    missing = tuple(name for name in form.columns if name not in there)
    if missing and len(missing) == len(form.columns):
        raise InputError(
            "SOURCE_COLUMNS",
            f"{where}: none of the loader's columns is there",
            help=f"The loader reads {some(form.columns)}; the file has {some(names)}.",
        )
    for key, columns in form.needed:
        if there.isdisjoint(columns):
            help = f"Name the column as it is written, or leave {key} out of the loader: {_WITHOUT[key]}."
            if any(part.startswith(f"{name}=") for part in PurePath(where).parts for name in columns):
                help += " What the names of folders say is not read."
            raise InputError(
                "SOURCE_COLUMNS",
                f"{where}: {some(columns)} is not there, and the loader reads {key} from it",
                help=f"{help} The file has {some(names)}.",
            )
    return missing


def said(missing: Sequence[str]) -> str:
    """Of a load or a trial: what it says of columns that the table has not; nothing where there are none."""
    return f"the loader names columns that are not there: {some(missing)}" if missing else ""


def some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:12]) + (", ..." if len(found) > 12 else "")
