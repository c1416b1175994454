"""What all verbs share: options, help, errors and their exit statuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from identity_graph.cli import app
from identity_graph.cli.command import Command, verb
from tests.cli.calling import ROOT, RUNNER, failure, run


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
        (["explain", "email:no at sign", "email:a@b.example"], 3, "EMAIL_NO_AT"),
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


def test_results_that_cannot_be_written_are_no_defect(loaded: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for format in ("csv", "jsonl", "parquet"):
        words = ["persons", "--store", loaded, "--format", format, "--output", "no/such/folder/out"]
        assert failure(*words, status=3) == "OUTPUT_FAILED"
    assert failure("world", "file/events", status=3) == "OUTPUT_FAILED"


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
    assert re.match(r"INTERNAL: ZeroDivisionError at test_common\.py:\d+\n", result.stderr)
    monkeypatch.setenv("IDENTITY_GRAPH_DEBUG", "1")
    assert isinstance(RUNNER.invoke(broken, []).exception, ZeroDivisionError)


def test_a_reader_that_has_seen_enough_is_no_error(loaded: str) -> None:
    command = [sys.executable, "-m", "identity_graph", "persons", "--store", loaded]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=120) == 0


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom identity_graph.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'numpy','numba','polars','apsw','strawberry',"
        "'starlette','pydantic','networkx','neo4j','uvicorn'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        ["load", "--loader", "crm", "crm.csv"],
        ["stats"],
        ["digest"],
        ["person", "email:nobody@example.com"],
        ["explain", "email:a@example.com", "email:b@example.com"],
        ["forget", "log"],
        ["runs", "list"],
        ["quarantine", "list"],
        ["segment", "list"],
    ],
    ids=lambda words: words[0],
)
def test_a_verb_without_need_of_them_loads_no_compiler_and_no_frames(
    words: list[str], events: Path, copied: str
) -> None:
    """Importing these takes longer than the verb itself."""
    words = [str(events / word) if word.endswith(".csv") else word for word in words]
    script = (
        "import sys\nfrom identity_graph.cli import app\n"
        f"try: app({[*words, '--json', '--store', copied]!r})\nexcept SystemExit: pass\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & {'numba','llvmlite','polars','scipy','strawberry',"
        "'starlette','networkx','neo4j','graphdatascience','uvicorn','joserfc'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_version() -> None:
    assert re.fullmatch(r"identity-graph \d+\.\d+\.\d+\n", run("--version").stdout)
