"""Lists of persons: in an order, of all or of those who meet a condition, page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from identity_graph.everybody import Everybody
from identity_graph.model import Person, PersonOrder
from identity_graph.segments import Segments
from identity_graph.store.protocols import PersonRow, Store
from identity_graph.tables import Int64

Key = tuple[int | str, ...]
Listed = list[tuple[Key, Person]]


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
    ) -> tuple[Listed, int]:
        """The next persons after a key or, going backward, the last before it, in order; and how many are in the list.

        All persons by id, creation and update are walks along an index. For every other list everybody is looked at,
        each time: keep a segment of what is paged often. Raises CONDITION_INVALID.
        """
        if condition is None and order is PersonOrder.ID:
            start = str(after[0]) if after else ""
            page = self._store.persons.page(after=start, limit=limit, backward=backward)
            return [((person.id,), person) for person in page], self._store.persons.count()
        if condition is None and order in (PersonOrder.CREATED, PersonOrder.UPDATED):
            rows = self._walk(order, after, limit, backward)
            return [(_key(order, row), _person(row)) for row in rows], self._store.persons.count()
        return self._store.moment(lambda: self._look(order, condition, after, limit, backward))

    def _walk(self, order: PersonOrder, after: Key | None, limit: int, backward: bool) -> list[PersonRow]:
        value, number = map(int, after) if after else (0, 0)
        persons = self._store.persons
        if order is PersonOrder.CREATED:
            return persons.page_by_creation(after=number if after else None, limit=limit, backward=backward)
        return persons.page_by_update(after=(value, number) if after else None, limit=limit, backward=backward)

    def _look(
        self,
        order: PersonOrder,
        condition: Mapping[str, Any] | None,
        after: Key | None,
        limit: int,
        backward: bool,
    ) -> tuple[Listed, int]:
        last_seen = order is PersonOrder.LAST_SEEN
        everybody, places = self._segments.look(condition, last_seen=last_seen, restricted=self._restricted)
        if order is PersonOrder.ID:
            keys: Sequence[Key] = [(everybody.ids[place],) for place in places.tolist()]
        else:
            values, numbers = self._values(order, everybody, places), everybody.numbers[places]
            sorting = np.lexsort((numbers, values))
            places = places[sorting]
            keys = list(zip(values[sorting].tolist(), numbers[sorting].tolist(), strict=True))
        if backward:
            stop = len(keys) if after is None else bisect_left(keys, after)
            page = slice(max(0, stop - limit), stop)
        else:
            start = 0 if after is None else bisect_right(keys, after)
            page = slice(start, start + limit)
        rows = self._store.persons.persons_by_number(everybody.numbers[places[page]].tolist())
        return [(key, _person(row)) for key, row in zip(keys[page], rows, strict=True) if row], len(keys)

    def _values(self, order: PersonOrder, everybody: Everybody, places: Int64) -> Int64:
        """Of those at the places, what the order is of."""
        if order is PersonOrder.LAST_SEEN:
            return everybody.last_seen[places]
        if order is PersonOrder.SIZE:
            return everybody.sizes[places]
        rows = self._store.persons.persons_by_number(everybody.numbers[places].tolist())
        return np.array([_key(order, row)[0] if row else 0 for row in rows], dtype=np.int64)


def _key(order: PersonOrder, row: PersonRow) -> tuple[int, int]:
    return (row.created if order is PersonOrder.CREATED else row.updated, row.number)


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.created, row.updated)
