"""A digest of which events a store holds, kept as they come and go: it is a sum, and in no order."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from identity_graph.text_digests import text_digests

BYTES = 32
EMPTY = bytes(BYTES)
_MODULUS = 1 << 8 * BYTES


def event_sum(ids: Iterable[str]) -> bytes:
    """Of the ids, each once: of their BLAKE2b, modulo 2**256. What an event holds never changes under its id.

    >>> added(event_sum(["a", "b"]), event_sum(["c"])) == event_sum(["c", "b", "a"])
    True
    >>> without(event_sum(["a", "b"]), event_sum(["b"])) == event_sum(["a"])
    True
    """
    words = text_digests(ids, BYTES).view(np.uint32).sum(axis=0, dtype=np.uint64)
    return _bytes(sum(int(word) << 32 * place for place, word in enumerate(words)))


def added(one: bytes, other: bytes) -> bytes:
    return _bytes(int.from_bytes(one, "little") + int.from_bytes(other, "little"))


def without(one: bytes, other: bytes) -> bytes:
    return _bytes(int.from_bytes(one, "little") - int.from_bytes(other, "little"))


def _bytes(number: int) -> bytes:
    return (number % _MODULUS).to_bytes(BYTES, "little")
