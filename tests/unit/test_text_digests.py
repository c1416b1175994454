"""Digests of many texts at once against those of one after the other."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.text_digests import BLOCK, ENOUGH, MANY, _so_far, text_digests


@pytest.fixture(autouse=True)
def _compiled() -> None:
    """As in a process that has digested many."""
    _so_far.texts = ENOUGH


EDGES = [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]


def one_by_one(texts: list[str], size: int) -> bytes:
    return b"".join(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest() for text in texts)


@pytest.mark.parametrize("size", [8, 16, 24, 32])
@pytest.mark.parametrize("texts", [[f"e-{n}" for n in range(MANY)], ["x" * (n % 150) for n in range(MANY + 1)], []])
def test_of_plain_texts(texts: list[str], size: int) -> None:
    assert text_digests(texts, size).tobytes() == one_by_one(texts, size)


def test_compiled_when_enough_were_digested() -> None:
    _so_far.texts = 0
    assert [_so_far.is_worth(many) for many in (MANY - 1, MANY, ENOUGH - MANY, MANY - 1)] == [False, False, True, False]


@given(st.lists(st.text(max_size=40) | st.sampled_from(["", "\ud800", *("é" * n for n in EDGES)]), max_size=80))
def test_of_any_texts(texts: list[str]) -> None:
    many = texts + [f"c-{n}" for n in range(MANY)]
    assert text_digests(many, 8).tobytes() == one_by_one(many, 8)
    assert text_digests(iter(texts), 32).tobytes() == one_by_one(texts, 32)
