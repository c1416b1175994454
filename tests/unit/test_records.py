"""Reading records: what is read, where it stood, what is refused and why, and that any cut into chunks reads alike."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.model import Refused
from identity_graph.records import Form, json_record, read_again
from identity_graph.records.delimited import Rows
from identity_graph.records.json_record import MAX_DEPTH, may_deceive, read_json
from identity_graph.records.jsonl import TOO_LARGE, JsonLines, read_lines
from identity_graph.records.lines import KEPT, LONGEST, LongLine, blocks
from identity_graph.records.source import CHUNK

JSONL = Form("jsonl")
CSV = Form("csv")


def lines_of(content: bytes, **options: Any) -> list[Any]:
    return [code_or_record(record) for _, record in JsonLines([content], **options)]


def rows_of(content: bytes, form: Form = CSV, **options: Any) -> list[Any]:
    return [code_or_record(record) for _, record in Rows([content], form, **options)]


def code_or_record(record: Any) -> Any:
    return record.code if isinstance(record, Refused) else record


# ---- one JSON object ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"nonsense", "NOT_JSON"),
        (b'{"a": 1', "JSON_CUT"),
        (b'{"a": 1} x', "JSON_AFTER"),
        (b"{'a': 1}", "NOT_JSON"),
        (b'{"a": 01}', "NOT_JSON"),
        (b'{"a": "\t"}', "JSON_CONTROL"),
        (b'{"a": "\0"}', "NUL_BYTES"),
        (b"\xef\xbb\xbf{}", "BOM_INSIDE"),
        (b"[]", "NOT_OBJECT"),
        (b'"a"', "NOT_OBJECT"),
        (b"null", "NOT_OBJECT"),
        (b"7", "NOT_OBJECT"),
        (b'{"a": "\xff"}', "NOT_UTF8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF8_SURROGATE"),
        (b"\xff\xfe{\0}\0", "NOT_UTF8"),
        (b'{"a": NaN}', "NUMBER_NOT_FINITE"),
        (b'{"a": [-Infinity]}', "NUMBER_NOT_FINITE"),
        (b'{"a": 1e999}', "NUMBER_RANGE"),
        (b'{"a": -1e999}', "NUMBER_RANGE"),
        (b'{"a": ' + b"9" * 400 + b"}", "NUMBER_RANGE"),
        (b'{"a": ' + b"9" * 5000 + b"}", "NUMBER_RANGE"),
        (b'{"a": 18446744073709551616}', "NUMBER_RANGE"),
        (b'{"a": -9223372036854775809}', "NUMBER_RANGE"),
        (b'{"a": NaN, "b": }', "NOT_JSON"),
        (b'{"a": "\\ud800"}', "TEXT_SURROGATE"),
        (b'{"\\udc00": 1}', "TEXT_SURROGATE"),
        (b'{"a": [{"b": "\\ud83d."}]}', "TEXT_SURROGATE"),
        (b'{"a": 1, "a": 2}', "KEY_REPEATED"),
        (b'{"a":1,"b":{"c":1,"d":[{"c":1,"c":1}]}}', "KEY_REPEATED"),
        (b'{"a" :1,"a":"\\u0022\\u003a"}', "KEY_REPEATED"),
        (b'{"a":1,"\\u0061":2}', "KEY_REPEATED"),
        (b'{"a":1,"a":"x\\":"}', "KEY_REPEATED"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "RECORD_TOO_DEEP"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "RECORD_TOO_DEEP"),
        (b'{"a":' + b"[" * 200_000, "RECORD_TOO_DEEP"),
    ],
)
def test_refused_json(raw: bytes, code: str) -> None:
    found = read_json(raw)
    assert isinstance(found, tuple)
    assert found[0] == code


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1}\r', {"a": 1}),
        (b'{"a": 18446744073709551615, "b": -9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
        (b'{"a": "12345678901234567890123"}', {"a": "12345678901234567890123"}),
        (b'{"a": 0.1234567890123456789012}', {"a": 0.12345678901234568}),
        (b'{"a": 1e308, "b": 1e-400}', {"a": 1e308, "b": 0.0}),
        (b'{"a": "\\u0000\\ud83d\\ude00"}', {"a": "\0\U0001f600"}),
        (b'{"a": {"b": 1}, "b": 1, "c": [{"a": 1}, {"a": 1}]}', {"a": {"b": 1}, "b": 1, "c": [{"a": 1}, {"a": 1}]}),
        (b'{"a" : "x\\":", "b\\u0022": ":", "c\\\\": "\\u003a"}', {"a": 'x":', 'b"': ":", "c\\": ":"}),
        (b'{"a":' * 64 + b"1" + b"}" * 64, None),
        (b'{"a": "' + b"{[" * 500 + b'"}', {"a": "{[" * 500}),
        (b'{"a": [' + b"{},[]," * 100 + b'"\\"[{"]}', {"a": [{}, []] * 100 + ['"[{']}),
    ],
)
def test_good_json(raw: bytes, expected: Any) -> None:
    found = read_json(raw)
    assert found == (json.loads(raw) if expected is None else expected)


@pytest.mark.parametrize("raw", [b"", b" \t\r", b"\r"])
def test_blank_lines_are_no_records(raw: bytes) -> None:
    assert read_json(raw) is None


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25)
VALUES = st.recursive(
    NUMBERS | st.text(st.characters(exclude_categories=["Cs"])) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), VALUES, max_size=4))
def test_no_value_changes_on_the_way(value: dict[str, Any]) -> None:
    """What the standard library writes is read back as it was, or refused for its numbers."""
    found = read_json(json.dumps(value).encode())
    if found != value:
        assert isinstance(found, tuple)
        assert found[0] == "NUMBER_RANGE"
        assert any(isinstance(leaf, int) and not -(2**63) <= leaf < 2**64 for leaf in leaves(value))


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


@given(st.binary(max_size=80) | st.text('{}[]",:0123456789eE+-.NaInfity\\u dD', max_size=40).map(str.encode))
def test_any_bytes_are_a_record_or_refused_or_blank(raw: bytes) -> None:
    found = read_json(raw)
    if isinstance(found, dict):
        assert json.loads(raw) == found
    elif found is None:
        assert not raw.strip()


@given(st.lists(st.sampled_from([b":", b'"', b" ", b"\t", b"\r", b"\n", b"a", b"\xc3\xbc", b"1" * 18, b"\\u0022"])))
def test_short_and_long_texts_deceive_alike(parts: list[bytes]) -> None:
    raw = b"{" + b"".join(parts)
    short = may_deceive(raw)
    with mock.patch.object(json_record, "_SHORT", 0):
        assert may_deceive(raw) == short


# ---- lines --------------------------------------------------------------------------------------------------------


def cut(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(content), *(c % (len(content) + 1) for c in cuts)})
    return [content[a:b] for a, b in itertools.pairwise(places)]


CONTENT = st.lists(st.sampled_from([b"{}", b"", b"\r", b'{"a":1}', b"\xef\xbb\xbf", b"x" * 9]), max_size=9).flatmap(
    lambda parts: st.sampled_from([b"\n".join(parts), b"\n".join(parts) + b"\n", b"\xef\xbb\xbf" + b"\n".join(parts)])
)


LINES = st.sampled_from((
    b"", b" ", b"{", b"[]", b'{"a": 1}', b'{"a" : 1}', b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"a":"\\"b\\":"}',
    b'{"a":1' + b"0" * 19 + b"}", b'{"a":18446744073709551616}', b'{"a\\u0022:":1}', b'{"a":1e999}', b"\xff", b":",
    b'{"\\u003a":1,":":1}', b'{"a":' * 70 + b"1" + b"}" * 70, b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", b'{"a":NaN}',
    b'{"a":"' + b"x" * LONGEST + b'"}', b'{"a":"\\ud800"}', b'{"a":1}\r', b'{"a"\t:1}',
))  # fmt: skip


@given(st.lists(LINES | st.text('{}[]",:01\\u dD', max_size=20).map(str.encode), max_size=6))
def test_many_lines_are_read_as_each_of_them(lines: list[bytes]) -> None:
    alone = [read_json(raw) if len(raw) <= LONGEST else ("RECORD_TOO_LARGE", TOO_LARGE) for raw in lines or [b""]]
    assert read_lines(b"\n".join(lines)) == alone


@given(CONTENT, st.lists(st.integers(0, 200), max_size=8))
def test_lines_do_not_depend_on_chunks(content: bytes, cuts: list[int]) -> None:
    found = []
    for line, offset, after, lines in blocks(cut(content, cuts)):
        for raw in lines:
            assert content[offset : offset + len(raw)] == raw
            found.append((line, raw))
            line, offset = line + 1, offset + len(raw) + 1
        assert after in (offset, offset - 1)
    expected = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert found == list(enumerate(expected, 1))


@given(CONTENT, st.lists(st.integers(0, 200), max_size=8), st.integers(0, 10))
def test_reading_goes_on_where_it_stopped(content: bytes, cuts: list[int], taken: int) -> None:
    whole = list(JsonLines([content]))
    first = JsonLines([content])
    begun = [found for found, _ in zip(first, range(taken), strict=False)]
    assert first.offset <= len(content)
    # A resumed reader begins at the offset after the last record that was taken.
    reader = JsonLines([content])
    offset = 0
    for _ in zip(range(taken), reader, strict=False):
        offset = reader.offset
    rest = JsonLines(cut(content, cuts), offset)
    assert whole[: len(begun)] + list(rest) == whole


def test_a_long_line_is_refused_and_the_next_is_read() -> None:
    long = b'{"a": "' + b"x" * (10 << 20) + b'"}'
    content = b'{"a": 1}\n' + long + b'\n{"a": 2}\n' + long
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    found = list(JsonLines(chunks))
    assert [code_or_record(record) for _, record in found] == [
        {"a": 1},
        "RECORD_TOO_LARGE",
        {"a": 2},
        "RECORD_TOO_LARGE",
    ]
    assert [origin.line for origin, _ in found] == [1, 2, 3, 4]
    assert [origin.offset for origin, _ in found] == [0, 9, 10 + len(long), 19 + len(long)]
    assert found[1][0].raw == long[:KEPT]


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_line(more: int) -> None:
    line = b'{"a": "' + b"x" * (LONGEST - 9 + more) + b'"}'
    content = b"{}\n" + line + b"\n{}"
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    found = [code_or_record(record) for _, record in JsonLines(chunks)]
    assert [type(each) for each in found] == [dict, str if more else dict, dict]


def test_memory_does_not_grow_with_a_line() -> None:
    """Of a line of 50 MB no more than a few chunks are ever held."""
    import tracemalloc

    chunk = b"x" * CHUNK
    tracemalloc.start()
    found = list(JsonLines(chunk for _ in range(200)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [code_or_record(record) for _, record in found] == ["RECORD_TOO_LARGE"]
    assert peak < 8 * LONGEST


# ---- CSV ----------------------------------------------------------------------------------------------------------


def test_rows() -> None:
    content = b'\xef\xbb\xbfid, name ,note\r\n1,Ann,"a ""b"", c\nd"\r\n\r\n2,,\n3\n4,D,E,F\n5,,x'
    found = list(Rows([content], CSV))
    expected = [
        {"id": "1", "name": "Ann", "note": 'a "b", c\nd'},
        {"id": "2"},
        {"id": "3"},
        "RAGGED_ROW",
        {"id": "5", "note": "x"},
    ]
    assert [code_or_record(record) for _, record in found] == expected
    assert [origin.line for origin, _ in found] == [2, 5, 6, 7, 8]
    for origin, record in found:
        header, _, row = origin.raw.partition(b"\n")
        assert header == b"id, name ,note\r"
        assert content[origin.offset :].startswith(row)
        again = read_again(origin.raw, CSV)
        assert (again[0] if isinstance(again, tuple) else again) == code_or_record(record)


def test_wrong_quotes_cost_one_line() -> None:
    content = b'id,name\n1,"Ann\n2,Bob\n3,"C" x\n4,Dee\n5,"Eve\n6,Fay\n'
    good = [{"id": "2", "name": "Bob"}, {"id": "4", "name": "Dee"}, {"id": "6", "name": "Fay"}]
    assert rows_of(content) == ["QUOTE_OPEN", good[0], "QUOTE_INSIDE", good[1], "QUOTE_OPEN", good[2]]


def test_delimiter_and_encoding() -> None:
    form = Form("csv", delimiter=";", encoding="cp1252")
    assert rows_of("id;name\n1;Zoë, €\n".encode("cp1252"), form) == [{"id": "1", "name": "Zoë, €"}]
    assert rows_of(b"id;name\n1;\x81\n2;x\n", form) == ["NOT_ENCODED", {"id": "2", "name": "x"}]
    assert rows_of(b"id,name\n1,\xff\n2,x\n") == ["NOT_UTF8", {"id": "2", "name": "x"}]


def test_a_large_row_is_refused_whole() -> None:
    """What is inside its quotes must not be taken for rows."""
    inside = b"9,not a row\n" * 200_000
    chunked = b'id,name\n1,a\n2,"' + inside + b'"\n3,c\n' + b'4,"' + b"x" * (2 * LONGEST) + b'\n9,no"\n5,e\n'
    chunks = [chunked[at : at + CHUNK] for at in range(0, len(chunked), CHUNK)]
    found = list(Rows(chunks, CSV))
    expected = [{"id": "1", "name": "a"}, "RECORD_TOO_LARGE", {"id": "3", "name": "c"}, "RECORD_TOO_LARGE"]
    assert [code_or_record(record) for _, record in found] == [*expected, {"id": "5", "name": "e"}]
    assert len(found[1][0].raw) == KEPT
    assert found[1][0].raw.startswith(b'id,name\n2,"9,not')


def test_a_quote_that_never_closes_stops_a_large_file() -> None:
    content = b'id,name\n1,"' + b"a\n" * LONGEST
    with pytest.raises(InputError, match="a quote that opens in line 2 never closes") as raised:
        rows_of(content)
    assert raised.value.code == "SOURCE_FORMAT"


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "SOURCE_FORMAT", "no header"),
        (b"\n \n", "SOURCE_FORMAT", "no header"),
        (b"id,email,id\n1,2,3\n", "SOURCE_FORMAT", "names 'id' twice"),
        (b'"id\n', "SOURCE_FORMAT", "header cannot be read"),
        (b"id\rx\r1\r", "SOURCE_FORMAT", "lines end in CR alone"),
        (b'"' + b"x" * (2 << 20) + b'"\n', "SOURCE_FORMAT", "header cannot be read: it is longer than one mebibyte"),
        (b"id,\xff\n", "SOURCE_FORMAT", "header is not utf-8"),
        (b"nr,mail\n1,a\n", "SOURCE_COLUMNS", "none of the loader's columns"),
    ],
)
def test_wrong_tables(content: bytes, code: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        rows_of(content, Form("csv", columns=("id", "email")))
    assert raised.value.code == code


CELLS = st.text(st.sampled_from('ab,;"\n é'), max_size=4)
TABLE = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5)


@given(TABLE, st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 200), max_size=8))
def test_rows_are_what_the_standard_library_reads(table: list[tuple[str, ...]], end: str, cuts: list[int]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([("a", "b", "c"), *table])
    content = text.getvalue().encode()
    found = [record for _, record in Rows(cut(content, cuts), CSV)]
    expected = [{k: v for k, v in zip("abc", row, strict=True) if v} for row in table]
    assert found == expected


@given(TABLE, st.integers(0, 6))
def test_rows_go_on_where_they_stopped(table: list[tuple[str, ...]], taken: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("a", "b", "c"), *table])
    content = text.getvalue().encode() + b'"x\n'
    whole = list(Rows([content], CSV))
    reader = Rows([content], CSV)
    begun = [found for _, found in zip(range(taken), reader, strict=False)]
    assert begun + list(Rows([content], CSV, reader.offset if begun else 0)) == whole


@given(st.text(st.sampled_from('ab,"\n\r'), max_size=40), st.lists(st.integers(0, 200), max_size=8))
def test_any_text_is_read_to_its_end_in_any_cut(text: str, cuts: list[int]) -> None:
    content = b"a,b\n" + text.encode()
    assert list(Rows(cut(content, cuts), CSV)) == list(Rows([content], CSV))


def test_a_long_line_knows_its_quotes() -> None:
    ((_, _, _, (line,)),) = blocks([b'x"' * LONGEST, b'"' * 7, b"\n"])
    assert isinstance(line, LongLine)
    assert (len(line), line.quotes, MAX_DEPTH) == (KEPT, LONGEST + 7, 64)
