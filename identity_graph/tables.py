"""The same words as columns: NumPy arrays, one row per thing, for everything that there is much of.

Times are int64 microseconds since 1970, UTC. Identifiers are dense numbers 0..n-1 inside one resolution; a
store has numbers of its own, kept in `IdentifierTable.number`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

_PART = 2**15

T = TypeVar("T", bound=np.generic)


def in_parts(rows: int) -> Iterator[slice]:
    """Some thousand rows at a time, for columns that are made of others: what is made on the way stays small."""
    for start in range(0, rows, _PART):
        yield slice(start, min(start + _PART, rows))


def read_only(column: npt.NDArray[T]) -> npt.NDArray[T]:
    """The column in one piece, as something that nobody writes: kernels are compiled anew for each kind of array."""
    found = np.ascontiguousarray(column).view()
    found.flags.writeable = False
    return found


@dataclass(frozen=True, slots=True)
class IdentifierTable:
    """n identifiers: the store's `number`, int64, ascending; `namespace`, int16, an index into `namespaces`."""

    number: Int64
    namespace: Int16
    namespaces: Sequence[str]

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True)
class ObservationTable:
    """m observations in any order: one event saw one identifier.

    `event` int64 and `identifier` int64 are the store's numbers, `time` int64, `source` int16 an index into
    the store's sources.
    """

    event: Int64
    identifier: Int64
    time: Int64
    source: Int16

    def __len__(self) -> int:
        return len(self.event)


@dataclass(frozen=True, slots=True)
class StatementTable:
    """What was said of pairs, m rows in any order: `a`, `b` int64, a < b, the store's numbers of identifiers; `time`
    int64; `apart` bool, whether they are not one person; `event` int64, the number of the one that says it."""

    a: Int64
    b: Int64
    time: Int64
    apart: Bool
    event: Int64

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Links by source: m rows sorted by (a, b, source), no row twice.

    `a`, `b` int32 with a < b: dense identifiers; `source` int16; `count` int32: how many events;
    `first_seen`, `last_seen` int64.
    """

    a: Int32
    b: Int32
    source: Int16
    count: Int32
    first_seen: Int64
    last_seen: Int64

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, slots=True)
class LinkTable:
    """Weighed links: m rows sorted by (a, b), no pair twice.

    `a`, `b` int32 with a < b; `weight` float64 in 0..1; `last_seen` int64; `must` bool: stated, joins first.
    """

    a: Int32
    b: Int32
    weight: Float64
    last_seen: Int64
    must: Bool

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, slots=True)
class SuppressedTable:
    """Links that were kept from joining: `link` int64, row numbers of the link table, ascending; and why.

    `code` int8 is a position in `reasons.SUPPRESSED`. `namespace` int16 is that of a limit, -1 where it was something
    else; `value_a`, `value_b` int32 are two identifiers that would have come together (-1 for the size). `step` int8 is
    a position in `reasons.STEPS`: what was done to the component, 0 for nothing but the forest.
    """

    link: Int64
    code: Int8
    namespace: Int16
    value_a: Int32
    value_b: Int32
    step: Int8

    def __len__(self) -> int:
        return len(self.link)
