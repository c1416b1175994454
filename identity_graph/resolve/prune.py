"""Which identifiers mean nobody, and which links do not count: blocked values, namespaces that do not join, hubs;
expired and weak evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Int16, LinkTable
from identity_graph.tables import Int8 as Int8

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


def expired_links(links: LinkTable, namespace: Int16, rules: Rules, now: int) -> Bool:
    """Links all of whose evidence is older at `now` than the shorter `expires` of the two namespaces; none stated."""
    age = rules.shorter(rules.expires, namespace[links.a], namespace[links.b])
    return (age >= 0) & (links.last_seen < now - age) & ~links.must


def prune_hubs(
    links: LinkTable,
    namespace: Int16,
    pruned: Int8,
    rules: Rules,
    known: Int8 | None = None,
    *,
    expired: Bool | None = None,
) -> Int8:
    """`pruned` with HUB where an identifier would need more persons than its namespace's `hub_cap`.

    An identifier seen with 12 e-mails of which a person may have 5 needs at least 3 persons: the largest of
    ceil(neighbours / limit) over the limited namespaces. Neighbours of all time count, whatever the window of the
    limit, so that a hub stays one as evidence grows; pruned neighbours and expired links do not. `known` gives the
    answer for identifiers whose links are not all here: a code, or -1 where it is to be found. O(links).
    """
    here = (pruned[links.a] == JOINS) & (pruned[links.b] == JOINS)
    if expired is not None:
        here &= ~expired
    end = np.r_[links.a[here], links.b[here]]
    other = namespace[np.r_[links.b[here], links.a[here]]].astype(np.int64)
    needed = np.zeros(len(pruned), dtype=np.int64)
    for space in rules.limited():
        neighbours = np.bincount(end[other == space], minlength=len(pruned))
        needed = np.maximum(needed, -(-neighbours // int(rules.limit[space])))
    result = pruned.copy()
    result[(pruned == JOINS) & (needed > rules.hub_cap[namespace])] = HUB
    return result if known is None else np.where(known >= 0, known, result).astype(np.int8)


def prune_links(links: LinkTable, pruned: Int8, expired: Bool, min_weight: float) -> Int8:
    """The code of each link that does not count: that of a pruned end (of two, the later code), else EXPIRED, else
    WEAK; JOINS for the others, and for all stated links between identifiers that join."""
    weak = (links.weight < min_weight) & ~links.must
    own = np.where(expired, EXPIRED, np.where(weak, WEAK, JOINS)).astype(np.int8)
    end = np.maximum(pruned[links.a], pruned[links.b])
    return np.where(end != JOINS, end, own).astype(np.int8)
