"""Numbers of those that come first among others, in the order in which they do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from identity_graph.bits import ones
from identity_graph.kernel import kernel
from identity_graph.resolve.threads import Thread, both
from identity_graph.tables import Int32, Words

UInt32 = npt.NDArray[np.uint32]

_COUNT = np.uint64(32)  # bits below it: whether each of 32 is a first one; above it, how many are before these
_PLACE, _BITS, _ONE = np.uint64(31), np.uint64(5), np.uint64(1)


def ranked(first: Int32 | UInt32, thread: Thread) -> tuple[Words, int]:
    """Of what names the first one of those that are alike: words that `rank` looks a number up in, and how many first
    ones there are. A quarter of a byte for each: of some millions they stay in the cache, which numbers would not."""
    ranks, middle = np.empty(len(first) // 32 + 1, np.uint64), len(first) // 64 * 32
    before, rest = both(thread, _mark, (first, 0, middle, ranks), (first, middle, len(first), ranks))
    ranks[middle // 32 :] += np.uint64(before << 32)
    return ranks, before + rest


@kernel(nogil=True, inline=True)
def rank(ranks: Words, one: Any) -> Any:  # pragma: no cover - compiled
    """How many first ones are before this one."""
    word = ranks[np.uint64(one) >> _BITS]
    return (word >> _COUNT) + ones(word & ((_ONE << (np.uint64(one) & _PLACE)) - _ONE))


@kernel(nogil=True)
def _mark(first: Int32 | UInt32, start: int, stop: int, ranks: Words) -> int:  # pragma: no cover - compiled
    """How many first ones there are; 32 divides the start."""
    found = np.uint64(0)
    for begin in range(start, stop, 32):
        bits = np.uint64(0)
        for x in range(begin, min(begin + 32, stop)):
            bits |= np.uint64(first[x] == x) << np.uint64(x - begin)
        ranks[begin >> 5] = (found << _COUNT) | bits
        found += ones(bits)
    return int(found)
