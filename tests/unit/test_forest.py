"""The constrained forest: no limit breaks, nothing is refused that need not be, and order never matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import networkx as nx
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy, Rule
from identity_graph.resolve.forest import OVERSIZED, grow_forest
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.rules import Rules
from identity_graph.tables import LinkTable

SPACES = ["card", "cookie", "mail"]


@dataclass(frozen=True)
class Graph:
    """`links` are (a, b, weight, time, stated), a < b, no pair twice."""

    spaces: list[int]
    links: list[tuple[int, int, float, int, bool]]
    limits: tuple[int | None, ...]
    largest: int
    order: str

    @property
    def policy(self) -> Policy:
        rules = {name: Rule(limit=limit) for name, limit in zip(SPACES, self.limits, strict=True)}
        return Policy(order=self.order, min_weight=0.2, max_identifiers=self.largest, namespaces=rules)

    def grouped(self) -> Groups:
        rows = sorted(self.links)
        a, b = (np.array([row[end] for row in rows], np.int32) for end in (0, 1))
        weight = np.array([row[2] for row in rows], np.float64)
        seen = np.array([row[3] for row in rows], np.int64)
        table = LinkTable(a, b, weight, seen, np.array([row[4] for row in rows], np.bool_))
        n = len(self.spaces)
        values = [str(v) for v in range(n)]
        space = np.array(self.spaces, np.int16)
        return group(table, space, values, np.zeros(n, np.int8), self.policy, Rules.of(self.policy, SPACES, []))

    def breaks(self, members: set[int]) -> bool:
        counts = Counter(self.spaces[one] for one in members)
        over = any(limit is not None and counts[n] > limit for n, limit in enumerate(self.limits))
        return over or len(members) > self.largest


@st.composite
def graphs(draw: st.DrawFn, stated: bool = False) -> Graph:
    n = draw(st.integers(1, 10))
    node = st.integers(0, n - 1)
    pairs = draw(st.sets(st.tuples(node, node).filter(lambda p: p[0] < p[1]), max_size=25))
    links = []
    for a, b in sorted(pairs):
        must = stated and draw(st.integers(0, 5)) == 0
        weight = 1.0 if must else draw(st.sampled_from([0.1, 0.3, 0.5, 0.9]))
        links.append((a, b, weight, draw(st.integers(0, 3)), must))
    return Graph(
        [draw(st.integers(0, 2)) for _ in range(n)],
        links,
        tuple(draw(st.sampled_from([None, 1, 2])) for _ in SPACES),
        draw(st.sampled_from([2, 4, 500])),
        draw(st.sampled_from(["strongest", "newest"])),
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


@settings(max_examples=300, deadline=None)
@given(graphs(stated=True))
def test_every_suppressed_link_would_break_a_limit(graph: Graph) -> None:
    """Maximality: none of what was refused could have been taken, and each says which limit."""
    found = graph.grouped()
    sets, rows, why = members(found), sorted(graph.links), found.suppressed
    for link, space, one, other in zip(why.link, why.namespace, why.value_a, why.value_b, strict=True):
        left, right = (sets[int(found.label[end])] for end in rows[link][:2])
        assert not left & right and graph.breaks(left | right)
        if space == OVERSIZED:
            assert (one, other) == (-1, -1) and len(left | right) > graph.largest
        else:
            limit = graph.limits[space]
            held = [{x for x in side if graph.spaces[x] == space} for side in (left, right)]
            assert limit is not None and all(held) and len(held[0] | held[1]) > limit
            assert {len({one, other} & side) for side in held} == {1}


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
@given(graphs(stated=True))
def test_stated_links_always_join(graph: Graph) -> None:
    found = graph.grouped()
    for a, b, _, _, must in graph.links:
        assert not must or found.label[a] == found.label[b]


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_without_limits_the_forest_spans_components(graph: Graph) -> None:
    """The strongest links that close no circle are a maximum spanning forest, by networkx."""
    n = len(graph.spaces)
    rows = sorted((row for row in graph.links if row[2] > 0.2), key=lambda row: -row[2])
    a, b = (np.array([row[end] for row in rows], np.int32) for end in (0, 1))
    none = np.zeros(len(rows), np.bool_)
    label, refused = grow_forest(
        np.array(graph.spaces, np.int16), a, b, none, limited=[], limits=np.empty(0, np.int32), cap=n
    )
    oracle: nx.Graph[int] = nx.Graph([row[:2] for row in rows])
    oracle.add_nodes_from(range(n))
    assert len(refused) == 0
    assert len(set(label.tolist())) == nx.number_connected_components(oracle)
    assert all(label[x] == label[y] for x, y in oracle.edges)


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_the_first_link_is_refused_only_if_its_ends_alone_break_a_limit(graph: Graph) -> None:
    def rank(row: tuple[int, int, float, int, bool]) -> tuple[object, ...]:
        first, second = (row[2], row[3]) if graph.order == "strongest" else (row[3], row[2])
        return (-first, -second, *sorted((graph.spaces[end], str(end)) for end in row[:2]))

    strong = [row for row in graph.links if row[2] > 0.2]
    assume(strong)
    a, b, *_ = min(strong, key=rank)
    found = graph.grouped()
    assert (found.label[a] == found.label[b]) != graph.breaks({a, b})


@settings(max_examples=200, deadline=None)
@given(graphs(stated=True), st.randoms(use_true_random=False))
def test_links_that_were_refused_change_nothing_when_they_go(graph: Graph, random: Random) -> None:
    """Losing a suppressed link (an erasure, say) leaves every group as it is."""
    found = graph.grouped()
    refused = found.suppressed.link.tolist()
    gone = set(random.sample(refused, random.randint(0, len(refused))))
    rest = [row for n, row in enumerate(sorted(graph.links)) if n not in gone]
    again = Graph(graph.spaces, rest, graph.limits, graph.largest, graph.order).grouped()
    assert again.label.tolist() == found.label.tolist()


def test_the_reason_is_the_first_limit_by_name_and_the_smallest_values() -> None:
    spaces = [0, 0, 2, 0, 2]
    links = [(0, 1, 0.9, 0, False), (1, 2, 0.9, 0, False), (3, 4, 0.8, 0, False), (2, 3, 0.5, 0, False)]
    found = Graph(spaces, links, (2, None, 1), 500, "strongest").grouped()
    why = found.suppressed
    assert found.label.tolist() == [0, 0, 0, 3, 3]
    # Both limits would break: "card" comes before "mail". Of either side its smallest card, the smaller key first.
    assert [why.link.tolist(), why.namespace.tolist()] == [[2], [0]]
    assert [why.value_a.tolist(), why.value_b.tolist()] == [[3], [0]]


def test_an_oversized_group_says_so() -> None:
    links = [(n, n + 1, 0.9 - n / 10, 0, False) for n in range(4)]
    found = Graph([1] * 5, links, (None, None, None), 3, "strongest").grouped()
    assert found.label.tolist() == [0, 0, 0, 3, 3]
    assert found.suppressed.namespace.tolist() == [OVERSIZED] == found.suppressed.value_a.tolist()


def test_newer_first_where_the_policy_says_so() -> None:
    links = [(0, 2, 0.9, 1, False), (1, 2, 0.3, 2, False)]
    for order, label in (("strongest", [0, 1, 0]), ("newest", [0, 1, 1])):
        assert Graph([0, 0, 1], links, (1, None, None), 500, order).grouped().label.tolist() == label


def test_a_hundred_thousand_links_of_one_large_component() -> None:
    """A chain in which every tenth is a card, of which a person has one: pieces that never hold two."""
    n = 100_000
    spaces = [0 if one % 10 == 0 else 1 for one in range(n)]
    links = [(one, one + 1, 0.5, one, False) for one in range(n - 1)]
    found = Graph(spaces, links, (1, None, None), n, "strongest").grouped()
    assert len(members(found)) == n // 10
    assert len(found.suppressed) == n // 10 - 1
