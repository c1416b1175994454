"""The census: columns of what everybody answers to the questions of conditions, kept in memory and kept right.

A column is read once, for all persons; after that only those are asked again that publications, or events that came
since, have touched: the store says which. What the clock alone changes is read for each evaluation, and not kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import nsmallest
from typing import Any, NamedTuple, TypeVar

import numpy as np

from identity_graph import deadline
from identity_graph.collector import collector_paused
from identity_graph.column import Column
from identity_graph.errors import StoreError
from identity_graph.everybody import read_everybody
from identity_graph.people import People
from identity_graph.places import Places
from identity_graph.policy import Policy
from identity_graph.question import Question, Tree, questions_of
from identity_graph.segment import Facts
from identity_graph.selecting import Selection, Terms
from identity_graph.store.protocols import Marks, Store
from identity_graph.tables import Int64

T = TypeVar("T")
MEBIBYTE = 1 << 20
MEMORY = 512
_AT_ONCE = 1_000
_PATIENCE = 0.8
"""The share of its time for which a request waits for columns: the rest is for saying that they are not there."""


class Listed(NamedTuple):
    """Persons by number, the first `ordered` in order of id; `late` are the numbers and ids of the others. `values` are
    their answers, where a question was asked."""

    numbers: Int64
    ordered: int
    late: Sequence[tuple[str, int]]
    values: Sequence[Any]


class _Reading(NamedTuple):
    """Columns, the places that they are for, and the marks since when whoever is touched is to be asked again."""

    places: Places
    since: Marks
    columns: Mapping[Question, Column]


class Census:
    """Safe to use from many threads; not inside of a transaction, of which others must not see what it wrote.

    Columns that take more than `memory` mebibytes are forgotten, those first that were not asked for the longest.
    """

    def __init__(self, store: Store, policy: Policy, people: People, memory: int = MEMORY) -> None:
        self._store = store
        self._policy = policy
        self._people = people
        self._memory = memory * MEBIBYTE
        self._lock = threading.RLock()
        self._places: Places | None = None
        self._asked = threading.Condition()
        self._wanted: set[Question] = set()
        self._failure: Exception | None = None
        self._reader: threading.Thread | None = None
        self._closed = False

    def close(self) -> None:
        """To be called before the store is closed, which a thread may be reading."""
        self._closed = True
        if (reader := self._reader) is not None:
            reader.join()

    def _check(self) -> None:
        if self._closed:
            raise _not_ready()

    # ---- answers

    def count(self, tree: Tree, terms: Terms) -> int:
        """How many persons meet a tree that `parse_condition` takes. Raises SEGMENT_NOT_READY."""

        def use(selection: Selection, _: Places) -> int:
            return selection.count(tree)

        return self._evaluate(questions_of([tree], terms.lookup, terms.computed), terms, use)

    def listed(self, tree: Tree | None, by: Question | None, terms: Terms) -> Listed:
        """Who meets the tree (None: everybody), and what they answer. Raises SEGMENT_NOT_READY."""

        def use(selection: Selection, places: Places) -> Listed:
            found = selection.places(tree)
            ordered = int(np.searchsorted(found, places.ordered))
            late = [(places.late_ids[place], int(places.numbers[place])) for place in found[ordered:].tolist()]
            values = [] if by is None else places.columns[by].values(found)
            return Listed(places.numbers[found], ordered, late, values)

        asked = questions_of([] if tree is None else [tree], terms.lookup, terms.computed)
        return self._evaluate(asked if by is None else {*asked, by}, terms, use)

    def sample(self, tree: Tree, most: int, terms: Terms) -> tuple[int, list[str]]:
        """As `count`, and the first so many of their ids."""

        def use(selection: Selection, places: Places) -> tuple[int, list[str]]:
            found = selection.places(tree)
            first = found[: int(np.searchsorted(found, places.ordered))][:most]
            late = [places.late_ids[place] for place in found[np.searchsorted(found, places.ordered) :].tolist()]
            return len(found), nsmallest(most, [*self._ids(places.numbers[first]), *late])

        return self._evaluate(questions_of([tree], terms.lookup, terms.computed), terms, use)

    def members(self, trees: Sequence[Tree], terms: Terms) -> tuple[int, list[list[str]]]:
        """Of each tree the ids, in order, of those who meet it; and of which edition of the persons that is."""

        def use(selection: Selection, places: Places) -> tuple[int, list[Int64]]:
            return places.marks.edition, [places.numbers[selection.places(tree)] for tree in trees]

        edition, found = self._evaluate(questions_of(trees, terms.lookup, terms.computed), terms, use)
        return edition, [sorted(self._ids(numbers)) for numbers in found]

    def _ids(self, numbers: Int64) -> list[str]:
        pieces = (numbers[start : start + 50 * _AT_ONCE].tolist() for start in range(0, len(numbers), 50 * _AT_ONCE))
        return [row.id for piece in pieces for row in self._store.persons.persons_by_number(piece) if row]

    def _evaluate(
        self,
        asked: Collection[Question],
        terms: Terms,
        use: Callable[[Selection, Places], T],
    ) -> T:
        moving = {one for one in asked if one.moves}
        while True:
            self._have(set(asked) - moving)
            read = self._read(moving, terms.now) if moving else None
            with self._turn():
                if read and not self._install(*read):
                    continue
                places = self._places
                if places is None or not places.columns.keys() >= set(asked):
                    continue
                try:
                    behind = self._follow(places, terms.now)
                    if self._places is places and not behind:
                        for one in asked:
                            places.columns.move_to_end(one)
                        shown = places.alive_but(terms.without)
                        return use(Selection(places.columns, shown, terms), places)
                finally:
                    for one in moving:
                        places.columns.pop(one, None)
                    places.forget_over(self._memory)
            if behind:
                self._wait(set(), lambda: self._reader is None)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        left = deadline.left()
        if not self._lock.acquire(timeout=-1 if left is None else max(left * _PATIENCE, 0)):
            raise _not_ready()
        try:
            yield
        finally:
            self._lock.release()

    # ---- reading everybody

    def _have(self, questions: Collection[Question]) -> None:
        """Columns for these: read here or, where time is short, by a thread that goes on when it has passed."""
        if missing := self._missing(questions):
            if deadline.left() is None:
                self._take(missing)
            else:
                self._wait(missing, lambda: not self._missing(questions))

    def _missing(self, questions: Collection[Question]) -> set[Question]:
        places = self._places
        return {one for one in questions if places is None or one not in places.columns}

    def _wait(self, wanted: set[Question], done: Callable[[], bool]) -> None:
        """Until the thread has read this, and asked all again who were touched."""
        with self._asked:
            self._wanted |= wanted
            self._failure = None
            if self._reader is None:
                self._reader = threading.Thread(target=self._read_on, name="census", daemon=True)
                self._reader.start()
            ended = self._asked.wait_for(
                lambda: self._failure is not None or done(), _PATIENCE * max(deadline.left() or 0, 0)
            )
            if self._failure is not None:
                raise self._failure
            if not ended:
                raise _not_ready()

    def _read_on(self) -> None:
        with self._asked:
            wanted, self._wanted = self._wanted, set()
        try:
            while True:
                if missing := self._missing(wanted):  # others may have waited for the same
                    self._take(missing)
                with self._lock:
                    if self._places is not None:
                        self._follow(self._places, 0)
                with self._asked:
                    wanted, self._wanted = self._wanted, set()
                    self._asked.notify_all()
                    if not wanted:
                        self._reader = None
                        return
        except Exception as error:
            with self._asked:
                self._failure, self._reader = error, None
                self._asked.notify_all()

    def _take(self, questions: Collection[Question]) -> None:
        while not self._take_once(questions):
            pass

    def _take_once(self, questions: Collection[Question]) -> bool:
        read = self._read(questions, 0)
        with self._turn():
            return self._install(*read)

    def _read(self, questions: Collection[Question], now: int) -> _Reading:
        with self._turn():
            places = self._places
            since = places.marks if places else self._store.persons.marks()
            numbers = places.numbers[: places.filled].copy() if places else None
        with collector_paused():
            everybody = read_everybody(self._store, self._policy, questions, now, numbers, self._check)
            places = places or Places(everybody.numbers, since)
            return _Reading(places, since, {one: Column(of, places.capacity) for one, of in everybody.answers.items()})

    def _install(self, places: Places, since: Marks, columns: Mapping[Question, Column]) -> bool:
        """False where all places were given anew since they were read."""
        if self._places is None:
            self._places = places
        if self._places is not places:
            return False
        places.columns.update(columns)
        places.marks = min(places.marks, since)
        return True

    # ---- keeping it right

    def _follow(self, places: Places, now: int) -> bool:
        """Ask those again who were touched since; true where they are so many that it is for the thread to do that.
        Where they are too many for the room that is left, all is to be read anew."""
        if self._store.persons.marks() == places.marks:
            return False

        def look() -> tuple[Marks, list[int]]:
            marks = self._store.persons.marks()
            return marks, self._store.persons.touched(places.marks).tolist()

        marks, touched = self._store.moment(look)
        if len(touched) > places.capacity - places.filled:
            self._places = None
            return False
        if len(touched) > _AT_ONCE and deadline.left() is not None:
            return True
        answers = [(one.answer(), column) for one, column in places.columns.items()]
        for start in range(0, len(touched), _AT_ONCE):
            for number, id, facts in self._store.moment(partial(self._facts, touched[start : start + _AT_ONCE])):
                place = places.find(number)
                if place is None and id is not None:
                    place = places.add(number, id)
                if place is not None:
                    places.live(place, alive=id is not None)
                    for answer, column in answers:
                        column.put(place, None if facts is None else answer(facts, now))
        for _, column in answers:
            column.tidy()
        if marks.gone != places.marks.gone:
            _, owners = self._store.persons.membership()
            places.bury(owners)
        places.marks = marks
        return False

    def forget_gone(self) -> None:
        """Keep nothing of who was erased."""
        with self._turn():
            if self._places is not None and self._store.persons.marks().gone != self._places.marks.gone:
                self._follow(self._places, 0)

    def _facts(self, numbers: Sequence[int]) -> list[tuple[int, str | None, Facts | None]]:
        """Of each person the id and the facts; None for who is retired, or is no more."""
        rows = self._store.persons.persons_by_number(numbers)
        ids = [row.id for row in rows if row and row.survivor is None]
        facts = dict(zip(ids, self._people.facts(ids), strict=True))
        live = [row.id if row and row.survivor is None else None for row in rows]
        return [(number, id, facts.get(id or "")) for number, id in zip(numbers, live, strict=True)]


def _not_ready() -> StoreError:
    return StoreError("SEGMENT_NOT_READY", "what the condition asks of everybody is still being read")
