"""Reading records: what is read, where it stood, what is refused and why, and that any cut into chunks reads alike."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import math
import os
import random
import sys
import threading
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.model import Refused
from identity_graph.records import Form, Reader, read_again
from identity_graph.records.delimited import Rows
from identity_graph.records.json_record import MAX_DEPTH, read_json
from identity_graph.records.jsonl import JsonLines
from identity_graph.records.lines import KEPT, LONGEST, LongLine, blocks
from identity_graph.records.source import CHUNK

JSONL = Form("jsonl")
CSV = Form("csv")


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def read(path: Path | str, form: Form | None = None, start: int = 0) -> list[Any]:
    """Records, and of refused ones the code."""
    with Reader(path, form, start=start) as reader:
        return [record.code if isinstance(record, Refused) else record for _, record in reader]


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
        (b'{"a": 1', "NOT_JSON"),
        (b'{"a": 1} x', "NOT_JSON"),
        (b"{'a': 1}", "NOT_JSON"),
        (b'{"a": 01}', "NOT_JSON"),
        (b'{"a": "\t"}', "NOT_JSON"),
        (b'{"a": "\0"}', "NOT_JSON"),
        (b"[]", "NOT_JSON"),
        (b'"a"', "NOT_JSON"),
        (b"null", "NOT_JSON"),
        (b"7", "NOT_JSON"),
        (b'{"a": "\xff"}', "NOT_UTF8"),
        (b'{"a": "\xed\xa0\x80"}', "NOT_UTF8"),
        (b"\xff\xfe{\0}\0", "NOT_UTF8"),
        (b'{"a": NaN}', "NUMBER_RANGE"),
        (b'{"a": [-Infinity]}', "NUMBER_RANGE"),
        (b'{"a": 1e999}', "NUMBER_RANGE"),
        (b'{"a": -1e999}', "NUMBER_RANGE"),
        (b'{"a": ' + b"9" * 400 + b"}", "NUMBER_RANGE"),
        (b'{"a": ' + b"9" * 5000 + b"}", "NUMBER_RANGE"),
        (b'{"a": 18446744073709551616}', "NUMBER_RANGE"),
        (b'{"a": -9223372036854775809}', "NUMBER_RANGE"),
        (b'{"a": NaN, "b": }', "NOT_JSON"),
        (b'{"a": "\\ud800"}', "TEXT_INVALID"),
        (b'{"\\udc00": 1}', "TEXT_INVALID"),
        (b'{"a": [{"b": "\\ud83d."}]}', "TEXT_INVALID"),
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
        (b'{"a": 1, "a": 2}', {"a": 2}),
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


# ---- lines --------------------------------------------------------------------------------------------------------


def cut(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(content), *(c % (len(content) + 1) for c in cuts)})
    return [content[a:b] for a, b in itertools.pairwise(places)]


CONTENT = st.lists(st.sampled_from([b"{}", b"", b"\r", b'{"a":1}', b"\xef\xbb\xbf", b"x" * 9]), max_size=9).flatmap(
    lambda parts: st.sampled_from([b"\n".join(parts), b"\n".join(parts) + b"\n", b"\xef\xbb\xbf" + b"\n".join(parts)])
)


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
    assert rows_of(content) == ["QUOTE_OPEN", good[0], "QUOTE_OPEN", good[1], "QUOTE_OPEN", good[2]]


def test_delimiter_and_encoding() -> None:
    form = Form("csv", delimiter=";", encoding="cp1252")
    assert rows_of("id;name\n1;Zoë, €\n".encode("cp1252"), form) == [{"id": "1", "name": "Zoë, €"}]
    assert rows_of(b"id;name\n1;\x81\n2;x\n", form) == ["NOT_UTF8", {"id": "2", "name": "x"}]
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
        (b"id\rx\r1\r", "SOURCE_FORMAT", "header cannot be read"),
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


# ---- sources ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["e.jsonl", "e.ndjson", "E.JSONL", "e.json", "e.jsonl.gz"])
def test_json_lines_by_their_ending(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path, name, b'{"a": 1}\n')) == [{"a": 1}]


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz", "e.2024.csv"])
def test_csv_by_its_ending(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path, name, b"a\n1\n")) == [{"a": "1"}]


def test_gzip_is_told_by_its_content(tmp_path: Path) -> None:
    packed = tmp_path / "e.jsonl"
    packed.write_bytes(gzip.compress(b'{"a": 1}'))
    plain = tmp_path / "e.jsonl.gz"
    plain.write_bytes(b'{"a": 1}')
    assert read(packed) == read(plain) == [{"a": 1}]


def test_gzip_of_many_members(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a":') + gzip.compress(b" 2}\n") + b"\0" * 600)
    assert read(path) == [{"a": 1}, {"a": 2}]
    with Reader(path) as reader:
        list(reader)
        assert (reader.offset, reader.consumed) == (18, reader.size)


def test_a_gzip_bomb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "bomb.jsonl.gz"
    with path.open("wb") as file:
        packer = zlib.compressobj(wbits=31)
        for _ in range(100):
            file.write(packer.compress(bytes(LONGEST)))
        file.write(packer.flush())
    tracemalloc.start()
    assert read(path) == ["RECORD_TOO_LARGE"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * LONGEST


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_truncated_gzip_keeps_its_good_records(tmp_path: Path, format: str) -> None:
    dice = random.Random(5)
    numbers = [dice.randrange(10**15) for _ in range(5000)]
    lines = [f'{{"a": "{number}"}}' if format == "jsonl" else str(number) for number in numbers]
    packed = gzip.compress("\n".join([*(["a"] if format == "csv" else []), *lines, ""]).encode())
    path = tmp_path / f"e.{format}.gz"
    for part in (2, 3, 9):
        path.write_bytes(packed[: len(packed) * part // 10])
        found: list[Any] = []
        with Reader(path) as reader, pytest.raises(InputError, match="ends in the middle") as raised:
            found.extend(record for _, record in reader)
        assert raised.value.code == "SOURCE_TRUNCATED"
        assert len(found) > 5000 * part // 10 - 500
        assert found == [{"a": str(number)} for number in numbers[: len(found)]]


def test_a_damaged_gzip(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"a": 1}\n' * 10))
    packed[-5] ^= 255
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(bytes(packed))
    with Reader(path) as reader, pytest.raises(InputError, match="damaged") as raised:
        list(reader)
    assert raised.value.code == "SOURCE_FORMAT"


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("e.jsonl", b"PK\x03\x04....", Form()),
        ("e.jsonl", "{}\n".encode("utf-16"), Form()),
        ("e.jsonl.gz", "{}\n".encode("utf-16"), Form()),
        ("e.csv", b"\x28\xb5\x2f\xfd....", Form()),
        ("e.csv", b"PAR1....", CSV),
        ("e.parquet", b"PAR1....", Form()),
        ("e.parquet", b"a,b\n", Form()),
        ("e.parquet", b"", Form()),
        ("e.parquet.gz", b"a,b\n", Form()),
        ("events", b"{}", Form()),
        ("e.xlsx", b"{}", Form()),
    ],
)
def test_files_of_another_format(tmp_path: Path, name: str, content: bytes, form: Form) -> None:
    with pytest.raises(InputError, match=name) as raised:
        read(write(tmp_path, name, content), form)
    assert raised.value.code == "SOURCE_FORMAT"


def test_missing_files(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.jsonl", tmp_path):
        with pytest.raises(InputError) as raised:
            read(path, JSONL)
        assert raised.value.code == "SOURCE_MISSING"


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    assert read(write(tmp_path, "e.jsonl", b"")) == []


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "form", "expected"),
    [(b'{"a": 1}\n{', Form(), [{"a": 1}, "NOT_JSON"]), (b"a\n1\n", CSV, [{"a": "1"}]), (b"", Form(), [])],
)
def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, content: bytes, form: Form, expected: list[Any], packed: bool
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(gzip.compress(content) if packed else content))
    monkeypatch.setattr(sys, "stdin", stream)
    assert read("-", form) == expected
    assert not stream.closed


def test_parquet_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [1, None]}).write_parquet(content)
    content.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert read("-") == [{"a": 1}, {}]


def test_a_pipe_has_no_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"{}\n" * 50_000,))
    writer.start()
    with Reader(path, JSONL) as reader:
        assert (reader.size, reader.source.modified, reader.source.fingerprint()) == (None, None, None)
        assert sum(1 for _ in reader) == 50_000
    writer.join()


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    def fingerprint(name: str, content: bytes) -> str | None:
        with Reader(write(tmp_path, name, content), JSONL) as reader:
            return reader.source.fingerprint()

    long = b"{}\n" * 100_000
    assert fingerprint("a", long) == fingerprint("b", long) != fingerprint("c", long + b"{}\n")
    assert fingerprint("a", b"x" + long[1:]) != fingerprint("b", long[:-1] + b"x") != fingerprint("c", long)


# ---- Parquet ------------------------------------------------------------------------------------------------------


def test_parquet_rows(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901)
    frame = pl.DataFrame(
        {
            "text": ["a", None],
            "whole": [2**63 - 1, -1],
            "fraction": [0.1, -0.0],
            "truth": [True, False],
            "naive": [moment, moment],
            "zoned": pl.Series([moment.replace(tzinfo=UTC)] * 2).dt.convert_time_zone("Asia/Tokyo"),
            "nanoseconds": pl.Series([moment] * 2, dtype=pl.Datetime("ns")),
            "day": [date(2026, 1, 2)] * 2,
            "span": [timedelta(seconds=1.5)] * 2,
            "price": [Decimal("19.99"), Decimal("123456789012345678.90")],
            "bytes": [b"abc", b"\xc3\xa9"],
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "list": [[1, 2], []],
            "object": [{"a": [{"b": moment}]}, {"a": []}],
        }
    )
    path = tmp_path / "e.parquet"
    frame.write_parquet(path)
    text = "2026-01-02T03:04:05.678901Z"
    first, second = read(path)
    assert first == {
        "text": "a",
        "whole": 2**63 - 1,
        "fraction": 0.1,
        "truth": True,
        "naive": text,
        "zoned": text,
        "nanoseconds": text,
        "day": "2026-01-02",
        "span": 1_500_000,
        "price": 19.99,
        "bytes": "abc",
        "kind": "x",
        "list": [1, 2],
        "object": {"a": [{"b": text}]},
    }
    assert (second["price"], second["bytes"], "text" in second) == ("123456789012345678.90", "é", False)
    packed = tmp_path / "e.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed) == [first, second]


def test_parquet_rows_that_json_cannot_hold(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "number": [math.nan, 1.0, 1.0, 1.0, 1.0],
            "bytes": [None, b"\xff", None, None, b"x"],
            "list": [None, None, [math.inf], None, [1.0]],
            "text": [None, None, None, "x" * LONGEST, "\0"],
        }
    )
    path = tmp_path / "e.parquet"
    frame.write_parquet(path)
    found = read(path)
    assert found[:4] == ["NUMBER_RANGE", "NOT_UTF8", "NUMBER_RANGE", "RECORD_TOO_LARGE"]
    assert found[4] == {"number": 1.0, "bytes": "x", "list": [1.0], "text": "\0"}


def test_parquet_origins_and_resuming(tmp_path: Path) -> None:
    path = tmp_path / "[e]*.parquet"
    pl.DataFrame({"b": range(20_000), "a": ["x"] * 20_000}).write_parquet(path, row_group_size=3000)
    with Reader(path) as reader:
        found = list(reader)
        assert reader.consumed == reader.size == path.stat().st_size
    assert [record for _, record in found] == [{"b": number, "a": "x"} for number in range(20_000)]
    assert [(o.line, o.offset) for o, _ in found] == [(number + 1, number) for number in range(20_000)]
    assert found[7][0].raw == b'{"a":"x","b":7}'
    for start in (0, 1, 8191, 8192, 12_345, 19_999, 20_000):
        assert read(path, start=start) == [record for _, record in found[start:]]
    assert read_again(found[7][0].raw, Form("parquet")) == found[7][1]


def test_parquet_of_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="none of the loader's columns") as raised:
        read(path, Form("parquet", columns=("order_id", "email")))
    assert raised.value.code == "SOURCE_COLUMNS"
    assert "order_id, email; the file has a" in raised.value.help


def test_a_truncated_parquet(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pl.DataFrame({"a": range(1000)}).write_parquet(whole)
    path = tmp_path / "e.parquet"
    path.write_bytes(whole.getvalue()[:-40])
    with pytest.raises(InputError) as raised:
        read(path)
    assert raised.value.code == "SOURCE_FORMAT"
    path.write_bytes(gzip.compress(whole.getvalue())[:-40])
    with pytest.raises(InputError) as raised:
        read(path)
    assert raised.value.code == "SOURCE_TRUNCATED"


def test_reading_kept_bytes_again() -> None:
    assert read_again(b'{"a": 1}', Form()) == {"a": 1}
    assert read_again(b"a,b\n1,2", Form()) == {"a": "1", "b": "2"}
    assert read_again(b"a;b\n1;2", Form("csv", delimiter=";", columns=("x",))) == {"a": "1", "b": "2"}
    for raw in (b"", b"{", b"oops", b"a,b\n1,2,3", b'a\n"1', b"[]"):
        assert isinstance(read_again(raw, Form()), tuple)


def test_a_long_line_knows_its_quotes() -> None:
    ((_, _, _, (line,)),) = blocks([b'x"' * LONGEST, b'"' * 7, b"\n"])
    assert isinstance(line, LongLine)
    assert (len(line), line.quotes, MAX_DEPTH) == (KEPT, LONGEST + 7, 64)
