"""The content of an event as a row, in canonical form: equal content gives equal rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from struct import unpack
from typing import Any, NamedTuple

import numpy as np
import orjson

from identity_graph.event_table import EventTable
from identity_graph.repeated import Repeated
from identity_graph.store.numbered import LARGEST_NUMBER, NUMBER_BITS, Stated, numbered, paired, unflat
from identity_graph.store.sqlite.columns import pack
from identity_graph.tables import Int64


class Content(NamedTuple):
    """The columns of an event that tell two events of one id apart."""

    time: int
    source: int
    identifiers: bytes
    stated: bytes | None
    name: str
    traits: str | None
    properties: str | None


class Cut(Sequence[bytes]):
    """Pieces of some bytes between these places; `width` is that of each, None where they differ."""

    def __init__(self, whole: bytes, cuts: Int64) -> None:
        self.whole = whole
        self._cuts = cuts
        widths = np.diff(cuts)
        self.width = int(widths[0]) if len(widths) and (widths == widths[0]).all() else None

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def __getitem__(self, row: Any) -> Any:
        return list(self)[row] if isinstance(row, slice) else self.whole[self._cuts[row] : self._cuts[row + 1]]

    def __iter__(self) -> Iterator[bytes]:
        return (self.whole[start:end] for start, end in pairwise(self._cuts.tolist()))


class ContentColumns(NamedTuple):
    """As `Content`, a column for each."""

    time: Sequence[int]
    source: Sequence[int]
    identifiers: Cut
    stated: Sequence[bytes | None]
    name: Sequence[str]
    traits: Sequence[str | None]
    properties: Sequence[str | None]


class Columns(NamedTuple):
    """Events with numbers for texts. `seen` pairs places with identifiers, ascending; `stated` has pairs by place."""

    content: ContentColumns
    seen: Int64
    stated: Mapping[int, Sequence[Stated]]

    @classmethod
    def of(cls, events: EventTable, numbers: Int64, sources: Mapping[str, int]) -> Columns:
        """`numbers` are those of `events.named`. Both ends of a stated pair are observed too."""
        seen, stated = numbered(events, numbers)
        cuts = 8 * np.searchsorted(seen, np.arange(len(events) + 1) << NUMBER_BITS)
        told = [pack_stated(stated.get(place)) for place in range(len(events))] if stated else None
        named = events.sources
        one = isinstance(named, Repeated)
        content = ContentColumns(
            events.times,
            Repeated(sources[named[0]], len(named)) if one else [sources[name] for name in named],
            Cut(pack(seen & LARGEST_NUMBER), cuts),
            told or Repeated(None, len(events)),
            events.names,
            events.traits,
            events.properties,
        )
        return cls(content, seen, stated)

    def by_identifier(self) -> Int64:
        """`seen` turned round, as observations lie: by identifier, then place."""
        turned = paired(self.seen & LARGEST_NUMBER, self.seen >> NUMBER_BITS)
        turned.sort()
        return turned


def pack_stated(stated: Sequence[Stated] | None) -> bytes | None:
    return pack([number for one in stated for number in one]) if stated else None


def read_object(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text) if text else {}
    return found


def numbers_of(blob: bytes) -> tuple[int, ...]:
    return unpack(f"<{len(blob) >> 3}q", blob)


def stated_of(blob: bytes | None) -> list[Stated]:
    return unflat(numbers_of(blob)) if blob else []
