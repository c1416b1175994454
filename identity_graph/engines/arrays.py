"""Columns in this process."""

from __future__ import annotations

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.store.protocols import Store


class Arrays:
    name = "arrays"

    def resolve(self, store: Store, policy: Policy) -> Resolution:
        evidence = store.evidence
        identifiers, values = evidence.identifier_table()
        links = evidence.link_table(identifiers, values, policy)
        a, b = (np.searchsorted(identifiers.number, ends).astype(np.int32) for ends in evidence.stated_pairs())
        now = evidence.newest() if policy.decays else 0
        return resolve_links(identifiers, values, links, (a, b), sorted(evidence.sources()), policy, now=now)
