"""Numbers for texts against a dictionary, and how far their fingerprints can be trusted."""

from __future__ import annotations

import sys
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.resolve.buckets import _USUAL, RUN, buckets
from identity_graph.resolve.interning import intern
from identity_graph.tables import Words

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


def test_many_runs_in_one_bucket() -> None:
    """Of one text, which fills the last place of a run and not the first of the next one."""
    for height in (RUN - 1, RUN, RUN + 1, 3 * RUN):
        rows = buckets([pl.DataFrame({"key": ["x"] * height})], None)
        assert sorted(int(end) % RUN for end in rows.end[0] if end) == [height % RUN]
        assert len({tuple(one) for one in fingerprints(["x"] * height).tolist()}) == 1
        (number,), found = intern(pl.DataFrame({"key": ["x"] * 8 * height}))  # which has eight shares
        assert number.tolist() == [0] * 8 * height and found.rows() == [("x",)]


def test_one_different_text_among_many_is_seen() -> None:
    """Wherever it is: the first, the last, in either half, in any share."""
    height = 600_000
    for place in (0, 1, 262_144, height // 2 - 1, height // 2, height - 1):
        texts = pl.Series("key", ["a text that is longer than a view"] * height)
        texts = texts.scatter(place, "a text that is longer than a vieW")
        (number,), found = intern(texts.to_frame())
        assert found.height == 2 and np.flatnonzero(number != number[place // 2 - 1]).tolist() == [place]


@pytest.mark.parametrize("length", [1, 4, 5, 11, 12, 13, 19, 20, 21, 27, 28, 29, 36, 45])
def test_one_letter_tells_two_texts_apart_wherever_it_is(length: int) -> None:
    """Also where a text is the beginning of another, or ends in a zero."""
    base = "abcdefgh" * 6
    texts = [base[:length], base[: length + 1], base[:length] + "\0"]
    texts += [base[:place] + "X" + base[place + 1 : length] for place in range(length)]
    for other in texts[1:]:
        assert interned(pl.DataFrame({"key": [texts[0], other, texts[0], other]}))[0] == [[0, 1, 0, 1]]


def test_one_letter_tells_two_texts_apart_that_are_longer_than_usual() -> None:
    """Of which the first look at them knows the length alone, also where only one of them is."""
    for length in (_USUAL - 1, _USUAL, _USUAL + 1, 3 * _USUAL):
        base = "abcdefgh" * (length // 8) + "a" * (length % 8)
        others = [
            base[:place] + "X" + base[place + 1 :] for place in sorted({0, 4, _USUAL - 2, length // 2, length - 1})
        ]
        texts = [base, *others, "short", base + "b", base[:-1]]
        (number,), found = intern(pl.DataFrame({"key": texts + texts[::-1]}))
        assert number.tolist() == [*range(len(texts)), *reversed(range(len(texts)))]
        assert found["key"].to_list() == texts


def fingerprints(texts: list[str]) -> Words:
    """Their word and their half of one, uint64[n, 2]."""
    rows = buckets([pl.DataFrame({"key": texts})], None)
    found = np.empty((len(texts), 2), np.uint64)
    for bucket, run in enumerate(rows.head[0]):
        while run != 2**32 - 1:
            after = rows.after[run]
            places = slice(run * RUN, int(rows.end[0, bucket]) if after == 2**32 - 1 else (run + 1) * RUN)
            keys = rows.key.reshape(-1, 2)[places]
            found[keys[:, 1] & np.uint64(2**32 - 1)] = keys >> np.array([0, 32], np.uint64)
            run = after
    return found


def words_of(text: str) -> list[int]:
    """As the docstring of the kernel says."""
    raw = text.encode()
    if len(raw) <= 12:
        raw += bytes(12 - len(raw))
        parts = [raw[4:12]]
    else:
        parts = [raw[place : place + 8] for place in range(4, len(raw) - 8, 8)] + [raw[-8:]]
    parts += parts[-1:] * (4 - len(parts))
    first = len(text.encode()).to_bytes(4, "little") + raw[:4]
    return [int.from_bytes(part, "little") for part in (first, *parts)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=20), st.integers(0, 2**32))
def test_fingerprints_are_the_sums_that_the_paper_says(texts: list[str], seed: int) -> None:
    dice = np.random.default_rng(seed)
    with mock.patch.object(np.random, "default_rng", lambda: dice):
        found = fingerprints(texts)
    count = 1 + max(4, 1 + max(len(text.encode()) for text in texts) // 8)
    factors = np.random.default_rng(seed).integers(2**64, size=4 * count, dtype=np.uint64).tolist()
    for row, text in enumerate(texts):
        for word in (0, 1):
            mine = [factors[4 * n + 2 * word] << 64 | factors[4 * n + 2 * word + 1] for n in range(count)]
            total = sum(one * factor for one, factor in zip(words_of(text), mine, strict=False))
            assert found[row, word] == total % 2**128 >> (64, 96)[word]


def test_each_call_draws_factors_of_its_own() -> None:
    assert len({tuple(*fingerprints(["ann@example.org"]).tolist()) for _ in range(5)}) == 5


def test_of_texts_that_differ_in_one_byte_half_the_bits_differ() -> None:
    """Wherever the byte is."""
    base = "someone.with.a.long.name@example.org"
    texts = [base] + [base[: n % 36] + chr(33 + n % 90) + base[n % 36 + 1 :] for n in range(4_000)]
    found = fingerprints(texts)
    differs = np.unpackbits((found[1:] ^ found[0]).view(np.uint8).reshape(4_000, 16)[:, :12], axis=1)
    other = np.array([text != base for text in texts[1:]])
    for place in range(36):
        share = differs[place::36][other[place::36]].mean()
        assert 0.3 < share < 0.7


def test_more_texts_than_places() -> None:
    with mock.patch.object(MODULE, "_MOST", 3), pytest.raises(InputError, match="4 texts") as caught:
        intern(*[pl.DataFrame({"key": ["a", "b"]})] * 2)
    assert caught.value.code == "FRAME_INVALID"


def test_more_identifiers_than_numbers() -> None:
    with (
        mock.patch.object(MODULE, "ranked", lambda *_: (np.zeros(1, np.uint64), 2**31)),
        pytest.raises(InputError, match="2,147,483,648 identifiers") as caught,
    ):
        intern(pl.DataFrame({"key": ["a", "b"]}))
    assert caught.value.code == "FRAME_INVALID"
