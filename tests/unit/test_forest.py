"""The constrained forest: no limit breaks, nothing is refused that need not be, and order never matters."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from random import Random

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy, Rule
from identity_graph.reasons import SUPPRESSED
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.rules import Rules
from identity_graph.tables import LinkTable

SPACES = ["card", "cookie", "mail"]
LIMIT, CANNOT_LINK = (SUPPRESSED.index(code) for code in ("LIMIT", "CANNOT_LINK"))

Limit = tuple[int | None, int | None]
"""How many, and within which time."""


@dataclass(frozen=True)
class Graph:
    """`links` are (a, b, weight, time, stated), a < b, no pair twice."""

    spaces: list[int]
    links: list[tuple[int, int, float, int, bool]]
    limits: tuple[Limit, ...]
    order: str = "strongest"
    cannot: tuple[tuple[int, int], ...] = ()
    largest: int = 2**31 - 1

    @property
    def policy(self) -> Policy:
        limits = zip(SPACES, self.limits, strict=True)
        rules = {name: Rule(limit=limit, window=window) for name, (limit, window) in limits}
        return Policy(order=self.order, min_weight=0.2, max_identifiers=self.largest, namespaces=rules)

    def grouped(self) -> Groups:
        rows = sorted(self.links)
        a, b = (np.array([row[end] for row in rows], np.int32) for end in (0, 1))
        weight = np.array([row[2] for row in rows], np.float64)
        seen = np.array([row[3] for row in rows], np.int64)
        table = LinkTable(a, b, weight, seen, np.array([row[4] for row in rows], np.bool_))
        n = len(self.spaces)
        values = [f"{v:06d}" for v in range(n)]
        space = np.array(self.spaces, np.int16)
        kept = table.must | (weight >= 0.2)
        pairs = np.array(self.cannot, np.int32).reshape(-1, 2)
        rules = Rules.of(self.policy, SPACES, [])
        joins = np.ones(n, np.bool_)
        return group(table, kept, joins, space, values, self.policy, rules, (pairs[:, 0], pairs[:, 1]))

    def crowded(self, members: AbstractSet[int]) -> set[int]:
        """Namespaces of which some members, more than the limit, were seen within its window of each other."""
        times = {x: max((row[3] for row in self.links if x in row[:2]), default=0) for x in members}
        found = set()
        for space, (limit, window) in enumerate(self.limits):
            own = [x for x in members if self.spaces[x] == space]
            for some in combinations(own, limit + 1) if limit is not None else ():
                seen = [times[x] for x in some]
                if window is None or max(seen) - min(seen) < window:
                    found.add(space)
        return found

    def torn(self, members: AbstractSet[int]) -> bool:
        return any(members >= set(pair) for pair in self.cannot)

    def breaks(self, members: AbstractSet[int]) -> bool:
        return bool(self.crowded(members)) or self.torn(members)


@st.composite
def graphs(draw: st.DrawFn, stated: bool = False, torn: bool = True) -> Graph:
    n = draw(st.integers(1, 10))
    node = st.integers(0, n - 1)
    pair = st.tuples(node, node).filter(lambda p: p[0] < p[1])
    links = []
    for a, b in sorted(draw(st.sets(pair, max_size=25))):
        must = stated and draw(st.integers(0, 5)) == 0
        weight = 1.0 if must else draw(st.sampled_from([0.1, 0.3, 0.5, 0.9]))
        links.append((a, b, weight, draw(st.integers(0, 5)), must))
    limit = st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, None, 1, 2, 3]))
    return Graph(
        [draw(st.integers(0, 2)) for _ in range(n)],
        links,
        tuple(draw(limit) for _ in SPACES),
        draw(st.sampled_from(["strongest", "newest"])),
        tuple(draw(st.sets(pair, max_size=3))) if torn and draw(st.booleans()) else (),
    )


def members(found: Groups) -> dict[int, set[int]]:
    sets: dict[int, set[int]] = {}
    for one, label in enumerate(found.label.tolist()):
        sets.setdefault(label, set()).add(one)
    return sets


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_no_group_breaks_a_limit(graph: Graph) -> None:
    assert not any(graph.breaks(found) for found in members(graph.grouped()).values())


@settings(max_examples=500, deadline=None)
@given(graphs(stated=True))
def test_every_suppressed_link_would_break_a_limit(graph: Graph) -> None:
    """Maximality: none of what was refused could have been taken, and each says why."""
    found = graph.grouped()
    sets, rows, why = members(found), sorted(graph.links), found.suppressed
    columns = (why.link, why.code, why.namespace, why.value_a, why.value_b, why.step)
    for link, code, space, one, other, step in zip(*(column.tolist() for column in columns), strict=True):
        left, right = (sets[int(found.label[end])] for end in rows[link][:2])
        assert not left & right and step == 0
        values = {min(one, other), max(one, other)}
        if code == CANNOT_LINK:
            assert space == -1 and (min(values), max(values)) in graph.cannot
            assert {len(values & side) for side in (left, right)} == {1}
        else:
            assert code == LIMIT
            assert {graph.spaces[x] for x in values} == {space} and not rows[link][4]
            assert {len(values & side) for side in (left, right)} == {1}
            assert space in graph.crowded(left | right)
            _, window = graph.limits[space]
            times = [max(row[3] for row in rows if x in row[:2]) for x in values]
            assert window is None or max(times) - min(times) < window


@settings(max_examples=300, deadline=None)
@given(graphs(stated=True))
def test_a_group_hangs_together_by_links_that_were_kept(graph: Graph) -> None:
    found = graph.grouped()
    refused = set(found.suppressed.link.tolist())
    taken: nx.Graph[int] = nx.Graph()
    taken.add_nodes_from(range(len(graph.spaces)))
    for row, (a, b, weight, _, must) in enumerate(sorted(graph.links)):
        assert bool(found.kept[row]) == (must or weight >= 0.2)
        if found.kept[row] and row not in refused:
            assert found.label[a] == found.label[b]
            taken.add_edge(a, b)
    assert sorted(map(sorted, nx.connected_components(taken))) == sorted(map(sorted, members(found).values()))


@settings(max_examples=200, deadline=None)
@given(graphs(stated=True, torn=False))
def test_stated_links_always_join(graph: Graph) -> None:
    found = graph.grouped()
    for a, b, _, _, must in graph.links:
        assert not must or found.label[a] == found.label[b]


@settings(max_examples=300, deadline=None)
@given(graphs(stated=True))
def test_what_must_not_be_one_person_never_is_and_else_stated_links_join(graph: Graph) -> None:
    """A path of stated links between two that must not be one loses the last of its links."""
    found = graph.grouped()
    assert not any(graph.torn(group) for group in members(found).values())
    oracle = {x: {x} for x in range(len(graph.spaces))}
    for a, b, *_ in sorted((row for row in graph.links if row[4]), key=lambda row: (-row[3], *keys(graph, row))):
        if not graph.torn(oracle[a] | oracle[b]):
            for x in oracle[a] | oracle[b]:
                oracle[x] = oracle[a] | oracle[b]
    for a, b, _, _, must in graph.links:
        if must:
            assert (b in oracle[a]) <= (found.label[a] == found.label[b])


def keys(graph: Graph, row: tuple[int, int, float, int, bool]) -> list[tuple[int, int]]:
    return sorted((graph.spaces[end], end) for end in row[:2])


@settings(max_examples=200, deadline=None)
@given(graphs(torn=False))
def test_without_limits_groups_are_components(graph: Graph) -> None:
    free = replace(graph, limits=((None, None),) * 3)
    oracle: nx.Graph[int] = nx.Graph([row[:2] for row in graph.links if row[2] >= 0.2])
    oracle.add_nodes_from(range(len(graph.spaces)))
    found = free.grouped()
    assert sorted(map(sorted, nx.connected_components(oracle))) == sorted(map(sorted, members(found).values()))
    assert len(found.suppressed) == 0


@settings(max_examples=200, deadline=None)
@given(graphs(torn=False))
def test_links_within_groups_hold_a_maximum_spanning_forest(graph: Graph) -> None:
    """With one pair apart and no limit, what joins is what Kruskal's algorithm joins before it closes the pair's path:
    of a maximum spanning tree, by networkx, all but the weakest link between the two."""
    n = len(graph.spaces)
    free = replace(graph, limits=((None, None),) * 3, order="strongest", cannot=((0, n - 1),) if n > 1 else ())
    found = free.grouped()
    oracle: nx.Graph[int] = nx.Graph()
    oracle.add_nodes_from(range(n))
    oracle.add_edges_from((a, b, {"weight": w}) for a, b, w, *_ in graph.links if w >= 0.2)
    tree = nx.maximum_spanning_tree(oracle)
    if n > 1 and nx.has_path(tree, 0, n - 1):
        path = nx.shortest_path(tree, 0, n - 1)
        weakest = min(tree.edges[pair]["weight"] for pair in pairwise(path))
        strong: nx.Graph[int] = nx.Graph()
        strong.add_nodes_from(range(n))
        strong.add_edges_from(pair for pair in oracle.edges if oracle.edges[pair]["weight"] > weakest)
        for group in nx.connected_components(strong):
            assert len({int(found.label[x]) for x in group}) == 1
        assert found.label[0] != found.label[n - 1]


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_the_first_link_is_refused_only_if_its_ends_alone_break_a_limit(graph: Graph) -> None:
    def rank(row: tuple[int, int, float, int, bool]) -> tuple[object, ...]:
        first, second = (row[2], row[3]) if graph.order == "strongest" else (row[3], row[2])
        return (-first, -second, *keys(graph, row))

    strong = [row for row in graph.links if row[2] > 0.2]
    assume(strong)
    a, b, *_ = min(strong, key=rank)
    found = graph.grouped()
    assert (found.label[a] == found.label[b]) != graph.breaks({a, b})


@settings(max_examples=200, deadline=None)
@given(graphs(stated=True), st.randoms(use_true_random=False))
def test_links_that_were_refused_change_nothing_when_they_go(graph: Graph, random: Random) -> None:
    """Losing a suppressed link (an erasure, say) leaves every group as it is."""
    ever = tuple((limit, None) for limit, _ in graph.limits)  # what is left may have been seen last at another time
    graph = replace(graph, limits=ever)
    found = graph.grouped()
    refused = found.suppressed.link.tolist()
    gone = set(random.sample(refused, random.randint(0, len(refused))))
    rest = [row for n, row in enumerate(sorted(graph.links)) if n not in gone]
    again = replace(graph, links=rest).grouped()
    assert again.label.tolist() == found.label.tolist()


NONE: Limit = (None, None)


def test_the_reason_is_the_first_limit_by_name_and_the_values_that_came_first() -> None:
    spaces = [0, 0, 2, 0, 2]
    links = [(0, 1, 0.9, 0, False), (1, 2, 0.9, 0, False), (3, 4, 0.8, 0, False), (2, 3, 0.5, 0, False)]
    found = Graph(spaces, links, ((2, None), NONE, (1, None))).grouped()
    why = found.suppressed
    assert found.label.tolist() == [0, 0, 0, 3, 3]
    # Both limits would break: "card" comes before "mail". Of two ends of one link the smaller key.
    assert [why.link.tolist(), why.code.tolist(), why.namespace.tolist()] == [[2], [LIMIT], [0]]
    assert [why.value_a.tolist(), why.value_b.tolist()] == [[0], [3]]


def test_of_several_values_that_which_joined_first_is_named() -> None:
    links = [(2, 3, 0.9, 0, False), (0, 3, 0.8, 0, False), (1, 4, 0.7, 0, False), (3, 4, 0.5, 0, False)]
    for window in (None, 10):
        found = Graph([0, 0, 0, 1, 1], links, ((2, window), NONE, NONE)).grouped()
        assert [found.suppressed.value_a.tolist(), found.suppressed.value_b.tolist()] == [[2], [1]]


def test_what_must_not_be_one_person_is_the_reason_before_any_limit() -> None:
    links = [(0, 1, 0.9, 0, False), (2, 3, 0.9, 0, False), (1, 2, 0.5, 0, False)]
    pairs = ((0, 3), (0, 2), (1, 3))
    found = Graph([0, 0, 0, 0], links, ((2, None), NONE, NONE), cannot=pairs).grouped()
    why = found.suppressed
    assert found.label.tolist() == [0, 0, 2, 2]
    assert [why.link.tolist(), why.code.tolist(), why.namespace.tolist()] == [[1], [CANNOT_LINK], [-1]]
    assert [why.value_a.tolist(), why.value_b.tolist()] == [[0], [2]]


@pytest.mark.parametrize(
    ("window", "groups"),
    [
        (None, [0, 0, 2, 2, 2]),
        (30, [0, 0, 2, 2, 2]),  # the cards of days 10 and 39 are less than 30 days apart
        (29, [0, 0, 0, 0, 0]),
    ],
)
def test_a_limit_with_a_window_counts_what_was_seen_within_it(window: int | None, groups: list[int]) -> None:
    links = [(0, 1, 0.9, 10, False), (2, 3, 0.9, 5, False), (2, 4, 0.9, 39, False), (1, 3, 0.5, 8, False)]
    found = Graph([0, 1, 1, 1, 0], links, ((1, window), NONE, NONE)).grouped()
    assert found.label.tolist() == groups
    assert [found.suppressed.value_a.tolist(), found.suppressed.value_b.tolist()] == (
        [[0], [4]] if groups[2] else [[], []]
    )


def test_the_window_is_of_the_newest_link_of_a_value_not_of_the_one_that_joins() -> None:
    links = [(0, 1, 0.9, 10, False), (0, 2, 0.9, 500, False), (1, 3, 0.5, 10, False)]
    found = Graph([0, 1, 1, 0], links, ((1, 30), NONE, NONE)).grouped()
    assert found.label.tolist() == [0, 0, 0, 0]


def test_newer_first_where_the_policy_says_so() -> None:
    links = [(0, 2, 0.9, 1, False), (1, 2, 0.3, 2, False)]
    for order, label in (("strongest", [0, 1, 0]), ("newest", [0, 1, 1])):
        assert Graph([0, 0, 1], links, ((1, None), NONE, NONE), order).grouped().label.tolist() == label


@pytest.mark.parametrize("window", [None, 10])
def test_a_hundred_thousand_links_of_one_large_component(window: int | None) -> None:
    """A chain in which every tenth is a card, of which a person has one: pieces that never hold two."""
    n = 100_000
    spaces = [0 if one % 10 == 0 else 1 for one in range(n)]
    links = [(one, one + 1, 0.5, 0, False) for one in range(n - 1)]
    found = Graph(spaces, links, ((1, window), NONE, NONE)).grouped()
    assert len(members(found)) == n // 10
    assert len(found.suppressed) == n // 10 - 1


def test_ten_thousand_pairs_apart_in_one_star() -> None:
    """Each cookie of a star is apart from the next: every second one joins."""
    n = 10_000
    links = [(0, one, 0.5, 0, False) for one in range(1, n)]
    pairs = tuple((one, one + 1) for one in range(1, n - 1))
    found = Graph([0] + [1] * (n - 1), links, (NONE, NONE, NONE), cannot=pairs).grouped()
    assert (found.label == 0).nonzero()[0].tolist() == [0, *range(1, n, 2)]
    assert set(found.suppressed.code.tolist()) == {CANNOT_LINK}
