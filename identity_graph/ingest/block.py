"""A block of lines to events: what one process does for another. No state but the loader's memory of values."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.loaders import Loader
from identity_graph.model import Origin, Refused
from identity_graph.records.jsonl import TOO_LARGE, read_lines
from identity_graph.records.lines import KEPT, LONGEST, Cut, LongLine
from identity_graph.records.patterned import PatternLines
from identity_graph.store.protocols import Batch


class Origins(Sequence[Origin]):
    """Origins of lines of a block by their places in it, made when they are asked for: nearly none ever is."""

    def __init__(self, cut: Cut, places: Sequence[int]) -> None:
        self._cut = cut
        self._places = places
        self._lines: list[bytes] | None = None
        self._starts: list[int] = []

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Origin]:
        return map(self.__getitem__, range(len(self)))

    @overload
    def __getitem__(self, number: int) -> Origin: ...

    @overload
    def __getitem__(self, number: slice) -> list[Origin]: ...

    def __getitem__(self, number: int | slice) -> Origin | list[Origin]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        line, offset, _, data = self._cut
        if self._lines is None:
            self._lines = data.split(b"\n")
            self._starts = np.cumsum([0, *(len(raw) + 1 for raw in self._lines)]).tolist()
        place = self._places[number]
        raw = self._lines[place]
        return Origin(line + place, offset + self._starts[place], raw if len(raw) <= LONGEST else raw[:KEPT])


class Mapped(NamedTuple):
    """What became of a block: its events and the places of their lines; places, codes and messages of what was
    refused."""

    events: EventTable
    places: list[int]
    refused: list[tuple[int, str, str]]

    def pack(self) -> bytes:
        return marshal.dumps((self.events.pack(), self.places, self.refused))

    @classmethod
    def unpack(cls, packed: bytes) -> Mapped:
        events, places, refused = marshal.loads(packed)
        return cls(EventTable.unpack(events), places, refused)

    def batch(self, cut: Cut, position: int, time: int) -> Batch:
        """The block as a step of a load at whose beginning `position` records were read."""
        origins = Origins(cut, [place for place, _, _ in self.refused])
        refused = [Refused(origin, *why[1:]) for origin, why in zip(origins, self.refused, strict=True)]
        position += len(self.events) + len(refused)
        return Batch(self.events, Origins(cut, self.places), refused, position, cut[2], time=time)


def map_cut(loader: Loader, cut: Cut, received: int, default_time: int | None) -> Mapped:
    """The events and refused records of whole lines: of the loader's pattern, or else of JSON."""
    data = cut[3]
    if isinstance(data, LongLine):
        return Mapped(EventTable.of([]), [], [(0, "RECORD_TOO_LARGE", TOO_LARGE)])
    if loader.form.format == "lines":
        found: list[Any] = list(map(PatternLines((), loader.form).record, data.split(b"\n")))
    else:
        found = read_lines(data)
    lines = [place for place, record in enumerate(found) if record.__class__ is dict]
    records = found if len(lines) == len(found) else [found[place] for place in lines]
    events, places, bad = loader.events(records, received=received, fallback_time=default_time)
    refused = [(place, *record) for place, record in enumerate(found) if record.__class__ is tuple]
    refused += [(lines[place], error.code, error.message) for place, error in bad]
    return Mapped(events, [lines[place] for place in places], sorted(refused))
