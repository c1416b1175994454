"""The order `cut`: no division that keeps the limits leaves less between its groups, by networkx and by trying all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy
from identity_graph.reasons import STEPS
from identity_graph.resolve.multiway import least_cut
from tests.unit.as_columns import groups, resolved, told
from tests.unit.naive import persons as naive
from tests.unit.test_forest import NONE, Graph, graphs, members

Held = list[list[int]]


def solved(
    capacity: np.ndarray[tuple[int, int], np.dtype[np.int64]], held: Held, most: list[int]
) -> tuple[int, list[int]]:
    """The cost, and the block of each node; begins with every node in a block of its own."""
    block = np.arange(len(capacity))
    table = np.array(held, np.int64).reshape(len(capacity), len(most))
    cost = least_cut(capacity, table, np.array(most, np.int64), block, 10**6)
    return cost, block.tolist()


def across(capacity: np.ndarray[tuple[int, int], np.dtype[np.int64]], block: list[int]) -> int:
    k = len(block)
    return sum(int(capacity[u, v]) for u in range(k) for v in range(u) if block[u] != block[v])


def divisions(k: int) -> Iterator[list[int]]:
    """All set partitions, as restricted growth strings."""

    def longer(start: list[int]) -> Iterator[list[int]]:
        if len(start) == k:
            yield start
        else:
            for block in range(max(start, default=-1) + 2):
                yield from longer([*start, block])

    return longer([])


def keeps(block: list[int], held: Held, most: list[int]) -> bool:
    for limit, count in enumerate(most):
        for one in set(block):
            own = [held[u][limit] for u in range(len(block)) if block[u] == one and held[u][limit]]
            if len(own) > 1 and sum(own) > count:
                return False
    return True


def drawn(data: st.DataObject, k: int, pairs: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    node = st.integers(0, k - 1)
    capacity = np.zeros((k, k), np.int64)
    for u, v in data.draw(st.lists(st.tuples(node, node), max_size=pairs)):
        if u != v:
            capacity[u, v] = capacity[v, u] = data.draw(st.integers(0, 9))
    return capacity


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_of_two_terminals_the_cut_is_that_of_networkx(data: st.DataObject) -> None:
    k = data.draw(st.integers(2, 12))
    capacity = drawn(data, k, 40)
    cost, block = solved(capacity, [[1], [1]] + [[0]] * (k - 2), [1])
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(k))
    graph.add_edges_from((u, v, {"capacity": int(capacity[u, v])}) for u in range(k) for v in range(u))
    assert cost == nx.minimum_cut_value(graph, 0, 1) == across(capacity, block) and block[0] != block[1]


def test_a_word_has_a_bit_for_each_of_64_nodes() -> None:
    """The values are at its last two."""
    generator = np.random.default_rng(1)
    half = np.triu(generator.integers(1, 9, (64, 64)) * (generator.random((64, 64)) < 0.1), 1)
    cost, block = solved(half + half.T, [[0]] * 62 + [[1], [1]], [1])
    graph: nx.Graph[int] = nx.Graph()
    graph.add_edges_from((u, v, {"capacity": int(half[u, v])}) for u, v in np.argwhere(half).tolist())
    assert cost == nx.minimum_cut_value(graph, 62, 63) == across(half + half.T, block) > 0


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_division_that_keeps_the_limits_costs_less(data: st.DataObject) -> None:
    """Several limits, of one or of more, and nodes that hold more than one value: as stated links make them."""
    k, limits = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    capacity = drawn(data, k, 25)
    held = [[data.draw(st.sampled_from([0, 0, 1, 1, 2])) for _ in range(limits)] for _ in range(k)]
    most = [data.draw(st.integers(1, 3)) for _ in range(limits)]
    cost, block = solved(capacity, held, most)
    assert keeps(block, held, most) and cost == across(capacity, block)
    assert cost == min(across(capacity, other) for other in divisions(k) if keeps(other, held, most))


def test_what_takes_too_many_steps_is_not_known() -> None:
    generator = np.random.default_rng(1)
    half = np.triu(generator.integers(0, 9, (20, 20)), 1)
    held = np.zeros((20, 1), np.int64)
    held[:10] = 1
    block = np.arange(20)
    assert least_cut(half + half.T, held, np.array([1]), block, 3) == -1 and block.tolist() == list(range(20))


# ---- as an order of the policy


def total(graph: Graph, blocks: list[set[int]]) -> float:
    """The weight of links that joined before limits and end in two blocks."""
    of = {x: n for n, block in enumerate(blocks) for x in block}
    return round(sum(row[2] for row in graph.links if row[2] >= 0.2 and of[row[0]] != of[row[1]]), 6)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_least_weight_is_suppressed(graph: Graph) -> None:
    graph = replace(graph, order="cut", spaces=graph.spaces[:7], cannot=tuple(p for p in graph.cannot if max(p) < 7))
    graph = replace(graph, links=[row for row in graph.links if max(row[:2]) < 7])
    found = graph.grouped()
    sets = list(members(found).values())
    assert not any(graph.breaks(one) for one in sets)
    least = min(
        total(graph, blocks)
        for division in divisions(len(graph.spaces))
        for blocks in [[{x for x, block in enumerate(division) if block == n} for n in set(division)]]
        if not any(graph.breaks(one) for one in blocks)
    )
    assert total(graph, sets) == least
    assert {STEPS[step] for step in found.suppressed.step.tolist()} <= {"least cut"}


@settings(max_examples=200, deadline=None)
@given(graphs(stated=True))
def test_stated_links_are_not_cut_and_no_less_is_than_by_strength(graph: Graph) -> None:
    found, strongest = (replace(graph, order=order).grouped() for order in ("cut", "strongest"))
    for a, b, _, _, must in graph.links:
        assert not must or (found.label[a] == found.label[b]) >= (strongest.label[a] == strongest.label[b])
    assert total(graph, list(members(found).values())) <= total(graph, list(members(strongest).values()))


def ring(n: int, cards: tuple[int, int], weak: tuple[int, int]) -> Graph:
    """A ring of n cookies, two of which are cards; its links weigh 0.5, two of them 0.3."""
    links = []
    for one in range(n):
        a, b = sorted((one, (one + 1) % n))
        links.append((a, b, 0.3 if one in weak else 0.5, one, False))
    spaces = [0 if one in cards else 1 for one in range(n)]
    return Graph(spaces, links, ((1, None), NONE, NONE), "cut")


@pytest.mark.parametrize(("n", "step"), [(60, "least cut"), (61, "too large")])
def test_up_to_sixty_identifiers(n: int, step: str) -> None:
    found = ring(n, (0, 30), (10, 40)).grouped()
    assert {STEPS[one] for one in found.suppressed.step.tolist()} == {step}
    assert len(found.suppressed) == 2 and found.label[0] != found.label[30]


def sparse(kind: str, n: int, generator: np.random.Generator) -> Graph:
    """Links of many weights; every third identifier is a card, another third are e-mails."""
    if kind == "star":
        pairs = {(0, one) for one in range(1, n)}
    else:
        pairs = {(int(generator.integers(0, one)), one) for one in range(1, n)}
    if kind == "sparse":
        pairs |= {(min(p), max(p)) for p in generator.integers(0, n, (n // 4, 2)).tolist() if p[0] != p[1]}
    links = [(a, b, float(generator.integers(20, 100)) / 100, one, False) for one, (a, b) in enumerate(sorted(pairs))]
    spaces = [1 if one % 3 == 0 else 0 if one % 3 == 1 else 2 for one in range(n)]
    return Graph(spaces, links, ((1, None), NONE, (1, None)), "cut")


@pytest.mark.parametrize(
    ("kind", "most", "solved"), [("star", 1, 20), ("star", 3, 20), ("tree", 1, 20), ("tree", 3, 15), ("sparse", 1, 15)]
)
def test_sixty_identifiers_with_few_links_are_solved(kind: str, most: int, solved: int) -> None:
    """Of twenty of each kind: all stars and trees of which two values are never together, and most of the others."""
    exact = 0
    for seed in range(20):
        graph = sparse(kind, 60, np.random.default_rng(seed))
        found = replace(graph, limits=((most, None), NONE, (most, None))).grouped()
        assert len(found.suppressed) > 0
        exact += {STEPS[one] for one in found.suppressed.step.tolist()} == {"least cut"}
    assert exact >= solved


def test_of_a_tree_the_cut_is_that_of_all_its_links() -> None:
    """Ten links, of which every set of cut ones is tried."""
    for seed in range(20):
        graph = sparse("tree", 11, np.random.default_rng(seed))
        least = float("inf")
        for keep in range(2 ** len(graph.links)):
            kept = [row for number, row in enumerate(graph.links) if keep >> number & 1]
            pieces: nx.Graph[int] = nx.Graph([row[:2] for row in kept])
            pieces.add_nodes_from(range(11))
            if not any(graph.breaks(one) for one in nx.connected_components(pieces)):
                least = min(least, round(sum(row[2] for row in graph.links) - sum(row[2] for row in kept), 6))
        assert total(graph, list(members(graph.grouped()).values())) == least


def test_few_identifiers_may_take_many_steps() -> None:
    """Each is short: five values of each of two limits at one address take more steps than sixty identifiers may."""
    links = [(one, 10, 0.5, one, False) for one in range(10)]
    found = Graph([0] * 5 + [1] * 5 + [2], links, ((1, None), (1, None), NONE), "cut").grouped()
    assert {STEPS[one] for one in found.suppressed.step.tolist()} == {"least cut"}
    assert len(found.suppressed) == 8


def test_the_strongest_first_may_cut_more_than_is_needed() -> None:
    """A device between two cards: one link of 0.5, or two of 0.4 to what both of its cookies share."""
    links = [(0, 2, 0.4, 0, False), (0, 3, 0.4, 0, False), (2, 4, 0.4, 0, False), (3, 4, 0.4, 0, False)]
    graph = Graph([0, 0, 1, 1, 1], [*links, (1, 4, 0.5, 0, False)], ((1, None), NONE, NONE))
    strongest, cut = (replace(graph, order=order).grouped() for order in ("strongest", "cut"))
    assert total(graph, list(members(strongest).values())) == 0.8
    assert total(graph, list(members(cut).values())) == 0.5
    assert cut.label.tolist() == [0, 1, 0, 0, 0]


def test_of_equal_cuts_that_of_the_older_link() -> None:
    for times, label in (((3, 9), [0, 1, 1]), ((9, 3), [0, 1, 0])):
        links = [(one, 2, 0.5, time, False) for one, time in enumerate(times)]
        assert Graph([0, 0, 1], links, ((1, None), NONE, NONE), "cut").grouped().label.tolist() == label


def test_the_plain_resolution_knows_a_least_cut_from_one_that_is_not() -> None:
    """The device between two cards, in events: its card is the weaker of its two ends."""
    policy = Policy.parse('order = "cut"\n[namespaces.card]\nlimit = "1 ever"\n[namespaces.email]\nlimit = "none"\n')
    events = told(
        "card:1,email:ann",
        "card:1,email:bob",
        "email:ann,phone:1",
        "email:bob,phone:1",
        "phone:1,card:2",
        "phone:1,card:2",
    )
    strongest, cut = (groups(resolved(events, replace(policy, order=order))) for order in ("strongest", "cut"))
    assert strongest != cut == naive(events, policy, shown=cut) == naive(events, policy, shown=strongest)
