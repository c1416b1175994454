"""One value of each person, so kept that whoever passes a test is found without looking at everybody."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from identity_graph import bits
from identity_graph.bits import Bits
from identity_graph.kernel import kernel
from identity_graph.measure import distinct_key
from identity_graph.segment import score
from identity_graph.tables import Int32, Int64

BUCKETS = 256
MOST_LATE = 1_024
"""So many new values are looked through one by one before the column is sorted again."""
SHARE_MOVED = 256
"""As one of so many places: then it is sorted again, too."""
FEW = 4_096
"""Places that are written one by one sooner than two sets of all are joined."""
VALUE_BYTES = 200
"""About what a different value takes."""
_OWN_KEY = frozenset((str, int))
"""Types of which each value is its own `_key`: asked of millions."""


class Column:
    """Each different value has a code, in order: truths, numbers, texts, all else; 0 is no value.

    `_order` holds all places by code, those of code n from `_first[n]` on, and `_below[n]` is the set of the places
    before `_cuts[n]` in it. So the places of a range of codes are the difference of two such sets, but for those
    between an end of the range and the cut that is nearest. A place whose value came since is in `_moved` and looked at
    by itself; values that are new since have codes that come last.
    """

    def __init__(self, values: Sequence[Any], capacity: int) -> None:
        self._width = -(-max(capacity, 1) // 64)
        self._codes = np.zeros(self._width * 64, dtype=np.int32)
        self._values: list[Any] = [None]
        self._code: dict[Any, int] = {None: 0}
        code, known = self._code, self._values
        for place, value in enumerate(values):
            if value is not None:
                key = value if type(value) in _OWN_KEY else _key(value)
                found = code.get(key)
                if found is None:
                    found = code[key] = len(known)
                    known.append(value)
                self._codes[place] = found
        self._sort()

    @property
    def bytes(self) -> int:
        """About as much memory as it takes."""
        arrays = self._codes.nbytes + self._order.nbytes + self._first.nbytes + self._below.nbytes
        return arrays + VALUE_BYTES * len(self._values)

    def forget(self) -> None:
        """Keep no value that is nobody's any more."""
        if not self._counts()[1:].all():
            self._sort()

    def _counts(self) -> Int64:
        """Of each code, how many places have it."""
        return np.bincount(self._codes, minlength=len(self._values))

    def _sort(self) -> None:
        used = (1 + np.flatnonzero(self._counts()[1:])).tolist()
        order = sorted(used, key=lambda code: _order(self._values[code]))
        new = np.zeros(len(self._values), dtype=np.int32)
        new[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        self._values = [None, *(self._values[code] for code in order)]
        self._code = {None: 0} | {key: int(new[code]) for key, code in self._code.items() if new[code]}
        self._codes = new[self._codes]
        kinds = [_order(value)[0] for value in self._values[1:]]
        self._numbers = 1 + bisect_left(kinds, 1), 1 + bisect_right(kinds, 1)
        self._texts = 1 + bisect_left(kinds, 2), 1 + bisect_right(kinds, 2)
        self._sorted = len(self._values)
        counts = self._counts()
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self._order = _by_code(self._codes, self._first)
        self._cuts = _cuts(counts[1:], self._first)
        self._below = np.zeros((len(self._cuts), self._width), dtype=np.uint64)
        bits.fill(self._order, np.array(self._cuts), self._below)
        self._moved: set[int] = set()
        self._looked: tuple[Int64, Int32] | None = None

    def __getitem__(self, place: int) -> Any:
        return self._values[self._codes[place]]

    def values(self, places: Int64) -> list[Any]:
        known = self._values
        return [known[code] for code in self._codes[places].tolist()]

    def put(self, place: int, value: Any) -> None:
        key = None if value is None else _key(value)
        code = self._code.get(key)
        if code is None:
            code = self._code[key] = len(self._values)
            self._values.append(value)
        if code != self._codes[place]:
            self._codes[place] = code
            self._moved.add(place)
            self._looked = None

    def tidy(self) -> None:
        """To be called when all is put that there is to put."""
        most = max(MOST_LATE, len(self._codes) // SHARE_MOVED)
        if len(self._values) - self._sorted > MOST_LATE or len(self._moved) > most:
            self._sort()

    def meeting(self, tree: Mapping[str, Any], test: Callable[[Any], bool]) -> Bits:
        """The places of which the value passes; `tree` is the test as it was written. May hold places of nobody."""
        spans = self._spans(tree)
        if spans is None:
            passes = np.fromiter(map(test, self._values), dtype=np.bool_, count=len(self._values))
            return bits.bits_of(passes[self._codes])
        found: Bits | None = None
        for low, high in spans:
            found = self._add(int(self._first[low]), int(self._first[high]), found)
        if found is None:
            found = np.zeros(self._width, dtype=np.uint64)
        if self._moved:
            late = [code for code in range(self._sorted, len(self._values)) if test(self._values[code])]
            ends = sorted(end for span in (*spans, *((code, code + 1) for code in late)) for end in span)
            if self._looked is None:
                places = np.fromiter(self._moved, dtype=np.int64, count=len(self._moved))
                self._looked = places, self._codes[places]
            bits.put(found, *self._looked, np.array(ends, dtype=np.int32))
        return found

    def _add(self, start: int, end: int, found: Bits | None) -> Bits:
        """That part of the order, which shares nothing with what was found."""
        if end - start <= FEW:
            found = np.zeros(self._width, dtype=np.uint64) if found is None else found
            bits.toggle(found, self._order[start:end])
            return found
        first, last = self._nearest(start), self._nearest(end)
        if found is None:
            found = self._below[first] ^ self._below[last]
        else:
            found ^= self._below[first]
            found ^= self._below[last]
        for place, cut in ((start, self._cuts[first]), (end, self._cuts[last])):
            if place != cut:
                bits.toggle(found, self._order[min(place, cut) : max(place, cut)])
        return found

    def _nearest(self, position: int) -> int:
        cuts = self._cuts
        after = bisect_left(cuts, position)
        return after - (after > 0 and position - cuts[after - 1] < cuts[after] - position)

    def ranking(self, among: Bits, parts: int, test: Callable[[int | None], bool]) -> Bits:
        """The places whose score passes, as `segment.score` means it, of the numbers at the places `among`."""
        mask = np.unpackbits(among.view(np.uint8), bitorder="little").view(np.bool_)
        counts = np.bincount(self._codes[mask], minlength=len(self._values)).tolist()
        numbers = [code for code, value in enumerate(self._values) if _order(value)[0] == 1]
        everybody = sum(counts[code] for code in numbers)
        passing = [test(one) for one in range(1, parts + 1)] if everybody else []
        passes = np.full(len(self._values), test(None))
        smaller = 0
        for code in sorted(numbers, key=self._values.__getitem__):
            if counts[code]:
                passes[code] = passing[score(smaller, everybody, parts) - 1]
                smaller += counts[code]
        return bits.bits_of(passes[self._codes])

    def _spans(self, tree: Mapping[str, Any]) -> Sequence[tuple[int, int]] | None:
        """Of the sorted codes the ranges that pass, that share nothing; None where order does not tell."""
        ((kind, given),) = tree.items()
        if kind == "exists":
            return [(1, self._sorted)] if given else [(0, 1)]
        if kind in ("equals", "in"):
            wanted = [given] if kind == "equals" else given
            if not any(isinstance(one, list | tuple | Mapping) for one in wanted):  # [1] equals [1.0], which is another
                codes = {self._code.get(distinct_key(one), 0) for one in wanted}
                return [(code, code + 1) for code in codes if 0 < code < self._sorted]
        if kind == "range":
            ends = [given.get("from"), given.get("to")]
            text = any(isinstance(one, str) for one in ends)
            low, high = self._texts if text else self._numbers
            start = low if ends[0] is None else bisect_left(self._values, ends[0], low, high)
            return [(start, high if ends[1] is None else bisect_right(self._values, ends[1], low, high))]
        if kind == "prefix":
            low, high = self._texts
            start = bisect_left(self._values, given, low, high)
            # All that begin so lie side by side, and are cut to the same.
            return [(start, bisect_right(self._values, given, start, high, key=lambda text: text[: len(given)]))]
        return None


def _order(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, int | float) and value == value:
        return 1, value
    return (2, value) if isinstance(value, str) else (3, _key(value))


def _key(value: Any) -> Any:
    """Equal for values that are the same to every test. A sum of infinities is no number, and not even itself."""
    return b"nan" if value != value else distinct_key(value)


def _cuts(counts: Int64, first: Int64) -> list[int]:
    """Ascending places in an order by code, with both its ends: as many buckets as are full between them, of the values
    that `counts` counts, and a value of many places has its own."""
    before = first[1:-1] - first[1]
    size = max(1, -(-int(counts.sum()) // BUCKETS))
    alone = counts >= size
    if not len(counts):
        return [0, int(first[-1])]
    cuts = np.concatenate([[True], (np.diff(before // size) > 0) | alone[1:] | alone[:-1]])
    return [0, *first[1:-1][cuts].tolist(), int(first[-1])]


@kernel()
def _by_code(codes: Int32, first: Int64) -> Int32:  # pragma: no cover - compiled
    """All places in order of code, and of place."""
    found = np.empty(len(codes), dtype=np.int32)
    at = first.copy()
    for place in range(len(codes)):
        found[at[codes[place]]] = place
        at[codes[place]] += 1
    return found
