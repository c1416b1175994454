"""What a loader makes of a file, record by record and without a store: the events, and what would be set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from identity_graph.errors import InputError
from identity_graph.loaders.loader import Loader
from identity_graph.model import Event, Origin, Refused
from identity_graph.records import Reader
from identity_graph.times import format_time


def try_file(
    loader: Loader,
    path: str | Path,
    *,
    received: int,
    time: int | None = None,
    missing: Callable[[Sequence[str]], object] = lambda columns: None,
) -> Iterator[tuple[Origin, Event | Refused]]:
    """Each record with its event, or with the reason that it would be quarantined, in the order of the file.

    `time` is for records without one; left out, the file's, as a load would take it. `missing` hears of columns that
    the loader names and the table has not. Raises the codes of sources.
    """
    with Reader(path, loader.form_for(time)) as reader:
        fallback = reader.source.modified if time is None else time
        for origin, record in reader:
            if isinstance(record, Refused):
                yield origin, record
                continue
            try:
                yield origin, loader.event(record, received=received, fallback_time=fallback)
            except InputError as error:
                yield origin, Refused(origin, error.code, error.message)
        missing(reader.missing)


def event_view(event: Event) -> dict[str, Any]:
    """An event as JSON for people: times as text, identifiers by their keys."""
    return {
        "id": event.id,
        "time": format_time(event.time),
        "source": event.source,
        "name": event.name,
        "identifiers": [identifier.key for identifier in event.identifiers],
        "traits": event.traits,
        "properties": event.properties,
        "same_person": [[a.key, b.key] for a, b in event.same_person],
    }
