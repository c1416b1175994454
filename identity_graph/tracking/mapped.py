"""The messages of one request, mapped to events: what one process does for another."""

from __future__ import annotations

import marshal
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from identity_graph.errors import InputError
from identity_graph.event_table import EventTable
from identity_graph.loaders import Loader
from identity_graph.model import Event
from identity_graph.records.event_bytes import write_record
from identity_graph.tracking.completing import Completing
from identity_graph.tracking.sent import Sent

_SIZE = struct.Struct("<I")


@dataclass(slots=True)
class Mapped:
    """Events with the places of their messages in the request; places, bytes, codes and messages of what was refused.

    `dated` are rows of events whose time depends on when they came.
    """

    events: EventTable
    places: list[int]
    refused: list[tuple[int, bytes, str, str]]
    dated: list[int]

    def __len__(self) -> int:
        return len(self.places) + len(self.refused)

    def pack(self) -> bytes:
        return _SIZE.pack(len(self)) + marshal.dumps((self.events.pack(), self.places, self.refused, self.dated))

    @classmethod
    def unpack(cls, packed: bytes) -> Mapped:
        events, *rest = marshal.loads(memoryview(packed)[_SIZE.size :])
        return cls(EventTable.unpack(events), *rest)

    def redated(self, first: Mapping[str, int]) -> EventTable:
        """The events; those that have arrived before with the time that they had then."""
        if not self.dated:
            return self.events
        times = list(self.events.times)
        for row in self.dated:
            times[row] = first.get(self.events.ids[row], times[row])
        return replace(self.events, times=times)


def packed_size(packed: bytes) -> int:
    """How many messages that is."""
    (size,) = _SIZE.unpack_from(packed)
    return int(size)


def map_sent(sent: Sent, loader: Loader, received: int, new_id: Callable[[], str], objects: bool = False) -> Mapped:
    """What a loader makes of messages that were received at this time; `objects` as in `Completing`."""
    completing = Completing(received, sent.sent_at, new_id, objects)
    event_of = loader.event
    events: list[Event] = []
    places: list[int] = []
    refused: list[tuple[int, bytes, str, str]] = []
    dated: list[int] = []
    for place, message in enumerate(sent.messages):
        if isinstance(message, tuple):
            raw, (code, why) = message
            refused.append((place, raw, code, why))
            continue
        depends = completing.complete(message)
        try:
            event = event_of(message, received=received)
        except InputError as error:
            refused.append((place, write_record(message), error.code, error.message))
            continue
        if depends:
            dated.append(len(events))
        events.append(event)
        places.append(place)
    return Mapped(EventTable.of(events), places, refused, dated)


def record_at(sent: Sent, place: int, received: int, new_id: Callable[[], str], objects: bool = False) -> bytes:
    """A message as it was mapped, for quarantine."""
    message: Any = sent.messages[place]
    if isinstance(message, dict):
        Completing(received, sent.sent_at, new_id, objects).complete(message)
    return write_record(message)
