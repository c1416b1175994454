"""Windows onto lists: every walk meets every row once, and cursors stay with their list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.api.paging import Connection, Window, cursor_of
from identity_graph.errors import InputError

Row = tuple[int, str]
SHAPE = (int, str)
ROWS = st.lists(st.tuples(st.integers(-(2**53), 2**53), st.text(max_size=3)), unique=True, max_size=30).map(sorted)


def key_of(row: Row) -> Row:
    return row


def stored(rows: list[Row], window: Window) -> list[Row]:
    """What a store answers that is asked for one row more than the page."""
    if window.backward:
        return [row for row in rows if window.key is None or row < window.key][-(window.limit + 1) :]
    return [row for row in rows if window.key is None or row > window.key][: window.limit + 1]


@given(ROWS, st.integers(1, 7), st.booleans(), st.booleans())
def test_a_walk_in_either_direction_meets_every_row_once(
    rows: list[Row], size: int, backward: bool, from_store: bool
) -> None:
    met: list[Row] = []
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        window = Window.read("rows", SHAPE, **asked)
        page: Connection[Row] = (
            window.fetched(stored(rows, window), key_of) if from_store else window.cut(rows, key_of, len(rows))
        )
        assert len(page.nodes) <= size
        met = page.nodes + met if backward else met + page.nodes
        info = page.page_info
        assert (info.has_next_page if backward else info.has_previous_page) == (cursor is not None and bool(rows))
        if not (info.has_previous_page if backward else info.has_next_page):
            break
        cursor = info.start_cursor if backward else info.end_cursor
    assert met == rows


def test_a_page_says_where_it_begins_and_ends() -> None:
    page = Window.read("rows", SHAPE, first=2).cut([(1, "a"), (2, "b"), (3, "c")], key_of, 3)
    assert page.total_count == 3
    assert [edge.cursor for edge in page.edges] == [page.page_info.start_cursor, page.page_info.end_cursor]
    empty: Connection[Row] = Window.read("rows", SHAPE).cut([], key_of, 0)
    assert (empty.page_info.start_cursor, empty.page_info.end_cursor) == (None, None)


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 0},
        {"first": -1},
        {"first": 101},
        {"last": 0},
        {"last": 101},
        {"first": 1, "last": 1},
        {"first": 1, "before": cursor_of("rows", (1, "a"))},
        {"last": 1, "after": cursor_of("rows", (1, "a"))},
        {"after": cursor_of("others", (1, "a"))},
        {"after": cursor_of("rows", (1,))},
        {"after": cursor_of("rows", ("a", 1))},
        {"after": cursor_of("rows", (1, "a"))[:-2]},
        {"after": cursor_of("rows", (2**63, "a"))},
        {"after": ""},
        {"after": "é"},
        {"after": "bm90IGpzb24"},
        {"after": "W10"},
        {"after": "bnVsbA"},
        {"before": "e30"},
    ],
    ids=repr,
)
def test_what_is_no_page_of_this_list_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Window.read("rows", SHAPE, **arguments)
    assert caught.value.code == "PAGE_INVALID"
