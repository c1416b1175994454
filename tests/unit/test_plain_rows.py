"""Rows read many at once are those that are read one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.model import Refused
from identity_graph.records.delimited import Rows
from identity_graph.records.plain_rows import read_rows
from identity_graph.records.source import Form

cells = st.sampled_from(
    ["", " ", "a", "'7", "'x", "é", "1", '"a"', '"a,b"', '""', '"a""b"', '"', 'a"b', '"a"b', "\r", "\0"]
)
rows = st.lists(cells, max_size=4).map(",".join)
raw_rows = st.tuples(rows, st.sampled_from(["utf-8", "cp1252"]), st.sampled_from(["\n", "\r\n", '"\n'])).map(
    lambda row: (row[0] + row[2]).encode(row[1])
)
forms = st.builds(
    Form,
    format=st.just("csv"),
    header=st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")]),
    encoding=st.sampled_from(["utf-8", "cp1252", "utf-8-sig", "ascii"]),
    quotes=st.booleans(),
    text_mark=st.sampled_from(["", "'"]),
)


def told(line: int, found: dict[str, Any] | Refused) -> tuple[int, Any]:
    return line, (found.code, found.message) if isinstance(found, Refused) else found


def one_by_one(chunks: Iterable[bytes], form: Form) -> list[Any]:
    try:
        return [told(origin.line, found) for origin, found in Rows(chunks, form)]
    except InputError as error:
        return [error.code]


def many_at_once(chunks: Iterable[bytes], form: Form) -> list[Any]:
    answers: list[Any] = []
    reader = Rows(chunks, form)
    try:
        for piece in reader.pieces():
            if len(piece) == 2:
                answers.append(told(piece[0].line, piece[1]))
            else:
                records, places, refused = read_rows(piece[3], reader.names, form)
                found = [*zip(places, records, strict=True), *((place, (code, why)) for place, code, why in refused)]
                assert list(records) == [records[number] for number in range(len(records))]
                answers += [(piece[0] + place, one) for place, one in sorted(found, key=lambda one: one[0])]
    except InputError as error:
        return [error.code]
    return answers


@settings(max_examples=500, deadline=None)
@given(st.lists(raw_rows, max_size=12), forms, st.integers(1, 40), st.integers(0, 3))
@example([b'""\n', b" \n", b"a\n"], Form("csv", header=("a",)), 40, 0)
@example([b'"a\r\n', b'b"\r\n'], Form("csv", header=("a",)), 5, 0)
@example([b"a,b\n", b"a\n"], Form("csv", header=("a", "b")), 40, 1)
def test_rows(lines: list[bytes], form: Form, size: int, cut: int) -> None:
    content = b"".join(lines)
    content = content[: len(content) - cut]
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    assert many_at_once(chunks, form) == one_by_one([content], form)
