"""Links by similarity against the same in sets, from evidence that was folded."""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import combinations, product
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.similar_links import SimilarLinks, similar_links
from identity_graph.tables import Int32, LinkTable
from tests.unit.test_similarity import by_sets

MODULE = sys.modules[similar_links.__module__]
NAMES = ["ip", "cookie", "email", "agent", "device"]  # not in the order of their names
Pair = tuple[int, int]
RULE: dict[str, Any] = {
    "between": ("cookie", "device"), "by": ("ip",), "measure": "jaccard", "least": 0.5, "top_k": 3, "trust": 0.5
}  # fmt: skip


def links(pairs: set[Pair]) -> LinkTable:
    """As they are weighed; of pairs that are larger, seen later."""
    a, b = np.array(sorted((min(pair), max(pair)) for pair in pairs), np.int64).reshape(-1, 2).T
    return LinkTable(a.astype(np.int32), b.astype(np.int32), np.ones(len(a)), 1000 * a + b, np.zeros(len(a), np.bool_))


def rows(found: SimilarLinks) -> dict[Pair, tuple[float, list[int]]]:
    assert len(found.start) == len(found) + 1 and found.start[-1] == len(found.shared)
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert pairs == sorted(set(pairs)) and all(a < b for a, b in pairs)
    return {
        pair: (weight, found.shared[found.start[i] : found.start[i + 1]].tolist())
        for i, (pair, weight) in enumerate(zip(pairs, found.weight.tolist(), strict=True))
    }


def naive(
    pairs: set[Pair], kinds: list[int], values: list[str], left_out: set[int], most: int, rule: dict[str, Any]
) -> dict[Pair, tuple[float, list[int]]]:
    linked: dict[int, set[int]] = defaultdict(set)
    for a, b in pairs:
        if not {a, b} & left_out:
            linked[a].add(b)
            linked[b].add(a)
    combined: dict[int, set[tuple[int, ...]]] = {}
    for one, others in linked.items():
        if NAMES[kinds[one]] not in rule["between"]:
            continue
        own = [[other for other in others if NAMES[kinds[other]] == name] for name in rule["by"]]
        if max(map(len, own)) > most:
            continue
        combined[one] = {them for them in product(*own) if all(b in linked[a] for a, b in combinations(them, 2))}
    numbers = {them: n for n, them in enumerate(sorted(set().union(*combined.values())))}
    by_key = sorted(range(len(kinds)), key=lambda one: (NAMES[kinds[one]], values[one]))
    rank = np.zeros(len(kinds), np.int32)
    rank[by_key] = range(len(kinds))
    scores = by_sets(
        [(one, numbers[them]) for one, own in combined.items() for them in own],
        most=most, measure=rule["measure"], least=rule["least"], top_k=rule["top_k"], degrees=(1, 2**31),
        weighted=True, rank=rank,
    )  # fmt: skip
    common = {them for them in numbers if sum(them in own for own in combined.values()) <= most}
    return {
        (a, b): (score * rule["trust"], sorted(set().union(*(combined[a] & combined[b] & common))))
        for (a, b), score in scores.items()
    }


World = tuple[set[Pair], list[int], list[str], set[int]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Dense enough that neighbours are shared."""
    count = {1: draw(st.integers(2, 4)), 4: draw(st.integers(1, 2)), 0: draw(st.integers(1, 3)), 3: 2, 2: 1}
    kinds = draw(st.permutations([kind for kind, times in count.items() for _ in range(times)]))
    values = draw(st.permutations([f"v{n:02d}" for n in range(len(kinds))]))
    dice, density = draw(st.randoms(use_true_random=False)), draw(st.sampled_from([0.5, 0.7, 0.9]))
    pairs = {pair for pair in combinations(range(len(kinds)), 2) if dice.random() < density}
    return pairs, kinds, values, draw(st.sets(st.integers(0, len(kinds) - 1), max_size=2))


rules = st.fixed_dictionaries(
    {
        "between": st.sampled_from(
            [("cookie",), ("cookie", "device", "nobody"), ("device", "cookie"), ("cookie", "ip")]
        ),
        "by": st.sampled_from([("ip",), ("ip", "agent"), ("agent", "ip"), ("agent", "ip", "email"), ("ip", "nobody")]),
        "measure": st.sampled_from(["jaccard", "overlap", "cosine"]),
        "least": st.sampled_from([0.01, 0.3, 0.8]),
        "top_k": st.integers(1, 2),
        "trust": st.sampled_from([0.5, 1.0]),
    }
)


@settings(max_examples=300, deadline=None)
@given(worlds(), rules, st.sampled_from([2, 3, 100]), st.randoms(use_true_random=False))
def test_links_are_those_of_sets_however_identifiers_are_numbered(
    world: World, rule: dict[str, Any], most: int, random: Random
) -> None:
    pairs, kinds, values, left_out = world
    expected = naive(pairs, kinds, values, left_out, most, rule)
    name = list(range(len(kinds)))
    for _ in range(2):
        kind, value = [0] * len(kinds), [""] * len(kinds)
        for one, new in enumerate(name):
            kind[new], value[new] = kinds[one], values[one]
        table = links({(min(name[a], name[b]), max(name[a], name[b])) for a, b in pairs})
        out = [name[one] for one in left_out]
        counts = ~(np.isin(table.a, out) | np.isin(table.b, out))
        found = rows(similar_links(table, np.array(kind, np.int16), NAMES, value, counts=counts, most=most, **rule))
        renamed = {
            (min(name[a], name[b]), max(name[a], name[b])): (weight, sorted(name[one] for one in shared))
            for (a, b), (weight, shared) in expected.items()
        }
        assert {pair: shared for pair, (_, shared) in found.items()} == {
            p: shared for p, (_, shared) in renamed.items()
        }
        assert {pair: weight for pair, (weight, _) in found.items()} == pytest.approx(
            {pair: weight for pair, (weight, _) in renamed.items()}, abs=1e-11
        )
        random.shuffle(name)


def household() -> tuple[set[Pair], list[int]]:
    """Cookies 0 and 1 of one browser on one address, cookie 2 of another browser there; 3 is the address, 4 and 5 the
    browsers."""
    return {(0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 5), (3, 4), (3, 5)}, [1, 1, 1, 0, 3, 3]


def test_the_same_address_and_the_same_browser() -> None:
    pairs, kinds = household()
    both = RULE | {"by": ("ip", "agent"), "least": 0.8}
    namespace, values = np.array(kinds, np.int16), list("abcdef")
    assert rows(similar_links(links(pairs), namespace, NAMES, values, **both)) == {(0, 1): (0.5, [3, 4])}
    address = rows(similar_links(links(pairs), namespace, NAMES, values, **(both | {"by": ("ip",)})))
    assert sorted(address) == [(0, 1), (0, 2), (1, 2)]


def test_a_common_browser_makes_no_address_alike() -> None:
    """200 cookies have the browser, so it says nothing; at one address it is still part of what must be the same."""
    kinds = [1] * 200 + [0] * 100 + [3, 3]
    pairs = set()
    for cookie in range(200):
        address, browser = 200 + cookie // 2, 300 + (cookie % 2 if cookie < 100 else 0)
        pairs |= {(cookie, address), (cookie, browser), (address, browser)}
    found = similar_links(
        links(pairs), np.array(kinds, np.int16), NAMES, [f"{n:03d}" for n in range(len(kinds))],
        **(RULE | {"by": ("ip", "agent"), "least": 0.8}),
    )  # fmt: skip
    assert sorted(rows(found)) == [(cookie, cookie + 1) for cookie in range(100, 200, 2)]


def test_an_identifier_seen_everywhere_is_not_compared() -> None:
    """1,000 addresses and 1,000 browsers would make a million combinations; it is left out, the others are not."""
    kinds = [1, 1, 1] + [0] * 1000 + [3] * 1000
    pairs = {(0, n) for n in range(3, 2003)} | {(1, 3), (2, 3), (1, 1003), (2, 1003), (3, 1003)}
    values = [str(n) for n in range(len(kinds))]
    rule = RULE | {"by": ("ip", "agent")}
    found = similar_links(links(pairs), np.array(kinds, np.int16), NAMES, values, **rule)
    assert rows(found) == {(1, 2): (0.5, [3, 1003])}


def test_many_combinations_are_looked_at_in_parts() -> None:
    dice = np.random.default_rng(5)
    kinds = [1] * 60 + [0] * 12 + [3] * 9
    namespace, values = np.array(kinds, np.int16), [f"{n:02d}" for n in range(len(kinds))]
    pairs = {(int(a), int(b)) for a, b in zip(dice.integers(0, 72, 900), dice.integers(60, 81, 900), strict=True)}
    pairs = {pair for pair in pairs if pair[0] < pair[1]}
    rule = RULE | {"by": ("ip", "agent"), "least": 0.2}
    whole = rows(similar_links(links(pairs), namespace, NAMES, values, **rule))
    assert len(whole) > 20
    with mock.patch.object(MODULE, "_EXPANDED", 7):
        assert rows(similar_links(links(pairs), namespace, NAMES, values, **rule)) == whole


def test_no_evidence_and_no_such_namespace() -> None:
    none: Int32 = np.empty(0, np.int32)
    empty = similar_links(links(set()), none.astype(np.int16), [], [], **RULE)
    assert rows(empty) == rows(similar_links(links({(0, 1)}), np.zeros(2, np.int16), ["x"], ["a", "b"], **RULE)) == {}
