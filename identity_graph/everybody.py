"""What conditions ask of all persons, as columns that a few statements read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from identity_graph.journey import attribute
from identity_graph.measure import Reach
from identity_graph.model import Event, Identifier, Statement
from identity_graph.policy import Policy
from identity_graph.stitch import standing
from identity_graph.store.protocols import EventColumns, Store
from identity_graph.tables import Bool, Int32, Int64
from identity_graph.times import format_time

_AT_ONCE = 50_000


@dataclass(frozen=True)
class Wanted:
    """What is to be read of everybody: these traits, identifiers of these namespaces, events that one of `reaches` lets
    through; and when each was last seen."""

    traits: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    reaches: Sequence[Reach] = ()
    last_seen: bool = False


@dataclass
class Journeys:
    """Events by person, oldest first. `name` and `source` are places in `names` and `sources`."""

    place: Int32
    time: Int64
    name: Int32
    source: Int32
    names: Sequence[str]
    sources: Sequence[str]
    ids: Sequence[str]
    properties: Sequence[str | None]

    def within(self, reaches: Sequence[Reach]) -> Bool:
        """Which events any of them lets through."""
        found = np.zeros(len(self.place), dtype=np.bool_)
        for one in reaches:
            passes = np.ones(len(self.place), dtype=np.bool_)
            if one.names is not None:
                passes &= np.isin(self.name, [n for n, name in enumerate(self.names) if name in one.names])
            if one.sources is not None:
                passes &= np.isin(self.source, [n for n, name in enumerate(self.sources) if name in one.sources])
            if one.start is not None:
                passes &= self.time >= one.start
            if one.end is not None:
                passes &= self.time < one.end
            found |= passes
        return found

    def take(self, rows: Int64) -> Journeys:
        ids, properties = [self.ids[row] for row in rows.tolist()], [self.properties[row] for row in rows.tolist()]
        numbers = self.place[rows], self.time[rows], self.name[rows], self.source[rows]
        return Journeys(*numbers, self.names, self.sources, ids, properties)

    def events(self, rows: Int64) -> Iterator[tuple[int, list[Event]]]:
        """Of each person who has any of these: the place, and the events as far as measures ask."""
        cuts = np.flatnonzero(np.diff(self.place[rows], prepend=-1, append=-1)).tolist() if len(rows) else []
        for start, end in pairwise(cuts):
            yield int(self.place[rows[start]]), [self._event(row) for row in rows[start:end].tolist()]

    def _event(self, row: int) -> Event:
        text = self.properties[row]
        properties: dict[str, Any] = orjson.loads(text) if text else {}
        name, source = self.names[self.name[row]], self.sources[self.source[row]]
        return Event(self.ids[row], int(self.time[row]), source, name, (), {}, properties)


@dataclass
class Everybody:
    """Persons by place, in order of id: their ids, numbers and how many identifiers each has. Of each trait the value
    and, as text, when it was stated; None for none. `last_seen` is the time of the newest event."""

    ids: Sequence[str]
    numbers: Int64
    sizes: Int64
    last_seen: Int64
    traits: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    stated: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    identifiers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    journeys: Journeys | None = None


def read_everybody(store: Store, policy: Policy, wanted: Wanted) -> Everybody:
    return store.moment(lambda: _Reading(store, policy, wanted).everybody())


class _Reading:
    def __init__(self, store: Store, policy: Policy, wanted: Wanted) -> None:
        self._store = store
        self._policy = policy
        self._wanted = wanted
        self._numbers, owners = store.persons.membership()
        persons, which = np.unique(owners, return_inverse=True)
        known = [row.id if row else "" for row in store.persons.persons_by_number(persons.tolist())]
        order = sorted(range(len(known)), key=known.__getitem__)
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        self._ids = [known[one] for one in order]
        self._persons: Int64 = persons[order]
        self._owners = place[which].astype(np.int32)
        self._last = np.full(len(order), np.iinfo(np.int64).min)
        self._best: dict[str, list[Any]] = {name: [None] * len(self._ids) for name in wanted.traits}
        self._kept: list[Journeys] = []

    def everybody(self) -> Everybody:
        if self._wanted.traits or self._wanted.reaches or self._wanted.last_seen:
            after = 0
            while len((piece := self._store.transfer.events(after, _AT_ONCE)).numbers):
                after = int(piece.numbers[-1])
                self._take(piece)
        traits: dict[str, list[Any]] = {}
        stated: dict[str, list[str | None]] = {}
        for name, best in self._best.items():
            traits[name] = [one and one[-1].value for one in best]
            stated[name] = [one and format_time(one[-1].time) for one in best]
        sizes = np.bincount(self._owners, minlength=len(self._ids))
        return Everybody(
            self._ids, self._persons, sizes, self._last, traits, stated, self._identifiers(), self._journeys()
        )

    def _take(self, piece: EventColumns) -> None:
        events = piece.events
        place = self._attributed(piece)
        if self._wanted.last_seen:
            own = place >= 0
            np.maximum.at(self._last, place[own], np.asarray(events.times, dtype=np.int64)[own])
        if self._best:
            for row, (text, of) in enumerate(zip(events.traits, place.tolist(), strict=True)):
                if text and of >= 0:
                    self._state(of, orjson.loads(text), events.sources[row], events.times[row], events.ids[row])
        if self._wanted.reaches:
            table = _table(place, events.times, events.names, events.sources, events.ids, events.properties)
            rows = np.flatnonzero(table.within(self._wanted.reaches) & (place >= 0))
            self._kept.append(table.take(rows))

    def _state(self, place: int, traits: Mapping[str, Any], source: str, time: int, id: str) -> None:
        for name, best in self._best.items():
            value = traits.get(name)
            if value is not None:
                rank, before = standing(Statement(name, value, source, time, id), self._policy), best[place]
                if before is None or rank > before:
                    best[place] = rank

    def _attributed(self, piece: EventColumns) -> Int32:
        """The place of the person of each event, -1 for nobody's."""
        if not len(self._numbers):
            return np.full(len(piece.numbers), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self._numbers, piece.named), len(self._numbers) - 1)
        owner = np.where(self._numbers[at] == piece.named, self._owners[at], np.int32(-1))
        seen, lengths = owner[piece.events.seen], piece.events.lengths
        starts = np.cumsum(lengths) - lengths
        place = np.full(len(lengths), -1, dtype=np.int32)
        some = np.flatnonzero(lengths)
        if not len(some):
            return place
        place[some] = np.maximum.reduceat(seen, starts[some])
        least = np.minimum.reduceat(np.where(seen < 0, np.int32(2**31 - 1), seen), starts[some])
        named = piece.events.named
        for row in some[(place[some] >= 0) & (least != place[some])].tolist():
            span = range(int(starts[row]), int(starts[row] + lengths[row]))
            owned = {Identifier(*named[piece.events.seen[n]]): int(seen[n]) for n in span if seen[n] >= 0}
            by = attribute(owned, self._policy)
            place[row] = owned[by] if by else -1
        return place

    def _identifiers(self) -> dict[str, list[int]]:
        if not self._wanted.namespaces:
            return {}
        table, _ = self._store.evidence.identifier_table(self._numbers)
        places = {name: n for n, name in enumerate(table.namespaces)}
        return {
            name: np.bincount(self._owners[table.namespace == places.get(name, -1)], minlength=len(self._ids)).tolist()
            for name in self._wanted.namespaces
        }

    def _journeys(self) -> Journeys | None:
        if not self._wanted.reaches:
            return None
        kept = self._kept
        place = np.concatenate([np.empty(0, dtype=np.int32), *(one.place for one in kept)])
        time = np.concatenate([np.empty(0, dtype=np.int64), *(one.time for one in kept)])
        ids = [id for one in kept for id in one.ids]
        order = np.lexsort((time, place))
        tied = (np.diff(place[order]) == 0) & (np.diff(time[order]) == 0)
        if tied.any():
            rows = order.tolist()
            for start, end in _runs(tied):
                rows[start:end] = sorted(rows[start:end], key=ids.__getitem__)
            order = np.array(rows, dtype=np.int64)
        names = [one.names[code] for one in kept for code in one.name.tolist()]
        sources = [one.sources[code] for one in kept for code in one.source.tolist()]
        properties = [text for one in kept for text in one.properties]
        kept.clear()
        return _table(place, time, names, sources, ids, properties).take(order)


def _table(
    place: Int32,
    time: Sequence[int] | Int64,
    names: Sequence[str],
    sources: Sequence[str],
    ids: Sequence[str],
    properties: Sequence[str | None],
) -> Journeys:
    (name, known), (source, origins) = _coded(names), _coded(sources)
    return Journeys(place, np.asarray(time, dtype=np.int64), name, source, known, origins, ids, properties)


def _coded(texts: Sequence[str]) -> tuple[Int32, list[str]]:
    codes: dict[str, int] = {}
    found = np.fromiter((codes.setdefault(text, len(codes)) for text in texts), dtype=np.int32, count=len(texts))
    return found, list(codes)


def _runs(tied: Bool) -> Iterator[tuple[int, int]]:
    """Where rows stand that are tied with the next."""
    starts = np.flatnonzero(tied & ~np.concatenate([[False], tied[:-1]])).tolist()
    ends = np.flatnonzero(tied & ~np.concatenate([tied[1:], [False]])).tolist()
    for start, end in zip(starts, ends, strict=True):
        yield start, end + 2
