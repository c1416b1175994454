"""Observations to links: against counting by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.resolve.fold import fold, merge, merge_rows
from identity_graph.tables import EvidenceTable, Int16, Int64

NAMES = ["mail", "card"]
SPACES = np.array([0, 0, 1, 1, 0, 1, 0], np.int16)
VALUES = ["b", "a", "b", "a", "c", "c", "d"]

Row = tuple[int, int, int, int]
"""Event, identifier, time, source."""
Told = tuple[int, int, int]
"""Event, and the two identifiers that it keeps apart, the smaller one first."""


def folded(
    rows: list[Row],
    pairwise_up_to: int = 8,
    priority: tuple[int, int] = (1, 1),
    spaces: Int16 = SPACES,
    apart: Sequence[Told] = (),
) -> EvidenceTable:
    seen = np.array(rows, np.int64).reshape(-1, 4)
    told = np.array(apart, np.int64).reshape(-1, 3)
    return fold(
        seen[:, 0],
        seen[:, 1].astype(np.int32),
        seen[:, 2],
        seen[:, 3].astype(np.int16),
        namespace=spaces,
        namespaces=NAMES,
        values=VALUES,
        priority=np.array(priority, np.int32),
        pairwise_up_to=pairwise_up_to,
        apart=(told[:, 0], told[:, 1].astype(np.int32), told[:, 2].astype(np.int32)),
    )


def table(links: EvidenceTable) -> dict[tuple[int, int, int], tuple[int, int, int]]:
    """(a, b, source) to (count, first, last)."""
    columns = (links.a, links.b, links.source, links.count, links.first_seen, links.last_seen)
    rows = [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert [row[:3] for row in rows] == sorted({row[:3] for row in rows})
    return {row[:3]: row[3:] for row in rows}


def counted(
    rows: list[Row], pairwise_up_to: int, priority: tuple[int, int], apart: Sequence[Told] = ()
) -> dict[Any, Any]:
    events: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for event, identifier, time, source in rows:
        events[event, time, source].append(identifier)
    times: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for (event, time, source), own in events.items():
        pairs = list(combinations(sorted(own), 2))
        if len(own) > pairwise_up_to:
            best = min(own, key=lambda one: (priority[SPACES[one]], VALUES[one], NAMES[SPACES[one]]))
            pairs = [(min(best, one), max(best, one)) for one in own if one != best]
        for a, b in pairs:
            if (event, a, b) not in apart:
                times[a, b, source].append(time)
    return {pair: (len(found), min(found), max(found)) for pair, found in times.items()}


@st.composite
def observations(draw: st.DrawFn) -> list[Row]:
    rows = []
    for number in range(draw(st.integers(0, 12))):
        time, source = draw(st.integers(-5, 5)), draw(st.integers(0, 2))
        own = draw(st.sets(st.integers(0, 6), min_size=1))
        rows += [(number * 1000, one, time, source) for one in own]
    return draw(st.permutations(rows))


@settings(max_examples=200, deadline=None)
@given(observations(), st.integers(2, 8), st.sampled_from([(1, 1), (1, 2), (2, 1)]))
def test_links_are_the_pairs_of_events_counted(rows: list[Row], most: int, priority: tuple[int, int]) -> None:
    links = folded(rows, most, priority)
    assert table(links) == counted(rows, most, priority)
    assert [links.a.dtype, links.b.dtype, links.source.dtype] == [np.int32, np.int32, np.int16]
    assert [links.count.dtype, links.first_seen.dtype, links.last_seen.dtype] == [np.int32, np.int64, np.int64]


@settings(max_examples=200, deadline=None)
@given(observations(), st.integers(2, 8), st.data())
def test_what_an_event_keeps_apart_it_does_not_link(rows: list[Row], most: int, data: st.DataObject) -> None:
    pairs = [(event, a, b) for event in range(0, 13_000, 500) for a, b in combinations(range(7), 2)]
    apart = data.draw(st.lists(st.sampled_from(pairs), max_size=60))
    assert table(folded(rows, most, apart=apart)) == counted(rows, most, (1, 1), apart)


@settings(max_examples=100, deadline=None)
@given(observations(), st.randoms(use_true_random=False))
def test_rows_come_in_any_order(rows: list[Row], random: Random) -> None:
    other = rows.copy()
    random.shuffle(other)
    assert table(folded(rows, 3)) == table(folded(other, 3)) == table(folded(sorted(rows), 3))


@settings(max_examples=100, deadline=None)
@given(observations(), st.randoms(use_true_random=False))
def test_an_observation_that_is_there_twice_counts_once(rows: list[Row], random: Random) -> None:
    again = [row for row in rows for _ in range(random.randint(1, 3))]
    assert table(folded(again, 3)) == table(folded(sorted(again), 3)) == table(folded(rows, 3))


def test_one_identifier_or_none_links_nothing() -> None:
    assert len(folded([])) == len(folded([(1, 0, 5, 0)])) == len(folded([(1, 0, 5, 0), (2, 1, 5, 0)])) == 0


def test_sources_are_counted_apart() -> None:
    rows = [(1, 0, 5, 0), (1, 1, 5, 0), (2, 1, 9, 2), (2, 0, 9, 2), (3, 0, 7, 2), (3, 1, 7, 2)]
    assert table(folded(rows)) == {(0, 1, 0): (1, 5, 5), (0, 1, 2): (2, 7, 9)}


def star(rows: list[Row], priority: tuple[int, int]) -> int:
    """The identifier in every link."""
    links = folded(rows, 2, priority)
    (centre,) = set.intersection(*({a, b} for a, b in zip(links.a.tolist(), links.b.tolist(), strict=True)))
    return int(centre)


@pytest.mark.parametrize(
    ("own", "priority", "centre"),
    [
        ([0, 1, 2, 4], (1, 2), 1),  # the better namespace, then the smaller value
        ([0, 1, 2, 4], (2, 1), 2),
        ([0, 2, 4], (1, 1), 2),  # both b: the smaller name of the namespace, card
        ([0, 4, 6], (1, 1), 0),
    ],
)
def test_a_large_event_is_a_star_around_its_best(own: list[int], priority: tuple[int, int], centre: int) -> None:
    assert star([(1, one, 5, 0) for one in own], priority) == centre


def test_links_stay_linear_in_a_very_large_event() -> None:
    n = 20_000
    links = fold(
        np.zeros(n, np.int64), np.arange(n, dtype=np.int32), np.zeros(n, np.int64), np.zeros(n, np.int16),
        namespace=np.zeros(n, np.int16), namespaces=["mail"], values=[f"{n - i:06d}" for i in range(n)],
        priority=np.ones(1, np.int32), pairwise_up_to=8,
    )  # fmt: skip
    assert len(links) == n - 1
    assert set(links.b.tolist()) == {n - 1}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2), st.integers(1, 2**31 - 1),
                       st.integers(-9, 9), st.integers(0, 9))),
    st.integers(1, 3),
)  # fmt: skip
def test_rows_of_one_pair_and_source_are_one_link(rows: list[tuple[int, ...]], parts: int) -> None:
    expected: dict[Any, Any] = {}
    for a, b, source, count, first, more in rows:
        if a != b:
            pair = min(a, b), max(a, b), source
            before = expected.get(pair, (0, 10, -10))
            expected[pair] = min(before[0] + count, 2**31 - 1), min(before[1], first), max(before[2], first + more)
    columns = np.array(rows, np.int64).reshape(-1, 6).T

    def merged(one: Int64) -> EvidenceTable:
        a, b, events = one[0].astype(np.int32), one[1].astype(np.int32), one[3].astype(np.int32)
        return merge_rows(a, b, one[2].astype(np.int16), events, one[4], one[4] + one[5])

    assert table(merged(columns)) == expected
    assert table(merge([merged(columns[:, n::parts]) for n in range(parts)])) == expected
    assert len(merge([])) == 0


@pytest.mark.parametrize("per_event", [2, 3])
@pytest.mark.parametrize("sources", [1, 3])
def test_an_identifier_of_few_pairs_or_of_very_many(per_event: int, sources: int) -> None:
    """Each of the ways in which pairs are sorted, in several orders, with several sources of one pair."""
    dice = np.random.default_rng(per_event)
    hubs = [(hub, 10 + one % most) for hub, most in enumerate([20, 200, 5_000]) for one in range(2 * most)]
    rows: list[Row] = []
    for number in dice.permutation(len(hubs)).tolist():
        hub, other = hubs[number]
        own = [hub, other, other + 1][:per_event]
        rows += [(number, one, int(dice.integers(-50, 50)), number % sources) for one in own]
    rows = [(event, one, 1000 * event, source) for event, one, _, source in rows]
    for some in (rows, sorted(rows), rows[::-1]):
        assert table(folded(some, spaces=np.zeros(6_000, np.int16))) == counted(some, 8, (1, 1))


@pytest.mark.parametrize("row", [(1, 7, 5, 0), (1, -1, 5, 0), (1, 0, 5, -1)])
def test_what_there_is_not_is_refused(row: Row) -> None:
    with pytest.raises(InputError, match="that there is not") as caught:
        folded([(1, 1, 5, 0), row])
    assert caught.value.code == "FRAME_INVALID"
    one = np.array([row[1] if row[1] < 7 else -7], np.int32)
    times = np.zeros(1, np.int64)
    with pytest.raises(InputError, match="that there is not"):
        merge_rows(one, one + 1, np.array([row[3]], np.int16), np.ones(1, np.int32), times, times)
