"""Tests on one value, each kind by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.times import DAY, format_time
from identity_graph.value_test import compare, parse_value_test, same

NOW = 1_767_225_600_000_000
LONG_AGO, YESTERDAY, TOMORROW = (format_time(NOW + days * DAY) for days in (-400, -1, 1))

TEXTS = ("", "a", "pro", "project", "Pro", LONG_AGO)
NUMBERS = (0, 1, 1.0, 2.5, -3, 10**15)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text("ab", max_size=2)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2)
)


@pytest.mark.parametrize(
    ("tree", "met", "unmet"),
    [
        ({"equals": "pro"}, ["pro"], ["Pro", "project", "", ["pro"], 1, None]),
        ({"equals": 1}, [1, 1.0], [True, "1", 0, [1], None]),
        ({"equals": True}, [True], [1, 1.0, "true", None]),
        ({"equals": False}, [False], [0, "", None]),
        ({"equals": [1, {"a": True}]}, [[1.0, {"a": True}]], [[1, {"a": 1}], [1], [True, {"a": True}], None]),
        ({"equals": {"a": 0, "b": "x"}}, [{"b": "x", "a": 0}], [{"a": False, "b": "x"}, {"a": 0}]),
        ({"in": ["pro", 1]}, ["pro", 1.0], [True, "1", ["pro"], None]),
        ({"in": (False, [0])}, [False, [0]], [0, [False], None]),
        ({"range": {"from": 1}}, [1, 1.0, 2.5, 10**15], [0, -3, True, "2", None, [1]]),
        ({"range": {"to": 1}}, [1, 0, -3], [2.5, False, "", None]),
        ({"range": {"from": 1, "to": 2.5}}, [1, 2, 2.5], [0.99, 2.51]),
        ({"range": {"from": 1, "to": None}}, [1], [0]),
        ({"range": {"from": "b", "to": "c"}}, ["b", "bz", "c"], ["a", "ca", 1, None]),
        ({"range": {"from": "2026-01-01"}}, ["2026-01-01T00:00:00Z", "2027"], ["2025-12-31", 2027]),
        ({"prefix": "pro"}, ["pro", "project"], ["Pro", "", "no pro", 1, ["pro"], None]),
        ({"contains": "ro"}, ["pro", "ro", ["ro", 1]], ["r o", ["pro"], {"ro": 1}, 1, None]),
        ({"contains": 1}, [[0, 1], [1.0]], [[True], "1", 1, ["1"], None]),
        ({"contains": [1]}, [[[1], 2]], [[1], [[True]]]),
        ({"exists": True}, ["", 0, False, [], {}], [None]),
        ({"exists": False}, [None], ["", 0, False, [], {}]),
        ({"olderThan": "P30D"}, [LONG_AGO, 0, "0"], [YESTERDAY, TOMORROW, "soon", None, True, [LONG_AGO]]),
        ({"newerThan": "P30D"}, [YESTERDAY, TOMORROW, NOW // 1000], [LONG_AGO, 0, "soon", None, True, {}]),
        ({"olderThan": "1 day"}, [format_time(NOW - DAY - 1)], [YESTERDAY]),
        ({"newerThan": "1 day"}, [YESTERDAY], [format_time(NOW - DAY - 1)]),
    ],
)
def test_each_kind(tree: dict[str, Any], met: list[Any], unmet: list[Any]) -> None:
    test = parse_value_test(tree, "is")
    assert [value for value in met if not test(value, NOW)] == []
    assert [value for value in unmet if test(value, NOW)] == []


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (None, "is"), ("pro", "is"), ([], "is"), ({}, "is"), ({"equals": 1, "exists": True}, "is"),
        ({"regex": "^a"}, "is"),
        ({"equals": None}, "is.equals"),
        ({"in": []}, "is.in"), ({"in": "abc"}, "is.in"), ({"in": {"a": 1}}, "is.in"), ({"in": ["a", None]}, "is.in"),
        ({"range": {}}, "is.range"), ({"range": 5}, "is.range"), ({"range": {"from": None}}, "is.range"),
        ({"range": {"from": 1, "until": 2}}, "is.range"), ({"range": {"from": [1]}}, "is.range"),
        ({"range": {"from": 1, "to": "b"}}, "is.range"), ({"range": {"from": 2, "to": 1}}, "is.range"),
        ({"range": {"from": float("nan")}}, "is.range"), ({"range": {"from": True}}, "is.range"),
        ({"prefix": ""}, "is.prefix"), ({"prefix": 1}, "is.prefix"),
        ({"contains": ""}, "is.contains"), ({"contains": None}, "is.contains"),
        ({"exists": 1}, "is.exists"), ({"exists": None}, "is.exists"),
        ({"olderThan": "soon"}, "is.olderThan"), ({"olderThan": 30}, "is.olderThan"),
        ({"newerThan": None}, "is.newerThan"),
    ],
)  # fmt: skip
def test_what_is_no_test_names_its_place(tree: Any, path: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_value_test(tree, "is")
    assert (
        caught.value.code == "CONDITION_INVALID" and caught.value.message.startswith(f"{path}: ") and caught.value.help
    )


KINDS: list[dict[str, Any]] = [
    {"equals": 1}, {"in": ["a", 2]}, {"range": {"from": 0, "to": 3}}, {"range": {"from": "a"}}, {"prefix": "a"},
    {"contains": "b"}, {"contains": 1}, {"exists": True}, {"exists": False}, {"olderThan": "P1D"}, {"newerThan": "P1D"},
]  # fmt: skip


@given(st.sampled_from(KINDS), values)
def test_any_value_is_met_or_not(tree: dict[str, Any], value: Any) -> None:
    assert parse_value_test(tree, "is")(value, NOW) in (True, False)


@given(st.sampled_from([tree for tree in KINDS if "exists" not in tree]))
def test_nothing_meets_nothing(tree: dict[str, Any]) -> None:
    assert not parse_value_test(tree, "is")(None, NOW)


@given(values, values)
def test_same_is_equality_of_json(a: Any, b: Any) -> None:
    def plain(value: Any) -> Any:
        """Truths told apart from numbers."""
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return ("truth", value) if isinstance(value, bool) else value

    assert same(a, b) == same(b, a) == (plain(a) == plain(b))
    assert same(a, a)


@given(scalars, scalars, scalars)
def test_compare_orders_numbers_among_numbers_and_texts_among_texts(a: Any, b: Any, c: Any) -> None:
    there, back = compare(a, b), compare(b, a)
    assert (there is None) == (back is None) and (there is None or there + (back or 0) == 0)
    if there == compare(b, c) == 1:
        assert compare(a, c) == 1
    if compare(a, a) is not None:
        assert compare(a, a) == 0 and a is not None
