"""Graph Data Science, on the server where the graph is: what comes back are the components, not the links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Timer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from identity_graph.engines.arrays import Arrays, dense
from identity_graph.errors import StoreError
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.resolve.fold import merge
from identity_graph.resolve.part import Facts, Limits, Pairs, broken_limits
from identity_graph.resolve.prune import JOINS, prune_ends, prune_hubs, prune_links, prune_values
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.statements import settle
from identity_graph.resolve.weights import ONCE, weigh
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.event_rows import PAIRWISE
from identity_graph.store.neo4j.failures import named
from identity_graph.store.neo4j.links import Links, taken
from identity_graph.store.protocols import Store
from identity_graph.tables import Bool, EvidenceTable, IdentifierTable, Int8, Int32, LinkTable

if TYPE_CHECKING:
    from graphdatascience import GraphDataScience

TIMEOUT = 3600.0
"""Seconds that an algorithm may take: its connection is then closed, which ends it on the server too."""


class Gds:
    """Components of the links that join are found on the server; the forest grows here, on those that break a limit."""

    name = "gds"

    def __init__(self, database: Connection, timeout: float = TIMEOUT) -> None:
        self._database = database
        self._timeout = timeout

    def resolve(self, store: Store, policy: Policy) -> Resolution:
        if policy.pairwise_up_to < PAIRWISE or policy.similarity:
            return Arrays().resolve(store, policy)  # the links that join are not those that the graph keeps
        evidence = store.evidence
        with store.beside(lambda: self._crowded(policy)) as crowded:
            identifiers, values = evidence.identifier_table()
            many = np.isin(identifiers.number, crowded())
        links = Links(self._database, identifiers, values)
        rules = Rules.of(policy, identifiers.namespaces, links.sources)
        must, cannot = (dense(identifiers, pairs) for pairs in settle(evidence.statements()))
        now = evidence.newest() if policy.decays else 0
        part = _Part(identifiers, rules, policy, links, must, cannot, links.wide(policy), now)
        pruned = part.prune(prune_values(identifiers.namespace, values, policy, rules), many)
        label = self._components(part, pruned)
        inside = part.doubtful(label) & (pruned == JOINS)
        beside = inside[must[0]] | inside[must[1]]
        found = resolve_links(
            identifiers,
            values,
            part.evidence(inside),
            (must[0][beside], must[1][beside]),
            links.sources,
            policy,
            cannot=cannot,
            known=pruned,
            now=now,
        )
        label[inside] = found.groups.label[inside]
        label[pruned != JOINS] = -1
        return replace(found, groups=replace(found.groups, label=label))

    def _crowded(self, policy: Policy) -> list[int]:
        """Numbers of identifiers with so many links, by source and stated ones too, that they may be hubs."""
        caps = [rule.hub_cap for rule in (policy.default_rule, *policy.namespaces.values()) if rule.joins]
        numbers: list[int] = self._database.one("engine/crowded", least=min([policy.max_identifiers, *caps]))[0]
        return numbers

    def _components(self, part: _Part, pruned: Int8) -> Int32:
        """The smallest identifier of each one's component, int32[n]."""
        graph = f"identity-graph-{uuid4()}"
        label = np.arange(len(pruned), dtype=np.int32)
        try:
            with self._client() as gds:
                parameters = part.weighing(pruned) | {"more": part.more(pruned)}
                ((nodes, _),) = self._database.read("engine/project", graph=graph, **parameters)
                if not nodes:
                    return label
                gds.wcc.mutate(gds.graph.get(graph), mutate_property="component", job_id=str(uuid4()))
                numbers, components = self._database.one("engine/components", graph=graph, property="component")
        finally:
            self._database.alone("engine/drop", graph=graph)
        rows = np.searchsorted(part.identifiers.number, np.array(numbers, dtype=np.int64))
        _, component = np.unique(np.array(components, dtype=np.int64), return_inverse=True)
        smallest = np.full(component.max() + 1, len(pruned), dtype=np.int64)
        np.minimum.at(smallest, component, rows)
        label[rows] = smallest[component]
        return label

    @contextmanager
    def _client(self) -> Iterator[GraphDataScience]:
        from graphdatascience import GraphDataScience

        address, driver, late = self._database.address, self._database.new_driver(), Event()

        too_long = StoreError("STORE_TIMEOUT", f"{address}: the graph took longer than {self._timeout:.0f} seconds")

        def end() -> None:
            late.set()
            driver.close()

        # The client would ask 600 times, a second apart, whether a server is there that is not: the driver finds out.
        driver.verify_connectivity = lambda **_: None  # type: ignore[method-assign]
        ended = Timer(self._timeout, end)
        ended.daemon = True
        ended.start()
        try:
            with named(address):
                yield GraphDataScience(driver, database=address.database, arrow=False, show_progress=False)
        except Exception as error:
            if not late.is_set():
                raise
            raise too_long from error
        else:
            if late.is_set():
                raise too_long
        finally:
            ended.cancel()
            driver.close()


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known here without the links of everybody."""

    identifiers: IdentifierTable
    rules: Rules
    policy: Policy
    links: Links
    must: Pairs
    cannot: Pairs
    wide: EvidenceTable
    now: int

    def prune(self, pruned: Int8, many: Bool) -> Int8:
        """With hubs: only who has many links can be one, so only theirs are read."""
        crowded = many.copy()
        crowded[self.wide.a] = crowded[self.wide.b] = True
        crowded &= pruned == JOINS
        if not crowded.any():
            return pruned
        links = self._weigh(merge([self.links.around(np.flatnonzero(crowded)), self.wide]))
        namespace = self.identifiers.namespace
        known = np.where(crowded, -1, pruned).astype(np.int8)
        dropped = self._dropped(links)
        return prune_hubs(links, dropped, namespace, pruned, self.rules, self.policy.max_identifiers, known)

    def _weigh(self, evidence: EvidenceTable) -> LinkTable:
        must = (np.minimum(*self.must), np.maximum(*self.must))
        return weigh(evidence, must, self.identifiers.namespace, self.rules, now=self.now)

    def _dropped(self, links: LinkTable) -> Int8:
        return prune_links(links, self.identifiers.namespace, self.rules, self.policy.min_weight, self.now)

    def weighing(self, pruned: Int8) -> dict[str, Any]:
        """The rules, as the server needs them to weigh links as `weigh` does."""
        rules, names = self.rules, self.identifiers.namespaces
        doubt = np.log1p(-ONCE * rules.source_trust).tolist()

        def ages(column: Any) -> dict[str, int]:
            return {name: age for name, age in zip(names, column.tolist(), strict=True) if age >= 0}

        return {
            "pruned": self.identifiers.number[pruned != JOINS].tolist(),
            "doubt": dict(zip(self.links.sources, doubt, strict=True)),
            "trust": dict(zip(names, rules.trust.tolist(), strict=True)),
            "half_life": ages(rules.half_life),
            "expires": ages(rules.expires),
            "now": self.now,
            "least": self.policy.min_weight,
        }

    def more(self, pruned: Int8) -> list[list[int]]:
        """Pairs of numbers that join for what the server does not weigh: they are stated, or of wide events."""
        keys = np.unique(np.stack([self.wide.a, self.wide.b]), axis=1)
        evidence = merge([self.links.between(keys[0], keys[1]), self.wide])
        links = self._weigh(evidence)
        rows = np.flatnonzero(prune_ends(links, self._dropped(links), pruned) == JOINS)
        number = self.identifiers.number
        pairs: list[list[int]] = np.stack([number[links.a[rows]], number[links.b[rows]]], axis=1).tolist()
        return pairs

    def doubtful(self, label: Int32) -> Bool:
        """Identifiers of components that may break a limit: their links are read, and tell."""
        limits = Limits.of(self.rules)
        ever = replace(limits, window=np.full_like(limits.window, -1))
        unseen = np.zeros(len(label), dtype=np.int64)
        facts = Facts(self.identifiers.namespace, (), unseen, self.cannot, self.rules)
        over, large = broken_limits(label, facts, ever, self.policy.max_identifiers)
        broken: Bool = np.any([*over, large], axis=0)
        return broken[label]

    def evidence(self, inside: Bool) -> EvidenceTable:
        """Links of these identifiers. Those that lead out join nobody, but say when an identifier was last seen."""
        rows = np.flatnonzero(inside)
        if not len(rows):
            return merge([])
        found = merge([self.links.around(rows), self.wide])
        return taken(found, np.flatnonzero(inside[found.a] | inside[found.b]))
