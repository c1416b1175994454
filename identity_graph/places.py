"""Where in columns of everybody each person has its value."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

import numpy as np

from identity_graph.bits import Bits, bits_of, places_in
from identity_graph.column import Column
from identity_graph.question import Question
from identity_graph.store.protocols import Marks
from identity_graph.tables import Int64

ROOM = 1_000
"""So many persons may come, and an eighth of those there are, before all places are given anew."""


class Places:
    """Which person is where, and how far the store had come when all columns were right."""

    def __init__(self, numbers: Int64, marks: Marks) -> None:
        self.marks = marks
        self.ordered = self.filled = len(numbers)
        self.capacity = self.ordered + self.ordered // 8 + ROOM
        self.numbers = np.concatenate([numbers, np.zeros(self.capacity - self.ordered, dtype=np.int64)])
        self._order = np.argsort(numbers)
        self._sorted = numbers[self._order]
        self._late: dict[int, int] = {}
        self.late_ids: dict[int, str] = {}
        """By place, of those that came after the others had places in order of id."""
        alive = np.zeros(-(-self.capacity // 64) * 64, dtype=np.bool_)
        alive[: self.ordered] = True
        self.alive: Bits = bits_of(alive)
        self.columns: OrderedDict[Question, Column] = OrderedDict()
        """The one that was used last comes last."""

    def find(self, number: int) -> int | None:
        at = int(np.searchsorted(self._sorted, number))
        if at < len(self._sorted) and self._sorted[at] == number:
            return int(self._order[at])
        return self._late.get(number)

    def add(self, number: int, id: str) -> int:
        """A place for a new person, where there is room."""
        place = self.filled
        self.numbers[place] = number
        self._late[number], self.late_ids[place] = place, id
        self.filled += 1
        return place

    def live(self, place: int, *, alive: bool) -> None:
        bit, word = np.uint64(1 << place % 64), place // 64
        self.alive[word] = self.alive[word] | bit if alive else self.alive[word] & ~bit

    def alive_but(self, numbers: Collection[int]) -> Bits:
        """Without these persons; not to be written to."""
        if not numbers:
            return self.alive
        found = self.alive.copy()
        for place in (self.find(number) for number in numbers):
            if place is not None:
                found[place // 64] &= ~np.uint64(1 << place % 64)
        return found

    def bury(self, owners: Int64) -> None:
        """Keep nothing of persons who own no identifier."""
        places = places_in(self.alive)
        for place in places[~np.isin(self.numbers[places], owners)].tolist():
            self.live(place, alive=False)
            self.late_ids.pop(place, None)
            for column in self.columns.values():
                column.put(place, None)
        for column in self.columns.values():
            column.forget()

    def forget_over(self, memory: int) -> None:
        """Columns that take more than so many bytes, those first that were not used for the longest."""
        while self.columns and sum(one.bytes for one in self.columns.values()) > memory:
            self.columns.popitem(last=False)
