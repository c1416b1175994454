"""Events in a row, how old a trait is, measures of time and frequency, and computed traits."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.model import Event
from identity_graph.segment import Facts, ages, computed_in, parse_condition
from identity_graph.times import DAY
from tests.conftest import law

NOW = 1_767_225_600_000_000


def events(*days_ago_and_names: tuple[float, str], **properties: Any) -> list[Event]:
    return [
        Event(str(n), NOW - round(days * DAY), "web", name, (), {}, properties)
        for n, (days, name) in enumerate(days_ago_and_names)
    ]


def meets(tree: Any, found: list[Event], now: int = NOW) -> bool:
    return parse_condition(tree)(Facts({}, found, ()), now)


def sequence(*names: str, **more: Any) -> dict[str, Any]:
    return {"sequence": {"steps": [{"names": [name]} for name in names], **more}}


def test_steps_come_in_their_order_with_others_between() -> None:
    seen = events((9, "View"), (8, "Search"), (7, "Cart"), (2, "Buy"))
    assert meets(sequence("View", "Cart", "Buy"), seen) and meets(sequence("View", "Buy"), seen)
    assert not meets(sequence("Cart", "View"), seen) and not meets(sequence("Buy", "Buy"), seen)


def test_the_time_from_one_step_to_the_next_is_bounded() -> None:
    seen = events((9, "View"), (7, "Cart"), (4, "View"), (3, "Cart"), (2, "Buy"))
    assert meets(sequence("View", "Cart", "Buy", within="P1D"), seen)
    assert not meets(sequence("View", "Cart", "Buy", within="P1D"), seen[:3] + seen[4:])
    assert meets(sequence("View", "Cart", "Buy", within=None), seen[:2] + seen[4:])


def test_a_step_may_ask_for_properties_and_a_window() -> None:
    dear = {"where": [{"name": "total", "is": {"range": {"from": 5}}}], "within": "P5D"}
    tree = {"sequence": {"steps": [{}, dear]}}
    assert meets(tree, events((9, "A"), (2, "B"), total=5)) and not meets(tree, events((9, "A"), (6, "B"), total=5))
    assert not meets(tree, events((9, "A"), (2, "B"), total=4))
    assert ages(tree) and not ages(sequence("A", "B"))


Steps = st.lists(st.sampled_from("AB"), min_size=2, max_size=4)


@law(300)
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("ABC")), max_size=8), Steps, st.integers(0, 4) | st.none())
def test_a_sequence_is_any_choice_of_events_that_fits(seen: list[tuple[int, str]], steps: list[str], span: Any) -> None:
    found = events(*sorted(seen, reverse=True))
    fits = any(
        [one.name for one in chosen] == steps
        and (span is None or all(b.time - a.time <= span * DAY for a, b in pairwise(chosen)))
        for chosen in combinations(found, len(steps))
    )
    assert meets(sequence(*steps, within=None if span is None else f"P{span}D"), found) == fits


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({}, ""),
        ({"steps": [{}]}, ".steps"),
        ({"steps": "ab"}, ".steps"),
        ({"steps": None}, ".steps"),
        ({"steps": [{}, {"measure": "SUM"}]}, ".steps[1]"),
        ({"steps": [{"names": []}, {}]}, ".steps[0].names"),
        ({"steps": [{}, None]}, ".steps[1]"),
        ({"steps": [{}, {}], "within": "soon"}, ".within"),
        ({"steps": [{}] * 1000}, ""),
    ],
)
def test_what_a_sequence_may_not_be(given_: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_condition({"sequence": given_})
    assert caught.value.code == "CONDITION_INVALID"
    assert caught.value.message.startswith(f"condition.sequence{path}: ")


# ---- how old a trait is


def test_the_age_of_a_trait_is_that_of_its_statement() -> None:
    def old(span: str, **given: Any) -> bool:
        tree = {"trait": {"name": "plan", "is": {"exists": True}, "stated": {"olderThan": span}}}
        return parse_condition(tree)(Facts({"plan": "pro"}, (), (), **given), NOW)

    assert old("P3D", stated={"plan": NOW - 4 * DAY}) and not old("P4D", stated={"plan": NOW - 4 * DAY})
    assert not old("P1D", stated={"city": 0}) and not old("P1D")
    assert ages({"trait": {"name": "plan", "is": {"exists": True}, "stated": {"newerThan": "P1D"}}})
    with pytest.raises(InputError, match=r"condition\.trait\.stated\.olderThan"):
        parse_condition({"trait": {"name": "plan", "is": {"exists": True}, "stated": {"olderThan": "old"}}})


# ---- measures


def measured(is_: Any, found: list[Event], **event: Any) -> bool:
    return meets({"event": {"is": is_, **event}}, found)


def test_days_since_the_last() -> None:
    seen = events((9, "Buy"), (3.9, "Buy"), (1, "View"))
    assert measured({"equals": 3}, seen, measure="DAYS_SINCE", names=["Buy"])
    assert measured({"equals": 1}, seen, measure="DAYS_SINCE")
    assert measured({"exists": False}, seen, measure="DAYS_SINCE", property="total")
    assert ages({"event": {"measure": "DAYS_SINCE", "is": {"range": {"from": 30}}}})


@law(100)
@given(st.lists(st.sampled_from([1, 1.0, True, "1", 2, [1], None]), max_size=9))
def test_the_most_frequent_value_is_the_last_of_those_that_are(values: list[Any]) -> None:
    found = [Event(str(n), n, "web", "Seen", (), {}, {"x": value}) for n, value in enumerate(values)]
    stated = [repr(value).replace("1.0", "1") for value in values if value is not None]
    counts = Counter(stated)
    often = [one for one in stated if counts[one] == max(counts.values())]
    expected: dict[str, Any] = {"exists": False}
    if often:
        expected = {"equals": {"1": 1, "True": True, "'1'": "1", "2": 2, "[1]": [1]}[often[-1]]}
    assert measured(expected, found, measure="MOST_FREQUENT", property="x")
    assert measured({"exists": bool(often)}, found, measure="MOST_FREQUENT", property="x")


# ---- computed traits

Measures = st.fixed_dictionaries(
    {},
    optional={
        "measure": st.sampled_from(["COUNT", "SUM", "MAXIMUM", "LAST", "MOST_FREQUENT", "DAYS_SINCE", "DISTINCT"]),
        "names": st.lists(st.sampled_from("ABC"), min_size=1),
        "within": st.sampled_from(["P2D", "P5D"]),
    },
).map(lambda given_: {**given_, "property": "x"})


@law(100)
@given(
    Measures,
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from("ABC"))),
    st.sampled_from([{"exists": True}, {"range": {"from": 2}}, {"equals": 1}]),
)
def test_a_computed_trait_is_its_measure(definition: Any, seen: list[tuple[int, str]], is_: Any) -> None:
    found = [event._replace(properties={"x": n % 3}) for n, event in enumerate(events(*sorted(seen, reverse=True)))]
    named = {"not": {"computed": {"name": "it", "is": is_}}}
    met = parse_condition(named, computed={"it": definition}.get)
    assert met(Facts({}, found, ()), NOW) is not measured(is_, found, **definition)
    assert ages(named, {"it": definition}.get) == ages(definition)
    assert computed_in(named) == {"it"}


def test_what_looks_like_a_computed_trait_in_a_value_is_none() -> None:
    tree = {"trait": {"name": "x", "is": {"equals": {"computed": 5}}}}
    assert computed_in(tree) == set() and not ages(tree)


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({}, ""),
        ({"name": "none", "is": {"exists": True}}, ".name"),
        ({"name": "it", "is": {"equals": None}}, ".is.equals"),
    ],
)
def test_what_a_computed_condition_may_not_be(given_: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_condition({"computed": given_}, computed={"it": {}}.get)
    assert caught.value.code == "CONDITION_INVALID"
    assert caught.value.message.startswith(f"condition.computed{path}: ")
