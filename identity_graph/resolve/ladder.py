"""What becomes of groups that are too large: taken apart where they are weakest, one rung after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity_graph.reasons import STEPS
from identity_graph.resolve.bridges import weak_bridges
from identity_graph.resolve.communities import communities
from identity_graph.resolve.forest import Forest, grow_forest
from identity_graph.resolve.part import Limits, Part, runs
from identity_graph.tables import Bool, Int8, Int32, Int64

DEPTH = 4
"""How often the threshold is raised, and communities are sought in communities."""


@dataclass(frozen=True, slots=True)
class Climb:
    """The groups in the end; of each link the rung that cut it, `step` int8[m], a position in `reasons.STEPS`, 0 for
    none; `quarantined` bool[n], who was left after the last."""

    forest: Forest
    step: Int8
    quarantined: Bool


def climb(part: Part, order: Int64, limits: Limits, cap: int) -> Climb:
    """Group the identifiers of a part, none in a group of more than `cap`, unless stated links hold it.

    As long as the forest, grown in the `order` given, has groups that are too large, these lose links, and all is grown
    again; groups that limits keep small are let alone. The rungs, of which each is for what is still too large:

    1. hub: an identifier that more than `cap` others would join was pruned before, by `prune_hubs`;
    2. bridge: links that alone hold two parts together, and are weaker than the median of either;
    3. threshold: links less than one logit stronger than the group's weakest (as dedupe does), four times, but never
       more than half of them: what tells nobody apart would part everybody;
    4. community: links between the communities of a group (Leiden), four times;
    5. quarantine: all links of the identifiers of the group.

    Stated links are never cut. The answer depends on the component alone. O(links) a rung, but for sorting.
    """
    step = np.zeros(len(part.a), dtype=np.int8)
    quarantined: Bool = np.zeros(len(part), dtype=np.bool_)
    forest, must = grow_forest(part, order, limits), part.must()
    rungs = [
        ("bridge", _bridges),
        *[("threshold", _weakest)] * DEPTH,
        *[("community", _between)] * DEPTH,
    ]
    for name, rung in [*rungs, ("quarantine", _every)]:
        label = forest.label
        large = (np.bincount(label, minlength=len(part)) > cap)[label]
        within: Bool = (step == 0) & (label[part.a] == label[part.b]) & large[part.a]
        if not (within & ~must).any():
            break
        cut = rung(part, label, np.flatnonzero(within)) & (step == 0) & ~must
        step[cut] = STEPS.index(name)
        forest = grow_forest(part, order, limits, step == 0)
        if name == "quarantine":
            quarantined = large
    return Climb(forest, step, quarantined)


def _bridges(part: Part, label: Int32, within: Int64) -> Bool:
    weak = weak_bridges(len(part), part.a[within], part.b[within], part.weight(within))
    return _at(part, within[weak])


def _weakest(part: Part, label: Int32, within: Int64) -> Bool:
    own = within[~part.must(within)]
    group, weight = label[part.a[own]], part.weight(own)
    odds = np.ones(len(part))
    np.minimum.at(odds, group, weight)
    odds = np.clip(odds, 1e-9, 1 - 1e-9)
    odds *= np.e / (1 - odds)
    weak = weight < (odds / (1 + odds))[group]
    few = 2 * np.bincount(group[weak], minlength=len(part)) <= np.bincount(group, minlength=len(part))
    return _at(part, own[weak & few[group]])


def _between(part: Part, label: Int32, within: Int64) -> Bool:
    cut = []
    for own in runs(label[part.a[within]]):
        rows = within[own]
        nodes = np.unique(np.r_[part.a[rows], part.b[rows]]).astype(np.int64)
        rank = part.ranked(nodes)  # where communities are even, numbers decide
        a, b = rank[part.a[rows]], rank[part.b[rows]]
        community = communities(len(nodes), a, b, np.round(part.weight(rows), 9))
        cut.append(rows[community[a] != community[b]])
    return _at(part, np.concatenate(cut))


def _every(part: Part, label: Int32, within: Int64) -> Bool:
    inside = np.zeros(len(part), dtype=np.bool_)
    inside[part.a[within]] = inside[part.b[within]] = True
    return inside[part.a] | inside[part.b]


def _at(part: Part, rows: Int64) -> Bool:
    found = np.zeros(len(part.a), dtype=np.bool_)
    found[rows] = True
    return found
