"""Sets of places, as one bit each."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from identity_graph.kernel import instruction, kernel
from identity_graph.tables import Bool, Int32, Int64

Bits: TypeAlias = npt.NDArray[np.uint64]
"""Place n is bit n % 64 of word n // 64."""


def places_in(bits: Bits) -> Int64:
    """Ascending."""
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little"))


def bits_of(chosen: Bool) -> Bits:
    """A length that 64 divides."""
    return np.packbits(chosen, bitorder="little").view(np.uint64)


@instruction
def ones(typing: Any, word: Any) -> Any:  # pragma: no cover - compiled
    """`ones(word)`, for kernels: how many places are in one word."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@instruction
def lowest(typing: Any, word: Any) -> Any:
    """`lowest(word)`, for kernels: the least place in one word, which is not empty."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@kernel()
def count_common(one: Bits, other: Bits) -> int:  # pragma: no cover - compiled
    """How many places are in both."""
    found = np.uint64(0)
    for n in range(len(one)):
        found += ones(one[n] & other[n])
    return int(found)


@kernel()
def toggle(bits: Bits, places: Int32) -> None:  # pragma: no cover - compiled
    for place in places:
        bits[place >> 6] ^= np.uint64(1) << np.uint64(place & 63)


@kernel()
def put(bits: Bits, places: Int64, codes: Int32, ends: Int32) -> None:  # pragma: no cover - compiled
    """Each of these places in or out: its code lies in one of some ranges, that share nothing, where an odd number of
    their ends, ascending, is not above it."""
    for n in range(len(places)):
        bit = np.uint64(1) << np.uint64(places[n] & 63)
        if np.searchsorted(ends, codes[n], side="right") % 2 == 1:
            bits[places[n] >> 6] |= bit
        else:
            bits[places[n] >> 6] &= ~bit


@kernel()
def fill(order: Int32, cuts: Int64, below: npt.NDArray[np.uint64]) -> None:  # pragma: no cover - compiled
    """`below[n]`: the places that stand before `cuts[n]` in an order of all; zeros to begin with."""
    for n in range(1, len(cuts)):
        for word in range(below.shape[1]):
            below[n, word] = below[n - 1, word]
        for place in order[cuts[n - 1] : cuts[n]]:
            below[n, place >> 6] |= np.uint64(1) << np.uint64(place & 63)
