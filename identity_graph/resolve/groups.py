"""Links to groups: components where no limit breaks, the constrained forest where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.policy import Policy
from identity_graph.reasons import STEPS
from identity_graph.resolve.components import components
from identity_graph.resolve.cut import LARGEST, cut_links
from identity_graph.resolve.forest import grow_forest
from identity_graph.resolve.incidence import each_once
from identity_graph.resolve.ladder import climb
from identity_graph.resolve.members import Members
from identity_graph.resolve.part import NO_PAIRS, Facts, Limits, Part, broken_limits, newest_link
from identity_graph.resolve.precedence import precedence
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.shares import Pairs, Share, deal
from identity_graph.resolve.suppressed_rows import NONE, suppressed, together
from identity_graph.resolve.threads import Thread, second_thread, spread
from identity_graph.tables import Bool, Int16, Int32, LinkTable, SuppressedTable

_AHEAD = 16  # identifiers between the asking for a label and its use
FOREST, CUT, LADDER = 1, 2, 3
"""What is done to a component that breaks a limit, or is too large."""


@dataclass(frozen=True, slots=True)
class Groups:
    """`label` int32[n]: the smallest identifier of each one's group, -1 for the pruned; `kept` bool[m]: links that were
    strong enough and of joining identifiers; `suppressed`: those of the kept that end in two groups, and why;
    `oversized` bool[n]: whose component is larger than a person may be; `quarantined` bool[n]: who of these is alone
    because nothing told its parts from each other. Their links are QUARANTINED, and the confidence in them is 0."""

    label: Int32
    kept: Bool
    suppressed: SuppressedTable
    oversized: Bool
    quarantined: Bool


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
    ends = (links.a, links.b) if kept.all() else (links.a[kept], links.b[kept])
    label = components(n, *ends)
    del ends
    limits = Limits.of(rules)
    seen = newest_link(links, n) if (limits.window >= 0).any() else np.zeros(n, np.int64)
    facts = Facts(namespace, values, seen, cannot, rules)
    over, large = broken_limits(label, facts, limits, policy.max_identifiers)
    limits = limits.only([len(one) > 0 for one in over[:-1]])
    found = Groups(label, kept, NONE, np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_))
    broken = each_once(np.sort(np.concatenate([*over, large])))
    if len(broken):
        members = Members.of(label, broken)
        kind = np.full(len(broken), FOREST, dtype=np.int8)
        if policy.order == "cut":
            kind[members.many.sum(axis=0) <= LARGEST] = CUT
        kind[np.searchsorted(broken, large)] = LADDER
        shares = deal(label, namespace, members, kind, links, kept, cannot, newest=policy.order == "newest")
        del members
        stated = bool(links.must.any())

        def resolve(share: Share) -> SuppressedTable:
            part = Part.of(share, label, links, facts, stated=stated, ordered=share.kind == CUT)
            # One share that is more than half of all would leave the other thread without work.
            with second_thread(len(part) if 2 * len(part) > every else 0) as thread:
                return _grown(part, share.kind, limits, policy, found, thread)

        every = sum(len(share.inside) for share in shares)
        with second_thread(every) as thread:
            tables = spread(thread, resolve, [(share,) for share in shares])
        found = replace(found, suppressed=together(tables, len(links)))
    label[~joins] = -1
    return found


def _grown(part: Part, kind: int, limits: Limits, policy: Policy, found: Groups, thread: Thread) -> SuppressedTable:
    """Label the identifiers of a part by their groups, and tell whom the ladder took apart."""
    order = precedence(part, policy.order, thread=thread)
    step = np.full(len(part.a), STEPS.index("too large" if policy.order == "cut" else ""), dtype=np.int8)
    if kind == LADDER:
        climbed = climb(part, order, limits, policy.max_identifiers)
        forest, step = climbed.forest, np.where(climbed.step, climbed.step, step)
        found.oversized[part.inside] = True
        found.quarantined[part.inside] = climbed.quarantined
    else:
        forest = grow_forest(part, order, limits, thread=thread)
    if kind == CUT:
        across, exact = cut_links(part, forest, limits)
        forest = grow_forest(part, precedence(part, "cut", across), limits)
        step[exact[part.a]] = STEPS.index("least cut")
    if part.ordered:
        smallest = np.full(len(part), len(found.label), np.int32)
        np.minimum.at(smallest, forest.label, part.inside)
        found.label[part.inside] = smallest[forest.label]
    else:
        _relabel(found.label, part.inside, forest.label)
    return suppressed(part, forest, limits, step)


@kernel(nogil=True)
def _relabel(label: Int32, inside: Int32, group: Int32) -> None:  # pragma: no cover - compiled
    """Label identifiers, which ascend, by the smallest of their group, by which `group` names them."""
    last = len(inside) - 1
    for x in range(last + 1):
        prefetch(label, np.intp(inside[min(x + _AHEAD, last)]))
        label[inside[x]] = inside[group[x]]
