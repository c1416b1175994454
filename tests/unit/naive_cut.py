"""The slow and plain least cut: does any division of a component leave less between its groups than the one shown?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache, partial
from itertools import pairwise

import networkx as nx
from networkx.algorithms.flow import edmonds_karp

from identity_graph.model import Identifier
from tests.unit.naive_ladder import Group, Pair

LARGEST = 60
"""The most identifiers of a component that is cut exactly."""

TRIALS = 300
"""After so many nobody looks any further for a cheaper division: their number doubles with each edge."""

Crowds = Callable[[Iterable[Identifier]], list[tuple[float, set[Identifier]]]]
"""Of some identifiers those that count together, and how many of them may be in one group."""

Edge = frozenset[Group]


class Component:
    """Its identifiers and links, as far as a division may go: what stated links hold together is one node. `forest` is
    the division that the strongest links give."""

    def __init__(
        self,
        links: list[Pair],
        weights: Mapping[Pair, float],
        seen: Mapping[Pair, int],
        must: AbstractSet[Pair],
        forest: AbstractSet[Group],
        crowds: Crowds,
    ) -> None:
        self.crowds = crowds
        stated: nx.Graph[Identifier] = nx.Graph()
        stated.add_nodes_from(one for group in forest for one in group)
        stated.add_edges_from(
            pair for pair in links if pair in must and any(group.issuperset(pair) for group in forest)
        )
        node = {one: frozenset(bound) for bound in nx.connected_components(stated) for one in bound}
        ages = sorted({seen[pair] for pair in links})
        self.graph: nx.Graph[Group] = nx.Graph()
        self.graph.add_nodes_from(node.values())
        for pair in links:
            a, b = (node[one] for one in pair)
            if a != b:  # what is least is the sum of weights, and of equal ones that of the ages
                cost = round(weights[pair] * 10**9) * len(links) ** 2 + ages.index(seen[pair])
                known = self.graph.edges[a, b]["cost"] if self.graph.has_edge(a, b) else 0
                self.graph.add_edge(a, b, cost=known + cost)

    def cheapest(self, shown: AbstractSet[Group]) -> AbstractSet[Group]:
        """The division shown, if it keeps the limits, its groups hang together, and none that is found by `TRIALS`
        costs less; else a cheaper one, or none where none was found."""
        cut = {
            frozenset(edge)
            for edge in self.graph.edges
            if not any(group.issuperset(edge[0] | edge[1]) for group in shown)
        }
        rest = self._without(cut)
        sound = self._groups(rest) == shown and self._broken(rest, set()) is None
        best = self._cost(cut if sound else map(frozenset, self.graph.edges)) + (not sound)
        self.trials = 0
        found = self._cheaper(set(), set(), best)
        if found is None:
            return shown if sound else set()
        return self._groups(self._without(found))

    def _cost(self, cut: Iterable[Edge]) -> int:
        return sum(self.graph.edges[a, b]["cost"] for a, b in cut)

    def _without(self, cut: AbstractSet[Edge]) -> nx.Graph[Group]:
        """A copy: a view asks for each edge whether it is there."""
        rest = self.graph.copy()
        rest.remove_edges_from((a, b) for a, b in cut)
        return rest

    def _groups(self, graph: nx.Graph[Group]) -> set[Group]:
        return {frozenset().union(*nodes) for nodes in nx.connected_components(graph)}

    def _cheaper(self, cut: set[Edge], kept: set[Edge], best: int) -> set[Edge] | None:
        """The cheapest cut with these edges, and without the kept ones, that costs less than `best`.

        As long as a limit is broken, one of the edges that bring its values together must go: each is tried."""
        spent = self._cost(cut)
        self.trials += 1
        if spent >= best or self.trials > TRIALS:
            return None
        rest = self._without(cut)
        broken = self._broken(rest, kept)
        if broken is None:
            return cut
        apart, tree = broken
        if apart and self._between(apart, rest, kept, best - spent) >= best - spent:
            return None
        found, kept = None, set(kept)
        for edge in tree:
            if edge not in kept:
                better = self._cheaper(cut | {edge}, kept, best)
                if better is not None:
                    found, best = better, self._cost(better)
                kept.add(edge)
        return found

    def _broken(
        self, graph: nx.Graph[Group], kept: AbstractSet[Edge]
    ) -> tuple[tuple[Group, Group] | None, list[Edge]] | None:
        """The edges of a tree, as small as one finds them, that holds more values than a group may; and two nodes of
        it that may not be together, if no two may. None if all limits are kept."""
        found = []
        paths_from = cache(partial(nx.single_source_shortest_path, graph))
        for nodes in nx.connected_components(graph):
            for limit, crowd in self.crowds({one for node in nodes for one in node}):
                holding = {node: len(node & crowd) for node in nodes if node & crowd}
                if len(crowd) <= limit or len(holding) == 1:
                    continue
                for start in holding:
                    paths, held, tree = paths_from(start), 0, dict[Edge, None]()
                    for number, other in enumerate(sorted(holding, key=lambda node: len(paths[node])), 1):
                        tree |= dict.fromkeys(map(frozenset, pairwise(paths[other])))
                        held += holding[other]
                        if held > limit and number > 1:
                            break
                    open = [edge for edge in tree if edge not in kept]
                    found.append((len(open), (start, other) if limit == 1 else None, open))
        return min(found, key=lambda one: one[0])[1:] if found else None

    def _between(self, apart: tuple[Group, Group], graph: nx.Graph[Group], kept: AbstractSet[Edge], enough: int) -> int:
        """What must be cut at least between the two; no more than `enough` is looked for."""
        for edge in graph.edges:
            graph.edges[edge]["capacity"] = enough if frozenset(edge) in kept else graph.edges[edge]["cost"]
        return int(nx.maximum_flow_value(graph, *apart, flow_func=edmonds_karp, cutoff=enough))
