"""The slow and plain ladder of groups that are too large. Communities alone are the ones that are tested elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from statistics import median_low
from typing import TypeVar

import networkx as nx
import numpy as np

from identity_graph.model import Identifier
from identity_graph.policy import Policy
from identity_graph.resolve.communities import communities

Pair = tuple[Identifier, Identifier]
Node = TypeVar("Node", bound=Hashable)
Group = frozenset[Identifier]

RUNGS = ["bridge", *["threshold"] * 4, *["community"] * 4, "quarantine"]


def climb(
    links: list[Pair],
    weights: Mapping[Pair, float],
    must: AbstractSet[Pair],
    policy: Policy,
    grow: Callable[[Iterable[Pair]], set[Group]],
) -> set[Group]:
    """`links` in the order in which they are taken, by `grow`."""
    groups = grow(links)
    for rung in RUNGS:
        cut: set[Pair] = set()
        large = [group for group in groups if len(group) > policy.max_identifiers]
        insides = [{pair for pair in links if group.issuperset(pair)} for group in large]
        if not any(inside - must for inside in insides):
            break
        for group, inside in zip(large, insides, strict=True):
            if inside - must:
                cut |= {pair for pair in _cut(rung, group, inside, links, weights, must) if pair not in must}
        links = [pair for pair in links if pair not in cut]
        groups = grow(links)
    return groups


def _cut(
    rung: str,
    group: Group,
    inside: set[Pair],
    links: list[Pair],
    weights: Mapping[Pair, float],
    must: AbstractSet[Pair],
) -> set[Pair]:
    if rung == "bridge":
        return weak_bridges({pair: weights[pair] for pair in inside})
    if rung == "threshold":
        weakest = min(weights[pair] for pair in inside - must)
        if weakest >= 1:
            return set()
        least = 1 / (1 + math.exp(-math.log(max(weakest, 1e-9) / (1 - weakest)) - 1))
        weak = {pair for pair in inside - must if weights[pair] < least}
        return weak if 2 * len(weak) <= len(inside - must) else set()
    if rung == "community":
        nodes = sorted({one for pair in inside for one in pair})
        rows = sorted((nodes.index(a), nodes.index(b), weights[a, b]) for a, b in inside)
        a, b = (np.array([row[end] for row in rows], np.int32) for end in (0, 1))
        label = communities(len(nodes), a, b, np.array([row[2] for row in rows]))
        return {pair for pair in inside if len({int(label[nodes.index(one)]) for one in pair}) == 2}
    return {pair for pair in links if group & set(pair)}


def weak_bridges(links: Mapping[tuple[Node, Node], float]) -> set[tuple[Node, Node]]:
    """Bridges that weigh less than the lower median of the links on either side."""
    graph: nx.Graph[Node] = nx.Graph(list(links))
    bridges = [pair for pair in links if pair in set(nx.bridges(graph)) or pair[::-1] in set(nx.bridges(graph))]
    weak = set()
    for pair in bridges:
        rest = nx.Graph(graph)
        rest.remove_edge(*pair)
        sides = [nx.node_connected_component(rest, end) for end in pair]
        inside = [[w for (x, y), w in links.items() if {x, y} <= side] for side in sides]
        if all(weights and links[pair] < median_low(weights) for weights in inside):
            weak.add(pair)
    return weak
