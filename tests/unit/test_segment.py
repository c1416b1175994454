"""What a condition tree means, and what it may not be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.model import Event, Identifier
from identity_graph.segment import Facts, ages, built_on, parse_condition
from identity_graph.times import DAY, format_time
from tests.condition_trees import Trees, trees_of

NOW = 1_767_225_600_000_000


def bought(days_ago: float, source: str = "web", name: str = "Bought", **properties: Any) -> Event:
    return Event(f"{days_ago}{source}", NOW - round(days_ago * DAY), source, name, (), {}, properties)


ANN = Facts(
    traits={"plan": "pro", "age": 34, "tags": ["vip"]},
    events=[
        bought(400, total=5, item="tea"),
        bought(40, "shop", total=20.5, item="cup", gift=True),
        bought(20, "shop", name="Returned", item="cup"),
        bought(2, total="7", item="tea", size={"b": 1, "a": 1}),
        bought(1, total=-2, item=None, size={"a": 1, "b": 1}),
    ],
    identifiers=[Identifier("email", "a@x.org"), Identifier("email", "b@x.org"), Identifier("user_id", "ann")],
)
NOBODY = Facts({}, (), ())


def meets(tree: Any, facts: Facts = ANN, segments: dict[str, Any] | None = None, now: int = NOW) -> bool:
    return parse_condition(tree, (segments or {}).get)(facts, now)


PRO = {"trait": {"name": "plan", "is": {"equals": "pro"}}}
FREE = {"trait": {"name": "plan", "is": {"equals": "free"}}}


@pytest.mark.parametrize(
    ("tree", "met"),
    [
        (PRO, True),
        (FREE, False),
        ({"trait": {"name": "city", "is": {"exists": False}}}, True),
        ({"not": FREE}, True),
        ({"all": [PRO, {"not": FREE}]}, True),
        ({"all": [PRO, FREE]}, False),
        ({"any": (FREE, PRO)}, True),
        ({"any": [FREE]}, False),
        ({"identifier": {"namespace": "email"}}, True),
        ({"identifier": {"namespace": "phone"}}, False),
        ({"identifier": {"namespace": "phone", "count": {"to": 0}}}, True),
        ({"identifier": {"namespace": "email", "count": {"from": 2, "to": 2}}}, True),
        ({"identifier": {"namespace": "email", "count": {"from": 3}}}, False),
        ({"identifier": {"namespace": "email", "count": None}}, True),
    ],
)
def test_each_node(tree: dict[str, Any], met: bool) -> None:
    assert meets(tree) == met


def measured(is_: dict[str, Any], **event: Any) -> bool:
    return meets({"event": {"is": is_, **event}})


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ({}, 5),
        ({"measure": "COUNT"}, 5),
        ({"measure": None, "names": None}, 5),
        ({"names": ["Bought"]}, 4),
        ({"names": ["Bought", "Returned"], "sources": ["shop"]}, 2),
        ({"sources": ["nowhere"]}, 0),
        ({"within": "P30D"}, 3),
        ({"within": "P1D"}, 1),
        ({"from": format_time(NOW - 40 * DAY), "to": format_time(NOW - 2 * DAY)}, 2),  # from belongs to it, to does not
        ({"from": (NOW - 2 * DAY) // 1000}, 2),
        ({"where": [{"name": "item", "is": {"equals": "tea"}}]}, 2),
        ({"where": [{"name": "item", "is": {"equals": "tea"}}, {"name": "total", "is": {"range": {"to": 9}}}]}, 1),
        ({"where": [{"name": "item", "is": {"exists": False}}]}, 1),
        ({"where": []}, 5),
        ({"measure": "COUNT", "property": "item"}, 4),
        ({"measure": "SUM", "property": "total"}, 23.5),
        ({"measure": "SUM", "property": "item"}, 0),
        ({"measure": "AVERAGE", "property": "total"}, 23.5 / 3),
        ({"measure": "MINIMUM", "property": "total"}, -2),
        ({"measure": "MAXIMUM", "property": "total"}, 20.5),
        ({"measure": "MAXIMUM", "property": "total", "within": "P30D"}, -2),
        ({"measure": "FIRST", "property": "item"}, "tea"),
        ({"measure": "LAST", "property": "item"}, "tea"),
        ({"measure": "LAST", "property": "total"}, -2),
        ({"measure": "FIRST", "property": "gift"}, True),
        ({"measure": "DISTINCT", "property": "item"}, 2),
        ({"measure": "DISTINCT", "property": "size"}, 1),
        ({"measure": "DISTINCT", "property": "nothing"}, 0),
        ({"measure": "FIRST"}, format_time(NOW - 400 * DAY)),
        ({"measure": "LAST"}, format_time(NOW - DAY)),
        ({"measure": "LAST", "names": ["Returned"]}, format_time(NOW - 20 * DAY)),
    ],
)
def test_each_measure(event: dict[str, Any], value: Any) -> None:
    assert measured({"equals": value}, **event)
    assert not measured({"equals": "another"}, **event)


@pytest.mark.parametrize("measure", ["AVERAGE", "MINIMUM", "MAXIMUM", "FIRST", "LAST"])
def test_a_measure_of_nothing_is_no_value(measure: str) -> None:
    tree = {"event": {"measure": measure, "property": "none", "is": {"exists": False}}}
    assert meets(tree) and meets(tree, NOBODY)
    assert not measured({"range": {"from": -9e9}}, measure=measure, property="none")


def test_equal_numbers_and_equal_truths_are_one_value_each() -> None:
    events = [bought(9 - n, x=x) for n, x in enumerate([1, 1.0, True, "1", [1], [1], False, 0, 1e300])]
    condition = parse_condition({"event": {"measure": "DISTINCT", "property": "x", "is": {"equals": 7}}})
    assert condition(Facts({}, events, ()), NOW)


def test_events_of_the_future_are_not_within_the_last_days() -> None:
    condition = parse_condition({"event": {"within": "P1D", "is": {"range": {"from": 1}}}})
    assert not condition(Facts({}, [bought(-1)], ()), NOW)
    assert condition(Facts({}, [bought(-1)], ()), NOW + 2 * DAY)


def test_how_long_ago_the_last_was() -> None:
    lapsed = {"event": {"measure": "LAST", "names": ["Bought"], "is": {"olderThan": "P30D"}}}
    assert not meets(lapsed) and meets(lapsed, now=NOW + 30 * DAY) and not meets(lapsed, NOBODY)


# ---- segments of segments


def test_a_segment_stands_for_its_tree() -> None:
    segments: dict[str, Any] = {"pros": PRO, "others": {"not": {"segment": "pros"}}}
    assert meets({"segment": "pros"}, segments=segments) and not meets({"segment": "others"}, segments=segments)
    assert meets({"any": [{"segment": "others"}, {"segment": "pros"}]}, segments=segments)
    assert built_on("others", segments.get) == {"others", "pros"} and built_on("pros", segments.get) == {"pros"}
    assert built_on("unknown", segments.get) == set()


def test_what_moves_with_the_clock_is_known() -> None:
    lately = {"event": {"within": "P30D", "is": {"range": {"from": 1}}}}
    born = {"trait": {"name": "birthday", "is": {"olderThan": "P6570D"}}}
    assert ages(lately) and ages({"any": [PRO, {"not": born}]})
    assert not ages(PRO) and not ages({"segment": "pros"})


# ---- laws

leaves: Trees = st.sampled_from(
    [PRO, FREE, {"event": {"is": {"range": {"from": 2}}}}, {"identifier": {"namespace": "email"}}, {"segment": "s"}]
)
trees = trees_of(leaves, 8)
people = st.sampled_from([ANN, NOBODY, Facts({"plan": "free"}, ANN.events[:1], ANN.identifiers[:1])])


@settings(max_examples=200)
@given(st.lists(trees, min_size=1, max_size=3), people)
def test_the_laws_of_logic(parts: list[Any], facts: Facts) -> None:
    def holds(tree: Any) -> bool:
        return meets(tree, facts, {"s": {"not": FREE}})

    each = [holds(part) for part in parts]
    negated = [{"not": part} for part in parts]
    assert holds({"not": {"not": parts[0]}}) == each[0]
    assert holds({"all": parts}) == all(each) == (not holds({"any": negated}))
    assert holds({"any": parts}) == any(each) == (not holds({"all": negated}))
    assert holds({"all": parts[::-1]}) == all(each) and holds({"any": parts + parts}) == any(each)
