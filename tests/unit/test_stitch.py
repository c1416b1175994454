"""Which statement of a trait survives."""

from __future__ import annotations

from functools import cmp_to_key
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.model import Event, Profile, Statement
from identity_graph.policy import Policy
from identity_graph.stitch import stitch

POLICY = Policy(sources={"crm": 1.0, "web": 0.5, "ads": 0.5})
VALUES: list[Any] = ["free", "pro", "", 0, 1, 1.0, True, False, [1, 2], {"b": 1, "a": 2}, None]


def said(id: str, time: int, source: str, **traits: Any) -> Event:
    return Event(id, time, source, "Identified", (), traits, {})


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    names = st.sampled_from(["plan", "city"])
    return [
        said(
            f"e{number}",
            draw(st.integers(0, 3)),
            draw(st.sampled_from(["crm", "web", "ads"])),
            **draw(st.dictionaries(names, st.sampled_from(VALUES), max_size=2)),
        )
        for number in range(draw(st.integers(0, 10)))
    ]


def by_hand(events: list[Event], name: str) -> list[Statement]:
    """All statements of a trait, the best first: pairwise comparisons, as the rule is written."""
    stated = [
        Statement(name, event.traits[name], event.source, event.time, event.id)
        for event in events
        if event.traits.get(name) is not None
    ]

    def better(one: Statement, other: Statement) -> int:
        for a, b in (
            (POLICY.source_trust(one.source), POLICY.source_trust(other.source)),
            (one.time, other.time),
            (canonical(one.value), canonical(other.value)),
            (one.source, other.source),
            (one.event_id, other.event_id),
        ):
            if a != b:
                return -1 if a > b else 1  # type: ignore[operator]
        return 0

    return sorted(stated, key=cmp_to_key(better))


def canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@settings(max_examples=200)
@given(histories(), st.randoms(use_true_random=False))
def test_order_never_matters(events: list[Event], random: Random) -> None:
    other = events.copy()
    random.shuffle(other)
    assert repr(stitch(events, POLICY)) == repr(stitch(other, POLICY))


@settings(max_examples=200)
@given(histories())
def test_what_survives_is_the_best_statement(events: list[Event]) -> None:
    profile = stitch(events, POLICY)
    names = [name for name in ("city", "plan") if by_hand(events, name)]
    assert [trait.name for trait in profile.traits] == names == sorted(profile.values)
    for trait in profile.traits:
        best, *others = by_hand(events, trait.name)
        assert repr((trait.value, trait.source, trait.time, trait.event_id)) == repr(
            (best.value, best.source, best.time, best.event_id)
        )
        lost = {canonical(other.value) for other in others} - {canonical(best.value)}
        assert {canonical(other.value) for other in trait.alternatives} == lost
        assert len(trait.alternatives) == len(lost)
        times = [other.time for other in trait.alternatives]
        assert times == sorted(times, reverse=True)
        for one in trait.alternatives:
            assert one.time == max(other.time for other in others if canonical(other.value) == canonical(one.value))


@settings(max_examples=100)
@given(histories())
def test_telling_it_twice_changes_nothing(events: list[Event]) -> None:
    assert repr(stitch(events, POLICY)) == repr(stitch([*events, *events], POLICY))


def test_the_most_trusted_source_before_the_newest() -> None:
    events = [said("1", 1, "crm", plan="free"), said("2", 2, "crm", plan="pro"), said("3", 9, "web", plan="team")]
    (plan,) = stitch(events, POLICY).traits
    assert (plan.value, plan.source, plan.time, plan.event_id) == ("pro", "crm", 2, "2")
    assert [(one.value, one.time) for one in plan.alternatives] == [("team", 9), ("free", 1)]


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("free", "pro", "pro"),  # at one time the larger in canonical JSON
        ([1, 2], [1, 3], [1, 3]),
        ({"a": 1, "b": 1}, {"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (False, True, True),
        (0, None, 0),  # null states nothing; nought and nothing are values
        ("", None, ""),
    ],
)
def test_ties(one: Any, other: Any, value: Any) -> None:
    events = [said("1", 5, "web", x=one), said("2", 5, "ads", x=other)]
    assert stitch(events, POLICY).values == stitch(events[::-1], POLICY).values == {"x": value}


def test_of_equal_statements_the_larger_source_and_event_id_is_named() -> None:
    events = [said("2", 5, "ads", x=1), said("1", 5, "web", x=1), said("3", 5, "ads", x=1)]
    (trait,) = stitch(events, POLICY).traits
    assert (trait.source, trait.event_id, trait.alternatives) == ("web", "1", ())


def test_a_change_that_was_taken_back_is_told_once() -> None:
    events = [
        said(str(time), time, "web", plan=plan) for time, plan in enumerate(["free", "pro", "free", "pro", "free"])
    ]
    (trait,) = stitch(events, POLICY).traits
    assert (trait.value, trait.time) == ("free", 4)
    assert [(one.value, one.time, one.event_id) for one in trait.alternatives] == [("pro", 3, "3")]


def test_whole_and_broken_numbers_are_two_values() -> None:
    (trait,) = stitch(
        [said("1", 5, "web", x=1), said("2", 6, "web", x=True), said("3", 7, "web", x=1.0)], POLICY
    ).traits
    assert repr([trait.value, *(one.value for one in trait.alternatives)]) == "[1.0, True, 1]"


def test_nobody_said_anything() -> None:
    assert stitch([], POLICY) == Profile(()) == stitch([said("1", 5, "web"), said("2", 6, "web", x=None)], POLICY)
