"""How strongly a link says "same person": evidence under a policy, 0..1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, EvidenceTable, Float64, Int16, Int32, Int64, LinkTable, in_parts

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

    Weights are rounded to 12 digits, so that the order of summation never decides between two links. Where no pair has
    two sources, the columns of pairs and times are those of the evidence. 9 bytes a link and those besides.
    """
    pairs = sum(len(_firsts(evidence.a[rows], evidence.b[rows])) for rows in _parts(evidence))
    if pairs == len(evidence):
        a, b, last_seen = evidence.a, evidence.b, evidence.last_seen
    else:
        a, b, last_seen = np.empty(pairs, np.int32), np.empty(pairs, np.int32), np.empty(pairs, np.int64)
    weight = np.empty(pairs, np.float64)
    done = 0
    for rows in _parts(evidence):
        one, other, last = evidence.a[rows], evidence.b[rows], evidence.last_seen[rows]
        starts = _firsts(one, other)
        doubt = np.add.reduceat(_doubt(one, other, last, evidence, rows, namespace, rules, now), starts)
        found = slice(done, done + len(starts))
        done += len(starts)
        trust = rules.trust[namespace[one[starts]]] * rules.trust[namespace[other[starts]]]
        weight[found] = np.round(trust * -np.expm1(doubt), 12)
        if pairs < len(evidence):
            a[found], b[found], last_seen[found] = one[starts], other[starts], np.maximum.reduceat(last, starts)
    return _with_must(LinkTable(a, b, weight, last_seen, np.zeros(pairs, np.bool_)), must)


def _doubt(
    a: Int32, b: Int32, last: Int64, evidence: EvidenceTable, rows: slice, namespace: Int16, rules: Rules, now: int
) -> Float64:
    """The logarithm of how likely the observations of each row all mislead."""
    one, other = namespace[a], namespace[b]
    exponent = evidence.count[rows].astype(np.float64)
    half_life = rules.shorter(rules.half_life, one, other)
    ages = half_life > 0
    if ages.any():
        exponent[ages] *= np.exp2(-np.maximum(now - last[ages], 0) / half_life[ages])
    expires = rules.shorter(rules.expires, one, other)
    exponent[(expires >= 0) & (last < now - expires)] = 0
    doubt: Float64 = exponent * np.log1p(-ONCE * rules.source_trust[evidence.source[rows]])
    return doubt


def _firsts(a: Int32, b: Int32) -> Int64:
    """The first row of each pair."""
    return np.flatnonzero(np.r_[True, (a[1:] != a[:-1]) | (b[1:] != b[:-1])])


def _parts(evidence: EvidenceTable) -> Iterator[slice]:
    """All rows of a pair are in one part."""
    a, b, start = evidence.a, evidence.b, 0
    for part in in_parts(len(evidence)):
        stop = max(start, part.stop)
        while 0 < stop < len(a) and a[stop] == a[stop - 1] and b[stop] == b[stop - 1]:
            stop += 1
        if start < stop:
            yield slice(start, stop)
        start = stop


def _with_must(links: LinkTable, must: tuple[Int32, Int32]) -> LinkTable:
    """Mark the stated pairs, each once, adding those that were never observed together."""
    if not len(must[0]):
        return links
    n = int(max(links.b.max(initial=0), must[1].max())) + 1
    observed = links.a.astype(np.int64) * n + links.b
    stated = np.unique((must[0].astype(np.int64) * n + must[1])[must[0] != must[1]])
    at = np.searchsorted(observed, stated)
    seen: Bool = at < len(observed)
    seen[seen] = observed[at[seen]] == stated[seen]
    del observed
    links.must[at[seen]], links.weight[at[seen]] = True, 1.0
    at, (a, b) = at[~seen], np.divmod(stated[~seen], n)
    return LinkTable(
        np.insert(links.a, at, a),
        np.insert(links.b, at, b),
        np.insert(links.weight, at, 1.0),
        np.insert(links.last_seen, at, 0),
        np.insert(links.must, at, True),
    )
