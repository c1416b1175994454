"""What the policy's rules of similarity find, and what becomes of the links when they are taken up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.prune import BLOCKED, EXPIRED, HUB
from identity_graph.resolve.similar_links import SimilarLinks, pair, similar_links
from identity_graph.tables import Bool, EvidenceTable, IdentifierTable, Int8, LinkTable

NONE = SimilarLinks(
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.float64),
    np.empty(0, np.int64),
    np.zeros(1, np.int64),
    np.empty(0, np.int32),
)


def find_similar(
    identifiers: IdentifierTable,
    values: Sequence[str],
    evidence: EvidenceTable,
    links: LinkTable,
    dropped: Int8,
    pruned: Int8,
    policy: Policy,
) -> SimilarLinks:
    """The links of all rules; of a pair that several find, the heaviest, of equal ones that of the earlier rule.

    `links`, their `dropped` int8[m] and `pruned` int8[n] must be of everything there is, because how rare a neighbour
    is depends on all. Neither blocked values nor hubs are compared or neighbours, and expired links say nothing.
    """
    if not policy.similarity:
        return NONE
    counts = together(links, evidence, dropped, pruned)
    return heaviest(
        similar_links(
            links,
            identifiers.namespace,
            identifiers.namespaces,
            values,
            between=rule.between,
            by=rule.by,
            measure=rule.measure,
            least=rule.min,
            top_k=rule.top_k,
            trust=rule.trust,
            counts=counts,
        )
        for rule in policy.similarity
    )


def together(links: LinkTable, evidence: EvidenceTable, dropped: Int8, pruned: Int8) -> Bool:
    """Which links say that two were seen together who may mean somebody."""
    nobody = means_nobody(pruned)
    found: Bool = (dropped != EXPIRED) & _observed(links, evidence) & ~nobody[links.a] & ~nobody[links.b]
    return found


def means_nobody(pruned: Int8) -> Bool:
    found: Bool = (pruned == BLOCKED) | (pruned == HUB)
    return found


def heaviest(rules: Iterable[SimilarLinks]) -> SimilarLinks:
    """Of a pair that several rules found, the heaviest, of equal ones that of the earlier rule."""
    found = NONE
    for more in rules:
        found = _heavier(found, more) if len(found) else more
    return found


def take_up(links: LinkTable, similar: SimilarLinks) -> LinkTable:
    """With the similar pairs among the links. One that was observed too has the larger weight: so seeing two together
    never weakens what links them."""
    if not len(similar):
        return links
    pairs, more = pair(links.a, links.b), pair(similar.a, similar.b)
    every = np.union1d(pairs, more)
    weight, last = np.zeros(len(every)), np.full(len(every), np.iinfo(np.int64).min)
    must = np.zeros(len(every), np.bool_)
    for keys, table in ((pairs, links), (more, similar)):
        at = np.searchsorted(every, keys)
        weight[at] = np.maximum(weight[at], table.weight)
        last[at] = np.maximum(last[at], table.last_seen)
    must[np.searchsorted(every, pairs)] = links.must
    return LinkTable((every >> 32).astype(np.int32), every.astype(np.int32), weight, last, must)


def _observed(links: LinkTable, evidence: EvidenceTable) -> Bool:
    """A stated pair need not have been seen together."""
    found: Bool = np.ones(len(links), np.bool_)
    stated = np.flatnonzero(links.must)
    found[stated] = np.isin(pair(links.a[stated], links.b[stated]), pair(evidence.a, evidence.b))
    return found


def _heavier(one: SimilarLinks, other: SimilarLinks) -> SimilarLinks:
    a, b, weight, last = (
        np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("a", "b", "weight", "last_seen")
    )
    pairs = pair(a, b)
    order = np.lexsort((-weight, pairs))  # stable: the earlier rule comes first
    rows = order[np.r_[True, pairs[order][1:] != pairs[order][:-1]]]
    start = np.r_[one.start, one.start[-1] + other.start[1:]]
    size = np.diff(start)[rows]
    ends = np.cumsum(size)
    places = np.repeat(start[rows] - (ends - size), size) + np.arange(ends[-1])
    shared = np.r_[one.shared, other.shared][places]
    return SimilarLinks(a[rows], b[rows], weight[rows], last[rows], np.r_[0, ends], shared)
