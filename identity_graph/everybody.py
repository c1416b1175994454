"""What all persons answer to the questions of conditions, as columns that a few statements read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import orjson

from identity_graph.journey import attribute
from identity_graph.measure import Reach
from identity_graph.model import Event, Identifier, Statement
from identity_graph.policy import Policy
from identity_graph.question import Question
from identity_graph.segment import Facts
from identity_graph.stitch import standing
from identity_graph.store.protocols import EventColumns, Store
from identity_graph.tables import Bool, Int32, Int64
from identity_graph.times import format_time

_AT_ONCE = 50_000
_NEVER = np.iinfo(np.int64).min
NOBODY = Facts({}, (), ())
_Stated: TypeAlias = tuple[str, Any, str, int, str]
"""As `Statement` has it; there may be millions."""


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


@dataclass(frozen=True)
class Everybody:
    """`numbers` of persons by place; their answers to each question."""

    numbers: Int64
    answers: Mapping[Question, Sequence[Any]]


def read_everybody(
    store: Store,
    policy: Policy,
    questions: Collection[Question],
    now: int,
    numbers: Int64 | None,
    check: Callable[[], None],
) -> Everybody:
    """Of these persons, at these places; None: of all, in order of id. `check` is called now and then, and may raise.

    It takes long, and is not of one moment: what is read of a person that is touched meanwhile may never have been so.
    """
    return _Reading(store, policy, questions, now, numbers).everybody(check)


class _Reading:
    def __init__(
        self, store: Store, policy: Policy, questions: Collection[Question], now: int, numbers: Int64 | None
    ) -> None:
        self._store = store
        self._policy = policy
        self._now = now
        self._events = [one for one in questions if one.kind in ("measure", "sequence", "consent")]
        self._seen, self._size = Question("seen") in questions, Question("size") in questions
        self._reaches = [reach for one in self._events for reach in one.reaches(now)]
        self._namespaces = [one for one in questions if one.kind == "identifier"]
        self._traits = [one for one in questions if one.kind in ("trait", "stated")]
        self._identifiers, owners = store.persons.membership()
        self._persons = _in_order_of_id(store, owners) if numbers is None else numbers
        self._owners = _places(self._persons, owners)
        self._best: dict[str, list[_Stated | None]] = {one.text: [None] * len(self._persons) for one in self._traits}
        self._last = np.full(len(self._persons), _NEVER)
        self._kept: list[Journeys] = []

    def everybody(self, check: Callable[[], None]) -> Everybody:
        if self._best or self._events or self._seen:
            after = 0
            while len((piece := self._store.transfer.events(after, _AT_ONCE)).numbers):
                after = int(piece.numbers[-1])
                self._take(piece)
                check()
        answers: dict[Question, Sequence[Any]] = {}
        for one in self._traits:
            best = self._best[one.text]
            stated = one.kind == "stated"
            answers[one] = [b and (format_time(b[3]) if stated else b[1]) for b in best]
        answers |= self._counts()
        if self._size:
            answers[Question("size")] = np.bincount(self._owners[self._owners >= 0], minlength=len(self._last)).tolist()
        if self._seen:
            answers[Question("seen")] = [None if time == _NEVER else time for time in self._last.tolist()]
        if self._events:
            journeys = self._journeys()
            answers |= {one: self._measured(one, journeys) for one in self._events}
        return Everybody(self._persons, answers)

    def _take(self, piece: EventColumns) -> None:
        events = piece.events
        place = self._attributed(piece)
        if self._seen:
            own = place >= 0
            np.maximum.at(self._last, place[own], np.asarray(events.times, dtype=np.int64)[own])
        if self._best:
            for row, (text, of) in enumerate(zip(events.traits, place.tolist(), strict=True)):
                if text and of >= 0:
                    self._state(of, orjson.loads(text), events.sources[row], events.times[row], events.ids[row])
        if self._events:
            table = _table(place, events.times, events.names, events.sources, events.ids, events.properties)
            rows = np.flatnonzero(table.within(self._reaches) & (place >= 0))
            self._kept.append(table.take(rows))

    def _state(self, place: int, traits: Mapping[str, Any], source: str, time: int, id: str) -> None:
        for name, best in self._best.items():
            value = traits.get(name)
            if value is not None:
                stated, before = (name, value, source, time, id), best[place]
                if before is None or self._stands(stated) > self._stands(before):
                    best[place] = stated

    def _stands(self, stated: _Stated) -> Any:
        return standing(Statement(*stated), self._policy)[:5]

    def _attributed(self, piece: EventColumns) -> Int32:
        """The place of the person of each event, -1 for nobody's."""
        if not len(self._identifiers):
            return np.full(len(piece.numbers), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self._identifiers, piece.named), len(self._identifiers) - 1)
        owner = np.where(self._identifiers[at] == piece.named, self._owners[at], np.int32(-1))
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

    def _counts(self) -> dict[Question, list[int]]:
        if not self._namespaces:
            return {}
        table, _ = self._store.evidence.identifier_table(self._identifiers)
        at = np.searchsorted(self._identifiers, table.number)
        owner, names = self._owners[at], {name: n for n, name in enumerate(table.namespaces)}
        found = {}
        for one in self._namespaces:
            mine = owner[(table.namespace == names.get(one.text, -1)) & (owner >= 0)]
            found[one] = np.bincount(mine, minlength=len(self._persons)).tolist()
        return found

    def _measured(self, question: Question, journeys: Journeys) -> list[Any]:
        answer, now = question.answer(), self._now
        found = [answer(NOBODY, now)] * len(self._persons)
        rows = np.flatnonzero(journeys.within(question.reaches(now)))
        table = question.table if question.kind == "measure" else {"where": True}
        if not table.get("where") and table.get("property") is None:
            measure = table.get("measure", "COUNT")
            if measure == "COUNT":
                return list(np.bincount(journeys.place[rows], minlength=len(found)).tolist())
            rows = _ends(journeys.place[rows], rows, first=measure == "FIRST")
        for place, events in journeys.events(rows):
            found[place] = answer(Facts({}, events, ()), now)
        return found

    def _journeys(self) -> Journeys:
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


def _ends(place: Int32, rows: Int64, *, first: bool) -> Int64:
    """Of the rows of each place the first or the last: no other tells a time that is asked for."""
    change = np.diff(place) != 0
    edge = np.ones(1, dtype=np.bool_)
    return rows[np.concatenate([edge, change] if first else [change, edge])] if len(rows) else rows


def _in_order_of_id(store: Store, owners: Int64) -> Int64:
    persons = np.unique(owners)
    known: list[tuple[str, int]] = []
    for start in range(0, len(persons), _AT_ONCE):
        rows = store.persons.persons_by_number(persons[start : start + _AT_ONCE].tolist())
        known += [(row.id, row.number) for row in rows if row]
    return np.array([number for _, number in sorted(known)], dtype=np.int64)


def _places(persons: Int64, owners: Int64) -> Int32:
    """Where each owner is among the persons, -1 for nowhere."""
    if not len(persons):
        return np.full(len(owners), -1, dtype=np.int32)
    order = np.argsort(persons)
    at = order[np.minimum(np.searchsorted(persons, owners, sorter=order), len(persons) - 1)]
    return np.where(persons[at] == owners, at, -1).astype(np.int32)
