"""Fingerprints of texts: 128 bits that no two texts share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from identity_graph.kernel import instruction, kernel
from identity_graph.resolve.arrow_texts import INLINE, Texts, lent
from identity_graph.resolve.threads import Thread, spread
from identity_graph.tables import Words

if TYPE_CHECKING:
    import polars as pl

_SHARE = 2**16  # rows that a thread takes at a time
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_FIRST, _WORD = np.uint64(4), np.uint64(8)
_WORDS = 4  # at least, beside the first


def fingerprints(tables: Sequence[pl.DataFrame], thread: Thread) -> Words:
    """Of each row of texts, of one table after the other, two words of 64 bits: uint64[2m]. The tables have the same
    columns.

    Each word is the sum, over the columns, of a universal hash: the upper half of a sum of products modulo
    2^128 of the text's words and random factors (Multilinear: Lemire and Kaser 2014, "Strongly universal string hashing
    is fast"). The factors are drawn anew by each call and told nobody, so that whatever the rows are and whoever chose
    them, two that differ have the same fingerprint with a probability of 2^-128. Among 2^31 distinct rows that is less
    than one in 10^19. 4 multiplications for 8 bytes; the factors take 4 times the longest text.
    """
    found = np.zeros(2 * sum(table.height for table in tables), np.uint64)
    dice = np.random.default_rng()
    for name in tables[0].columns:
        shares, row = [], 0
        with ExitStack() as borrowed:
            longest = max(_longest(table[name]) for table in tables)
            factors = dice.integers(2**64, size=4 * (1 + max(_WORDS, 1 + longest // 8)), dtype=np.uint64)
            for table in tables:
                for texts in borrowed.enter_context(lent(table[name])):
                    height = len(texts.views) // 2
                    for start in range(0, height, _SHARE):
                        stop = min(start + _SHARE, height)
                        shares.append((texts, factors, start, stop, found[2 * (row + start) : 2 * (row + stop)]))
                    row += height
            spread(thread, _add, shares)
    return found


def _longest(texts: pl.Series) -> int:
    """Bytes."""
    return int(texts.str.len_bytes().to_numpy().max(initial=0))


@instruction
def _add_product(typing_context: Any, high: Any, low: Any, word: Any, factor_high: Any, factor_low: Any) -> Any:
    """The two halves of `sum + word * factor` modulo 2^128, whose halves are given."""
    from llvmlite import ir
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide, shift = ir.IntType(128), ir.IntType(128)(64)
        one, two, word, three, four = (builder.zext(each, wide) for each in arguments)
        sum = builder.or_(builder.shl(one, shift), two)
        factor = builder.or_(builder.shl(three, shift), four)
        sum = builder.add(sum, builder.mul(word, factor))
        halves = (builder.trunc(each, ir.IntType(64)) for each in (builder.lshr(sum, shift), sum))
        return context.make_tuple(builder, signature.return_type, tuple(halves))

    word64: Any = types.uint64
    two: Any = types.UniTuple
    return two(word64, 2)(word64, word64, word64, word64, word64), emit


@instruction
def _word_at(typing_context: Any, address: Any) -> Any:
    from llvmlite import ir
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(types.uint64), emit


@kernel(nogil=True, inline=True)
def _with_word(sums: Any, word: Any, factors: Words, n: int) -> Any:  # pragma: no cover - compiled
    """Both sums, each in two halves, with the product of the word and their factors of that number."""
    high, low = _add_product(sums[0], sums[1], word, factors[4 * n], factors[4 * n + 1])
    other_high, other_low = _add_product(sums[2], sums[3], word, factors[4 * n + 2], factors[4 * n + 3])
    return high, low, other_high, other_low


@kernel(nogil=True)
def _add(texts: Texts, factors: Words, start: int, stop: int, found: Words) -> None:  # pragma: no cover - compiled
    """A text is its length and first four bytes, one word, and then all from the fifth byte on in words, the last of
    which ends where it does. That one is repeated until there are four: most texts then take the same way through, and
    the processor need not guess where they end. Of a short one, all from the fifth byte on is one word of its view."""
    views, buffers = texts
    zero, here = np.uint64(0), np.uint64(views.ctypes.data)
    for row in range(stop - start):
        word, place = views[2 * (start + row)], views[2 * (start + row) + 1]
        length = word & _LOW
        if length <= INLINE:
            next = last = here + np.uint64(16 * (start + row) + 8)
        else:
            next = buffers[place & _LOW] + (place >> _HALF) + _FIRST
            last = next + length - _FIRST - _WORD
        sums = _with_word((zero, zero, zero, zero), word, factors, 0)
        for n in range(_WORDS):
            sums = _with_word(sums, _word_at(min(next, last)), factors, n + 1)
            next += _WORD
        n = _WORDS
        while next < last + _WORD:
            sums = _with_word(sums, _word_at(min(next, last)), factors, n + 1)
            next += _WORD
            n += 1
        found[2 * row] += sums[0]
        found[2 * row + 1] += sums[2]
