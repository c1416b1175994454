"""One value of each person, so kept that whoever passes a test is found without looking at everybody."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from identity_graph.measure import distinct_key
from identity_graph.segment import score
from identity_graph.tables import Bool, Int32, Int64

Bits: TypeAlias = npt.NDArray[np.uint64]
"""A set of places, as one bit each."""

BUCKETS = 256
MOST_LATE = 1_024
"""So many new values are looked through one by one before the column is sorted again."""
VALUE_BYTES = 200
"""About what a different value takes."""


class Column:
    """Each different value has a code, in order: truths, numbers, texts, all else; 0 is no value, and what came after
    the column was sorted comes last. `_below[n]` is the set of all places whose code is less than `_starts[n]`, the
    last that of all places: a range of codes is the difference of two such sets, but for the places of two buckets.
    """

    def __init__(self, values: Sequence[Any], capacity: int) -> None:
        self._width = -(-max(capacity, 1) // 64)
        self._codes = np.zeros(self._width * 64, dtype=np.int32)
        self._values: list[Any] = [None]
        self._code: dict[Any, int] = {None: 0}
        code, known = self._code, self._values
        for place, value in enumerate(values):
            if value is not None:
                key = _key(value)
                found = code.get(key)
                if found is None:
                    found = code[key] = len(known)
                    known.append(value)
                self._codes[place] = found
        self._sort()

    @property
    def bytes(self) -> int:
        """About as much memory as it takes."""
        return self._codes.nbytes + self._below.nbytes + VALUE_BYTES * len(self._values)

    def forget(self) -> None:
        """Keep no value that is nobody's any more."""
        if not self._used().all():
            self._sort()

    def _used(self) -> Bool:
        """Of each code but the first, whether a place has it."""
        found: Bool = np.bincount(self._codes, minlength=len(self._values))[1:] > 0
        return found

    def _sort(self) -> None:
        used = (1 + np.flatnonzero(self._used())).tolist()
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
        counts = np.bincount(self._codes, minlength=self._sorted)
        # As many buckets as are full, and a value of many places has its own.
        filled = np.cumsum(counts[1:]) - counts[1:]
        size = max(1, -(-int(counts[1:].sum()) // BUCKETS))
        alone = counts[1:] >= size
        cuts = np.concatenate([[True], (np.diff(filled // size) > 0) | alone[1:] | alone[:-1]]) if len(alone) else alone
        self._starts = np.concatenate([np.flatnonzero(cuts) + 1, [self._sorted]]).astype(np.int64)
        bucket = np.searchsorted(self._starts, np.arange(self._sorted), side="right")
        self._below = np.zeros((len(self._starts) + 1, self._width), dtype=np.uint64)
        _fill(self._codes, bucket.astype(np.int32), self._below)

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
        before = int(self._codes[place])
        if code != before:
            self._codes[place] = code
            old, new = (int(np.searchsorted(self._starts, one, side="right")) for one in (before, code))
            self._below[min(old, new) : max(old, new), place // 64] ^= np.uint64(1 << place % 64)

    def tidy(self) -> None:
        """To be called when all is put that there is to put."""
        if len(self._values) - self._sorted > MOST_LATE:
            self._sort()

    def meeting(self, tree: Mapping[str, Any], test: Callable[[Any], bool]) -> Bits:
        """The places of which the value passes; `tree` is the test as it was written. May hold places of nobody."""
        found = np.zeros(self._width, dtype=np.uint64)
        spans = self._spans(tree, test)
        if spans is None:
            passes = np.fromiter(map(test, self._values), dtype=np.bool_, count=len(self._values))
            _choose(self._codes, passes, found)
            return found
        late = [code for code in range(self._sorted, len(self._values)) if test(self._values[code])]
        for low, high in [*spans, *((code, code + 1) for code in late)]:
            self._add(low, high, found)
        return found

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
        found = np.zeros(self._width, dtype=np.uint64)
        _choose(self._codes, passes, found)
        return found

    def _spans(self, tree: Mapping[str, Any], test: Callable[[Any], bool]) -> Iterable[tuple[int, int]] | None:
        """Of the sorted codes the ranges that pass; None where order does not tell."""
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

    def _add(self, low: int, high: int, found: Bits) -> None:
        if low >= high:
            return
        if low == 0:
            found |= self._below[0]
            low = 1
            if low >= high:
                return
        starts = self._starts
        if low >= self._sorted:
            _pick(self._below[-2], self._below[-1], self._codes, low, high, found)
            return
        # Whole buckets first..last; what sticks out on either side is picked.
        first = int(np.searchsorted(starts, low))
        last = int(np.searchsorted(starts, high, side="right")) - 1
        if first < last:
            _between(self._below[first], self._below[last], found)
        if first > last:
            _pick(self._below[last], self._below[first], self._codes, low, high, found)
            return
        if starts[first] > low:
            _pick(self._below[first - 1], self._below[first], self._codes, low, high, found)
        if starts[last] < high:
            _pick(self._below[last], self._below[last + 1], self._codes, low, high, found)


def _order(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 0, value
    if isinstance(value, int | float) and value == value:
        return 1, value
    return (2, value) if isinstance(value, str) else (3, _key(value))


def _key(value: Any) -> Any:
    """Equal for values that are the same to every test. A sum of infinities is no number, and not even itself."""
    return b"nan" if value != value else distinct_key(value)


# The place of the only bit of a word, by de Bruijn's sequence.
_SEQUENCE = 0x03F79D71B4CB0A89
_PLACES = np.zeros(64, dtype=np.int64)
for _place in range(64):
    _PLACES[((_SEQUENCE << _place) & (2**64 - 1)) >> 58] = _place


@njit(cache=True)
def _fill(codes: Int32, bucket: Int32, below: Bits) -> None:  # pragma: no cover - compiled
    for place in range(len(codes)):
        bit = np.uint64(1) << np.uint64(place % 64)
        below[bucket[codes[place]], place // 64] |= bit
    for n in range(1, len(below)):
        for word in range(below.shape[1]):
            below[n, word] |= below[n - 1, word]


@njit(cache=True)
def _choose(codes: Int32, passes: Bool, found: Bits) -> None:  # pragma: no cover - compiled
    for place in range(len(codes)):
        if passes[codes[place]]:
            found[place // 64] |= np.uint64(1) << np.uint64(place % 64)


@njit(cache=True)
def _between(low: Bits, high: Bits, found: Bits) -> None:  # pragma: no cover - compiled
    for n in range(len(found)):
        found[n] |= low[n] ^ high[n]


@njit(cache=True)
def _pick(
    inner: Bits, outer: Bits, codes: Int32, low: int, high: int, found: Bits
) -> None:  # pragma: no cover - compiled
    """Of the places in one set only, those of a range of codes."""
    for n in range(len(outer)):
        left = outer[n] ^ inner[n]
        while left:
            bit = left & (~left + np.uint64(1))
            place = 64 * n + _PLACES[(bit * np.uint64(_SEQUENCE)) >> np.uint64(58)]
            if low <= codes[place] < high:
                found[n] |= bit
            left ^= bit
