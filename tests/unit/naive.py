"""The slow and plain meaning of a resolution: dictionaries and networkx, one whole world at a time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

import networkx as nx

from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy


def persons(events: Iterable[Event], policy: Policy) -> set[frozenset[Identifier]]:
    """The groups of identifiers that the design's five steps give, without ids."""
    events = list(events)
    weights, seen, must = _links(events, policy)
    everyone = {one for event in events for one in event.identifiers}
    joining = {
        one for one in everyone if policy.rule(one.namespace).joins and not policy.blocks(one.namespace, one.value)
    }
    neighbours: dict[Identifier, Counter[str]] = defaultdict(Counter)
    for a, b in set(weights) | must:
        if a in joining and b in joining:
            neighbours[a][b.namespace] += 1
            neighbours[b][a.namespace] += 1
    for one, counts in neighbours.items():
        limits = {space: policy.rule(space).limit for space in counts}
        needed = [math.ceil(counts[space] / limit) for space, limit in limits.items() if limit is not None]
        if max(needed, default=0) > policy.rule(one.namespace).hub_cap:
            joining.discard(one)
    kept = [
        pair
        for pair in set(weights) | must
        if pair[0] in joining and pair[1] in joining and (pair in must or weights[pair] >= policy.min_weight)
    ]
    graph: nx.Graph[Identifier] = nx.Graph()
    graph.add_nodes_from(joining)
    graph.add_edges_from(kept)
    found: set[frozenset[Identifier]] = set()
    for component in nx.connected_components(graph):
        if _breaks(component, policy):
            inside = [pair for pair in kept if pair[0] in component]
            found |= _forest(component, inside, weights, seen, must, policy)
        else:
            found.add(frozenset(component))
    return found


Pair = tuple[Identifier, Identifier]


def _links(events: list[Event], policy: Policy) -> tuple[dict[Pair, float], dict[Pair, int], set[Pair]]:
    counts: dict[Pair, Counter[str]] = defaultdict(Counter)
    seen: dict[Pair, int] = {}
    must: set[Pair] = set()
    for event in events:
        own = sorted(set(event.identifiers))
        pairs = list(combinations(own, 2))
        if len(own) > policy.pairwise_up_to:
            best = min(own, key=lambda one: (policy.rule(one.namespace).priority, one.value))
            pairs = [(min(best, one), max(best, one)) for one in own if one != best]
        for pair in pairs:
            counts[pair][event.source] += 1
            seen[pair] = max(seen.get(pair, event.time), event.time)
        must |= {(min(pair), max(pair)) for pair in event.same_person}
    weights = {}
    for (a, b), of in counts.items():
        doubt = math.prod((1 - 0.75 * policy.source_trust(source)) ** count for source, count in of.items())
        weights[a, b] = round(policy.rule(a.namespace).trust * policy.rule(b.namespace).trust * (1 - doubt), 9)
    for pair in must:
        weights[pair] = 1.0
        seen.setdefault(pair, 0)
    return weights, seen, must


def _breaks(group: Iterable[Identifier], policy: Policy) -> bool:
    members = list(group)
    counts = Counter(one.namespace for one in members)
    limits = {space: policy.rule(space).limit for space in counts}
    over = any(limit is not None and counts[space] > limit for space, limit in limits.items())
    return over or len(members) > policy.max_identifiers


def _forest(
    component: Iterable[Identifier],
    links: list[Pair],
    weights: dict[Pair, float],
    seen: dict[Pair, int],
    must: set[Pair],
    policy: Policy,
) -> set[frozenset[Identifier]]:
    group = {one: frozenset({one}) for one in component}

    def rank(pair: Pair) -> tuple[object, ...]:
        keys = [-weights[pair], -seen[pair]]
        return (pair not in must, *(keys if policy.order == "strongest" else keys[::-1]), pair)

    for pair in sorted(links, key=rank):
        a, b = group[pair[0]], group[pair[1]]
        if a != b and (pair in must or not _refused(a, b, policy)):
            for one in a | b:
                group[one] = a | b
    return set(group.values())


def _refused(a: frozenset[Identifier], b: frozenset[Identifier], policy: Policy) -> bool:
    if len(a) + len(b) > policy.max_identifiers:
        return True
    mine, theirs = Counter(one.namespace for one in a), Counter(one.namespace for one in b)
    for space in mine.keys() & theirs.keys():
        limit = policy.rule(space).limit
        if limit is not None and mine[space] + theirs[space] > limit:
            return True
    return False
