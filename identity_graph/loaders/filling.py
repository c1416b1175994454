"""A table of events that is filled in from all sides, by the places of the records that they are of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain, combinations, compress
from typing import Any

import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.named import Named, Pair, in_order
from identity_graph.repeated import Repeated
from identity_graph.tables import Int32, Int64


class Filling:
    """Of `count` records. Each place is filled in at most once."""

    def __init__(self, count: int, received: int) -> None:
        self._count = count
        self.received = received
        self._columns: list[Sequence[Any] | None] = [None] * 6
        self._named: Named | None = None
        self._places: dict[Pair, int] = {}  # of identifiers, as the table has them, where they are not `_named`
        self._rows: list[Int64] = []
        self._seen: list[Int32] = []
        self._stated: list[tuple[int, int, int, bool]] = []
        self._formerly: list[tuple[int, str, str]] = []

    def fill(
        self,
        rows: Sequence[int],
        flawed: set[int],
        columns: Iterable[Sequence[Any]],
        identifiers: Sequence[Sequence[Pair | None]],
        stated: Sequence[tuple[int, int]],
    ) -> None:
        """Columns of ids, times, sources, names, traits and properties; columns of identifiers; and of which two of
        these each record states that they are one person. `flawed` are numbers of rows to leave out."""
        self._put(rows, columns)
        if flawed:
            kept = np.delete(np.arange(len(rows)), list(flawed))
            rows = np.array(rows)[kept].tolist()
            identifiers = [_at(column, kept) for column in identifiers]
        plain = [column for column in identifiers if isinstance(column, Named)]
        spaces = {column.spaces[0] for column in plain}
        if rows and not self._rows and len(spaces) == len(identifiers):
            self._named, seen = in_order(plain)
        else:
            places = self._by_place()
            number_of = places.setdefault
            flat = [
                -1 if one is None else number_of(one, len(places))
                for one in chain.from_iterable(zip(*identifiers, strict=True))
            ]
            seen = np.array(flat, dtype=np.int32).reshape(-1, len(identifiers))
        for a, b in stated:
            ends = zip(rows, seen[:, a].tolist(), seen[:, b].tolist(), strict=True)
            self._stated += [(row, one, other, False) for row, one, other in ends if one != other]
        for earlier, later in combinations(range(len(identifiers)), 2):
            seen[seen[:, earlier] == seen[:, later], later] = -1
        there = seen.ravel() >= 0
        self._rows.append(np.repeat(np.array(rows, dtype=np.int64), len(identifiers))[there])
        self._seen.append(seen.ravel()[there])

    def add(self, rows: Sequence[int], table: EventTable) -> None:
        """The events of a table, at these places."""
        if not rows:
            return
        self._put(rows, (table.ids, table.times, table.sources, table.names, table.traits, table.properties))
        places = self._by_place()
        own = np.array([places.setdefault(one, len(places)) for one in table.named], dtype=np.int32)
        self._rows.append(np.repeat(np.array(rows, dtype=np.int64), table.lengths))
        self._seen.append(own[table.seen])
        self._stated += [(rows[number], int(own[a]), int(own[b]), apart) for number, a, b, apart in table.stated]
        self._formerly += [(rows[event], space, value) for event, space, value in table.formerly]

    def _by_place(self) -> dict[Pair, int]:
        """The identifiers so far, for more to come."""
        if self._named is not None:
            self._places = {one: place for place, one in enumerate(self._named)}
            self._named = None
        return self._places

    def _put(self, rows: Sequence[int], columns: Iterable[Sequence[Any]]) -> None:
        for number, column in enumerate(columns):
            mine = self._columns[number]
            if mine is None and len(rows) == self._count:
                self._columns[number] = column
                continue
            if not isinstance(mine, list):
                mine = self._columns[number] = [None] * self._count if mine is None else list(mine)
            deque(map(mine.__setitem__, rows, column), maxlen=0)

    def done(self) -> tuple[EventTable, list[int]]:
        """The table of all places that something was put into, and these places."""
        rows = np.concatenate([np.empty(0, np.int64), *self._rows])
        seen = np.concatenate([np.empty(0, np.int32), *self._seen])
        if len(self._rows) > 1:
            order = np.argsort(rows, kind="stable")
            rows, seen = rows[order], seen[order]
        lengths = np.bincount(rows, minlength=self._count).astype(np.int32)
        kept = np.flatnonzero(lengths)
        places: list[int] = kept.tolist()
        columns: list[Sequence[Any]] = [() if column is None else column for column in self._columns]
        stated, formerly = self._stated, self._formerly
        if len(kept) < self._count:
            chosen = (lengths > 0).tolist()
            columns = [
                Repeated(column.value, len(kept)) if isinstance(column, Repeated) else list(compress(column, chosen))
                for column in columns
            ]
            number_of = {place: number for number, place in enumerate(places)} if stated or formerly else {}
            stated = [(number_of[row], a, b, apart) for row, a, b, apart in stated]
            formerly = [(number_of[row], space, value) for row, space, value in formerly]
        ids, times, sources, names, traits, properties = columns
        table = EventTable(
            ids,
            times,
            sources,
            names,
            Repeated(self.received, len(kept)),
            [(namespace, value) for namespace, value in self._places] if self._named is None else self._named,
            seen,
            lengths[kept],
            sorted(stated, key=lambda pair: (pair[3], pair[0])),
            traits,
            properties,
            formerly,
        )
        return table, places


def _at(column: Sequence[Pair | None], places: Int64) -> Sequence[Pair | None]:
    return column.at(places) if isinstance(column, Named) else list(map(column.__getitem__, places.tolist()))
