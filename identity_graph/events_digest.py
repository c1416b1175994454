"""What receipts say of everybody else: which events there are, as a digest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import orjson

from identity_graph.event_sum import added, event_sum
from identity_graph.store.protocols import Store

_AT_ONCE = 5_000


def events_digest(store: Store, total: bytes) -> str:
    """Of an `event_sum`. By the store's key: of two plain sums the difference tells whether an event was erased."""
    return store.privacy.keyed_hash(f"events\0{total.hex()}").hex()


def counted_anew(store: Store) -> bytes:
    """What `EvidenceStore.event_sum` keeps, from the events themselves."""
    ids, found = _ids(store), event_sum(())
    while some := list(islice(ids, _AT_ONCE)):
        found = added(found, event_sum(some))
    return found


def _ids(store: Store) -> Iterator[str]:
    for line in store.operations.canonical_lines():
        kind, told = orjson.loads(line)
        if kind != "event":
            return
        yield told[0]
