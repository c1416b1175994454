"""Sources of records: files and standard input, plain and gzipped, and Parquet."""

from __future__ import annotations

import gzip
import io
import math
import os
import random
import re
import sys
import threading
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from identity_graph.errors import InputError
from identity_graph.model import Refused
from identity_graph.records import Form, Reader, read_again
from identity_graph.records.lines import LONGEST

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
        (place,) = re.findall(r"after ([\d,]+) bytes of its content$", raised.value.message)
        whole = "\n".join([*(["a"] if format == "csv" else []), *lines[: len(found)], ""])
        assert 0 <= int(place.replace(",", "")) - len(whole) < len(lines[0]) + 1
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
    [(b'{"a": 1}\n{', Form(), [{"a": 1}, "JSON_CUT"]), (b"a\n1\n", CSV, [{"a": "1"}]), (b"", Form(), [])],
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
    assert found[:4] == ["NUMBER_NOT_FINITE", "NOT_UTF8", "NUMBER_NOT_FINITE", "RECORD_TOO_LARGE"]
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
