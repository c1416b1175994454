"""Everything that may come in wrong: each has its code, and what is good around it is kept."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import polars as pl
import pytest
from typer.testing import CliRunner

from identity_graph.cli import app
from identity_graph.errors import CODES

GOOD = {"id": "good-1", "time": "2026-01-02T03:04:05Z", "name": "Seen", "identifiers": {"user_id": "u-1"}}
ALSO_GOOD = GOOD | {"id": "good-2"}


def line(**changes: Any) -> bytes:
    return json.dumps(GOOD | {"id": "bad"} | changes).encode()


def load(folder: Path, loader: str, path: Path | str, *options: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit status, what was said on standard output, and the error of standard error."""
    arguments = ["load", "--store", f"sqlite:///{folder}/people.db", "--loader", loader, str(path), "--json", *options]
    result = CliRunner().invoke(app, arguments)
    said = json.loads(result.stdout) if result.stdout.strip() else {}
    error = failure(result.stderr) if result.exit_code else {}
    return result.exit_code, said, error


def failure(words: str) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(words[words.index("{\n") :])["error"]
    return error


def quarantined(folder: Path) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["quarantine", "list", "--json", "--store", f"sqlite:///{folder}/people.db"])
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def accepted(folder: Path) -> int:
    result = CliRunner().invoke(app, ["stats", "--json", "--store", f"sqlite:///{folder}/people.db"])
    return int(json.loads(result.stdout)["events"])


RECORDS = {
    "a broken line": (b'{"id": "bad", "time": ', "JSON_CUT"),
    "not an object": (b'["bad"]', "NOT_OBJECT"),
    "bytes that are not UTF-8": (b'{"id": "bad\xff"}', "NOT_UTF8"),
    "no identifier": (line(identifiers={}), "IDENTIFIER_EMPTY"),
    "an empty identifier": (line(identifiers={"user_id": ""}), "IDENTIFIER_EMPTY"),
    "an identifier of null": (line(identifiers={"user_id": None}), "IDENTIFIER_EMPTY"),
    "an event id of another type": (line(id={"no": "id"}), "EVENT_ID_INVALID"),
    "an invalid e-mail": (line(identifiers={"email": "ann@@example"}), "EMAIL_DOMAIN"),
    "a NUL in an identifier": (line(identifiers={"user_id": "u\0"}), "VALUE_CONTROL"),
    "a NUL in the event id": (line(id="b\0ad"), "TEXT_INVALID"),
    "a lone surrogate": (rb'{"id": "bad", "identifiers": {"user_id": "\ud800"}}', "TEXT_SURROGATE"),
    "NaN": (b'{"id": "bad", "identifiers": {"user_id": "u"}, "properties": {"x": NaN}}', "NUMBER_NOT_FINITE"),
    "1e999": (b'{"id": "bad", "identifiers": {"user_id": "u"}, "properties": {"x": 1e999}}', "NUMBER_RANGE"),
    "a line of ten megabytes": (line(properties={"x": "x" * 10_000_000}), "RECORD_TOO_LARGE"),
    "deep nesting": (line(properties={"x": 0}).replace(b"0}", b"[" * 90 + b"]" * 90 + b"}"), "RECORD_TOO_DEEP"),
    "the year 10000": (line(time="10000-01-01T00:00:00Z"), "TS_RANGE"),
    "no time at all": (line(time="yesterday"), "TS_INVALID"),
    "the future": (line(time="2999-01-01T00:00:00Z"), "TS_FAR_FUTURE"),
    "one event id with two bodies": (json.dumps(GOOD | {"name": "Other"}).encode(), "ID_REUSE"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_bad_record_is_set_aside_and_the_good_around_it_are_kept(name: str, tmp_path: Path) -> None:
    bad, code = RECORDS[name]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join([json.dumps(GOOD).encode(), bad, json.dumps(ALSO_GOOD).encode()]) + b"\n")
    status, said, _ = load(tmp_path, "events", path)
    assert status == 0
    (run,) = said["runs"]
    assert (run["read"], run["accepted"], run["quarantined"]) == (3, 2, 1)
    (record,) = quarantined(tmp_path)
    assert record["code"] == code and code in CODES
    assert record["line"] == 2 and record["offset"] == len(json.dumps(GOOD)) + 1
    assert record["message"]
    assert accepted(tmp_path) == 2


def test_a_truncated_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    whole = b"".join(json.dumps(GOOD | {"id": f"e{n}"}).encode() + b"\n" for n in range(5000))
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(whole)[:-200])
    status, _, error = load(tmp_path, "events", path)
    assert (status, error["code"]) == (3, "SOURCE_TRUNCATED") and error["help"]
    assert 0 < accepted(tmp_path) < 5000
    path.write_bytes(gzip.compress(whole))
    assert load(tmp_path, "events", path)[0] == 0
    assert accepted(tmp_path) == 5000


def test_a_parquet_file_of_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pl.DataFrame({"colour": ["red"], "size": [3]}).write_parquet(path)
    status, _, error = load(tmp_path, "orders", path)
    assert (status, error["code"]) == (3, "SOURCE_COLUMNS")
    assert "order_id" in error["message"] + error["help"]


def test_an_unknown_loader(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line())
    status, _, error = load(tmp_path, "segmnet", path)
    assert (status, error["code"]) == (5, "LOADER_UNKNOWN")
    assert "segment" in error["help"]


def test_a_policy_with_a_typing_error(tmp_path: Path) -> None:
    path, policy = tmp_path / "events.jsonl", tmp_path / "policy.toml"
    path.write_bytes(line())
    policy.write_text("version = 1\n\n[namespaces.email]\nlimmit = '3 ever'\n")
    status, _, error = load(tmp_path, "events", path, "--policy", str(policy))
    assert (status, error["code"]) == (4, "POLICY_KEY")
    assert "line 4" in error["message"] and "limit" in error["help"]


def test_a_store_path_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line())
    status, _, error = load(tmp_path / "missing", "events", path)
    assert (status, error["code"]) == (6, "STORE_OPEN")
    assert "missing" in error["message"] and error["help"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("a full disk is tried on a small tmpfs: run the tests as a user who may mount one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_the_load_goes_on_later(small_disk: Path, tmp_path: Path) -> None:
    """Every seventh record is refused, every ninth is there twice."""
    path = tmp_path / "events.jsonl"
    with path.open("wb") as file:
        for number in range(20_000):
            email = "nobody at home" if number % 7 == 3 else f"p{number % 997}@example.org"
            known = {"user_id": f"u{number % 1_009}", "cookie": f"c{number}", "email": email}
            record = line(id=f"e{number}", identifiers=known) + b"\n"
            file.write(record * (2 if number % 9 == 8 else 1))
    calm = loaded(tmp_path, path)
    assert calm.returncode == 0, calm.stderr
    full = loaded(small_disk, path)
    assert full.returncode == 6, full.stderr
    assert failure(full.stderr)["code"] == "STORE_FULL"
    assert apsw.Connection(str(small_disk / "people.db")).pragma("integrity_check") == "ok"
    kept = accepted(small_disk)
    assert 0 < kept < 20_000 * 6 // 7
    assert loaded(small_disk, path).returncode == 6  # as long as there is no room
    assert accepted(small_disk) >= kept
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    after = loaded(small_disk, path)
    assert after.returncode == 0, after.stderr
    (run,), (undisturbed,) = json.loads(after.stdout)["runs"], json.loads(calm.stdout)["runs"]
    names = ("read", "accepted", "duplicate", "quarantined", "suppressed")
    assert [run[name] for name in names] == [undisturbed[name] for name in names]
    assert run["read"] == sum(run[name] for name in names[1:]) > 20_000
    assert digest(small_disk) == digest(tmp_path)


def loaded(folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "identity_graph", "load", "--loader", "events", str(path), "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_GRAPH_")}
    command = [*arguments, "--store", f"sqlite:///{folder}/people.db"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def digest(folder: Path) -> str:
    result = CliRunner().invoke(app, ["digest", "--json", "--store", f"sqlite:///{folder}/people.db"])
    return str(json.loads(result.stdout)["digest"])
