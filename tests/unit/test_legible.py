"""Names of files, and words out of records, as a message or a terminal shows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.legible import legible


@given(st.text(st.characters()))
def test_any_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = legible(text)
    assert shown.encode().decode() == shown and len(shown.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)


@pytest.mark.parametrize(
    "text", ["", "J\u00fcrgen\u00a0M.", "\u05d0\u05d1", "\U0001f468\u200d\U0001f469", "C:\\new", "a b"]
)
def test_what_is_legible_stays(text: str) -> None:
    assert legible(text) == text


def test_what_a_terminal_obeys_is_seen() -> None:
    assert legible("\x1b[2J\r\n\u202e\x9b") == r"\x1b[2J\r\n\u202e\x9b"
