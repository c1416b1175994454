"""Whose event it is, and where a journey is cut into sessions."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.journey import Bucket, activity, attribute, sessions, touchpoints
from identity_graph.model import Event, Identifier, JourneyEvent
from identity_graph.policy import Policy, Rule
from identity_graph.times import DAY
from tests.conftest import law


def journey(*times: int) -> list[JourneyEvent]:
    return [JourneyEvent(Event(str(n), time, "web", "Seen", (), {}, {}), None, None) for n, time in enumerate(times)]


def cut(*times: int, gap: int = 10) -> list[list[int]]:
    return [[one.event.time for one in session.events] for session in sessions(journey(*times), gap)]


def test_a_pause_longer_than_the_gap_begins_a_session() -> None:
    assert cut(0, 5, 15, 26, 26, 36, 47) == [[0, 5, 15], [26, 26, 36], [47]]


@pytest.mark.parametrize(("second", "count"), [(9, 1), (10, 1), (11, 2)])
def test_a_pause_of_the_gap_is_none(second: int, count: int) -> None:
    assert len(cut(0, second)) == count


def test_nothing_and_one_event() -> None:
    assert cut() == [] and cut(7) == [[7]]


def test_a_session_knows_its_ends() -> None:
    first, second = sessions(journey(0, 5, 15, 26), 10)
    assert [(first.start, first.end), (second.start, second.end)] == [(0, 15), (26, 26)]


@given(st.lists(st.integers(-100, 100)).map(sorted), st.integers(0, 50))
def test_sessions_are_the_journey_cut_at_every_long_pause(times: list[int], gap: int) -> None:
    found = cut(*times, gap=gap)
    assert [time for session in found for time in session] == times
    assert all(found)
    assert all(b - a <= gap for session in found for a, b in pairwise(session))
    assert all(later[0] - earlier[-1] > gap for earlier, later in pairwise(found))


@given(st.lists(st.integers(-100, 100)).map(sorted), st.integers(0, 50))
def test_a_longer_gap_never_makes_more_sessions(times: list[int], gap: int) -> None:
    assert len(cut(*times, gap=gap + 1)) <= len(cut(*times, gap=gap))


KEYS = ["user_id:u1", "email:ann@example.org", "phone:+15550100100", "cookie:c1", "cookie:c2", "new:x"]


@law(100)
@given(st.permutations(KEYS), st.integers(1, len(KEYS)))
def test_an_event_is_of_its_highest_priority_whatever_the_order(keys: list[str], count: int) -> None:
    policy = Policy.default()
    own = [Identifier.parse(key) for key in keys[:count]]
    assert attribute(own, policy) == min(own, key=rank)


def rank(one: Identifier) -> tuple[int, str]:
    order = ["user_id", "email", "phone", "new", "cookie"]  # an unknown namespace has the default's priority, 50
    return order.index(one.namespace), one.value


def test_ties_go_to_the_smaller_key() -> None:
    policy = Policy(namespaces={"a": Rule(priority=1), "b": Rule(priority=1)})
    own = [Identifier("b", "1"), Identifier("a", "2"), Identifier("a", "1")]
    assert attribute(own, policy) == attribute(own[::-1], policy) == Identifier("a", "1")


def test_nobody_owns_an_event_of_nobody() -> None:
    assert attribute([], Policy.default()) is None


def mixed(*seen: tuple[int, str, str]) -> list[JourneyEvent]:
    return [
        JourneyEvent(Event(str(n), day * DAY, source, name, (), {}, {}), None, None)
        for n, (day, source, name) in enumerate(sorted(seen))
    ]


Seen = st.lists(st.tuples(st.integers(0, 800), st.sampled_from(["web", "app", "shop"]), st.sampled_from("AB")))


@law(100)
@given(Seen.map(lambda seen: mixed(*seen)))
def test_touchpoints_are_the_ends_of_each_channel(journey: list[JourneyEvent]) -> None:
    found = touchpoints(journey)
    assert [one.first for one in found] == sorted((one.first for one in found), key=journey.index)
    for one in found:
        own = [each for each in journey if each.event.source == one.channel]
        assert (one.first, one.last, one.count) == (own[0], own[-1], len(own))
    assert sum(one.count for one in found) == len(journey)


@law(100)
@given(Seen.map(lambda seen: mixed(*seen)))
def test_activity_counts_every_event_once(journey: list[JourneyEvent]) -> None:
    for bucket in Bucket:
        keys = [key for key, _ in activity(journey, bucket)]
        assert keys == sorted(set(keys)) and sum(count for _, count in activity(journey, bucket)) == len(journey)
    assert dict(activity(journey, Bucket.NAME)) == Counter(one.event.name for one in journey)


def test_days_months_and_years_are_of_utc() -> None:
    journey = mixed((0, "web", "A"), (30, "web", "A"), (31, "app", "B"), (31, "web", "A"))
    assert activity(journey, Bucket.DAY) == [("1970-01-01", 1), ("1970-01-31", 1), ("1970-02-01", 2)]
    assert activity(journey, Bucket.MONTH) == [("1970-01", 2), ("1970-02", 2)]
    assert activity(journey, Bucket.YEAR) == [("1970", 4)]
    assert activity(journey, Bucket.SOURCE) == [("app", 1), ("web", 3)]
