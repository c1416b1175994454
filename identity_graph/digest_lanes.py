"""BLAKE2b (RFC 7693) of texts that fit in one block, many side by side: each step is one instruction for several."""

from __future__ import annotations

from typing import Any

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.tables import Bytes, Int64, Words

_LANES = 64
"""Texts at once: their words stay in the processor's nearest cache. The words of one place lie side by side."""

_START = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)
_PARAMETERS = 0x01010000  # no key, no tree; the size is added

# Which words of a text a round takes, one after the other.
_ORDER_0 = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_ORDER_1 = (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
_ORDER_2 = (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
_ORDER_3 = (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
_ORDER_4 = (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
_ORDER_5 = (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
_ORDER_6 = (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
_ORDER_7 = (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
_ORDER_8 = (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
_ORDER_9 = (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)


@kernel(nogil=True, inline=True)
def _turned(word: Any, bits: int) -> Any:  # pragma: no cover - compiled
    """To the right."""
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))


@kernel(nogil=True, inline=True)
def _mixed(a: Any, b: Any, c: Any, d: Any, one: Any, other: Any) -> Any:  # pragma: no cover - compiled
    a = a + b + one
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + other
    d = _turned(d ^ a, 16)
    c = c + d
    b = _turned(b ^ c, 63)
    return a, b, c, d


@kernel(nogil=True, inline=True)
def _round(v: Any, m: Any, o: Any) -> Any:  # pragma: no cover - compiled
    """The state after a round: columns, then diagonals."""
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 = v
    v0, v4, v8, v12 = _mixed(v0, v4, v8, v12, m[o[0]], m[o[1]])
    v1, v5, v9, v13 = _mixed(v1, v5, v9, v13, m[o[2]], m[o[3]])
    v2, v6, v10, v14 = _mixed(v2, v6, v10, v14, m[o[4]], m[o[5]])
    v3, v7, v11, v15 = _mixed(v3, v7, v11, v15, m[o[6]], m[o[7]])
    v0, v5, v10, v15 = _mixed(v0, v5, v10, v15, m[o[8]], m[o[9]])
    v1, v6, v11, v12 = _mixed(v1, v6, v11, v12, m[o[10]], m[o[11]])
    v2, v7, v8, v13 = _mixed(v2, v7, v8, v13, m[o[12]], m[o[13]])
    v3, v4, v9, v14 = _mixed(v3, v4, v9, v14, m[o[14]], m[o[15]])
    return v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15


@kernel(nogil=True)
def digest_lanes(data: Bytes, starts: Int64, lengths: Int64, found: Words) -> None:  # pragma: no cover - compiled
    """Fill in a row of `found` for each text, as many words as it has, four at most. A text is `data` (uint8) from its
    start on; of one that is longer than a block, the row is of no use."""
    texts, words = found.shape
    message = np.zeros(16 * _LANES, np.uint64)
    count = np.zeros(_LANES, np.uint64)
    digest = np.zeros(4 * _LANES, np.uint64)
    begun = _START[0] ^ np.uint64(_PARAMETERS + 8 * words)
    for first in range(0, texts, _LANES):
        lanes = min(_LANES, texts - first)
        for lane in range(lanes):
            at, left = starts[first + lane], lengths[first + lane]
            count[lane] = left
            for word in range(16):
                bits = np.uint64(0)
                if left >= 8:
                    for byte in range(8):
                        bits |= np.uint64(data[at + byte]) << np.uint64(8 * byte)
                else:
                    for byte in range(left):
                        bits |= np.uint64(data[at + byte]) << np.uint64(8 * byte)
                message[word * _LANES + lane] = bits
                at += 8
                left -= 8
        for i in range(_LANES):
            m = (
                message[i],
                message[1 * _LANES + i],
                message[2 * _LANES + i],
                message[3 * _LANES + i],
                message[4 * _LANES + i],
                message[5 * _LANES + i],
                message[6 * _LANES + i],
                message[7 * _LANES + i],
                message[8 * _LANES + i],
                message[9 * _LANES + i],
                message[10 * _LANES + i],
                message[11 * _LANES + i],
                message[12 * _LANES + i],
                message[13 * _LANES + i],
                message[14 * _LANES + i],
                message[15 * _LANES + i],
            )
            v = (
                begun,
                _START[1],
                _START[2],
                _START[3],
                _START[4],
                _START[5],
                _START[6],
                _START[7],
                _START[0],
                _START[1],
                _START[2],
                _START[3],
                _START[4] ^ count[i],
                _START[5],
                ~_START[6],  # this block is the last
                _START[7],
            )
            v = _round(v, m, _ORDER_0)
            v = _round(v, m, _ORDER_1)
            v = _round(v, m, _ORDER_2)
            v = _round(v, m, _ORDER_3)
            v = _round(v, m, _ORDER_4)
            v = _round(v, m, _ORDER_5)
            v = _round(v, m, _ORDER_6)
            v = _round(v, m, _ORDER_7)
            v = _round(v, m, _ORDER_8)
            v = _round(v, m, _ORDER_9)
            v = _round(v, m, _ORDER_0)
            v = _round(v, m, _ORDER_1)
            digest[i] = begun ^ v[0] ^ v[8]
            digest[1 * _LANES + i] = _START[1] ^ v[1] ^ v[9]
            digest[2 * _LANES + i] = _START[2] ^ v[2] ^ v[10]
            digest[3 * _LANES + i] = _START[3] ^ v[3] ^ v[11]
        for lane in range(lanes):
            for word in range(words):
                found[first + lane, word] = digest[word * _LANES + lane]
