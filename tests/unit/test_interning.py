"""Numbers for texts against a dictionary, whatever the hashes do."""

from __future__ import annotations

import sys
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.resolve.interning import UInt64, _hash, _numbers, intern

MODULE = sys.modules["identity_graph.resolve.interning"]

words = st.one_of(st.text(max_size=3), st.sampled_from(["a" * 12, "a" * 13, "a" * 12 + "b", "ß" * 9, "x" * 40]))


def by_dictionary(*tables: pl.DataFrame) -> tuple[list[list[int]], list[tuple[str, ...]]]:
    numbers: dict[tuple[str, ...], int] = {}
    found: list[list[int]] = [[] for _ in tables]
    for rows in zip(*(table.rows() for table in tables), strict=True):
        for column, row in zip(found, rows, strict=True):
            column.append(numbers.setdefault(row, len(numbers)))
    return found, list(numbers)


def interned(*tables: pl.DataFrame) -> tuple[list[list[int]], list[tuple[str, ...]]]:
    numbers, found = intern(*tables)
    assert all(column.dtype == np.int32 and column.flags.c_contiguous for column in numbers)
    return [column.tolist() for column in numbers], found.rows()


@st.composite
def tables(draw: st.DrawFn) -> list[pl.DataFrame]:
    names = draw(st.sampled_from([["key"], ["namespace", "value"]]))
    width, height = draw(st.integers(1, 3)), draw(st.integers(0, 20))
    column = st.lists(words, min_size=height, max_size=height)
    return [pl.DataFrame({name: draw(column) for name in names}, schema=dict.fromkeys(names, pl.String))
            for _ in range(width)]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(tables())
def test_numbers_are_those_of_a_dictionary(given: list[pl.DataFrame]) -> None:
    assert interned(*given) == by_dictionary(*given)


def cut(bits: int) -> mock._patch[object]:
    """Hashes of so few bits, until they are asked for a third time."""

    def hashes(table: pl.DataFrame, seed: int) -> UInt64:
        whole = _hash(table, seed)
        return whole if seed >= 2 else whole & np.uint64((2**bits - 1) << 62)

    return mock.patch.object(MODULE, "_hash", hashes)


@settings(max_examples=100, deadline=None)
@given(tables())
def test_texts_of_one_hash_are_still_two(given: list[pl.DataFrame]) -> None:
    with cut(2):
        assert interned(*given) == by_dictionary(*given)


@pytest.mark.parametrize("distinct", [1, 1_000, 100_000, 300_000])
def test_many_rows_in_many_parts(distinct: int) -> None:
    """More parts than one, more slices than one, tables in chunks; one text is in a third of all rows."""
    dice = np.random.default_rng(distinct)
    number = dice.integers(0, distinct, 2 * 300_000)
    number[dice.random(len(number)) < 0.3] = 0
    keys = pl.Series(number).cast(pl.String).str.pad_start(20, "0")
    one, other = (pl.concat([part[:1000], part[1000:]], rechunk=False) for part in (keys[:300_000], keys[300_000:]))
    (a, b), found = intern(one.to_frame("key"), other.to_frame("key"))
    assert found["key"].n_unique() == found.height == keys.n_unique()
    assert found["key"].gather(a).equals(one) and found["key"].gather(b).equals(other)
    met = np.stack([a, b], axis=1).ravel()
    assert np.array_equal(np.unique(met, return_index=True)[1], np.sort(np.unique(met, return_index=True)[1]))


def test_one_different_text_among_many_of_one_hash_is_seen() -> None:
    """Wherever it is: the first, the last, in either half, in any slice."""
    height = 600_000
    for place in (0, 1, 262_144, height // 2 - 1, height // 2, height - 1):
        texts = pl.Series("key", ["a text that is longer than a view"] * height)
        texts = texts.scatter(place, "a text that is longer than a vieW")
        with cut(0):
            (number,), found = intern(texts.to_frame())
        assert found.height == 2 and np.flatnonzero(number != number[place // 2 - 1]).tolist() == [place]


@pytest.mark.parametrize("length", [1, 4, 5, 11, 12, 13, 19, 20, 21, 27, 28, 29, 36, 45])
def test_one_letter_tells_two_texts_apart_wherever_it_is(length: int) -> None:
    """Also where a text is the beginning of another, or ends in a zero."""
    base = "abcdefgh" * 6
    texts = [base[:length], base[: length + 1], base[:length] + "\0"]
    texts += [base[:place] + "X" + base[place + 1 : length] for place in range(length)]
    for other in texts[1:]:
        with cut(0):
            assert interned(pl.DataFrame({"key": [texts[0], other, texts[0], other]}))[0] == [[0, 1, 0, 1]]


def test_more_identifiers_than_numbers() -> None:
    with (
        mock.patch.object(MODULE, "_count_first", lambda *_: 2**30),
        pytest.raises(InputError, match="2,147,483,648 identifiers") as caught,
    ):
        _numbers(np.zeros(2, np.uint32), MODULE.ThreadPoolExecutor(1))
    assert caught.value.code == "FRAME_INVALID"
