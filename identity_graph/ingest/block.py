"""A piece of a source to events: what one process does for another. No state but the loader's memory of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.loaders import Loader
from identity_graph.model import Origin, Refused
from identity_graph.records.flat import Flat
from identity_graph.records.jsonl import TOO_LARGE, read_lines
from identity_graph.records.lines import KEPT, LONGEST, LongLine
from identity_graph.records.parquet import Part
from identity_graph.records.patterned import PatternLines
from identity_graph.records.plain_rows import read_rows
from identity_graph.records.reader import Lines, Piece, Taken
from identity_graph.store.protocols import Batch

_NEWLINE = ord("\n")

PIECES: dict[str, Callable[..., Piece]] = {kind.__name__: kind for kind in (Lines, Part)}
"""By name, those that another process can read."""


class Origins(Sequence[Origin]):
    """Origins of records of a piece by their places in it, made when they are asked for: nearly none ever is."""

    def __init__(self, piece: Piece, places: Sequence[int]) -> None:
        self._piece = piece
        self._places = places
        self._at: Callable[[int], Origin] | None = None

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
        if self._at is None:
            self._at = _origins(self._piece)
        return self._at(self._places[number])


def _origins(piece: Piece) -> Callable[[int], Origin]:
    if not isinstance(piece, Lines):
        records = piece.records if isinstance(piece, Taken) else piece.rows()
        return lambda place: records[place][0]
    line, offset, _, data = piece.cut
    header, newlines = piece.header, np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
    starts, ends = [0, *(newlines + 1).tolist()], [*newlines.tolist(), len(data)]

    def at(place: int) -> Origin:
        start, end = starts[place], ends[place]
        raw = header + data[start:end]
        cut = end - start > LONGEST or isinstance(data, LongLine)
        return Origin(line + place, offset + start, raw[:KEPT] if cut else raw)

    return at


class Mapped(NamedTuple):
    """What became of a piece: its events and the places of their records; places, codes and messages of what was
    refused."""

    events: EventTable
    places: list[int]
    refused: list[tuple[int, str, str]]

    def pack(self) -> tuple[Any, ...]:
        """As `marshal` writes it."""
        return self.events.pack(), self.places, self.refused

    @classmethod
    def unpack(cls, packed: tuple[Any, ...]) -> Mapped:
        events, places, refused = packed
        return cls(EventTable.unpack(events), places, refused)

    def batch(self, piece: Piece, position: int, time: int) -> Batch:
        """The piece as a step of a load at whose beginning `position` records were read."""
        origins = Origins(piece, [place for place, _, _ in self.refused])
        refused = [Refused(origin, *why[1:]) for origin, why in zip(origins, self.refused, strict=True)]
        position += len(self.events) + len(refused)
        return Batch(self.events, Origins(piece, self.places), refused, position, piece.after, time=time)


def map_piece(loader: Loader, piece: Piece, received: int, default_time: int | None) -> Mapped:
    """The events and refused records of a piece, for which there is a time if it is not of lines that grow."""
    records, places, refused = _read(loader, piece)
    events, found, bad = loader.events(records, received=received, fallback_time=default_time)
    refused = [*refused, *((places[place], error.code, error.message) for place, error in bad)]
    return Mapped(events, [places[place] for place in found], sorted(refused))


def _read(
    loader: Loader, piece: Piece
) -> tuple[Sequence[dict[str, Any]], Sequence[int], Sequence[tuple[int, str, str]]]:
    """Records and their places; places, codes and messages of what is none."""
    if isinstance(piece, Lines) and isinstance(piece.cut[3], LongLine):
        return [], [], [(0, "RECORD_TOO_LARGE", TOO_LARGE)]
    if isinstance(piece, Lines) and piece.names:
        return read_rows(piece.cut[3], piece.names, loader.form)
    found: list[Any]
    if not isinstance(piece, Lines):
        rows = piece.records if isinstance(piece, Taken) else piece.records()
        if isinstance(rows, Flat):
            return rows, range(len(rows)), ()
        found = [(row.code, row.message) if isinstance(row, Refused) else row for _, row in rows]
    elif loader.form.format == "lines":
        found = list(map(PatternLines((), loader.form).record, piece.cut[3].split(b"\n")))
    else:
        found = read_lines(piece.cut[3])
    places = [place for place, record in enumerate(found) if record.__class__ is dict]
    records = found if len(places) == len(found) else [found[place] for place in places]
    return records, places, [(place, *why) for place, why in enumerate(found) if why.__class__ is tuple]
