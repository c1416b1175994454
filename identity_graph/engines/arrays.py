"""Columns in this process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.resolve.shares import Pairs
from identity_graph.resolve.statements import settle
from identity_graph.store.protocols import Store
from identity_graph.tables import IdentifierTable, Int32, Int64


class Arrays:
    name = "arrays"

    def resolve(self, store: Store, policy: Policy) -> Resolution:
        evidence = store.evidence
        identifiers, values = evidence.identifier_table()
        said = evidence.statements()
        links = evidence.link_table(identifiers, values, policy, said)
        must, cannot = (dense_pairs(identifiers, pairs) for pairs in settle(said))
        now = evidence.newest() if policy.decays else 0
        return resolve_links(
            identifiers, values, links, must, sorted(evidence.sources()), policy, cannot=cannot, now=now
        )

    def afterwards(self, resolution: Resolution) -> Callable[[], None]:
        return lambda: None


def dense_pairs(identifiers: IdentifierTable, pairs: tuple[Int64, Int64]) -> Pairs:
    a, b = (dense(identifiers, ends) for ends in pairs)
    return a, b


def dense(identifiers: IdentifierTable, numbers: Int64) -> Int32:
    """Positions in the table of the store's numbers, all of which are in it."""
    return np.searchsorted(identifiers.number, numbers).astype(np.int32)
