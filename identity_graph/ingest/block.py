"""A block of lines to events: what one process does for another. No state but the loader's memory of values."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np

from identity_graph.errors import InputError
from identity_graph.event_table import EventTable
from identity_graph.loaders import Loader
from identity_graph.model import Event, Origin, Refused
from identity_graph.records.jsonl import JsonLines
from identity_graph.records.lines import Cut
from identity_graph.store.protocols import Batch
from identity_graph.tables import Int64


class Origins(Sequence[Origin]):
    """Origins of events in a block, made when they are asked for: nearly none ever is."""

    def __init__(self, data: bytes, offset: int, lines: Int64, offsets: Int64, lengths: Int64) -> None:
        self._data, self._offset = data, offset
        self._lines, self._offsets, self._lengths = lines, offsets, lengths

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, place: int) -> Origin: ...

    @overload
    def __getitem__(self, place: slice) -> list[Origin]: ...

    def __getitem__(self, place: int | slice) -> Origin | list[Origin]:
        if isinstance(place, slice):
            return [self[number] for number in range(len(self))[place]]
        offset = int(self._offsets[place])
        start = offset - self._offset
        raw = self._data[start : start + int(self._lengths[place])]
        return Origin(int(self._lines[place]), offset, raw)


class Mapped(NamedTuple):
    """What became of a block: events with their line, offset and length (three numbers each), and refused records."""

    events: EventTable
    places: bytes
    refused: list[tuple[int, int, bytes, str, str]]

    def pack(self) -> bytes:
        return marshal.dumps((self.events.pack(), self.places, self.refused))

    @classmethod
    def unpack(cls, packed: bytes) -> Mapped:
        events, places, refused = marshal.loads(packed)
        return cls(EventTable.unpack(events), places, refused)

    def batch(self, cut: Cut, position: int) -> Batch:
        """The block as a step of a load at whose beginning `position` records were read."""
        _, offset, after, data = cut
        lines, offsets, lengths = np.frombuffer(self.places, dtype=np.int64).reshape(-1, 3).T
        refused = [Refused(Origin(line, at, raw), code, message) for line, at, raw, code, message in self.refused]
        return Batch(
            self.events,
            Origins(data, offset, lines, offsets, lengths),
            refused,
            position + len(self.events) + len(refused),
            after,
        )


def map_cut(loader: Loader, cut: Cut, received: int, default_time: int | None) -> Mapped:
    """The events and refused records of whole lines of JSON."""
    events: list[Event] = []
    places: list[int] = []
    refused: list[tuple[int, int, bytes, str, str]] = []
    event_of = loader.event
    for origin, record in JsonLines.of(cut):
        if isinstance(record, Refused):
            refused.append((*origin, record.code, record.message))
            continue
        try:
            events.append(event_of(record, received=received, fallback_time=default_time))
            places += (origin.line, origin.offset, len(origin.raw))
        except InputError as error:
            refused.append((*origin, error.code, error.message))
    return Mapped(EventTable.of(events), np.array(places, dtype=np.int64).tobytes(), refused)
