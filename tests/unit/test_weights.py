"""The laws of the weight: what may and may not make two identifiers one person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.model import Event
from identity_graph.policy import Policy, Rule
from identity_graph.resolve.fold import fold
from identity_graph.resolve.prune import CODES
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.weights import weigh
from identity_graph.tables import EvidenceTable, Int32, LinkTable
from identity_graph.times import DAY
from tests.unit.as_columns import event, keys, links, resolved

Seen = tuple[int, int, int]
"""Source, count, time of the last."""

trusts = st.floats(0, 1)
evidence = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 2**31 - 1) | st.integers(1, 5), st.integers(-(10**15), 10**15)),
    min_size=1,
    max_size=3,
    unique_by=lambda seen: seen[0],
)
half_lives = st.none() | st.integers(1, 400 * DAY)


def policy_of(
    one: float, other: float, sources: list[float], half_life: int | None = None, expires: int | None = None
) -> Policy:
    return Policy(
        namespaces={"left": Rule(trust=one, half_life=half_life), "right": Rule(trust=other, expires=expires)},
        sources={str(n): trust for n, trust in enumerate(sources)},
    )


def weight(seen: list[Seen], policy: Policy, now: int = 10**15) -> float:
    """Of one link between left (0) and right (1)."""
    rows = sorted(seen)
    zeros = np.zeros(len(rows), np.int32)
    times = np.array([time for _, _, time in rows], np.int64)
    table = EvidenceTable(
        zeros, zeros + 1, np.array([s for s, _, _ in rows], np.int16), np.array([c for _, c, _ in rows], np.int32),
        times, times,
    )  # fmt: skip
    rules = Rules.of(policy, ["left", "right"], ["0", "1", "2"])
    none: Int32 = np.empty(0, np.int32)
    found = weigh(table, (none, none), np.array([0, 1], np.int16), rules, now=now)
    assert len(found) == 1 and found.last_seen[0] == times.max()
    return float(found.weight[0])


@given(evidence, trusts, trusts, st.tuples(trusts, trusts, trusts), half_lives)
def test_a_weight_is_from_nothing_to_the_trust_of_both(
    seen: list[Seen], one: float, other: float, sources: tuple[float, ...], half_life: int | None
) -> None:
    found = weight(seen, policy_of(one, other, list(sources), half_life))
    assert 0 <= found <= min(1.0, one * other + 1e-12)


@given(evidence, st.integers(0, 2), st.tuples(trusts, trusts, trusts), half_lives, half_lives)
def test_more_evidence_never_weakens(
    seen: list[Seen], source: int, sources: tuple[float, ...], half_life: int | None, expires: int | None
) -> None:
    policy = policy_of(0.9, 0.8, list(sources), half_life, expires)
    before = {s: (c, t) for s, c, t in seen}
    count, time = before.get(source, (0, -(10**15)))
    more = before | {source: (min(count + 1, 2**31 - 1), time)}
    later = before | {source: (count or 1, 10**15)}
    for after in (more, later):
        assert weight([(s, c, t) for s, (c, t) in after.items()], policy) >= weight(seen, policy)


@given(evidence, st.tuples(trusts, trusts, trusts), st.integers(0, 2), trusts, half_lives)
def test_a_more_trusted_source_never_weakens(
    seen: list[Seen], sources: tuple[float, ...], which: int, trust: float, half_life: int | None
) -> None:
    better = list(sources)
    better[which] = max(trust, better[which])
    assert weight(seen, policy_of(1, 1, better, half_life)) >= weight(seen, policy_of(1, 1, list(sources), half_life))


@given(evidence, trusts, trusts, trusts)
def test_a_more_trusted_namespace_never_weakens(seen: list[Seen], one: float, more: float, other: float) -> None:
    low, high = sorted([one, more])
    sources = [1.0, 0.5, 0.1]
    assert weight(seen, policy_of(high, other, sources)) >= weight(seen, policy_of(low, other, sources))


@given(evidence, half_lives, half_lives, st.integers(10**15, 10**16), st.integers(0, 10**16))
def test_age_never_strengthens(
    seen: list[Seen], half_life: int | None, expires: int | None, now: int, later: int
) -> None:
    policy = policy_of(0.9, 0.8, [1.0, 0.5, 0.1], half_life, expires)
    assert weight(seen, policy, now + later) <= weight(seen, policy, now)


@given(evidence, st.tuples(trusts, trusts, trusts), half_lives, st.integers(1, 10**15))
def test_evidence_that_expired_is_as_if_it_had_never_been(
    seen: list[Seen], sources: tuple[float, ...], half_life: int | None, expires: int
) -> None:
    now = 10**15
    alive = [(source, count, time) for source, count, time in seen if time >= now - expires]
    found = weight(seen, policy_of(0.9, 0.8, list(sources), half_life, expires), now)
    assert found == (weight(alive, policy_of(0.9, 0.8, list(sources), half_life), now) if alive else 0)


@given(evidence, st.integers(0, 10**16))
def test_without_a_half_life_age_is_nothing(seen: list[Seen], later: int) -> None:
    policy = policy_of(0.9, 0.8, [1.0, 0.5, 0.1])
    assert weight(seen, policy, 10**15 + later) == weight(seen, policy)


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        ([(0, 1, 0)], 0, 0.75),
        ([(0, 2, 0)], 0, 0.9375),
        ([(1, 1, 0)], 0, 0.375),
        ([(0, 1, 0), (1, 1, 0)], 0, 1 - 0.25 * 0.625),
        ([(2, 9, 0)], 0, 0.0),
        ([(0, 1, 0)], DAY, 0.5),  # half the evidence: 1 - 0.25 ** 0.5
        ([(0, 1, 0)], 2 * DAY, 1 - 0.25**0.25),
        ([(0, 1, 5 * DAY)], 0, 0.75),  # from the future: as new, no more
    ],
)
def test_by_hand(seen: list[Seen], now: int, expected: float) -> None:
    assert weight(seen, policy_of(1.0, 1.0, [1.0, 0.5, 0.0], DAY), now) == pytest.approx(expected, abs=1e-12)


def test_the_shorter_half_life_of_the_two_counts() -> None:
    for lives in ((DAY, None), (None, DAY), (DAY, 9 * DAY), (9 * DAY, DAY)):
        rules = dict(zip(("left", "right"), (Rule(trust=1, half_life=life) for life in lives), strict=True))
        assert weight([(0, 1, 0)], Policy(namespaces=rules), DAY) == 0.5


# ---- as part of a resolution


def test_the_clock_does_not_age_evidence_but_newer_evidence_does() -> None:
    policy = Policy(namespaces={"left": Rule(half_life=DAY)})
    old, new = event("1", 0, "left:a", "right:a"), event("2", DAY, "left:b", "right:b")
    fresh = links(resolved([old], policy))["left:a", "right:a"]
    assert links(resolved([old], policy, now=DAY))["left:a", "right:a"] < fresh
    assert links(resolved([old, new], policy)) == links(resolved([old, new], policy, now=DAY))


def test_a_link_all_of_whose_evidence_expired_joins_nobody_and_says_so() -> None:
    policy = Policy(min_weight=0.0, namespaces={"left": Rule(expires=9)})
    seen = [event("1", 0, "left:a", "right:a", source="x"), event("2", 10, "left:b", "right:a", source="y")]
    found = resolved(seen, policy)
    assert {key: CODES[code] for key, code in zip(links(found), found.dropped.tolist(), strict=True)} == {
        ("left:a", "right:a"): "EXPIRED",
        ("left:b", "right:a"): "",
    }
    assert links(found)["left:a", "right:a"] == 0
    assert keys(found) == {frozenset({"left:b", "right:a"})}
    again = [*seen, event("3", 9, "left:a", "right:a", source="y")]
    assert links(resolved(again, policy))["left:a", "right:a"] == links(found)["left:b", "right:a"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1), st.data())
def test_the_same_event_twice_counts_once(seen: list[tuple[int, int]], data: st.DataObject) -> None:
    """Observations of one event, in whatever rows they come and however often."""
    once = {(number, one): number for number, one in seen}
    rows = [row for row in once for _ in range(data.draw(st.integers(1, 3)))]
    assert folded(data.draw(st.permutations(rows))) == folded(list(once))


def folded(rows: list[tuple[int, int]]) -> list[list[int]]:
    event, identifier = (np.array([row[end] for row in rows], np.int64) for end in (0, 1))
    found = fold(
        event, identifier.astype(np.int32), event * DAY, np.zeros(len(rows), np.int16),
        namespace=np.zeros(5, np.int16), namespaces=["left"], values=list("abcde"),
        priority=np.ones(1, np.int32), pairwise_up_to=3,
    )  # fmt: skip
    assert (found.a < found.b).all()
    return [column.tolist() for column in (found.a, found.b, found.count, found.first_seen, found.last_seen)]


@given(st.permutations([("a", 3), ("b", 1), ("c", 7), ("d", 2)]))
def test_sums_do_not_depend_on_which_source_came_first(order: list[tuple[str, int]]) -> None:
    policy = Policy(sources={"a": 0.1, "b": 0.7, "c": 0.01, "d": 0.3})
    events: list[Event] = []
    for source, count in order:
        events += [event(f"{source}{n}", 0, "left:x", "right:y", source=source) for n in range(count)]
    reference = sorted(events, key=lambda one: one.id)
    assert links(resolved(events, policy)) == links(resolved(reference, policy))


# ---- stated pairs


def stated(pairs: list[tuple[int, int]]) -> LinkTable:
    one = np.zeros(1, np.int32)
    seen = EvidenceTable(one, one + 1, np.zeros(1, np.int16), one + 1, np.array([5]), np.array([5]))
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    rules = Rules.of(Policy(), ["left"], ["0"])
    return weigh(seen, (ends[:, 0], ends[:, 1]), np.zeros(9, np.int16), rules, now=5)


def test_a_stated_pair_weighs_one_and_is_there_once() -> None:
    found = stated([(3, 8), (0, 1), (3, 8), (0, 7), (2, 2)])
    rows = zip(found.a.tolist(), found.b.tolist(), found.weight.tolist(), found.must.tolist(), strict=True)
    assert list(rows) == [(0, 1, 1.0, True), (0, 7, 1.0, True), (3, 8, 1.0, True)]
    assert found.last_seen.tolist() == [5, 0, 0]
    assert [column.dtype for column in (found.a, found.b, found.must)] == [np.int32, np.int32, np.bool_]


def test_what_is_not_stated_keeps_its_weight() -> None:
    assert stated([]).weight.tolist() == stated([(3, 4)]).weight.tolist()[:1] == [0.27]
    assert stated([(3, 4)]).must.tolist() == [False, True]


def test_a_policy_without_trust_gives_no_weight() -> None:
    nobody = replace(Policy(), default_rule=Rule(trust=0))
    assert weight([(0, 99, 0)], nobody) == 0
