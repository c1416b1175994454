"""disclose: all that is held of a person, in files for that person."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

from jsonschema_rs import Draft202012Validator

from tests.cli.calling import answer, failure, run


def test_a_person_as_json(loaded: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    found = json.loads(run("disclose", "--store", loaded, key).stdout)
    assert found["personId"] == person_id
    Draft202012Validator(json.loads(run("disclose", "--schema").stdout)).validate(found)
    preview = answer("forget", "--store", loaded, key, "--preview")
    assert len(found["events"]) == preview["events"]
    run("disclose", "--store", loaded, person_id, "--output", "kim.json")
    assert json.loads(Path("kim.json").read_text())["events"] == found["events"]
    assert stat.S_IMODE(Path("kim.json").stat().st_mode) == 0o600
    assert failure("disclose", "--store", loaded, person_id, "--output", "kim.json", status=3) == "OUTPUT_FAILED"
    assert failure("disclose", "--store", loaded, "email:nobody@x.org", status=7) == "PERSON_UNKNOWN"


def test_a_person_as_tables_that_no_spreadsheet_executes() -> None:
    evil = "=cmd|' /C calc'!A0"
    event = {
        "id": evil,
        "time": "2026-01-01",
        "name": "+Seen",
        "identifiers": {"user_id": "@SUM(1)", "email": "x@example.org"},
        "traits": {"-1+1": "\t=1", "note": evil, "age": -4, "list": ["=1"], "plain": 'a, "b"\nc'},
    }
    Path("e.jsonl").write_text(json.dumps(event) + "\n")
    run("load", "-l", "events", "e.jsonl")
    run("resolve")
    run("disclose", "email:x@example.org", "--format", "csv", "--output", "x")
    assert {path.name for path in Path("x").iterdir()} == {
        *("consents.csv", "events.csv", "identifiers.csv", "quarantined.csv", "segments.csv", "traits.csv")
    }
    cells = []
    for path in Path("x").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
        assert len({len(row) for row in rows}) == 1
        cells += [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell and cell != "-4"] == []
    assert {f"'{evil}", "'+Seen", "'@SUM(1)", "'\t=1", "'-1+1", "-4", '["=1"]', 'a, "b"\nc'} <= set(cells)
    assert "FOLDER" in run("disclose", "email:x@example.org", "--format", "csv", status=2).stderr
    assert failure("disclose", "email:x@example.org", "-f", "csv", "-o", "x", status=3) == "OUTPUT_FAILED"


def test_its_schema_needs_no_store() -> None:
    schema = json.loads(run("disclose", "--schema").stdout)
    assert schema["title"] == "Disclosure" and "personId" in schema["properties"]
    assert run("disclose", status=2)
