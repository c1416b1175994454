"""How strongly a link says "same person": evidence under a policy, 0..1."""

from __future__ import annotations

import numpy as np

from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, EvidenceTable, Float64, Int16, Int32, LinkTable

ONCE = 0.75
"""How much of a link's trust one observation by a fully trusted source earns."""


def weigh(evidence: EvidenceTable, must: tuple[Int32, Int32], namespace: Int16, rules: Rules, *, now: int) -> LinkTable:
    """One row per pair: the noisy-or of its observations, bounded by the trust of the two namespaces.

        weight = trust_a * trust_b * (1 - product over sources s of (1 - 0.75 * trust_s) ** (count_s * decay))

    where decay is 0.5 ** (age / half_life), with the age of the source's last observation at `now` and the shorter
    half-life of the two namespaces; it is 0 where that observation is older than the shorter `expires` of the two. The
    noisy-or (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, 4.3.2) takes each observation as an
    independent reason to believe. So more evidence never weakens a link, neither does a more trusted source or
    namespace, and age never strengthens it. `must` are stated pairs (a <= b), of weight 1.

    Weights are rounded to 12 digits, so that the order of summation never decides between two links.
    """
    a, b = evidence.a, evidence.b
    new = np.r_[True, (a[1:] != a[:-1]) | (b[1:] != b[:-1])] if len(a) else np.empty(0, np.bool_)
    starts = np.flatnonzero(new)
    exponent = evidence.count.astype(np.float64)
    half_life = rules.shorter(rules.half_life, namespace[a], namespace[b])
    ages = half_life > 0
    if ages.any():
        age = np.maximum(now - evidence.last_seen[ages], 0)
        exponent[ages] *= np.exp2(-age / half_life[ages])
    expires = rules.shorter(rules.expires, namespace[a], namespace[b])
    exponent[(expires >= 0) & (evidence.last_seen < now - expires)] = 0
    doubt = exponent * np.log1p(-ONCE * rules.source_trust[evidence.source])
    if len(starts):
        doubt = np.add.reduceat(doubt, starts)
        last_seen = np.maximum.reduceat(evidence.last_seen, starts)
    else:
        last_seen = np.empty(0, np.int64)
    a, b = a[starts], b[starts]
    weight = np.round(rules.trust[namespace[a]] * rules.trust[namespace[b]] * -np.expm1(doubt), 12)
    return _with_must(LinkTable(a, b, weight, last_seen, np.zeros(len(a), np.bool_)), must)


def _with_must(links: LinkTable, must: tuple[Int32, Int32]) -> LinkTable:
    """Mark the stated pairs, each once, adding those that were never observed together."""
    if not len(must[0]):
        return links
    n = int(max(links.b.max(initial=0), must[1].max())) + 1
    observed = links.a.astype(np.int64) * n + links.b
    stated = np.unique((must[0].astype(np.int64) * n + must[1])[must[0] != must[1]])
    unseen = stated[~np.isin(stated, observed)]
    a = np.r_[links.a, (unseen // n).astype(np.int32)]
    b = np.r_[links.b, (unseen % n).astype(np.int32)]
    added = len(unseen)
    marked: Bool = np.r_[np.isin(observed, stated), np.ones(added, np.bool_)]
    weight: Float64 = np.where(marked, 1.0, np.r_[links.weight, np.ones(added)])
    order = np.lexsort((b, a))
    seen = np.r_[links.last_seen, np.zeros(added, np.int64)]
    return LinkTable(a[order], b[order], weight[order], seen[order], marked[order])
