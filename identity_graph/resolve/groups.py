"""Links to groups: components where no limit breaks, the constrained forest where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.policy import Policy
from identity_graph.reasons import SUPPRESSED
from identity_graph.resolve.components import components
from identity_graph.resolve.forest import CANNOT, OVERSIZED, Forest, grow_forest
from identity_graph.resolve.part import NO_PAIRS, Limits, Pairs, Part, broken_limits, newest_link
from identity_graph.resolve.precedence import by_key, lexicographic, precedence
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Int16, Int32, Int64, LinkTable, SuppressedTable


@dataclass(frozen=True, slots=True)
class Groups:
    """`label` int32[n]: the smallest identifier of each one's group, -1 for the pruned; `kept` bool[m]: links that were
    strong enough and of joining identifiers; `suppressed`: those of the kept that end in two groups, and why."""

    label: Int32
    kept: Bool
    suppressed: SuppressedTable


def group(
    links: LinkTable,
    kept: Bool,
    joins: Bool,
    namespace: Int16,
    values: Sequence[str],
    policy: Policy,
    rules: Rules,
    cannot: Pairs = NO_PAIRS,
) -> Groups:
    """Steps 2 to 4 of a resolution, over the links of `kept` bool[m] between the identifiers of `joins` bool[n].

    `cannot` are pairs that are never in one group. The answer depends on keys, weights and times, not on the numbering.
    """
    n = len(namespace)
    label = components(n, links.a[kept], links.b[kept])
    limits = Limits.of(policy, rules)
    seen = newest_link(links, n) if (limits.window >= 0).any() else np.zeros(n, np.int64)
    *over, large, apart = broken_limits(label, namespace, seen, limits, cannot)
    broken: Bool = np.any([*over, large, apart], axis=0)
    suppressed = _none()
    if broken.any():
        inside = by_key(np.flatnonzero(broken[label]), namespace, rules.namespaces, values)
        rows = np.flatnonzero(kept & broken[label[links.a]])
        rows, part = _part(links, rows, inside, namespace, seen, rules, cannot)
        limits = limits.only([bool(one.any()) for one in over])
        order = precedence(part, policy.order)
        forest = grow_forest(part, order, limits)
        smallest = np.full(len(inside), n, dtype=np.int64)
        np.minimum.at(smallest, forest.label, inside)
        label[inside] = smallest[forest.label]
        suppressed = _suppressed(rows[order], part.a[order], part.b[order], forest, inside, limits)
    label[~joins] = -1
    return Groups(label, kept, suppressed)


def _part(
    links: LinkTable, rows: Int64, inside: Int64, namespace: Int16, seen: Int64, rules: Rules, cannot: Pairs
) -> tuple[Int64, Part]:
    """The links of `rows` between the identifiers of `inside`, and the row of each."""
    rank = np.full(len(namespace), -1, dtype=np.int32)
    rank[inside] = np.arange(len(inside), dtype=np.int32)
    one, other = rank[links.a[rows]], rank[links.b[rows]]
    a, b = np.minimum(one, other), np.maximum(one, other)
    order = lexicographic([a, b])
    rows, a, b = rows[order], a[order], b[order]
    first, second = rank[cannot[0]], rank[cannot[1]]
    held = (first >= 0) & (second >= 0)
    priority = rules.priority[namespace[links.a[rows]]] + rules.priority[namespace[links.b[rows]]]
    return rows, Part(
        namespace=namespace[inside],
        seen=seen[inside],
        a=a,
        b=b,
        weight=links.weight[rows],
        last_seen=links.last_seen[rows],
        priority=priority,
        must=links.must[rows],
        cannot=(first[held], second[held]),
    )


def _suppressed(rows: Int64, a: Int32, b: Int32, forest: Forest, inside: Int64, limits: Limits) -> SuppressedTable:
    """Links that end in two groups, by row."""
    at = np.flatnonzero(forest.label[a] != forest.label[b])
    at = at[np.argsort(rows[at])]
    refused = forest.refused[at]
    spaces = np.array([*limits.spaces, -1], dtype=np.int16)
    named = np.r_[inside, -1].astype(np.int32)
    code = np.full(len(at), SUPPRESSED.index("LIMIT"), dtype=np.int8)
    code[refused == OVERSIZED] = SUPPRESSED.index("OVERSIZED")
    code[refused == CANNOT] = SUPPRESSED.index("CANNOT_LINK")
    return SuppressedTable(
        link=rows[at],
        code=code,
        namespace=spaces[np.maximum(refused, -1)],
        value_a=named[forest.value_a[at]],
        value_b=named[forest.value_b[at]],
        step=np.zeros(len(at), dtype=np.int8),
    )


def _none() -> SuppressedTable:
    none8, none32 = np.empty(0, np.int8), np.empty(0, np.int32)
    return SuppressedTable(np.empty(0, np.int64), none8, np.empty(0, np.int16), none32, none32, none8)
