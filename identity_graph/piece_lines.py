"""Pieces of a store as lines of JSON, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from identity_graph.event_table import EventTable
from identity_graph.store.protocols import EventColumns, Piece

EventParts = tuple[list[int], list[int], tuple[Any, ...]]
"""Of events the numbers, those of what they name, and the columns."""

# Whatever a piece has in days to come goes along by itself, as its fields say.
_FORM: TypeAdapter[tuple[Piece, EventParts | None]] = TypeAdapter(
    tuple[Piece, EventParts | None],
    config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", arbitrary_types_allowed=True),
)


def line_of(piece: Piece) -> bytes:
    """Without an end of line, inside of it too. What is empty is left out."""
    filled = {field.name for field in fields(piece) if field.name != "events" and getattr(piece, field.name)}
    parts = None if piece.events is None else _parts(piece.events)
    return _FORM.dump_json((piece, parts), include={0: filled, 1: True})


def piece_of(line: bytes) -> Piece:
    """Raises ValueError."""
    piece, parts = _FORM.validate_json(line)
    return piece if parts is None else replace(piece, events=_events(*parts))


def _parts(found: EventColumns) -> EventParts:
    events = found.events
    columns = (
        list(events.ids),
        list(events.times),
        list(events.sources),
        list(events.names),
        list(events.received),
        list(events.named),
        events.seen.tolist(),
        events.lengths.tolist(),
        list(events.stated),
        list(events.traits),
        list(events.properties),
    )
    return found.numbers.tolist(), found.named.tolist(), columns


def _events(numbers: list[int], named: list[int], columns: tuple[Any, ...]) -> EventColumns:
    ids, times, sources, names, received, keys, seen, lengths, stated, traits, properties = columns
    table = EventTable(
        ids,
        times,
        sources,
        names,
        received,
        [(namespace, value) for namespace, value in keys],
        np.array(seen, dtype=np.int32),
        np.array(lengths, dtype=np.int32),
        [(event, a, b, apart) for event, a, b, apart in stated],
        traits,
        properties,
    )
    return EventColumns(np.array(numbers, dtype=np.int64), table, np.array(named, dtype=np.int64))
