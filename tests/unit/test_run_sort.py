"""Many runs sorted at once: as NumPy does one after the other."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve.run_sort import even_runs, sort_runs, sort_words
from identity_graph.resolve.threads import second_thread

KEYS = st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**62))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(KEYS, max_size=70), max_size=6))
def test_each_run_is_sorted_and_rows_of_one_key_stay_as_they_are(runs: list[list[int]]) -> None:
    start = np.cumsum([0, *map(len, runs)])
    key, row = np.array(list(chain(*runs)), np.int64), np.arange(start[-1])
    sort_runs(key, row, start)
    for begin, own in zip(start.tolist(), runs, strict=False):
        wanted = sorted(range(len(own)), key=own.__getitem__)
        assert row[begin : begin + len(own)].tolist() == [begin + one for one in wanted]
        assert key[begin : begin + len(own)].tolist() == sorted(own)
    at, begins = even_runs(key, start)
    found = [at[one:other].tolist() for one, other in pairwise(begins.tolist())]
    of = np.repeat(np.arange(len(runs)), [len(own) for own in runs])
    same: dict[tuple[int, int], list[int]] = {}
    for place in range(len(key)):
        same.setdefault((int(of[place]), int(key[place])), []).append(place)
    assert found == [places for places in same.values() if len(places) > 1]


@pytest.mark.parametrize("spread", [1, 50, 2**40, 2**62])
def test_a_long_run_is_sorted_too(spread: int) -> None:
    dice = np.random.default_rng(1)
    key = dice.integers(-spread, spread, 60_000)
    wanted = np.argsort(key, kind="stable")
    mine, row = key.copy(), np.arange(len(key))
    sort_runs(mine, row, np.array([0, 5, len(key)]))
    assert (row[5:] == 5 + np.argsort(key[5:], kind="stable")).all() and (mine == key[row]).all()
    sort_runs(key, row := np.arange(len(key)), np.array([0, len(key)]))
    assert (row == wanted).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 3000), max_size=90), st.integers(0, 40), st.integers(0, 23))
def test_words_are_sorted_by_some_of_their_bits_and_even_ones_stay_as_they_are(
    words: list[int], low: int, bits: int
) -> None:
    for rows in (0, 2**20):
        given = np.array(words, np.int64), np.empty(len(words), np.int64)
        with second_thread(rows) as thread:
            found = sort_words(*given, low, low + bits, thread)
        assert found is given[0] or found is given[1]
        assert found.tolist() == sorted(words, key=lambda word: word >> low & (1 << bits) - 1)
