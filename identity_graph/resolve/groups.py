"""Links to groups: components where no limit breaks, the constrained forest where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.components import components
from identity_graph.resolve.forest import grow_forest
from identity_graph.resolve.prune import JOINS, Int8
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Int16, Int32, Int64, LinkTable, SuppressedTable


@dataclass(frozen=True, slots=True)
class Groups:
    """`label` int32[n]: the smallest identifier of each one's group, -1 for the pruned; `kept` bool[m]: links that were
    strong enough and of joining identifiers; `suppressed`: those of the kept that a limit refused."""

    label: Int32
    kept: Bool
    suppressed: SuppressedTable


def group(
    links: LinkTable, namespace: Int16, values: Sequence[str], pruned: Int8, policy: Policy, rules: Rules
) -> Groups:
    """Steps 2 to 4 of a resolution. The answer depends on keys, weights and times, never on the numbering."""
    kept = (pruned[links.a] == JOINS) & (pruned[links.b] == JOINS) & (links.must | (links.weight >= policy.min_weight))
    label = components(len(namespace), links.a[kept], links.b[kept])
    broken = _broken(label, namespace, policy, rules)
    suppressed = _none()
    if broken.any():
        rows = np.flatnonzero(kept & broken[label[links.a]])
        inside = np.flatnonzero(broken[label])
        inside = inside[np.array(_by_key(inside, namespace, values, rules), dtype=np.int64)]
        rank = np.zeros(len(namespace), dtype=np.int32)
        rank[inside] = np.arange(len(inside), dtype=np.int32)
        low, high = rank[links.a[rows]], rank[links.b[rows]]
        low, high = np.minimum(low, high), np.maximum(low, high)
        rows, low, high = _ordered(links, rows, low, high, policy.order)
        limited = rules.limited()
        found, refused = grow_forest(
            namespace[inside],
            low,
            high,
            links.must[rows],
            limited=limited,
            limits=rules.limit[limited],
            cap=policy.max_identifiers,
        )
        smallest = np.full(len(inside), len(namespace), dtype=np.int64)
        np.minimum.at(smallest, found, inside)
        label[inside] = smallest[found]
        suppressed = SuppressedTable(
            rows[refused.link],
            refused.namespace,
            _named(inside, refused.value_a),
            _named(inside, refused.value_b),
        )
    label[pruned != JOINS] = -1
    return Groups(label, kept, suppressed)


def _broken(label: Int32, namespace: Int16, policy: Policy, rules: Rules) -> Bool:
    """Which labels stand for a component that breaks a limit, bool[n]."""
    n = len(label)
    broken: Bool = np.bincount(label, minlength=n) > policy.max_identifiers
    for space in rules.limited():
        broken |= np.bincount(label[namespace == space], minlength=n) > rules.limit[space]
    return broken


def _by_key(inside: Int64, namespace: Int16, values: Sequence[str], rules: Rules) -> list[int]:
    keys = [(rules.namespaces[namespace[x]], values[x]) for x in inside.tolist()]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _ordered(links: LinkTable, rows: Int64, low: Int32, high: Int32, order: str) -> tuple[Int64, Int32, Int32]:
    """Stated first; then by weight and time, or by time and weight; ties by key."""
    weight, seen = -links.weight[rows], -links.last_seen[rows]
    first, second = (weight, seen) if order == "strongest" else (seen, weight)
    by = np.lexsort((high, low, second, first, ~links.must[rows]))
    return rows[by], low[by], high[by]


def _named(inside: Int64, ranks: Int32) -> Int32:
    return np.where(ranks < 0, -1, inside[ranks]).astype(np.int32)


def _none() -> SuppressedTable:
    return SuppressedTable(np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0, np.int32), np.empty(0, np.int32))
