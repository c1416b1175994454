"""Nothing in the README that is not run or compared here. `python -m tests.readme_session` writes it anew."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from identity_graph.store.neo4j.statements import statement
from tests.cypher import EXPLORE, head
from tests.neo4j.database import asked, emptied
from tests.readme import PART, PARTS, README, ROOT
from tests.readme_session import Session, Step, blocks, commands

TEXT = README.read_text(encoding="utf-8")
CONSOLE = commands(TEXT)
ON_NEO4J = commands(TEXT, neo4j=True)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[int, Step]]:
    """Every command and example, run in order, by where its output stands."""
    with Session(tmp_path_factory.mktemp("readme")) as session:
        yield {step.start: step for step in session.run(TEXT)}


@pytest.fixture(scope="module")
def on_neo4j(tmp_path_factory: pytest.TempPathFactory, neo4j_url: str) -> Mapping[int, Step]:
    """The same on a server, on which the demo's world is left."""
    with Session(tmp_path_factory.mktemp("readme"), emptied(neo4j_url)) as session:
        return {step.start: step for step in session.run(TEXT)}


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


@pytest.mark.parametrize(("command", "start"), ON_NEO4J, ids=[command[:60] for command, _ in ON_NEO4J])
def test_a_command_prints_on_neo4j_what_the_page_says(command: str, start: int, on_neo4j: Mapping[int, Step]) -> None:
    assert on_neo4j[start].agrees, on_neo4j[start].printed


@pytest.mark.parametrize("name", EXPLORE)
def test_the_examples_of_a_saved_query_find_something_in_the_demo(
    name: str, neo4j_url: str, on_neo4j: Mapping[int, Step]
) -> None:
    examples = head(name).examples
    (values,) = asked(neo4j_url, "RETURN " + ", ".join(f"{text} AS `{key}`" for key, text in examples.items()))
    assert asked(neo4j_url, statement(name), **values.data())


def test_the_style_is_for_what_the_graph_has(neo4j_url: str, on_neo4j: Mapping[int, Step]) -> None:
    (style,) = [text for language, text, _ in blocks(TEXT) if language == "css"]
    rules = re.findall(
        r"^(node|relationship)\.(\w+) \{(?: caption: \"\{(\w+)\}\";)?(?: [\w-]+: #?\w+;)* \}$", style, re.M
    )
    assert style.splitlines()[0] == ":style" and len(rules) == len(style.splitlines()) - 1
    query = {
        "node": "MATCH (one) WHERE $name IN labels(one) AND one[$caption] IS NOT NULL RETURN count(*) > 0",
        "relationship": "MATCH ()-[one]->() WHERE type(one) = $name AND one[$caption] IS NOT NULL RETURN count(*) > 0",
    }
    for kind, name, caption in rules:
        (found,) = asked(neo4j_url, query[kind], name=name, caption=caption or "namespace")
        assert found[0], f"{kind}.{name} {caption}"


def test_every_example_in_python_prints_what_the_page_says(steps: Mapping[int, Step]) -> None:
    console = {start for _, start in CONSOLE}
    examples = [step for start, step in steps.items() if start not in console]
    assert len(examples) >= 10
    for step in examples:
        assert step.agrees, f"{step.command}\n{step.printed}"


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = {language for language, _, _ in blocks(TEXT)}
    assert kinds == {"console", "python", "toml", "sh", "text", "css"}
    assert {language for language, _, _ in blocks(TEXT, neo4j=True)} == {"console"}
    for language, text, _ in blocks(TEXT):
        if language == "toml":
            name = re.match(r"# ([\w.-]+)\n", text)
            assert name and any(name[1] in command for command, _ in CONSOLE), "a file that no command uses"


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`|\n|  )", TEXT))
    assert {"demo", "test", "serve", "neo4j", "bench"} <= named <= targets


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
