"""Which identifiers mean nobody, and which links do not count: blocked values, namespaces that do not join, hubs;
expired and weak evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int8 as Int8
from identity_graph.tables import Int16, LinkTable

JOINS, BLOCKED, NOT_JOINING, HUB, EXPIRED, WEAK = range(6)
CODES = ("", "BLOCKED", "NOT_JOINING", "HUB", "EXPIRED", "WEAK")


def prune_values(namespace: Int16, values: Sequence[str], policy: Policy, rules: Rules) -> Int8:
    """One of JOINS, BLOCKED, NOT_JOINING for each identifier, by its own value alone.

    O(n + text), a column for each namespace."""
    import polars as pl

    pruned = np.where(rules.joins[namespace], JOINS, NOT_JOINING).astype(np.int8)
    column = pl.Series("value", values, dtype=pl.String)
    rows = np.argsort(namespace, kind="stable")
    ends = np.searchsorted(namespace[rows], np.arange(len(rules.namespaces) + 1))
    for space in np.flatnonzero(np.diff(ends)).tolist():
        own = rows[ends[space] : ends[space + 1]]
        blocked = policy.blocked_among(rules.namespaces[space], column.gather(own))
        pruned[own[blocked.to_numpy()]] = BLOCKED
    return pruned


def prune_links(links: LinkTable, namespace: Int16, rules: Rules, min_weight: float, now: int) -> Int8:
    """EXPIRED where all evidence of a link is older at `now` than the shorter `expires` of its two namespaces, WEAK
    where it weighs too little; JOINS for the others and for all that are stated."""
    age = rules.shorter(rules.expires, namespace[links.a], namespace[links.b])
    expired = (age >= 0) & (links.last_seen < now - age) & ~links.must
    weak = (links.weight < min_weight) & ~links.must
    return np.where(expired, EXPIRED, np.where(weak, WEAK, JOINS)).astype(np.int8)


def prune_hubs(
    links: LinkTable,
    dropped: Int8,
    namespace: Int16,
    pruned: Int8,
    rules: Rules,
    cap: int,
    known: Int8 | None = None,
) -> Int8:
    """`pruned` with HUB where an identifier was seen with too many others to mean one person.

    One seen with 12 e-mails of which a person may have 5 needs at least 3 persons: the largest of
    ceil(neighbours / limit) over the limited namespaces, which is over the `hub_cap` of its own in a hub. Neighbours of
    all time count, whatever the window of the limit. And one that more than `cap` others would join, each by a link
    that counts, would alone be too large a person; but not where a person has one of its namespace only, as a user id:
    that may own what joins it.

    Neighbours that are pruned, and expired links, do not count. So a hub stays one as evidence grows. `dropped` int8[m]
    is of `prune_links`. `known` gives the answer for identifiers whose links are not all here: a code, or -1 where it
    is to be found. O(links).
    """
    here = (pruned[links.a] == JOINS) & (pruned[links.b] == JOINS) & (dropped != EXPIRED)
    end = np.r_[links.a[here], links.b[here]]
    other = namespace[np.r_[links.b[here], links.a[here]]].astype(np.int64)
    needed = np.zeros(len(pruned), dtype=np.int64)
    for space in rules.limited():
        neighbours = np.bincount(end[other == space], minlength=len(pruned))
        needed = np.maximum(needed, -(-neighbours // int(rules.limit[space])))
    joined = here & (dropped == JOINS)
    joining = np.bincount(links.a[joined], minlength=len(pruned)) + np.bincount(links.b[joined], minlength=len(pruned))
    unique = (rules.limit == 1) & (rules.window < 0)
    hub = (needed > rules.hub_cap[namespace]) | ((joining > cap) & ~unique[namespace])
    result = np.where((pruned == JOINS) & hub, HUB, pruned).astype(np.int8)
    return result if known is None else np.where(known >= 0, known, result).astype(np.int8)


def prune_ends(links: LinkTable, dropped: Int8, pruned: Int8) -> Int8:
    """`dropped` with the code of a pruned end, of two the later code, where a link has one."""
    end = np.maximum(pruned[links.a], pruned[links.b])
    return np.where(end != JOINS, end, dropped).astype(np.int8)
