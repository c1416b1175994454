"""Links to groups: components where no limit breaks, the constrained forest where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.policy import Policy
from identity_graph.reasons import SUPPRESSED
from identity_graph.resolve.components import components
from identity_graph.resolve.forest import CANNOT, OVERSIZED, Forest, grow_forest
from identity_graph.resolve.part import NO_PAIRS, Facts, Limits, Pairs, Part, broken_limits, newest_link
from identity_graph.resolve.precedence import precedence
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Int16, Int32, LinkTable, SuppressedTable


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
    facts = Facts(namespace, rules.namespaces, values, seen, rules.priority, cannot)
    *over, large, apart = broken_limits(label, facts, limits)
    broken: Bool = np.any([*over, large, apart], axis=0)
    suppressed = _none()
    if broken.any():
        part = Part.of(links, kept, broken[label], facts)
        limits = limits.only([bool(one.any()) for one in over])
        forest = grow_forest(part, precedence(part, policy.order), limits)
        smallest = np.full(len(part), n, dtype=np.int64)
        np.minimum.at(smallest, forest.label, part.inside)
        label[part.inside] = smallest[forest.label]
        suppressed = _suppressed(part, forest, limits)
    label[~joins] = -1
    return Groups(label, kept, suppressed)


def _suppressed(part: Part, forest: Forest, limits: Limits) -> SuppressedTable:
    """Links that end in two groups."""
    at = np.flatnonzero(forest.label[part.a] != forest.label[part.b])
    refused = forest.refused[at]
    spaces = np.array([*limits.spaces, -1], dtype=np.int16)
    named = np.r_[part.inside, -1].astype(np.int32)
    code = np.full(len(at), SUPPRESSED.index("LIMIT"), dtype=np.int8)
    code[refused == OVERSIZED] = SUPPRESSED.index("OVERSIZED")
    code[refused == CANNOT] = SUPPRESSED.index("CANNOT_LINK")
    return SuppressedTable(
        link=part.rows[at],
        code=code,
        namespace=spaces[np.maximum(refused, -1)],
        value_a=named[forest.value_a[at]],
        value_b=named[forest.value_b[at]],
        step=np.zeros(len(at), dtype=np.int8),
    )


def _none() -> SuppressedTable:
    none8, none32 = np.empty(0, np.int8), np.empty(0, np.int32)
    return SuppressedTable(np.empty(0, np.int64), none8, np.empty(0, np.int16), none32, none32, none8)
