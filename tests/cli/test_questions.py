"""person, persons, explain, query, schema, serve, segment, computed, stats, digest."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import polars as pl
import pytest

from tests.cli.calling import ROOT, answer, failure, run


def test_person_by_key_and_by_id(loaded: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    by_id = answer("person", "--store", loaded, person_id)
    assert by_id == answer("person", "--store", loaded, key) and by_id["id"] == person_id
    assert key in [f"{one['namespace']}:{one['value']}" for one in by_id["identifiers"]]
    assert {"name", "value", "source", "time"} == set(by_id["traits"][0])


def test_persons_as_they_would_be(loaded: str, member: tuple[str, str, str], tmp_path: Path) -> None:
    person_id, a, b = member
    whole = answer("person", "--store", loaded, person_id)
    long_ago = ("--as-of", "2000-01-01T00:00:00Z")
    assert failure("person", "--store", loaded, person_id, *long_ago, status=7) == "PERSON_UNKNOWN"
    surest = answer("person", "--store", loaded, person_id, "--min-confidence", "1")
    assert surest["id"] == person_id and len(surest["identifiers"]) < len(whole["identifiers"])
    (tmp_path / "apart.toml").write_text("min_weight = 1.0\n")
    assert not answer("explain", "--store", loaded, a, b, "--under", "apart.toml")["samePerson"]
    told = whole["traits"][0]["source"]
    fewer = answer("person", "--store", loaded, person_id, "--without", told, "--without", "nobody")
    assert told not in {trait["source"] for trait in fewer["traits"]}
    assert answer("person", "--store", loaded, person_id) == whole


def test_a_key_is_normalised_as_ingestion_would(loaded: str) -> None:
    table = pl.read_csv(run("persons", "--store", loaded).stdout.encode())
    email = table.filter(pl.col("namespace") == "email")["value"][0]
    assert answer("person", "--store", loaded, f"email: {email.upper()}")["id"]


def test_persons_in_every_format(loaded: str, tmp_path: Path) -> None:
    csv = pl.read_csv(run("persons", "--store", loaded).stdout.encode())
    jsonl = pl.read_ndjson(run("persons", "--store", loaded, "--json").stdout.encode())
    parquet = pl.read_parquet(run("persons", "--store", loaded, "-f", "parquet").stdout_bytes)
    run("persons", "--store", loaded, "-f", "parquet", "-o", tmp_path / "out.parquet")
    assert csv.columns == ["person_id", "namespace", "value"]
    assert csv.height == answer("stats", "--store", loaded)["memberships"] > 0
    for other in (jsonl, parquet, pl.read_parquet(tmp_path / "out.parquet")):
        assert other.cast(pl.String).equals(csv.cast(pl.String))


def test_who_joins_nobody_is_told_apart_from_who_was_never_seen(tmp_path: Path) -> None:
    """A hub, a blocked value, and a namespace that joins nobody; as published, and as it would be."""
    seen = [{"user_id": f"u{n}", "email": "info@example.org"} for n in range(7)]
    seen += [{"email": "ann@example.org", "phone": "+44 20 7946 0958"}, {"email": "noreply@example.org"}]
    seen += [{"ip": "192.0.2.1", "email": "ann@example.org"}]
    lines = [{"id": f"s{n}", "time": "2026-01-01", "name": "Seen", "identifiers": one} for n, one in enumerate(seen)]
    (tmp_path / "seen.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("load", "--loader", "events", tmp_path / "seen.jsonl")
    assert "nobody is known by email:info@example.org" in run("person", "email:info@example.org", status=7).stderr
    run("resolve")
    pruned = {
        "email:Info@example.org": "email:info@example.org was seen with what would be more than 5 persons",
        "email:noreply@example.org": "email:noreply@example.org is a value that means nobody",
        "ip:192.0.2.1": "ip is kept as evidence and joins nobody",
    }
    for key, why in pruned.items():
        for more in ([], ["--as-of", "2026-01-02"]):
            said = run("person", key, *more, status=7).stderr
            assert said.startswith(f"PERSON_UNKNOWN: {key} joins nobody: {why}") and "loaded" not in said
        for desk in (["forget", "--yes"], ["forget", "restrict"], ["disclose"]):
            said = run(*desk, key, status=7).stderr
            assert said.startswith(f"PERSON_UNKNOWN: {key} joins nobody: {why}") and "another identifier" in said
    assert "nobody is known by email:bob@example.org" in run("person", "email:bob@example.org", status=7).stderr
    assert answer("person", "email:ann@example.org")


def test_explain_says_why(loaded: str, member: tuple[str, str, str]) -> None:
    _, a, b = member
    found = answer("explain", "--store", loaded, a, b)
    assert found["samePerson"] and found["path"] and 0 < found["confidence"] <= 1
    lines = run("explain", "--store", loaded, a, b).stdout.splitlines()
    names = ["identifier", "weight", "events", "sources", "first seen", "last seen", "event ids"]
    assert re.split("  +", lines[1].strip()) == names
    assert lines[2] == a and lines[-1].startswith(b) and len(lines) == 3 + len(found["path"])
    for line, link in zip(lines[3:], found["path"], strict=True):
        ids, count = [event["id"] for event in link["evidence"]], link["count"]
        assert 1 <= len(ids) == min(count, 3) and f"  {link['firstSeen']}  {link['lastSeen']}  {', '.join(ids)}" in line
        assert line.endswith(ids[-1] if count <= 3 else f" and {count - 3} more")
        assert {event["source"] for event in link["evidence"]} <= set(link["sources"])
        assert link["firstSeen"] == link["evidence"][0]["time"]


def test_explain_says_of_a_similar_link_what_both_were_seen_with(loaded: str, tmp_path: Path) -> None:
    seen = [{"cookie": "c-one", "ip": "192.0.2.1"}, {"cookie": "c-two", "ip": "192.0.2.1"}]
    lines = [{"id": f"s{n}", "time": "2026-01-01", "name": "Seen", "identifiers": one} for n, one in enumerate(seen)]
    (tmp_path / "seen.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "similar.toml").write_text('[[similarity]]\nbetween = ["cookie"]\nby = ["ip"]\n')
    run("load", "--store", loaded, "--loader", "events", tmp_path / "seen.jsonl")
    pair = ("cookie:c-one", "cookie:c-two", "--under", tmp_path / "similar.toml")
    assert answer("explain", "--store", loaded, *pair)["path"][0]["shared"] == ["ip:192.0.2.1"]
    said = run("explain", "--store", loaded, *pair).stdout.splitlines()
    assert said[-1].split(maxsplit=3)[3] == "similar: both were seen with ip:192.0.2.1"


def test_explain_says_why_not(loaded: str) -> None:
    table = pl.read_csv(run("persons", "--store", loaded).stdout.encode())
    a, b = table.filter(pl.col("namespace") == "user_id")["value"][:2]
    found = answer("explain", "--store", loaded, f"user_id:{a}", f"user_id:{b}")
    assert not found["samePerson"] and found["message"]
    unseen = run("explain", "--store", loaded, f"user_id:{a}", "user_id:never-seen").stdout
    assert unseen.startswith("user_id:never-seen was never observed")


def test_link_and_unlink(loaded: str) -> None:
    table = pl.read_csv(run("persons", "--store", loaded).stdout.encode())
    a, b = (f"user_id:{value}" for value in table.filter(pl.col("namespace") == "user_id")["value"][:2])
    assert answer("link", "--store", loaded, a, b, "--reason", "a second account")["samePerson"]
    found = run("unlink", "--store", loaded, a, b, "--reason", "a mistake").stdout
    assert f"{a} and {b} are not one person" in found
    assert answer("explain", "--store", loaded, a, b)["samePerson"] is False


def test_query_from_a_file_standard_input_and_by_name(loaded: str, tmp_path: Path) -> None:
    text = (ROOT / "graphql" / "operations" / "stats.graphql").read_text()
    (tmp_path / "mine.graphql").write_text(text)
    by_file = run("query", "--store", loaded, "mine.graphql").stdout
    assert json.loads(by_file)["data"]["stats"]["persons"] == answer("stats", "--store", loaded)["persons"]
    assert run("query", "--store", loaded, input=text).stdout == by_file
    assert run("query", "--store", loaded, "stats").stdout == by_file
    two = "query A { stats { events } } query B { stats { persons } }"
    assert "persons" in run("query", "--store", loaded, "--operation", "B", input=two).stdout


def test_query_with_errors(loaded: str) -> None:
    result = run("query", "--store", loaded, input="{ nothing }", status=8)
    assert json.loads(result.stdout)["errors"]
    assert result.stderr.startswith("QUERY_FAILED: QUERY_INVALID")
    assert failure("query", "--store", loaded, "none.graphql", status=3) == "SOURCE_MISSING"
    for wrong in ("{", "[]"):
        assert "--variables" in run("query", "--store", loaded, "--variables", wrong, input="{x}", status=2).stderr


def test_schema_is_the_one_in_the_repository() -> None:
    assert run("schema").stdout.strip() == (ROOT / "graphql" / "schema.graphql").read_text().strip()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_stops(loaded: str, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "identity_graph", "serve", "--store", loaded, "--port", "0", "--open"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            match = re.search(r"http://127\.0\.0\.1:\d+/graphql", line)
            assert match, line
            body = json.dumps({"query": "{ stats { persons } }"}).encode()
            request = urllib.request.Request(match[0], body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=120) as response:
                assert json.load(response)["data"]["stats"]["persons"] > 0
            process.send_signal(stop)
            assert process.wait(timeout=120) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_serve_says_when_it_cannot_have_the_port(loaded: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert failure("serve", "--open", "--store", loaded, "--port", port, status=2) == "SETTING_INVALID"
        assert port in run("serve", "--open", "--store", loaded, "--port", port, status=2).stderr


def test_computed_traits(copied: str, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text('{"measure": "COUNT", "within": null}')
    saved = answer("computed", "save", "--store", copied, "seen", "seen.json")
    assert answer("computed", "list", "--store", copied) == [saved]
    assert saved == {"name": "seen", "definition": {"measure": "COUNT"}}
    assert "COUNT" in run("computed", "list", "--store", copied).stdout
    (tmp_path / "busy.json").write_text('{"computed": {"name": "seen", "is": {"range": {"from": 1}}}}')
    assert answer("segment", "save", "--store", copied, "busy", "busy.json")["size"] > 0
    assert failure("computed", "delete", "--store", copied, "seen", status=3) == "CONDITION_INVALID"
    run("segment", "delete", "--store", copied, "busy")
    run("computed", "delete", "--store", copied, "seen")
    assert answer("computed", "list", "--store", copied) == []
    assert failure("computed", "delete", "--store", copied, "seen", status=3) == "CONDITION_INVALID"
    for wrong in ("{", "[]", '{"is": {}}'):
        assert failure("computed", "save", "--store", copied, "x", "-", status=3, input=wrong) == "CONDITION_INVALID"


def test_segments(copied: str, tmp_path: Path) -> None:
    (tmp_path / "members.json").write_text('{"identifier": {"namespace": "user_id", "count": {"from": 1}}}')
    saved = answer("segment", "save", "--store", copied, "--description", "with an account", "members", "members.json")
    ids = answer("segment", "members", "--store", copied, "members")
    assert saved["size"] == len(ids) > 1
    assert answer("segment", "members", "--store", copied, "--limit", "1", "members") == ids[:1]
    assert run("segment", "members", "--store", copied, "members").stdout.split() == ids
    assert answer("person", "--store", copied, ids[0])["segments"] == ["members"]
    assert "with an account" in run("segment", "list", "--store", copied).stdout
    run("segment", "delete", "--store", copied, "members")
    assert answer("segment", "list", "--store", copied) == []
    assert failure("segment", "delete", "--store", copied, "members", status=7) == "SEGMENT_UNKNOWN"
    assert failure("segment", "members", "--store", copied, "members", status=7) == "SEGMENT_UNKNOWN"
    for wrong in ("{", '{"unknown": 1}'):
        assert failure("segment", "save", "--store", copied, "x", "-", status=3, input=wrong) == "CONDITION_INVALID"


def test_stats_and_digest(loaded: str) -> None:
    counts = answer("stats", "--store", loaded)
    assert counts["events"] > 0 and counts["persons"] > 0 and counts["identifiers"] > 0
    assert f"{counts['events']:,}" in run("stats", "--store", loaded).stdout
    assert answer("digest", "--store", loaded)["digest"] == run("digest", "--store", loaded).stdout.strip()
