"""Every verb of the command line, on a real store, as its user would call it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from identity_graph.cli import app
from identity_graph.cli.command import Command, verb
from identity_graph.errors import CODES
from identity_graph.world import NAMES, World

ROOT = Path(__file__).parents[2]
RUNNER = CliRunner()


def run(*arguments: str | Path, input: str | bytes | None = None, status: int = 0) -> Result:
    """Call the command line here and check how it ends."""
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], input=input)
    assert result.exit_code == status, (result.stdout, result.stderr, result.exception)
    assert "Traceback" not in result.stderr
    return result


def answer(*arguments: str | Path, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status).stdout)


def failure(*arguments: str | Path, status: int, input: str | None = None) -> str:
    """The code of an error, after checking that it says what was wrong and what to do."""
    result = run(*arguments, "--json", status=status, input=input)
    error = json.loads(result.stderr)["error"]
    assert error["code"] in CODES and error["message"] and error["help"]
    return str(error["code"])


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("IDENTITY_GRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    World(40, 3).write(folder).write(folder / "truth.json")
    return folder


@pytest.fixture(scope="module")
def loaded(events: Path) -> str:
    """The URL of a store with all of it, resolved. For tests that only read."""
    url = f"sqlite:///{events / 'people.db'}"
    for source, name in NAMES.items():
        run("load", "--store", url, "--loader", source, events / name)
    run("resolve", "--store", url)
    return url


@pytest.fixture
def copied(loaded: str, tmp_path: Path) -> str:
    """A copy of that store, to change."""
    source = Path(loaded.removeprefix("sqlite:///"))
    for path in source.parent.glob("people.db*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(path.stat().st_mode)
    return f"sqlite:///{tmp_path / 'people.db'}"


@pytest.fixture
def member(loaded: str) -> tuple[str, str, str]:
    """A person of several identifiers: its id and two keys."""
    table = pl.read_ndjson(run("persons", "--store", loaded, "--format", "jsonl").stdout.encode())
    rows = table.filter(pl.len().over("person_id") > 5).sort("person_id").head(2).rows()
    (person_id, *first), (_, *second) = rows
    return person_id, ":".join(first), ":".join(second)


# ---- data in


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


def failure_of(result: Result) -> str:
    return str(json.loads(result.stderr[result.stderr.index("{") :])["error"]["code"])


def test_quarantine_list_show_replay(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("change_id,contact_id,email,updated_at\n1,u1,no at sign,2026-01-01T00:00:00Z\n")
    run("load", "-l", "crm", "bad.csv")
    (record,) = answer("quarantine", "list")
    assert (record["source"], record["line"], record["code"]) == ("crm", 2, "EMAIL_INVALID")
    assert record["number"] == answer("quarantine", "show", "1")["number"]
    assert "no at sign" in record["record"]
    assert "EMAIL_INVALID" in run("quarantine", "list", "--code", "EMAIL_INVALID").stdout
    assert answer("quarantine", "list", "--code", "NOT_JSON") == []
    replayed = answer("quarantine", "replay")
    assert (replayed["read"], replayed["quarantined"]) == (1, 1)
    assert "1 still set aside" in run("quarantine", "replay", "1").stdout
    assert failure("quarantine", "show", "7", status=7) == "QUARANTINE_UNKNOWN"
    assert failure("quarantine", "replay", "7", status=7) == "QUARANTINE_UNKNOWN"


def test_resolve_full_gives_the_same_state(copied: str) -> None:
    before = run("digest", "--store", copied).stdout
    assert "nothing changed" in run("resolve", "--store", copied).stdout
    assert answer("resolve", "--store", copied, "--full")["state"] == "DONE"
    assert run("digest", "--store", copied).stdout == before


# ---- questions


def test_person_by_key_and_by_id(loaded: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    by_id = answer("person", "--store", loaded, person_id)
    assert by_id == answer("person", "--store", loaded, key) and by_id["id"] == person_id
    assert key in [f"{one['namespace']}:{one['value']}" for one in by_id["identifiers"]]
    assert {"name", "value", "source", "time"} == set(by_id["traits"][0])


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


def test_explain_says_why(loaded: str, member: tuple[str, str, str]) -> None:
    _, a, b = member
    found = answer("explain", "--store", loaded, a, b)
    assert found["samePerson"] and found["path"] and 0 < found["confidence"] <= 1
    lines = run("explain", "--store", loaded, a, b).stdout.splitlines()
    assert lines[1].split() == ["identifier", "weight", "events", "sources"]
    assert lines[2] == a and lines[-1].startswith(b) and len(lines) == 3 + len(found["path"])


def test_explain_says_why_not(loaded: str) -> None:
    table = pl.read_csv(run("persons", "--store", loaded).stdout.encode())
    a, b = table.filter(pl.col("namespace") == "user_id")["value"][:2]
    found = answer("explain", "--store", loaded, f"user_id:{a}", f"user_id:{b}")
    assert not found["samePerson"] and found["message"]
    unseen = run("explain", "--store", loaded, f"user_id:{a}", "user_id:never-seen").stdout
    assert unseen.startswith("user_id:never-seen was never observed")


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


def test_serve_answers_and_stops(loaded: str) -> None:
    command = [sys.executable, "-m", "identity_graph", "serve", "--store", loaded, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            match = re.search(r"http://127\.0\.0\.1:\d+/graphql", line)
            assert match, line
            body = json.dumps({"query": "{ stats { persons } }"}).encode()
            request = urllib.request.Request(match[0], body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as response:
                assert json.load(response)["data"]["stats"]["persons"] > 0
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) in (0, 130, -signal.SIGINT)
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


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


# ---- privacy


def test_forget_shows_before_it_erases(copied: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    before = run("digest", "--store", copied).stdout
    preview = answer("forget", "--store", copied, key, "--preview")
    assert preview["personId"] == person_id and preview["exclusive"] and preview["events"] > 0
    words = run("forget", "--store", copied, key, "--preview").stdout
    assert all(f"goes   {one}" in words for one in preview["exclusive"])
    assert "--yes" in run("forget", "--store", copied, key, status=2).stderr
    assert run("digest", "--store", copied).stdout == before


def test_forget_erases_and_writes_a_receipt(copied: str, events: Path, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    exclusive = answer("forget", "--store", copied, key, "--preview")["exclusive"]
    done = answer("forget", "--store", copied, key, "--yes")
    receipt = Path(done["receipt"])
    assert receipt.parent == Path() and re.fullmatch(r"receipt-[0-9a-f-]{36}\.json", receipt.name)
    text = receipt.read_text()
    assert json.loads(text) == done["document"] and done["document"]["verified"]
    assert not [one for one in exclusive if one.partition(":")[2] in text]
    for gone in (person_id, *exclusive):
        assert failure("person", "--store", copied, gone, status=7) == "PERSON_UNKNOWN"
    assert failure("forget", "--store", copied, person_id, "--yes", status=7) == "PERSON_UNKNOWN"
    again = [answer("load", "--store", copied, "-l", s, events / n)["total"]["suppressed"] for s, n in NAMES.items()]
    assert sum(again) >= done["document"]["events"]
    run("resolve", "--store", copied)
    for gone in (person_id, *exclusive):
        assert failure("person", "--store", copied, gone, status=7) == "PERSON_UNKNOWN"


def test_forget_does_not_begin_what_it_cannot_prove(copied: str, member: tuple[str, str, str]) -> None:
    before = run("digest", "--store", copied).stdout
    run("forget", "--store", copied, member[1], "--yes", "--receipt", "no/such/folder/receipt.json", status=2)
    assert run("digest", "--store", copied).stdout == before
    run("forget", "--store", copied, member[1], "--yes", "--receipt", "proof.json")
    assert json.loads(Path("proof.json").read_text())["personId"] == member[0]


@pytest.mark.parametrize(("typed", "status"), [("n\n", 1), ("y\n", 0)])
def test_forget_asks_on_a_terminal(copied: str, member: tuple[str, str, str], typed: str, status: int) -> None:
    pty = pytest.importorskip("pty", reason="asking needs a terminal, and this system has no pseudo-terminals")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "identity_graph", "forget", "--store", copied, member[1], "--receipt", "r.json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    assert process.wait(timeout=30) == status, shown.decode()
    assert member[1].encode() in shown and b"Erase this person for ever?" in shown
    assert Path("r.json").exists() == (status == 0)


# ---- rules


def test_policy_show_is_the_policy_in_force(tmp_path: Path) -> None:
    shown = run("policy", "show").stdout
    assert shown == (ROOT / "identity_graph" / "policy.toml").read_text()
    (tmp_path / "mine.toml").write_text("min_weight = 0.5\n")
    assert "min_weight = 0.5" in run("policy", "show", "--policy", "mine.toml").stdout
    assert answer("policy", "show", "--policy", "mine.toml")["digest"] != answer("policy", "show")["digest"]


def test_policy_check(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text("[namespaces.email]\nlimit = '2 ever'\n")
    (tmp_path / "bad.toml").write_text("[namespaces.email]\nlimt = '2 ever'\n")
    assert len(answer("policy", "check", "good.toml")["digest"]) == 64
    result = run("policy", "check", "bad.toml", status=4)
    assert result.stderr.splitlines()[0] == "POLICY_KEY: bad.toml, line 2: namespaces.email.limt: no such key"


def test_policy_diff_tells_what_would_change(copied: str, tmp_path: Path) -> None:
    (tmp_path / "apart.toml").write_text("min_weight = 1.0\n[blocked]\nvalues = ['kiosk']\n")
    before = run("digest", "--store", copied).stdout
    found = answer("policy", "diff", "--store", copied, "apart.toml")
    rules = {rule["rule"]: (rule["now"], rule["then"]) for rule in found["rules"]}
    assert rules == {"min_weight": (0.2, 1.0), "blocked.values": ([], ["kiosk"])}
    assert found["persons"]["persons_then"] > found["persons"]["persons"] and found["persons"]["split"] > 0
    assert run("digest", "--store", copied).stdout == before
    run("resolve", "--store", copied, "--policy", "apart.toml")
    assert answer("stats", "--store", copied)["persons"] == found["persons"]["persons_then"]
    words = run("policy", "diff", "--store", copied, "apart.toml").stdout
    assert "min_weight: 0.2 -> 1.0" in words and "blocked.values: nothing -> kiosk" in words


def test_policy_diff_without_a_store(tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text("")
    assert run("policy", "diff", "same.toml").stdout == "The rules are the same.\n"
    assert list(tmp_path.glob("*.db")) == []


# ---- state


def test_stats_and_digest(loaded: str) -> None:
    counts = answer("stats", "--store", loaded)
    assert counts["events"] > 0 and counts["persons"] > 0 and counts["identifiers"] > 0
    assert f"{counts['events']:,}" in run("stats", "--store", loaded).stdout
    assert answer("digest", "--store", loaded)["digest"] == run("digest", "--store", loaded).stdout.strip()


def test_world_writes_files_and_the_truth(tmp_path: Path) -> None:
    records = answer("world", "one", "--people", "10", "--seed", "5")["records"]
    run("world", "two", "--people", "10", "--seed", "5")
    for name in (*NAMES.values(), "truth.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert set(records) == set(NAMES)


# ---- what all verbs share


def verbs(group: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    group = group or typer.main.get_command(app)
    for child, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{name}{child} ")
        else:
            yield name + child, command


@pytest.mark.parametrize(("name", "command"), list(verbs()), ids=[name for name, _ in verbs()])
def test_every_verb_takes_the_common_options_and_explains_itself(name: str, command: Any) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--store", "--policy", "--json"} <= options
    assert command.help and command.help.strip().endswith(".")
    assert "--store" in run(*name.split(), "--help").stdout


def test_common_options_stand_before_or_after_the_verb(loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    after = run("stats", "--store", loaded, "--json").stdout
    assert run("--store", loaded, "--json", "stats").stdout == after
    assert run("--store", "sqlite:///other.db", "stats", "--store", loaded, "--json").stdout == after
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", loaded)
    assert run("stats", "--json").stdout == after


def test_only_verbs_that_bring_data_in_create_a_store(tmp_path: Path) -> None:
    for words in (["person", "email:a@b.example"], ["resolve"], ["stats"], ["digest"], ["quarantine", "list"]):
        assert failure(*words, status=6) == "STORE_OPEN"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["load", "-l", "web", "none.jsonl"], 3, "SOURCE_MISSING"),
        (["load", "-l", "no-such-loader", "file"], 5, "LOADER_UNKNOWN"),
        (["load", "-l", "broken.toml", "file"], 5, "LOADER_SYNTAX"),
        (["load", "-l", "web", "file", "--policy", "broken.toml"], 4, "POLICY_SYNTAX"),
        (["load", "-l", "web", "file", "--store", "postgres://x"], 6, "STORE_URL"),
        (["load", "-l", "web", "file", "--store", "sqlite:///file/people.db"], 6, "STORE_OPEN"),
        (["load", "-l", "web", "file", "--store", "sqlite:///file"], 6, "STORE_OPEN"),
        (["person", "email:nobody", "--store", "sqlite:///file"], 6, "STORE_OPEN"),
        (["explain", "email", "email:a@b.example"], 3, "KEY_INVALID"),
        (["explain", "email:no at sign", "email:a@b.example"], 3, "EMAIL_INVALID"),
        (["policy", "check", "none.toml"], 4, "POLICY_MISSING"),
    ],
)
def test_failures_have_a_code_and_the_status_of_their_family(
    words: list[str], status: int, code: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text('{"a": 1}\n')
    (tmp_path / "broken.toml").write_text("a = \n")
    assert failure(*words, status=status) == code
    lines = run(*words, status=status).stderr.splitlines()
    assert lines[0].startswith(f"{code}: ") and len(lines) >= 2


@pytest.mark.parametrize(
    "words", [["nothing"], ["load"], ["load", "x"], ["stats", "--nothing"], ["serve", "--port", "x"]]
)
def test_wrong_usage_is_status_2(words: list[str]) -> None:
    assert run(*words, status=2).stdout == ""


def test_a_wrong_setting_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_PORT", "http")
    assert failure("stats", status=2) == "SETTING_INVALID"


def test_a_defect_is_reported_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = typer.Typer()

    @broken.command()
    @verb
    def divide(command: Command) -> None:
        """Fail."""
        command.answer(1 / 0)

    result = RUNNER.invoke(broken, [])
    assert result.exit_code == 1
    assert re.match(r"INTERNAL: ZeroDivisionError at test_cli\.py:\d+\n", result.stderr)
    monkeypatch.setenv("IDENTITY_GRAPH_DEBUG", "1")
    assert isinstance(RUNNER.invoke(broken, []).exception, ZeroDivisionError)


def test_a_reader_that_has_seen_enough_is_no_error(loaded: str) -> None:
    command = [sys.executable, "-m", "identity_graph", "persons", "--store", loaded]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom identity_graph.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'numpy','numba','polars','apsw','strawberry',"
        "'starlette','pydantic','networkx','neo4j','uvicorn'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == "[]\n"


def test_version() -> None:
    assert re.fullmatch(r"identity-graph \d+\.\d+\.\d+\n", run("--version").stdout)
