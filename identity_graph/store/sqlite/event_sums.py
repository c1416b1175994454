"""The digest of which events there are, as the store keeps it."""

from __future__ import annotations

from collections.abc import Iterable

from identity_graph.event_sum import EMPTY, added, event_sum, without
from identity_graph.event_table import EventTable
from identity_graph.store.sqlite.columns import chunks
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.numbering import keep, last_number


def kept_sum(database: Connection) -> bytes | None:
    """None of a store that had events before it was kept."""
    found: bytes | None = database.one("SELECT value FROM meta WHERE key = 'event_sum'")
    return found if found is not None or last_number(database, "event") else EMPTY


def read_sum(database: Connection) -> bytes:
    with database.snapshot():
        found = kept_sum(database)
        if found is None:
            found = EMPTY
            for rows in chunks(database.stream("SELECT id FROM event")):
                found = added(found, event_sum(id for (id,) in rows))
            if database.writing:
                keep(database, event_sum=found)
    return found


def count_in(database: Connection, events: EventTable) -> None:
    """Before they are stored."""
    if (found := kept_sum(database)) is not None:
        keep(database, event_sum=added(found, events.hashed.total if events.hashed else event_sum(events.ids)))


def count_out(database: Connection, ids: Iterable[str]) -> None:
    if (found := kept_sum(database)) is not None:
        keep(database, event_sum=without(found, event_sum(ids)))
