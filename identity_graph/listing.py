"""Lists of persons: in an order, of all or of those who meet a condition, page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from identity_graph.census import Listed
from identity_graph.model import Person, PersonOrder
from identity_graph.question import Question
from identity_graph.segments import Segments
from identity_graph.store.protocols import PersonRow, Store
from identity_graph.tables import Int64

T = TypeVar("T")
Key = tuple[int | str, ...]
Page = list[tuple[Key, Person]]

_QUESTIONS = {PersonOrder.LAST_SEEN: Question("seen"), PersonOrder.SIZE: Question("size")}
_NEVER = np.iinfo(np.int64).min


class Listing:
    """The key of a person in a list is its id or, in another order than that of ids, what orders it and its number.
    `restricted`: with the restricted ones, as the store has them, too."""

    def __init__(self, store: Store, segments: Segments, *, restricted: bool = False) -> None:
        self._store = store
        self._segments = segments
        self._restricted = restricted

    def page(
        self,
        order: PersonOrder = PersonOrder.ID,
        condition: Mapping[str, Any] | None = None,
        *,
        after: Key | None = None,
        limit: int = 100,
        backward: bool = False,
    ) -> tuple[Page, int]:
        """The next persons after a key or, going backward, the last before it, in order; and how many are in the list.

        All persons by id, creation and update are walks along an index; every other list is found by columns, each
        time: keep a segment of what is paged often. Raises CONDITION_INVALID and SEGMENT_NOT_READY.
        """
        if condition is None and order is PersonOrder.ID:
            start = str(after[0]) if after else ""
            page = self._store.persons.page(after=start, limit=limit, backward=backward)
            return [((person.id,), person) for person in page], self._store.persons.count()
        if condition is None and order in (PersonOrder.CREATED, PersonOrder.UPDATED):
            rows = self._walk(order, after, limit, backward)
            return [(_key(order, row), _person(row)) for row in rows], self._store.persons.count()
        found = self._segments.listed(condition, _QUESTIONS.get(order), restricted=self._restricted)
        if order is PersonOrder.ID:
            return self._by_id(found, str(after[0]) if after else None, limit, backward), len(found.numbers)
        return self._by_value(order, found, after, limit, backward), len(found.numbers)

    def _walk(self, order: PersonOrder, after: Key | None, limit: int, backward: bool) -> list[PersonRow]:
        value, number = map(int, after) if after else (0, 0)
        persons = self._store.persons
        if order is PersonOrder.CREATED:
            return persons.page_by_creation(after=number if after else None, limit=limit, backward=backward)
        return persons.page_by_update(after=(value, number) if after else None, limit=limit, backward=backward)

    def _by_id(self, found: Listed, after: str | None, limit: int, backward: bool) -> Page:
        """Ids are read of a page alone, and of as many persons as a binary search looks at."""
        numbers, late = found.numbers[: found.ordered].tolist(), sorted(found.late)
        here = _slice(numbers, after, limit, backward, self._id)
        there = _slice(late, after, limit, backward, lambda one: one[0])
        rows = [row for row in self._rows([*numbers[here], *(number for _, number in late[there])]) if row]
        page: Page = sorted(((row.id,), _person(row)) for row in rows)
        return page[-limit:] if backward else page[:limit]

    def _by_value(self, order: PersonOrder, found: Listed, after: Key | None, limit: int, backward: bool) -> Page:
        values = self._values(order, found)
        sorting = np.lexsort((found.numbers, values))
        keys: list[Key] = list(zip(values[sorting].tolist(), found.numbers[sorting].tolist(), strict=True))
        some = keys[_slice(keys, after, limit, backward, lambda key: key)]
        rows = self._rows([int(number) for _, number in some])
        return [(key, _person(row)) for key, row in zip(some, rows, strict=True) if row]

    def _values(self, order: PersonOrder, found: Listed) -> Int64:
        if order in _QUESTIONS:
            return np.array([_NEVER if value is None else value for value in found.values], dtype=np.int64)
        rows = self._rows(found.numbers.tolist())
        return np.array([_key(order, row)[0] if row else 0 for row in rows], dtype=np.int64)

    def _rows(self, numbers: Sequence[int]) -> list[PersonRow | None]:
        """None for who is no more: everybody was found a moment ago."""
        rows = self._store.persons.persons_by_number(numbers)
        return [row if row and row.survivor is None else None for row in rows]

    def _id(self, number: int) -> str:
        (row,) = self._store.persons.persons_by_number([number])
        return row.id if row else ""


def _slice(found: Sequence[T], after: Any, limit: int, backward: bool, key: Callable[[T], Any]) -> slice:
    """Of what is in order of a key: the next, or the last before."""
    if backward:
        stop = len(found) if after is None else bisect_left(found, after, key=key)
        return slice(max(0, stop - limit), stop)
    start = 0 if after is None else bisect_right(found, after, key=key)
    return slice(start, start + limit)


def _key(order: PersonOrder, row: PersonRow) -> tuple[int, int]:
    return (row.created if order is PersonOrder.CREATED else row.updated, row.number)


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.created, row.updated)
