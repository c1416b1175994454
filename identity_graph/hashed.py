"""What many texts are looked up by, and what is counted of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from identity_graph.event_sum import event_sum
from identity_graph.tables import Int64
from identity_graph.text_digests import text_digests


def hashes(texts: Iterable[str]) -> Int64:
    """48 bits of each, signed, under which it is found. Several texts may share one."""
    return text_digests(texts, 8).view(np.int64).ravel() >> 16


class Hashed(NamedTuple):
    """Of a table of events, int64: hashes of its `ids`, hashes of the `values` that it names and their `order`; the
    `total` of its ids, see `event_sum`; and whether no two ids are the same. True is certain."""

    ids: Int64
    values: Int64
    order: Int64
    total: bytes
    distinct: bool

    @classmethod
    def of(cls, ids: Sequence[str], values: Sequence[str]) -> Hashed:
        own, found = hashes(ids), hashes(values)
        distinct = bool((np.diff(np.sort(own)) != 0).all())
        return cls(own, found, np.argsort(found), event_sum(ids), distinct)
