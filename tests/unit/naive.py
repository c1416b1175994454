"""The slow and plain meaning of a resolution: dictionaries and networkx, one whole world at a time."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import networkx as nx

from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy
from tests.unit.naive_cut import LARGEST, Component
from tests.unit.naive_ladder import Group, Pair, climb


def persons(
    events: Iterable[Event],
    policy: Policy,
    cannot: Iterable[tuple[Identifier, Identifier]] = (),
    shown: AbstractSet[Group] = frozenset(),
    hard: AbstractSet[Identifier] = frozenset(),
) -> set[Group]:
    """The groups of identifiers that the design's five steps give, without ids. `cannot` are pairs beside those that
    events keep apart. Of the order `cut` several divisions of a component may be the least: then that of `shown`. Of
    those with identifiers of `hard` no least cut was found: then the strongest links count."""
    events = list(events)
    must, apart = settled(events)
    weights, seen, expired = links(events, policy, must)
    rules = _Rules(policy, _newest(seen), {frozenset(pair) for pair in (*cannot, *apart)})
    everyone = {one for event in events for one in event.identifiers}
    joining = {one for one in everyone if policy.rule(one.namespace).joins and not _blocked(one, policy)}
    neighbours: dict[Identifier, Counter[str]] = defaultdict(Counter)
    for a, b in (set(weights) | must) - expired:
        if a in joining and b in joining:
            neighbours[a][b.namespace] += 1
            neighbours[b][a.namespace] += 1
    strong = Counter(
        one
        for pair in (set(weights) | must) - expired
        for one in pair
        if joining.issuperset(pair) and (pair in must or weights[pair] >= policy.min_weight)
    )
    for one, counts in neighbours.items():
        limits = {space: policy.rule(space).limit for space in counts}
        needed = [math.ceil(counts[space] / limit) for space, limit in limits.items() if limit is not None]
        many = strong[one] > policy.max_identifiers and not policy.rule(one.namespace).unique
        if many or max(needed, default=0) > policy.rule(one.namespace).hub_cap:
            joining.discard(one)
    kept = [
        pair
        for pair in (set(weights) | must) - expired
        if pair[0] in joining and pair[1] in joining and (pair in must or weights[pair] >= policy.min_weight)
    ]
    graph: nx.Graph[Identifier] = nx.Graph()
    graph.add_nodes_from(joining)
    graph.add_edges_from(kept)
    found: set[Group] = set()
    for component in nx.connected_components(graph):
        inside = sorted((pair for pair in kept if pair[0] in component), key=_rank(weights, seen, must, policy))
        if len(component) > policy.max_identifiers:
            found |= climb(inside, weights, must, policy, partial(_forest, component, must, rules))
        elif rules.broken(component):
            groups: AbstractSet[Group] = _forest(component, must, rules, inside)
            if policy.order == "cut" and len(component) <= LARGEST and hard.isdisjoint(component):
                own = {group for group in shown if group <= component}
                divided = Component(inside, weights, seen, must, groups, rules.crowds)
                groups = divided.cheapest(own if set().union(*own) == component else groups)
            found |= groups
        else:
            found.add(frozenset(component))
    return found


def settled(events: Iterable[Event]) -> tuple[set[Pair], set[Pair]]:
    """The pairs that are stated to be one person, and those stated not to be: of each pair what was said last."""
    said: dict[Pair, tuple[int, bool]] = {}
    for event in events:
        for pairs, apart in ((event.same_person, False), (event.apart, True)):
            for pair in ((min(pair), max(pair)) for pair in pairs):
                said[pair] = max(said.get(pair, (event.time, apart)), (event.time, apart))
    same, apart_from = ({pair for pair, (_, apart) in said.items() if apart == kept} for kept in (False, True))
    return same, apart_from


def _blocked(one: Identifier, policy: Policy) -> bool:
    own_values, own_patterns = policy.blocked.by_namespace.get(one.namespace, (frozenset(), ()))
    value = one.value.lower()
    if value in policy.blocked.values or value in own_values:
        return True
    return any(re.search(pattern, value, re.IGNORECASE) for pattern in (*policy.blocked.patterns, *own_patterns))


def links(events: list[Event], policy: Policy, must: set[Pair]) -> tuple[dict[Pair, float], dict[Pair, int], set[Pair]]:
    """Weights, newest times, and the pairs all of whose evidence is too old."""
    counts: dict[Pair, Counter[str]] = defaultdict(Counter)
    seen: dict[Pair, int] = {}
    by_source: dict[tuple[Pair, str], int] = {}
    for event in events:
        own = sorted(set(event.identifiers))
        pairs = list(combinations(own, 2))
        if len(own) > policy.pairwise_up_to:
            best = min(own, key=lambda one: (policy.rule(one.namespace).priority, one.value))
            pairs = [(min(best, one), max(best, one)) for one in own if one != best]
        apart = {(min(pair), max(pair)) for pair in event.apart}
        for pair in set(pairs) - apart:
            counts[pair][event.source] += 1
            seen[pair] = max(seen.get(pair, event.time), event.time)
            by_source[pair, event.source] = max(by_source.get((pair, event.source), event.time), event.time)
    now = max((event.time for event in events), default=0)
    weights = {}
    expired = set()
    for (a, b), of in counts.items():
        rules = [policy.rule(one.namespace) for one in (a, b)]
        ages = [rule.expires for rule in rules if rule.expires is not None]
        since = now - min(ages) if ages else -math.inf
        half_lives = [rule.half_life for rule in rules if rule.half_life is not None]
        doubt, alive = 1.0, False
        for source, count in of.items():
            last = by_source[(a, b), source]
            if last >= since:
                decay = 0.5 ** ((now - last) / min(half_lives)) if half_lives else 1
                doubt *= (1 - 0.75 * policy.source_trust(source)) ** (count * decay)
                alive = True
        weights[a, b] = round(rules[0].trust * rules[1].trust * (1 - doubt), 12)
        if not alive and (a, b) not in must:
            expired.add((a, b))
    for pair in must:
        weights[pair] = 1.0
        seen.setdefault(pair, 0)
    return weights, seen, expired


def _newest(seen: dict[Pair, int]) -> dict[Identifier, int]:
    newest: dict[Identifier, int] = {}
    for pair, time in seen.items():
        for one in pair:
            newest[one] = max(newest.get(one, time), time)
    return newest


@dataclass(frozen=True)
class _Rules:
    """What a group must keep."""

    policy: Policy
    newest: dict[Identifier, int]
    cannot: set[frozenset[Identifier]]

    def crowds(self, group: Iterable[Identifier]) -> list[tuple[float, set[Identifier]]]:
        """Those of the group that count together, and how many of them may."""
        members = set(group)
        limits = [self._crowds(space, members) for space in {one.namespace for one in members}]
        found = [(limit, crowd) for limit, crowds in limits for crowd in crowds]
        return found + [(1.0, set(pair)) for pair in self.cannot if pair <= members]

    def broken(self, group: Iterable[Identifier]) -> bool:
        return any(len(crowd) > limit for limit, crowd in self.crowds(group))

    def refuse(self, a: frozenset[Identifier], b: frozenset[Identifier], must: bool) -> bool:
        if any(pair <= a | b for pair in self.cannot if not pair <= a and not pair <= b):
            return True
        if must:
            return False
        for space in {one.namespace for one in a} & {one.namespace for one in b}:
            limit, crowds = self._crowds(space, a | b)
            if any(len(crowd) > limit and crowd & a and crowd & b for crowd in crowds):
                return True
        return False

    def _crowds(self, space: str, group: Iterable[Identifier]) -> tuple[float, list[set[Identifier]]]:
        """The limit, and the values that count together: for each value, those of the window that it ends."""
        rule = self.policy.rule(space)
        own = {one for one in group if one.namespace == space}
        if rule.limit is None:
            return math.inf, []
        if rule.window is None:
            return rule.limit, [own]
        newest = {one: self.newest.get(one, -math.inf) for one in own}
        return rule.limit, [
            {other for other in own if 0 <= newest[one] - newest[other] < rule.window or newest[one] == newest[other]}
            for one in own
        ]


def _rank(
    weights: dict[Pair, float], seen: dict[Pair, int], must: set[Pair], policy: Policy
) -> Callable[[Pair], tuple[object, ...]]:
    def rank(pair: Pair) -> tuple[object, ...]:
        keys: list[float] = [-weights[pair], -seen[pair]]
        if policy.order == "newest":
            keys = [-seen[pair], sum(policy.rule(one.namespace).priority for one in pair), -weights[pair]]
        return (pair not in must, *keys, pair)

    return rank


def _forest(
    component: Iterable[Identifier], must: set[Pair], rules: _Rules, links: Iterable[Pair]
) -> set[frozenset[Identifier]]:
    """`links` in the order in which they are taken."""
    group = {one: frozenset({one}) for one in component}
    for pair in links:
        a, b = group[pair[0]], group[pair[1]]
        if a != b and not rules.refuse(a, b, pair in must):
            for one in a | b:
                group[one] = a | b
    return set(group.values())
