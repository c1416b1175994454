"""loader list, check, guess."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from identity_graph.loaders import known_loaders
from identity_graph.world import NAMES
from tests.cli.calling import answer, failure, run
from tests.loader_samples import expected_file, sample_file


def test_loader_list_names_every_loader() -> None:
    assert [one["name"] for one in answer("loader", "list")] == known_loaders()
    lines = run("loader", "list").stdout.splitlines()
    assert lines[0].split() == ["loader", "source"] and len(lines) == len(known_loaders()) + 1


def test_loader_check_of_a_mapping(tmp_path: Path) -> None:
    text = 'source = "shop"\n[event]\nname = { value = "Seen" }\n[identifiers]\nemail = "mail"\n'
    (tmp_path / "good.toml").write_text(text)
    (tmp_path / "bad.toml").write_text(text.replace("email", '"e mail"'))
    assert run("loader", "check", "good.toml").stdout == "good.toml is a loader of shop: email\n"
    assert answer("loader", "check", "good.toml") == {"loader": "good.toml", "source": "shop", "namespaces": ["email"]}
    result = run("loader", "check", "bad.toml", status=5)
    assert result.stderr.startswith("LOADER_VALUE: bad.toml, line 5: identifiers.e mail")
    assert failure("loader", "check", "nobody", status=5) == "LOADER_UNKNOWN"


def test_loader_check_of_a_sample_says_what_a_load_would_do() -> None:
    found = answer("loader", "check", "events", "--sample", sample_file("events"))["sample"]
    assert (found["read"], found["events"], found["quarantined"]) == (5, 2, 3)
    assert found["with"] == {"cookie": 2, "email": 1, "braze_id": 1}
    assert [(why["code"], why["records"], why["lines"]) for why in found["refused"]] == [
        ("IDENTIFIER_EMPTY", 1, [3]),
        ("TS_INVALID", 1, [4]),
        ("NOT_JSON", 1, [5]),
    ]
    run("load", "--loader", "events", sample_file("events"))
    assert answer("stats")["events"] == found["events"]
    words = run("loader", "check", "events", "--sample", sample_file("events")).stdout
    assert "\n  email:ann@example.org cookie:c-1 cookie:c-2\n  first_name Ann\n" in words and "TS_INVALID" in words
    assert failure("loader", "check", "events", "--sample", "gone.jsonl", status=3) == "SOURCE_MISSING"


def test_no_record_says_anything_to_a_terminal(tmp_path: Path) -> None:
    event = {"id": "e", "time": "2025-01-01", "name": "S\x1b[2J", "identifiers": {"user_id": "u"}}
    lines = [event | {"traits": {"a\r": "\x1b]0;mine\x07"}}, event | {"traits": {"a\r": "\x1b[8m"}}]
    (tmp_path / "odd.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    words = run("loader", "check", "events", "--sample", "odd.jsonl").stdout
    assert r"S\x1b[2J" in words and r"a\r \x1b]0;mine\x07" in words
    run("load", "--loader", "events", "odd.jsonl")
    words += run("quarantine", "list").stdout + run("runs", "list").stdout
    assert "ID_REUSE" in words
    (tmp_path / "odd.csv").write_bytes(b"a\x1b[2J,b\n1,2\n")
    words += run("loader", "check", "crm", "--sample", "odd.csv", status=3).stderr
    assert r"the file has a\x1b[2J, b." in words
    assert all(letter.isprintable() or letter == "\n" for letter in words)


def test_many_records_of_one_reason_are_counted_and_some_lines_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("x\n" * 7)
    (why,) = answer("loader", "check", "web", "--sample", "bad.jsonl")["sample"]["refused"]
    assert (why["records"], why["lines"]) == (7, [1, 2, 3, 4, 5])
    assert "1, 2, 3, 4, 5, ..." in run("loader", "check", "web", "--sample", "bad.jsonl").stdout


def test_a_guess_passes_the_check_and_loads(events: Path, tmp_path: Path) -> None:
    for source, name in NAMES.items():
        (tmp_path / f"{source}.toml").write_text(run("loader", "guess", events / name).stdout)
        found = answer("loader", "check", f"{source}.toml", "--sample", events / name)["sample"]
        assert found["events"] >= 0.98 * found["read"] > 0
    assert (
        answer("loader", "guess", events / "crm.csv")["loader"].strip() == (tmp_path / "crm.toml").read_text().strip()
    )
    assert run("load", "--loader", "crm.toml", events / "crm.csv").stdout


@pytest.mark.parametrize("name", known_loaders())
def test_a_load_stores_what_is_expected_of_a_sample(name: str) -> None:
    """And what it set aside is refused for the same reason when it is read again."""
    expected = [orjson.loads(line) for line in expected_file(name).read_bytes().splitlines()]
    refused = sorted((one["line"], one["refused"]) for one in expected if "refused" in one)
    total = answer("load", "--loader", name, "--time", "2026-06-01", sample_file(name))["total"]
    assert (total["accepted"], total["quarantined"]) == (len(expected) - len(refused), len(refused))
    for _ in range(2):
        records = answer("quarantine", "list")
        assert sorted((record["line"], record["code"]) for record in records) == refused
        run("quarantine", "replay")
