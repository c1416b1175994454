"""Events as rows of numbers, back as the columns that they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.store.numbered import unflat
from identity_graph.store.protocols import EventColumns, EvidenceStore


class StoredEvent(NamedTuple):
    """`identifiers` are numbers, ascending, with those of stated pairs; `stated` is to be read by `unflat`."""

    number: int
    id: str
    time: int
    source: str
    name: str
    received: int
    identifiers: Sequence[int]
    stated: Sequence[int]
    traits: str | None
    properties: str | None


def event_columns(rows: Sequence[StoredEvent], evidence: EvidenceStore) -> EventColumns:
    """Rows in order of number; their identifiers are looked up in one read."""
    number, ids, times, sources, names, received, seen, stated, traits, properties = (
        zip(*rows, strict=True) if rows else ((),) * len(StoredEvent._fields)
    )
    lengths = np.fromiter(map(len, seen), dtype=np.int32, count=len(rows))
    observed = np.fromiter(chain.from_iterable(seen), dtype=np.int64, count=int(lengths.sum()))
    named = np.unique(observed)
    table, values = evidence.identifier_table(named)
    spaces = [table.namespaces[position] for position in table.namespace.tolist()]
    places = {one: place for place, one in enumerate(named.tolist())}
    told = [
        (row, places[a], places[b], bool(apart))
        for row, flat in enumerate(stated)
        if flat
        for a, b, apart in unflat(flat)
    ]
    events = EventTable(
        ids,
        times,
        sources,
        names,
        received,
        list(zip(spaces, values, strict=True)),
        np.searchsorted(named, observed).astype(np.int32),
        lengths,
        told,
        traits,
        properties,
    )
    return EventColumns(np.array(number, dtype=np.int64), events, named)
