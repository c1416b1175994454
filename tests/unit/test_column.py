"""A column finds the places that pass a test as if each value were tested by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import column as columns
from identity_graph.column import FEW, MOST_LATE, Column
from identity_graph.value_test import parse_value_test
from tests.conftest import law

NAN = float("inf") - float("inf")
values = st.one_of(
    st.none(),
    st.sampled_from([True, False, 0, 1, 1.0, 2.5, -3, 2**53, 2**53 + 1, NAN, "", "pro", "premium", "ü", "\U0010ffff"]),
    st.sampled_from([[1], [1.0], {"a": 1}, ["pro", 1]]),
    st.integers(-50, 50),
    st.floats(allow_nan=False),
    st.text("abp", max_size=3),
)
plain = values.filter(lambda value: value is not None and value == value)
numbers = st.integers(-50, 50) | st.sampled_from([2.5, 2**53, 2**53 + 1])
tests = st.one_of(
    st.builds(lambda value: {"equals": value}, plain),
    st.builds(lambda given: {"in": given}, st.lists(plain, min_size=1, max_size=3)),
    st.builds(
        lambda ends: {"range": dict(zip(("from", "to"), sorted(ends), strict=True))}, st.tuples(numbers, numbers)
    ),
    st.builds(lambda end: {"range": {"from": end}}, numbers | st.text("abp", max_size=2)),
    st.builds(lambda end: {"range": {"to": end}}, numbers | st.text("abp", max_size=2)),
    st.builds(lambda text: {"prefix": text}, st.text("abpü\U0010ffff", min_size=1, max_size=2)),
    st.sampled_from([{"contains": "p"}, {"contains": 1}, {"exists": True}, {"exists": False}]),
)


def passing(column: Column, tree: dict[str, Any], many: int) -> list[bool]:
    test = parse_value_test(tree, "")
    bits = column.meeting(tree, lambda value: test(value, 0))
    found: list[bool] = np.unpackbits(bits.view(np.uint8), bitorder="little")[:many].astype(bool).tolist()
    return found


def assert_right(column: Column, held: list[Any], tree: dict[str, Any]) -> None:
    test = parse_value_test(tree, "")
    assert passing(column, tree, len(held)) == [test(value, 0) for value in held], tree


@pytest.fixture(params=[0, FEW], ids=["by sets", "by places"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "FEW", request.param)


@pytest.mark.usefixtures("few")
@law(200)
@given(st.lists(values, max_size=200), st.lists(tests, min_size=1, max_size=5), st.data())
def test_a_column_is_as_its_values_one_by_one(
    held: list[Any], asked: list[dict[str, Any]], data: st.DataObject
) -> None:
    column = Column(held, len(held) + 10)
    for tree in asked:
        assert_right(column, held, tree)
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(held)), values), max_size=20)):
        held += [None] * (place == len(held) and place < 200)
        if place < len(held):
            held[place] = value
            column.put(place, value)
    for tree in asked:
        assert_right(column, held, tree)
    column.forget()
    for tree in asked:
        assert_right(column, held, tree)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("different", [2, 90, 100_000])
def test_ranges_that_end_anywhere_between_the_cuts(different: int) -> None:
    dice = np.random.default_rng(different)
    held: list[Any] = dice.integers(0, different, 20_000).tolist()
    column = Column(held, 21_000)
    for place, value in zip(
        dice.integers(0, 20_000, 300).tolist(), dice.integers(0, different, 300).tolist(), strict=True
    ):
        held[place] = value
        column.put(place, value)
    for start, end in np.sort(dice.integers(-1, different + 1, (30, 2))).tolist():
        assert_right(column, held, {"range": {"from": start, "to": end}})
    assert_right(column, held, {"in": dice.integers(0, different, 50).tolist()})


def test_a_column_where_many_places_moved_is_sorted_again() -> None:
    held: list[Any] = [n % 7 for n in range(5_000)]
    column = Column(held, 5_000)
    for place in range(MOST_LATE + 1):
        held[place] = (held[place] + 1) % 7
        column.put(place, held[place])
    assert_right(column, held, {"equals": 3})
    column.tidy()
    assert not column._moved
    assert_right(column, held, {"equals": 3})


def test_many_values_that_came_late_are_sorted_in() -> None:
    held: list[Any] = [float(n % 7) for n in range(5_000)]
    column = Column(held, 5_000)
    for place in range(0, 3_000, 2):
        held[place] = place / 8
        column.put(place, held[place])
    trees: list[dict[str, Any]] = [{"range": {"from": 3, "to": 200.5}}, {"equals": 2.25}, {"in": [5, 100]}]
    assert len(held[:3_000:2]) > MOST_LATE
    for tree in trees:
        assert_right(column, held, tree)
    column.tidy()
    for tree in trees:
        assert_right(column, held, tree)


def test_a_value_that_is_nobodys_any_more_is_forgotten() -> None:
    column = Column(["secret", "known", "known"], 3)
    column.put(0, None)
    column.put(1, "late secret")
    column.put(1, "known")
    column.forget()
    assert "secret" not in repr(vars(column)) and column[2] == "known"
    assert passing(column, {"equals": "known"}, 3) == [False, True, True]
