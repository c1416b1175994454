"""What the server's Leiden makes of components that are too large, for people who look at the graph there.

No person follows from it. They are one answer on every store, where there may be no server, and its Leiden draws lots
in an order that a release may change. So the ladder takes `resolve/communities.py`, which a test compares with this.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

import numpy as np

from identity_graph.engines.catalogue import Catalogue
from identity_graph.errors import StoreError
from identity_graph.resolve import Resolution
from identity_graph.resolve.components import components
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.tables import Float64, Int64

MOST = 1_000_000
"""Links: they cross to the server at once. Of more, nothing is written."""
PATIENCE = 300.0
"""Seconds that it may take, as whoever resolves waits for it."""

log = logging.getLogger("identity_graph.engines")


@dataclass(frozen=True, slots=True)
class Oversized:
    """The links that join within components that are larger than a person may be, by the numbers of both ends. As each
    component counts as if it were alone, all are equally heavy together; there are so many of them."""

    a: Int64
    b: Int64
    weight: Float64
    components: int

    def __len__(self) -> int:
        return len(self.a)

    @classmethod
    def of(cls, resolution: Resolution) -> Self:
        links, groups = resolution.links, resolution.groups
        rows = np.flatnonzero(groups.kept & groups.oversized[links.a]) if groups.oversized.any() else np.empty(0, int)
        weight, count = np.round(links.weight[rows], 9), 0
        if len(rows):
            nodes, ends = np.unique(np.r_[links.a[rows], links.b[rows]], return_inverse=True)
            a, b = ends.astype(np.int32).reshape(2, -1)
            names, own = np.unique(components(len(nodes), a, b)[a], return_inverse=True)
            count = len(names)
            weight *= (weight.sum() / count / np.bincount(own, weight))[own]
        number = resolution.identifiers.number
        return cls(number[links.a[rows]], number[links.b[rows]], weight, count)


def write_communities(catalogue: Catalogue, found: Oversized) -> None:
    """`community` of each identifier, which is the smallest number in it, and the label `Oversized`. What was there
    before went with the publication. That it fails is said, and harms nobody."""
    if not len(found):
        return
    if len(found) > MOST:
        log.warning("components that are too large have %d links: too many to send for their communities", len(found))
        return
    try:
        numbers, communities = find_communities(catalogue, found)
        rows = np.stack((numbers, communities), axis=1).tolist()
        with catalogue.database.transaction():
            for chunk in in_chunks(rows):
                catalogue.database.write("engine/write_communities", rows=chunk)
    except StoreError as error:
        log.warning("communities of components that are too large were not written: %s", error)


def find_communities(catalogue: Catalogue, found: Oversized) -> tuple[Int64, Int64]:
    """Numbers of identifiers, ascending, and of each the smallest number of its community."""
    links = list(map(list, zip(found.a.tolist(), found.b.tolist(), found.weight.tolist(), strict=True)))
    with catalogue.graph() as (graph, gds):
        catalogue.database.read("engine/project_oversized", graph=graph, links=links)
        gds.leiden.mutate(
            gds.graph.get(graph),
            mutate_property="community",
            relationship_weight_property="weight",
            gamma=float(found.components),
            random_seed=1,
            concurrency=1,
            job_id=str(uuid4()),
        )
        numbers, communities = catalogue.database.one("engine/components", graph=graph, property="community")
    order = np.argsort(numbers)
    number = np.array(numbers, dtype=np.int64)[order]
    _, first, own = np.unique(np.array(communities)[order], return_index=True, return_inverse=True)
    return number, number[first[own]]
