"""Nothing in the README that is not run or compared here. `python -m tests.readme_session` writes it anew."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.readme import PART, PARTS, README, ROOT
from tests.readme_session import COMMAND, Session, Step, blocks

TEXT = README.read_text(encoding="utf-8")
CONSOLE = [
    (match[1], start + match.start(2))
    for language, text, start in blocks(TEXT)
    if language == "console"
    for match in COMMAND.finditer(text)
]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[int, Step]]:
    """Every command and example, run in order, by where its output stands."""
    with Session(tmp_path_factory.mktemp("readme")) as session:
        yield {step.start: step for step in session.run(TEXT)}


@pytest.mark.parametrize("name", PARTS)
def test_a_generated_part_is_what_the_code_says(name: str) -> None:
    written = {match[2]: match[3] for match in PART.finditer(TEXT)}
    assert written[name] == PARTS[name]()


def test_every_generated_part_is_known() -> None:
    assert [match[2] for match in PART.finditer(TEXT)] == list(PARTS)


@pytest.mark.parametrize(("command", "start"), CONSOLE, ids=[command[:60] for command, _ in CONSOLE])
def test_a_command_prints_what_the_page_says(command: str, start: int, steps: Mapping[int, Step]) -> None:
    if command.startswith("curl") and shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the README asks over HTTP by it")
    assert steps[start].printed == steps[start].said or steps[start].agrees, steps[start].printed


def test_every_example_in_python_prints_what_the_page_says(steps: Mapping[int, Step]) -> None:
    commands = {start for _, start in CONSOLE}
    examples = [step for start, step in steps.items() if start not in commands]
    assert len(examples) >= 10
    for step in examples:
        assert step.agrees, f"{step.command}\n{step.printed}"


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = {language for language, _, _ in blocks(TEXT)}
    assert kinds == {"console", "python", "toml", "sh", "text"}
    for language, text, _ in blocks(TEXT):
        if language == "toml":
            name = re.match(r"# ([\w.-]+)\n", text)
            assert name and any(name[1] in command for command, _ in CONSOLE), "a file that no command uses"


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`|\n|  )", TEXT))
    assert {"demo", "test", "serve", "bench"} <= named <= targets


def test_the_map_names_what_there_is() -> None:
    (tree,) = [text for language, text, _ in blocks(TEXT) if language == "text"]
    named = [line.split()[0].rstrip("/") for line in tree.splitlines()]
    assert [name for name in named if not (ROOT / name).exists()] == []
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    folders = {path.partition("/")[0] for path in tracked.splitlines() if "/" in path and not path.startswith(".")}
    assert folders <= set(named)


def test_the_words_are_those_of_the_code() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "identity_graph").rglob("*.py"))
    rows = re.findall(r"^\| (\*\*.+?\*\*) \|", TEXT, re.MULTILINE)
    words = [word for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row)]
    assert len(words) >= 18
    assert [word for word in words if not re.search(rf"\b{word.split()[0]}", sources, re.IGNORECASE)] == []


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert (ROOT / target).exists(), target


def test_the_ci_runs_what_the_page_says() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8").splitlines()[-1]
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for tool in ("ruff format --check", "ruff check", "mypy", "pytest"):
        assert tool in planned.stdout


def test_a_session_notices_what_is_not_so(tmp_path: Path) -> None:
    page = (
        "```console\n$ echo one\ntwo\n$ echo a-b-c\na...c\n```\n\n```python\n>>> 1 + 1\n3\n>>> x = 2\n>>> x\n2\n```\n"
    )
    with Session(tmp_path) as session:
        assert [step.agrees for step in session.run(page)] == [False, True, False, True, True]
