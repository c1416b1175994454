"""Links to groups: components where no limit breaks, the constrained forest where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.policy import Policy
from identity_graph.reasons import STEPS, SUPPRESSED
from identity_graph.resolve.components import components
from identity_graph.resolve.cut import LARGEST, cut_links
from identity_graph.resolve.forest import CANNOT, Forest, grow_forest
from identity_graph.resolve.ladder import climb
from identity_graph.resolve.naming import name_values
from identity_graph.resolve.part import NO_PAIRS, Facts, Limits, Pairs, Part, broken_limits, newest_link
from identity_graph.resolve.precedence import precedence
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.run_sort import sort_words
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Int8, Int16, Int32, Int64, LinkTable, SuppressedTable


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
    limits = limits.only([bool(one.any()) for one in over[:-1]])
    broken: Bool = np.any(over, axis=0) & ~large
    small: Bool = np.zeros(n, dtype=np.bool_)
    if policy.order == "cut":
        small = broken & (np.bincount(label, minlength=n) <= LARGEST)
    oversized, quarantined = (np.zeros(n, dtype=np.bool_) for _ in range(2))
    tables = [_NONE]
    for chosen, name in ((broken & ~small, "forest"), (small, "cut"), (large, "ladder")):
        if not chosen.any():
            continue
        part = Part.of(links, kept, label, chosen, facts, ordered=name == "cut")
        order = precedence(part, policy.order)
        step = np.full(len(part.a), STEPS.index("too large" if policy.order == "cut" else ""), dtype=np.int8)
        if name == "ladder":
            climbed = climb(part, order, limits, policy.max_identifiers)
            forest, step = climbed.forest, np.where(climbed.step, climbed.step, step)
            oversized[part.inside] = True
            quarantined[part.inside] = climbed.quarantined
        else:
            forest = grow_forest(part, order, limits)
        if name == "cut":
            across, exact = cut_links(part, forest, limits)
            forest = grow_forest(part, precedence(part, "cut", across), limits)
            step[exact[part.a]] = STEPS.index("least cut")
        _relabel(label, part.inside, forest.label)
        tables.append(_suppressed(part, forest, limits, step))
    label[~joins] = -1
    return Groups(label, kept, _together(tables), oversized, quarantined)


@kernel()
def _relabel(label: Int32, inside: Int64, group: Int32) -> None:  # pragma: no cover - compiled
    """Label identifiers by the smallest of their group."""
    smallest = np.full(len(inside), len(label), np.int64)
    for x in range(len(inside)):
        smallest[group[x]] = min(smallest[group[x]], inside[x])
    for x in range(len(inside)):
        label[inside[x]] = smallest[group[x]]


@kernel(nogil=True)
def _across(start: int, stop: int, label: Int32, a: Int32, b: Int32, found: Int64) -> Int64:  # pragma: no cover
    """The links between two groups; `found` is room for them."""
    end = start
    for i in range(start, stop):
        found[end] = i
        end += label[a[i]] != label[b[i]]  # a branch that nobody can predict costs more
    return found[start:end]


def _suppressed(part: Part, forest: Forest, limits: Limits, step: Int8) -> SuppressedTable:
    """Links that end in two groups: what was not refused was cut before."""
    links = forest.label, part.a, part.b, np.empty(len(part.a), np.int64)
    with second_thread(len(part.a)) as thread:
        at = np.concatenate(both(thread, _across, *((*half, *links) for half in halves(len(part.a)))))
    refused = forest.refused[at]
    spaces = np.array([*limits.spaces, -1], dtype=np.int16)
    named = np.r_[part.inside, -1].astype(np.int32)
    value_a, value_b = name_values(part, forest, limits, at)
    code = np.full(len(at), SUPPRESSED.index("OVERSIZED"), dtype=np.int8)
    code[step[at] == STEPS.index("quarantine")] = SUPPRESSED.index("QUARANTINED")
    code[refused == CANNOT] = SUPPRESSED.index("CANNOT_LINK")
    code[refused >= 0] = SUPPRESSED.index("LIMIT")
    return SuppressedTable(
        link=part.rows[at],
        code=code,
        namespace=spaces[np.maximum(refused, -1)],
        value_a=named[value_a],
        value_b=named[value_b],
        step=step[at],
    )


def _together(tables: Sequence[SuppressedTable]) -> SuppressedTable:
    """All rows, by link."""
    link = np.concatenate([table.link for table in tables])
    low = len(link).bit_length()
    word = link << low
    word |= np.arange(len(link))
    sort_words(word, low, low + int(link.max(initial=0)).bit_length())
    order = word & (1 << low) - 1
    word >>= low
    others = ("code", "namespace", "value_a", "value_b", "step")
    return SuppressedTable(
        word, *(np.concatenate([getattr(table, name) for table in tables])[order] for name in others)
    )


_NONE = SuppressedTable(
    np.empty(0, np.int64),
    np.empty(0, np.int8),
    np.empty(0, np.int16),
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.int8),
)
