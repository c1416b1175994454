"""Who is of the few components that something is done to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity_graph.bits import Bits, ones
from identity_graph.kernel import kernel
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Int32, read_only

_TILE = 1024  # identifiers that are looked at before any of them is counted


@dataclass(frozen=True, slots=True)
class Members:
    """Of c components, by their smallest identifiers, the identifiers of either half of the numbers, ascending: `who`
    int32 and `component` int32, its position. `many` int32[2, c] is how many each has of either half."""

    many: Int32
    who: tuple[Int32, Int32]
    component: tuple[Int32, Int32]

    @classmethod
    def of(cls, label: Int32, chosen: Int32) -> Members:
        """Of the components that are chosen of those that `label` int32[n] names by their smallest identifiers: these,
        ascending. 2 threads; O(n), which is mostly to look at one bit each."""
        n = len(label)
        bits, before = _marked(chosen, n)
        many = np.zeros((2, len(chosen)), np.int32)
        with second_thread(n) as thread:
            whole = read_only(label), bits, before
            parts = both(thread, _seek, *((*whole, *half, many[t]) for t, half in enumerate(halves(n))))
        (low, low_of), (high, high_of) = parts
        return cls(many, (low, high), (low_of, high_of))


@kernel(nogil=True)
def _marked(chosen: Int32, n: int) -> tuple[Bits, Int32]:  # pragma: no cover - compiled
    """A bit for each of those chosen, and how many are in the words before each word."""
    bits, before = np.zeros(n // 64 + 1, np.uint64), np.empty(n // 64 + 1, np.int32)
    for i in range(len(chosen)):
        bits[chosen[i] >> 6] |= np.uint64(1) << np.uint64(chosen[i] & 63)
    count = 0
    for word in range(len(bits)):
        before[word] = count
        count += int(np.int32(ones(bits[word])))
    return bits, before


@kernel(nogil=True)
def _seek(
    label: Int32, bits: Bits, before: Int32, start: int, stop: int, many: Int32
) -> tuple[Int32, Int32]:  # pragma: no cover - compiled
    """Those from `start` on who are of a chosen component, and the position of that; and count them."""
    who, component, k = np.empty(stop - start, np.int32), np.empty(stop - start, np.int32), 0
    named, own = np.empty(_TILE + 1, np.uint32), np.empty(_TILE + 1, np.int32)
    one, low_bits = np.uint64(1), np.uint32(63)
    for low in range(start, stop, _TILE):
        count = 0
        for x in range(low, min(low + _TILE, stop)):
            root = np.uint32(label[x])
            named[count], own[count] = root, x
            # a branch that nobody can predict costs more
            count += int(np.intp(bits[root >> np.uint32(6)] >> np.uint64(root & low_bits) & one))
        for i in range(count):
            word, bit = named[i] >> np.uint32(6), np.uint64(named[i] & low_bits)
            at = np.uint32(before[word]) + np.uint32(ones(bits[word] & ((one << bit) - one)))
            who[k], component[k] = own[i], at
            many[at] += 1
            k += 1
    return who[:k], component[:k]
