"""load, resolve, quarantine, world."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import polars as pl
import pytest

from identity_graph.cli import app
from identity_graph.errors import HELP
from identity_graph.legible import legible
from identity_graph.world import NAMES
from tests.cli.calling import RUNNER, answer, failure, failure_of, on_terminal, run


def test_load_accounts_for_every_record(events: Path) -> None:
    truth = json.loads((events / "truth.json").read_text())
    total = 0
    for source, name in NAMES.items():
        result = answer("load", "--loader", source, events / name)
        (one,) = result["runs"]
        assert one["read"] == truth["records"][source]
        assert one["read"] == one["accepted"] + one["duplicate"] + one["quarantined"] + one["suppressed"]
        total += one["accepted"]
    assert total == sum(truth["records"].values()) - truth["repeated"] - len(truth["refused"])


def test_loading_again_changes_nothing(events: Path) -> None:
    run("load", "--loader", "crm", events / NAMES["crm"])
    before = run("digest").stdout
    again = answer("load", "-l", "crm", events / NAMES["crm"], events / NAMES["crm"])
    assert again["total"]["duplicate"] == again["total"]["read"] > 0
    assert run("digest").stdout == before
    assert re.fullmatch(r"[0-9a-f]{64}\n", before)


def test_load_shows_a_table_for_people(events: Path) -> None:
    lines = run("load", "-l", "crm", events / "crm.csv", events / "crm.csv").stdout.splitlines()
    assert lines[0].split() == ["file", "read", "accepted", "duplicate", "quarantined", "suppressed"]
    assert [line.split()[0] for line in lines[1:3]] == ["crm.csv", "crm.csv"]
    assert len(lines) == 4 and len(lines[3].split()) == 5, "the last line is the sum"


def test_load_shows_its_progress_on_a_terminal_only(events: Path) -> None:
    status, shown = on_terminal("load", "-l", "web", events / "web.jsonl")
    assert status == 0
    assert re.search(r"web\.jsonl .*[\d,]+ records", shown)
    assert run("load", "-l", "web", events / "web.jsonl").stderr == ""


def test_a_load_that_fails_accounts_for_what_it_kept(events: Path) -> None:
    packed = gzip.compress((events / "web.jsonl").read_bytes())
    Path("cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    Path("never.jsonl").write_text("")
    words = ["load", "-l", "web", str(events / "app.jsonl"), "cut.jsonl.gz", "never.jsonl"]
    result = run(*words, "--json", status=3)
    told = json.loads(result.stdout)
    whole, cut = told["runs"]
    assert (whole["state"], cut["state"]) == ("DONE", "FAILED")
    assert cut["accepted"] > 0 and cut["message"].startswith("SOURCE_TRUNCATED: cut.jsonl.gz")
    assert told["total"]["accepted"] == whole["accepted"] + cut["accepted"] == answer("stats")["events"]
    assert failure_of(result) == "SOURCE_TRUNCATED"
    result = run(*words, status=3)
    lines = result.stdout.splitlines()
    assert lines[0].split()[-1] == "state"
    assert [(line.split()[0], line.split()[-1]) for line in lines[1:3]] == [
        ("app.jsonl", "DONE"),
        ("cut.jsonl.gz", "FAILED"),
    ]
    assert len(lines[3].split()) == 5
    assert result.stderr.splitlines()[0] == "Not begun: never.jsonl"
    assert "SOURCE_TRUNCATED: cut.jsonl.gz" in result.stderr


def test_a_load_that_cannot_begin_has_nothing_to_account_for(events: Path) -> None:
    Path("x.jsonl").write_bytes(b"PK\x03\x04" * 9)
    assert run("load", "-l", "web", "x.jsonl", status=3).stdout == ""
    told = json.loads(run("load", "-l", "web", events / "app.jsonl", "x.jsonl", "--json", status=3).stdout)
    assert [one["state"] for one in told["runs"]] == ["DONE"]


@pytest.mark.parametrize("name", [b"caf\xe9.jsonl", b"\x1b[2J.jsonl", b"a\nb.jsonl"])
def test_a_file_may_have_any_name(name: bytes) -> None:
    """Also one that is no text, or that a terminal would obey."""
    Path("odd").mkdir()
    file = Path("odd") / os.fsdecode(name)
    file.write_text('{"id": "e", "time": "2025-01-01", "name": "Seen", "identifiers": {"user_id": "u"}}\n')
    shown = legible(file.name)
    for given in (file, Path("odd")):
        words = run("load", "-l", "events", given).stdout.splitlines()
        assert words[1].split() == [shown, "1", *(["1", "0"] if given == file else ["0", "1"]), "0", "0"]
    assert {Path(one["file"]).name for one in answer("runs", "list")} == {shown}
    assert failure("load", "-l", "crm", file, status=3) == "SOURCE_COLUMNS"
    file.unlink()
    for verb in (["load"], ["loader", "guess"]):
        more = ["-l", "events"] if verb == ["load"] else []
        assert failure(*verb, *more, file, status=3) == "SOURCE_MISSING"
        assert shown in run(*verb, *more, file, status=3).stderr


def test_load_reads_standard_input(events: Path) -> None:
    content = (events / "web.jsonl").read_bytes()
    result = RUNNER.invoke(app, ["load", "-l", "web", "--json", "-"], input=content)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["total"]["read"] == content.count(b"\n")


def test_the_time_of_records_without_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "1", "name": "Seen", "identifiers": {"email": "ann@example.org"}}\n')
    run("load", "-l", "events", "--time", "2026-01-02T03:04:05Z", "a.jsonl")
    run("resolve")
    assert answer("person", "email:ann@example.org")["identifiers"][0]["value"] == "ann@example.org"
    journey = run(
        "query", "journey", "--variables", '{"by": {"identifier": {"namespace": "email", "value": "ann@example.org"}}}'
    )
    assert "2026-01-02T03:04:05Z" in journey.stdout
    assert failure("load", "-l", "events", "--time", "soon", "a.jsonl", status=3) == "TS_INVALID"


def test_strict_fails_and_keeps_what_is_good(events: Path) -> None:
    (Path.cwd() / "web.jsonl").write_bytes(b"not json\n" + (events / "web.jsonl").read_bytes())
    assert "set aside" in run("load", "-l", "web", "web.jsonl").stderr
    assert answer("stats")["events"] > 0
    assert failure_of(run("load", "-l", "web", "web.jsonl", "--strict", "--json", status=9)) == "QUARANTINED"


def test_quarantine_list_show_replay(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("change_id,contact_id,email,updated_at\n1,u1,no at sign,2026-01-01T00:00:00Z\n")
    run("load", "-l", "crm", "bad.csv")
    (record,) = answer("quarantine", "list")
    assert (record["source"], record["line"], record["code"]) == ("crm", 2, "EMAIL_NO_AT")
    assert record["help"] == HELP["EMAIL_NO_AT"]
    assert record == answer("quarantine", "show", "1")
    assert run("quarantine", "list").stderr == f"EMAIL_NO_AT: {HELP['EMAIL_NO_AT']}\n"
    assert "no at sign" in record["record"]
    assert "EMAIL_NO_AT" in run("quarantine", "list", "--code", "EMAIL_NO_AT").stdout
    assert answer("quarantine", "list", "--code", "NOT_JSON") == []
    for verb in ("list", "replay"):
        said = run("quarantine", verb, "--code", "email_no_a", status=2).stderr
        assert "EMAIL_NO_AT" in said and "NOT_JSON" not in said
        said = run("quarantine", verb, "--code", "17", status=2).stderr
        assert re.sub(r"[\s│]+", " ", said).count("_") > 40, "all of them"
    assert len(answer("quarantine", "list")) == 1
    replayed = answer("quarantine", "replay")
    assert (replayed["read"], replayed["quarantined"]) == (1, 1)
    assert "1 still set aside" in run("quarantine", "replay", "1").stdout
    assert failure("quarantine", "show", "7", status=7) == "QUARANTINE_UNKNOWN"
    assert failure("quarantine", "replay", "7", status=7) == "QUARANTINE_UNKNOWN"


def test_a_replay_says_which_loader_is_gone() -> None:
    Path("own.toml").write_text('like = "crm"\n')
    Path("bad.csv").write_text("change_id,contact_id,email,updated_at\n1,u1,no at sign,2026-01-01T00:00:00Z\n")
    run("load", "-l", "own.toml", "bad.csv")
    Path("own.toml").unlink()
    result = run("quarantine", "replay")
    assert "1 still set aside" in result.stdout and "own.toml" in result.stderr
    assert result.stderr.startswith("1 record stays: LOADER_UNKNOWN: ")
    assert "own.toml" in answer("quarantine", "replay")["message"]


def test_resolve_full_gives_the_same_state(copied: str) -> None:
    before = run("digest", "--store", copied).stdout
    assert "nothing changed" in run("resolve", "--store", copied).stdout
    assert answer("resolve", "--store", copied, "--full")["state"] == "DONE"
    assert run("digest", "--store", copied).stdout == before


def test_world_writes_files_and_the_truth(tmp_path: Path) -> None:
    records = answer("world", "one", "--people", "10", "--seed", "5")["records"]
    run("world", "two", "--people", "10", "--seed", "5")
    for name in (*NAMES.values(), "truth.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert set(records) == set(NAMES)


def test_quarantine_is_swept_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.jsonl").write_text('{"one"\n{"two"\n')
    run("load", "-l", "events", "bad.jsonl")
    assert run("quarantine", "sweep", status=2).stdout == ""
    assert run("quarantine", "sweep", "--days", "1").stdout == "0 records deleted\n"
    assert answer("quarantine", "sweep", "--bytes", "6") == {"deleted": 1}
    assert [record["record"] for record in answer("quarantine", "list")] == ['{"two"']
    monkeypatch.setenv("IDENTITY_GRAPH_QUARANTINE_BYTES", "8")
    (tmp_path / "more.jsonl").write_text('{"three"\n')
    assert "1 that were set aside" in run("load", "-l", "events", "more.jsonl").stderr
    assert [record["record"] for record in answer("quarantine", "list")] == ['{"three"']


def test_of_a_folder_each_file_that_can_be_loaded_is(tmp_path: Path) -> None:
    """The others are named, and the first that failed says how it ends."""
    (tmp_path / "mine.toml").write_text('format = "jsonl"\n' + SEEN)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"id": "1", "at": 1767225600000, "user": "u"}\n')
    packed = gzip.compress((folder / "a.jsonl").read_bytes() * 9)
    (folder / "b.jsonl.gz").write_bytes(packed[:-9])
    (folder / "c.jsonl").write_bytes(b"PK\x03\x04" * 9)
    (folder / "d.csv").write_text("id,at,user\n2,0,v\n")
    (folder / "d.txt").write_text("words")
    (folder / "_SUCCESS").write_text("")
    (folder / "e.jsonl").write_text('{"id": "3", "at": 1767225600000, "user": "w"}\n')
    words: list[str | Path] = ["load", "-l", tmp_path / "mine.toml"]
    for given in (folder, folder / "*.jsonl*"):
        result = run(*words, given, "--json", status=3)
        told = json.loads(result.stdout)
        assert [(Path(one["file"]).name, one["state"]) for one in told["runs"]] == [
            ("a.jsonl", "DONE"),
            ("b.jsonl.gz", "FAILED"),
            ("e.jsonl", "DONE"),
        ]
        assert failure_of(result) == "SOURCE_TRUNCATED"
        left = f"Not of the form that {tmp_path / 'mine.toml'} reads: {folder / 'd.csv'}, {folder / 'd.txt'}\n"
        assert (left in result.stderr) == (given == folder)
        assert f"SOURCE_FORMAT: {folder / 'c.jsonl'}" in result.stderr and "Not begun" not in result.stderr
    assert answer("stats")["events"] == 2
    lines = run(*words, folder, status=3)
    assert [line.split()[-1] for line in lines.stdout.splitlines()[1:4]] == ["DONE", "FAILED", "DONE"]
    assert lines.stderr.splitlines()[-2].startswith("SOURCE_TRUNCATED: ")
    named = run(*words, folder / "c.jsonl", folder / "e.jsonl", status=3)
    assert f"Not begun: {folder / 'e.jsonl'}" in named.stderr
    (tmp_path / "csv.toml").write_text('format = "parquet"\n' + SEEN)
    result = run("load", "-l", tmp_path / "csv.toml", folder, status=3)
    assert "no file in this folder ends in .parquet, or" in result.stderr


def test_of_a_folder_of_logs_each_file_is_one_but_those_of_another_ending(tmp_path: Path) -> None:
    """Whatever the server and what rotates its logs call them."""
    folder, line = tmp_path / "logs", '192.0.2.{} - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"\n'
    folder.mkdir()
    names = ["access.log", "access.log-20260101", "access.log.1", "access.log.2.gz", "access_log"]
    for number, name in enumerate(names):
        raw = line.format(number).encode()
        (folder / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    (folder / "report.CSV").write_text("ip\n192.0.2.1\n")
    result = run("load", "-l", "access_log", folder, "--json")
    assert [Path(one["file"]).name for one in json.loads(result.stdout)["runs"]] == names
    assert answer("stats")["events"] == len(names)
    assert f"Not of the form that access_log reads: {folder / 'report.CSV'}\n" in result.stderr
    for name in names:
        (folder / name).unlink()
    assert "each file in this folder ends in " in run("load", "-l", "access_log", folder, status=3).stderr


SEEN = 'source = "s"\n[event]\nid = "id"\ntime = "at"\nname = { value = "Seen" }\n[identifiers]\nuser_id = "user"\n'


def test_folders_and_patterns_stand_for_their_files(tmp_path: Path) -> None:
    (tmp_path / "seen.toml").write_text(SEEN)
    folder = tmp_path / "in"
    for name in (
        "a/2.jsonl",
        "a/b/1.jsonl.gz",
        "a/_tmp/3.jsonl",
        "a/.4.jsonl",
        "a/_SUCCESS",
        "a/readme.txt",
        "c.jsonl",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"id": name, "at": 1_767_225_600_000, "user": "u"}).encode()
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    for part in ("day=1/part-0.parquet", "day=2/part-0.parquet"):
        (folder / "days" / part).parent.mkdir(parents=True)
        pl.DataFrame({"id": [part], "at": [1_767_225_600_000], "user": ["u"]}).write_parquet(folder / "days" / part)

    def loaded(*names: str) -> list[str]:
        told = answer("load", "-l", tmp_path / "seen.toml", *(folder / name for name in names))
        return [str(Path(one["file"]).relative_to(folder)) for one in told["runs"]]

    assert loaded("a") == ["a/2.jsonl", "a/b/1.jsonl.gz"]
    assert loaded("*.jsonl", "a/**/*.gz") == ["c.jsonl", "a/b/1.jsonl.gz"]
    assert loaded("days") == ["days/day=1/part-0.parquet", "days/day=2/part-0.parquet"]
    for name in ("a/b/no*", "a/_tmp/x", "nothing", "a**"):
        assert failure("load", "-l", "events", folder / name, status=3) == "SOURCE_MISSING"
    (folder / "empty").mkdir()
    assert failure("load", "-l", "events", folder / "empty", status=3) == "SOURCE_MISSING"
    assert answer("stats")["events"] == 5
