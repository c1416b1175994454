"""Components larger than a person may be: what each rung cuts, and what must hold after the last. That the whole equals
a plain ladder is tested with the resolution."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy
from identity_graph.reasons import STEPS, SUPPRESSED
from identity_graph.resolve.groups import Groups
from identity_graph.resolve.prune import HUB
from tests.unit.as_columns import groups, identifiers, resolved, told
from tests.unit.test_forest import NONE, Graph, graphs, members

Row = tuple[int, int, float, int, bool]


def grouped(
    n: int, links: list[Row], largest: int, spaces: list[int] | None = None, first: int | None = None
) -> Groups:
    """Identifiers of the second namespace, unless `spaces` says otherwise; `first` is how many of the first one may be
    in a person."""
    limits = ((first, None), NONE, NONE)
    return Graph(spaces or [1] * n, links, limits, largest=largest).grouped()


def rungs(found: Groups) -> Counter[str]:
    """Suppressed links by the rung that cut them; every one says that it was the size."""
    why = found.suppressed
    for code, step in zip(why.code.tolist(), why.step.tolist(), strict=True):
        assert SUPPRESSED[code] == ("QUARANTINED" if STEPS[step] == "quarantine" else "OVERSIZED")
    assert set(why.value_a.tolist()) | set(why.namespace.tolist()) <= {-1}
    return Counter(STEPS[step] for step in why.step.tolist())


def clique(nodes: range, weight: float = 0.5) -> list[Row]:
    return [(a, b, weight, 0, False) for a, b in combinations(nodes, 2)]


@settings(max_examples=400, deadline=None)
@given(graphs(stated=True), st.integers(2, 6))
def test_no_group_is_too_large_unless_stated_links_hold_it(graph: Graph, largest: int) -> None:
    found = replace(graph, largest=largest).grouped()
    stated = {x: {x} for x in range(len(graph.spaces))}
    for a, b, _, _, must in graph.links:
        if must and found.label[a] == found.label[b]:
            for x in stated[a] | stated[b]:
                stated[x] = stated[a] | stated[b]
    for group in members(found).values():
        assert len(group) <= largest or max(len(stated[x]) for x in group) > largest
    free = [row for row in graph.links if not row[4]]
    plain = replace(graph, links=free, largest=largest).grouped()
    assert all(len(group) <= largest and not graph.torn(group) for group in members(plain).values())


@settings(max_examples=300, deadline=None)
@given(graphs(), st.integers(2, 6))
def test_limits_hold_and_each_suppressed_link_names_what_cut_it(graph: Graph, largest: int) -> None:
    found = replace(graph, largest=largest).grouped()
    assert not any(graph.breaks(group) for group in members(found).values())
    why, rows = found.suppressed, sorted(graph.links)
    apart = [row for row, (a, b, *_) in enumerate(rows) if found.kept[row] and found.label[a] != found.label[b]]
    assert why.link.tolist() == apart
    for code, step, space in zip(why.code.tolist(), why.step.tolist(), why.namespace.tolist(), strict=True):
        assert (SUPPRESSED[code] in ("OVERSIZED", "QUARANTINED")) == (step > 0) and (SUPPRESSED[code] == "LIMIT") == (
            space >= 0
        )


@settings(max_examples=200, deadline=None)
@given(graphs(stated=True), st.integers(2, 6))
def test_what_is_small_enough_is_let_alone(graph: Graph, largest: int) -> None:
    """Beside a component that is too large another is as it would be by itself."""
    n = len(graph.spaces)
    path = [(n + x, n + x + 1, 0.5, 0, False) for x in range(largest)]
    graph = replace(graph, largest=largest)
    both = replace(graph, spaces=graph.spaces + [1] * (largest + 1), links=graph.links + path).grouped()
    assert both.label[:n].tolist() == graph.grouped().label.tolist()


def test_who_is_one_a_person_is_no_hub() -> None:
    """A user of eleven cookies keeps those of the strongest evidence."""
    links = [(0, x, 0.5 if x < 5 else 0.8, 0, False) for x in range(1, 12)]
    found = grouped(12, links, 10, [0] + [1] * 11, first=1)
    assert found.label.tolist() == [0, 1, 2, 3, 4, *[0] * 7]
    assert rungs(found) == {"threshold": 4}


def test_then_the_weak_bridge() -> None:
    links = [*clique(range(6)), *clique(range(6, 12)), (5, 6, 0.4, 0, False)]
    found = grouped(12, links, 10)
    assert found.label.tolist() == [0] * 6 + [6] * 6 and rungs(found) == {"bridge": 1}
    strong = [*clique(range(6), 0.3), *clique(range(6, 12), 0.3), (5, 6, 0.9, 0, False)]
    assert rungs(grouped(12, strong, 10))["bridge"] == 0


def test_then_what_is_less_than_one_logit_stronger_than_the_weakest() -> None:
    """0.5 is one logit below 0.731: a ring has no bridges."""
    weights = [0.5, 0.73, 0.74, 0.9, 0.9, 0.9]
    links = [(min(x, (x + 1) % 6), max(x, (x + 1) % 6), weight, 0, False) for x, weight in enumerate(weights)]
    found = grouped(6, links, 5)
    assert rungs(found) == {"threshold": 2} and found.label.tolist() == [0, 1, 0, 0, 0, 0]


def test_the_threshold_rises_four_times() -> None:
    """A path whose links are over a logit apart each loses one at a time; not more than four."""
    logits = np.arange(-1, 5) * 1.01
    weights = (1 / (1 + np.exp(-logits))).tolist()
    links = [(x, x + 1, weight, 0, False) for x, weight in enumerate(weights)]
    found = grouped(7, links, 3)
    assert rungs(found)["threshold"] == 4 and found.label.tolist() == [0, 1, 2, 3, 4, 4, 4]
    assert rungs(grouped(7, links, 2))["threshold"] == 4


def test_then_communities() -> None:
    """Three dense parts of evidence of one strength, each held to the next by two links."""
    links = [row for k in range(3) for row in clique(range(6 * k, 6 * k + 6))]
    links += [(x, x + 6, 0.5, 0, False) for x in (0, 1, 6, 7)]
    found = grouped(18, links, 10)
    assert found.label.tolist() == [6 * (x // 6) for x in range(18)] and rungs(found) == {"community": 4}


def test_else_quarantine() -> None:
    """Nothing tells the members of a clique apart: nobody joins anybody, and all are marked."""
    found = grouped(11, [*clique(range(7)), (8, 9, 0.5, 0, False)], 6)
    assert found.label.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 10]
    assert rungs(found) == {"quarantine": 21}
    assert found.quarantined.tolist() == [True] * 7 + [False] * 4


def test_limits_come_before_the_ladder() -> None:
    """Two users in one component of twelve: apart, neither is too large, and nothing else is cut."""
    links = [*clique(range(6)), *clique(range(6, 12)), (5, 6, 0.9, 0, False)]
    spaces = [0, *[1] * 10, 0]
    found = grouped(12, links, 10, spaces, first=1)
    assert found.label.tolist() == [0] * 6 + [6] * 6 or len(found.suppressed) == 5
    assert {SUPPRESSED[code] for code in found.suppressed.code.tolist()} == {"LIMIT"}


def test_stated_links_are_never_cut() -> None:
    links = [(x, x + 1, 1.0, 0, True) for x in range(7)] + [(7, x, 0.5, 0, False) for x in range(8, 12)]
    found = grouped(12, links, 6)
    assert found.label.tolist() == [0] * 8 + [8, 9, 10, 11]
    assert rungs(found).total() == 4 and found.kept.all()


@pytest.mark.parametrize("order", ["strongest", "newest", "cut"])
def test_a_junk_email_of_thousands_joins_nobody(order: str) -> None:
    """It is a hub before there is a component; each of them keeps what is its own."""
    n = 3_000
    events = told(*(f"user_id:u{x},email:junk@example.org,cookie:c{x}" for x in range(n)))
    found = resolved(events, replace(Policy.default(), order=order))
    codes = dict(zip((one.key for one in identifiers(found)), found.pruned.tolist(), strict=True))
    assert {key for key, code in codes.items() if code} == {"email:junk@example.org"}
    assert codes["email:junk@example.org"] == HUB and len(found.groups.suppressed) == 0
    assert sorted(len(group) for group in groups(found)) == [2] * n


def test_a_device_of_more_cookies_than_a_person_may_have_is_a_hub() -> None:
    """No limit says that it is too many people's."""
    for cookies, largest in ((499, 500), (500, 1), (501, 1)):
        pairs = [f"device_id:kiosk,cookie:c{x:03}" for x in range(cookies)]
        found = resolved(told(*pairs), Policy.default())
        hub = cookies > 500
        assert (found.pruned == HUB).sum() == hub
        assert max(len(group) for group in groups(found)) == largest and found.groups.quarantined.any() == (
            cookies == 500
        )


def test_a_component_of_two_hundred_thousand_comes_apart() -> None:
    """Persons of forty in a long chain, held together by weaker links."""
    size, persons = 40, 5_000
    links = []
    for one in range(persons):
        base = one * size
        links += [(base + x, base + x + 1, 0.8, 0, False) for x in range(size - 1)]
        links += [(base, base + x, 0.7, 0, False) for x in range(2, size)]
        if one:
            links.append((base - 1, base, 0.4, 0, False))
    found = grouped(size * persons, sorted(links), 500)
    assert set(Counter(found.label.tolist()).values()) == {size} and rungs(found) == {"bridge": persons - 1}
