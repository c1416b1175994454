"""Graph Data Science, on the server where the graph is: what comes back are the components, not the links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import numpy as np

from identity_graph.engines.arrays import Arrays, dense_pairs
from identity_graph.engines.catalogue import TIMEOUT, Catalogue
from identity_graph.engines.known import Known
from identity_graph.engines.leiden import PATIENCE, Oversized, write_communities
from identity_graph.engines.node_similarity import can_compare, find_similar
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.resolve.prune import JOINS, prune_values
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.similar_links import SimilarLinks
from identity_graph.resolve.statements import settle
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.event_rows import PAIRWISE
from identity_graph.store.neo4j.links import Links
from identity_graph.store.protocols import Store
from identity_graph.tables import Int8, Int32


class Gds:
    """Components of the links that join are found on the server; the forest grows here, on those that break a limit.

    What WCC finds is kept with the projected graph, and read from there as columns: what is written to the database are
    persons, by whoever publishes them.

    With `similarity` the server finds who is similar, too; without it arrays resolve a policy that asks for that.
    """

    name = "gds"

    def __init__(self, database: Connection, timeout: float = TIMEOUT, *, similarity: bool = True) -> None:
        self._database = database
        self._catalogue = Catalogue(database, timeout)
        self._leiden = Catalogue(database, min(timeout, PATIENCE))
        self._similarity = similarity

    def resolve(self, store: Store, policy: Policy) -> Resolution:
        if policy.pairwise_up_to < PAIRWISE:  # the links that join are not those that the graph keeps
            return Arrays().resolve(store, policy)
        if policy.similarity and not self._similarity:
            return Arrays().resolve(store, policy)
        evidence = store.evidence
        with store.beside(lambda: self._crowded(policy)) as crowded:
            identifiers, values = evidence.identifier_table()
            many = np.isin(identifiers.number, crowded())
        if not can_compare(policy, identifiers):
            return Arrays().resolve(store, policy)
        links = Links(self._database, identifiers, values)
        rules = Rules.of(policy, identifiers.namespaces, links.sources)
        said = evidence.statements()
        must, cannot = (dense_pairs(identifiers, pairs) for pairs in settle(said))
        now = evidence.newest() if policy.decays else 0
        known = Known(identifiers, values, rules, policy, links, must, cannot, links.wide(policy, said), now)
        pruned = known.prune(prune_values(identifiers.namespace, values, policy, rules), many)
        similar = find_similar(known, self._catalogue, pruned)
        label = self._components(known, pruned, similar)
        inside = known.doubtful(label) & (pruned == JOINS)
        beside = inside[must[0]] | inside[must[1]]
        found = resolve_links(
            identifiers,
            values,
            known.evidence(inside),
            (must[0][beside], must[1][beside]),
            links.sources,
            policy,
            cannot=cannot,
            known=pruned,
            similar=similar,
            now=now,
        )
        label[inside] = found.groups.label[inside]
        label[pruned != JOINS] = -1
        return replace(found, groups=replace(found.groups, label=label))

    def afterwards(self, resolution: Resolution) -> Callable[[], None]:
        """Writes communities; see `leiden.py`. Where no component is too large, the server is not asked."""
        found = Oversized.of(resolution)
        return lambda: write_communities(self._leiden, found)

    def _crowded(self, policy: Policy) -> list[int]:
        """Numbers of identifiers with so many links, by source and stated ones too, that they may be hubs."""
        caps = [rule.hub_cap for rule in (policy.default_rule, *policy.namespaces.values()) if rule.joins]
        numbers: list[int] = self._database.one("engine/crowded", least=min([policy.max_identifiers, *caps]))[0]
        return numbers

    def _components(self, known: Known, pruned: Int8, similar: SimilarLinks) -> Int32:
        """The smallest identifier of each one's component, int32[n]."""
        label = np.arange(len(pruned), dtype=np.int32)
        with self._catalogue.graph() as (graph, gds):
            parameters = known.weighing(pruned) | {"more": known.more(pruned, similar)}
            ((nodes, _),) = self._database.read("engine/project", graph=graph, **parameters)
            if not nodes:
                return label
            gds.wcc.mutate(gds.graph.get(graph), mutate_property="component", job_id=str(uuid4()))
            numbers, components = self._database.one("engine/components", graph=graph, property="component")
        rows = np.searchsorted(known.identifiers.number, np.array(numbers, dtype=np.int64))
        _, component = np.unique(np.array(components, dtype=np.int64), return_inverse=True)
        smallest = np.full(component.max() + 1, len(pruned), dtype=np.int64)
        np.minimum.at(smallest, component, rows)
        label[rows] = smallest[component]
        return label
