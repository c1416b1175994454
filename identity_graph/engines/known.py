"""What is known here of a graph whose links stay on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.fold import merge
from identity_graph.resolve.part import Facts, Limits, broken_limits
from identity_graph.resolve.prune import JOINS, prune_ends, prune_hubs, prune_links
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.shares import Pairs
from identity_graph.resolve.similar_links import SimilarLinks, pair
from identity_graph.resolve.similar_rules import take_up, together
from identity_graph.resolve.weights import ONCE, weigh
from identity_graph.store.neo4j.links import Links, taken
from identity_graph.tables import Bool, EvidenceTable, IdentifierTable, Int8, Int32, Int64, LinkTable


@dataclass(frozen=True, slots=True)
class Known:
    identifiers: IdentifierTable
    values: Sequence[str]
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
        links = self.weigh(merge([self.links.around(np.flatnonzero(crowded)), self.wide]))
        namespace = self.identifiers.namespace
        known = np.where(crowded, -1, pruned).astype(np.int8)
        dropped = self.dropped(links)
        return prune_hubs(links, dropped, namespace, pruned, self.rules, self.policy.max_identifiers, known)

    def weigh(self, evidence: EvidenceTable) -> LinkTable:
        must = (np.minimum(*self.must), np.maximum(*self.must))
        return weigh(evidence, must, self.identifiers.namespace, self.rules, now=self.now)

    def dropped(self, links: LinkTable) -> Int8:
        return prune_links(links, self.identifiers.namespace, self.rules, self.policy.min_weight, self.now)

    def weighing(self, pruned: Int8) -> dict[str, Any]:
        """The rules, as the server needs them to weigh links as `weigh` does."""
        rules, names = self.rules, self.identifiers.namespaces
        doubt = np.log1p(-ONCE * rules.source_trust).tolist()
        return {
            "pruned": self.identifiers.number[pruned != JOINS].tolist(),
            "doubt": dict(zip(self.links.sources, doubt, strict=True)),
            "trust": dict(zip(names, rules.trust.tolist(), strict=True)),
            "half_life": self._ages(rules.half_life),
            "least": self.policy.min_weight,
        } | self.ageing()

    def ageing(self) -> dict[str, Any]:
        """When evidence expires, as the server needs it."""
        return {"expires": self._ages(self.rules.expires), "now": self.now}

    def _ages(self, column: Int64) -> dict[str, int]:
        return {name: age for name, age in zip(self.identifiers.namespaces, column.tolist(), strict=True) if age >= 0}

    def more(self, pruned: Int8, similar: SimilarLinks) -> list[list[int]]:
        """Pairs of numbers that join for what the server does not weigh: they are stated, or of wide events, or
        similar."""
        links, _ = self.observed(np.r_[pair(self.wide.a, self.wide.b), pair(similar.a, similar.b)])
        links = take_up(links, similar)
        rows = np.flatnonzero(prune_ends(links, self.dropped(links), pruned) == JOINS)
        return self._numbers(links, rows)

    def beside(self, pruned: Int8) -> dict[str, list[int]]:
        """Whom the server would not find seen together by rules of similarity, because events were wide or it is
        stated too, so that the evidence does not expire: of each number, as a text, the others'."""
        links, evidence = self.observed(np.r_[pair(self.wide.a, self.wide.b), pair(*self.must)])
        found: dict[str, list[int]] = {}
        for a, b in self._numbers(links, np.flatnonzero(together(links, evidence, self.dropped(links), pruned))):
            found.setdefault(str(a), []).append(b)
            found.setdefault(str(b), []).append(a)
        return found

    def observed(self, pairs: Int64) -> tuple[LinkTable, EvidenceTable]:
        """The links of these pairs, and those of wide events and stated ones, with their evidence."""
        pairs = np.unique(pairs)
        between = self.links.between((pairs >> 32).astype(np.int32), pairs.astype(np.int32))
        evidence = merge([between, self.wide])
        return self.weigh(evidence), evidence

    def _numbers(self, links: LinkTable, rows: Int64) -> list[list[int]]:
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
        broken: Bool = np.zeros(len(label), np.bool_)
        broken[np.concatenate([*over, large])] = True
        return broken[label]

    def evidence(self, inside: Bool) -> EvidenceTable:
        """Links of these identifiers. Those that lead out join nobody, but say when an identifier was last seen."""
        rows = np.flatnonzero(inside)
        if not len(rows):
            return merge([])
        found = merge([self.links.around(rows), self.wide])
        return taken(found, np.flatnonzero(inside[found.a] | inside[found.b]))
