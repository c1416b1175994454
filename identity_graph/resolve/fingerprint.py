"""Fingerprints of texts: 96 bits that no two texts share."""

from __future__ import annotations

from typing import Any

import numpy as np

from identity_graph.kernel import instruction, kernel
from identity_graph.resolve.arrow_texts import INLINE
from identity_graph.tables import Words

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_FIRST, _WORD, _TWO_WORDS, _FOUR_WORDS = np.uint64(4), np.uint64(8), np.uint64(16), np.uint64(32)
_WORDS = 4  # at least, beside the first


def factors(longest: int) -> Words:
    """Random ones for texts of at most so many bytes: four times as long, drawn anew by each call and to be told
    nobody, as whoever knows them can make texts that have one fingerprint."""
    return np.random.default_rng().integers(2**64, size=4 * (1 + max(_WORDS, 1 + longest // 8)), dtype=np.uint64)


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
def _with_word(sums: Any, word: Any, factors: Any) -> Any:  # pragma: no cover - compiled
    """Both sums, each in two halves, with the product of the word and their factors at that address."""
    high, low = _add_product(sums[0], sums[1], word, _word_at(factors), _word_at(factors + _WORD))
    factors += _TWO_WORDS
    other_high, other_low = _add_product(sums[2], sums[3], word, _word_at(factors), _word_at(factors + _WORD))
    return high, low, other_high, other_low


@kernel(nogil=True, inline=True)
def length(view: Any) -> Any:  # pragma: no cover - compiled
    """Bytes of the text whose view is at this address."""
    return _word_at(view) & _LOW


@kernel(nogil=True, inline=True)
def fingerprint(view: Any, buffers: Any, factors: Any) -> Any:  # pragma: no cover - compiled
    """Of the text whose view is at this address, the addresses of whose buffers are at that one, and the factors at a
    third: a word of 64 bits, and another one that is to be cut to its upper 32.

    Each is a universal hash: the upper half of a sum of products modulo 2^128 of the text's words and random factors
    (Multilinear: Lemire and Kaser 2014, "Strongly universal string hashing is fast"). Whatever the texts are and
    whoever chose them, two that differ have the same fingerprint with a probability of 2^-96, and so have rows of
    texts by the sums of theirs, each column having factors of its own; a sum of uncut words may be cut as well. Among
    2^31 distinct rows that is less than one in 10^10. 4 multiplications for 8 bytes.

    A text is its length and first four bytes, one word, and then all from the fifth byte on in words, the last of
    which ends where it does. That one is repeated until there are four: most texts then take the same way through, and
    the processor need not guess where they end. Of a short one, all from the fifth byte on is one word of its view."""
    word = _word_at(view)
    length = word & _LOW
    if length <= INLINE:
        next = last = view + _WORD
    else:
        place = _word_at(view + _WORD)
        next = _word_at(buffers + _WORD * (place & _LOW)) + (place >> _HALF) + _FIRST
        last = next + length - _FIRST - _WORD
    zero = np.uint64(0)
    sums = _with_word((zero, zero, zero, zero), word, factors)
    for _ in range(_WORDS):
        factors += _FOUR_WORDS
        sums = _with_word(sums, _word_at(min(next, last)), factors)
        next += _WORD
    while next < last + _WORD:
        factors += _FOUR_WORDS
        sums = _with_word(sums, _word_at(min(next, last)), factors)
        next += _WORD
    return sums[0], sums[2]
