"""Numbers of first ones against counting them, whatever the bits of a word are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.resolve.components import dense


def by_counting(label: list[int]) -> list[int]:
    numbers = {one: n for n, one in enumerate(sorted({x for n, x in enumerate(label) if x == n}))}
    return [numbers.get(one, -1) for one in label]


@given(st.lists(st.booleans(), max_size=200), st.data())
def test_groups_are_numbered_in_the_order_of_their_first_members(firsts: list[bool], data: st.DataObject) -> None:
    label: list[int] = []
    for n, first in enumerate(firsts):
        label.append(n if first else data.draw(st.sampled_from([-1, *(x for x in range(n) if firsts[x])])))
    assert dense(np.array(label, np.int32)).tolist() == by_counting(label)


@pytest.mark.parametrize("rows", [2**15, 2**16 + 31, 100_001])
def test_two_threads_number_as_one_does(rows: int) -> None:
    dice = np.random.default_rng(rows)
    label = np.arange(rows, dtype=np.int32)
    others = np.flatnonzero(dice.random(rows) < 0.5)
    firsts = np.setdiff1d(label, others)
    label[others] = np.where(dice.random(len(others)) < 0.1, -1, dice.choice(firsts, len(others)))
    expected = np.full(rows, -1)
    expected[label >= 0] = np.searchsorted(firsts, label[label >= 0])
    assert np.array_equal(dense(label), expected)
