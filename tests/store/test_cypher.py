"""The files of `cypher/`: what their heads say, what they look up by, and that no value is ever part of a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from neo4j import Session

from identity_graph.files import data_folder
from identity_graph.store import open_store
from identity_graph.store.neo4j.statements import script, statement
from tests.neo4j.database import connected, emptied
from tests.store.building import batch, begin, event

FOLDER = data_folder("cypher")
PACKAGE = Path(__file__).parents[2] / "identity_graph"
SOURCES = sorted((*(PACKAGE / "store" / "neo4j").glob("*.py"), *(PACKAGE / "engines").glob("*.py")))
FILES = sorted(
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in FOLDER.rglob("*.cypher")
    if path.parent != FOLDER and path.parent.name != "explore"
)
TYPES = re.compile(r"(string|integer|float|boolean|map|list<(string|integer|list|map)>)$")
# What reads the whole of something, by its nature.
WHOLE = {
    "evidence/stated_pairs",
    "evidence/wide_observations",
    "operations/canonical_suppressed",
    "operations/counts",
    "persons/publish_anew",
    "privacy/erase_reasons",
    "segments/segments_all",
}
# What walks along an index, once, for what comes first or last, or for all that is in it.
RANGES = {
    "evidence/newest",
    "operations/runs",
    "persons/page_last",
    "persons/pruned",
}


def head(name: str) -> tuple[list[str], dict[str, str], list[str]]:
    """Purpose, parameters with their types, returned columns."""
    purpose, parameters, returned = [], {}, []
    for line in (FOLDER / f"{name}.cypher").read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            break
        text = line[2:].strip()
        if text.startswith("$"):
            parameter, _, rest = text[1:].partition(" ")
            parameters[parameter] = rest.partition(":")[0]
        elif text.startswith("returns:"):
            returned = [column.strip() for column in text.removeprefix("returns:").split(",")]
        else:
            purpose.append(text)
    return purpose, parameters, returned


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_is_for_and_what_it_takes(name: str) -> None:
    purpose, parameters, _ = head(name)
    assert purpose and purpose[-1].endswith(".")
    assert set(parameters) == set(re.findall(r"\$(\w+)", statement(name)))
    assert [kind for kind in parameters.values() if not TYPES.match(kind)] == []


@pytest.fixture(scope="module")
def session(neo4j_url: str) -> Iterator[Session]:
    with connected(neo4j_url) as driver, driver.session() as session:
        for text in script("schema"):
            session.run(text).consume()
        yield session


def operators(plan: dict[str, object]) -> set[str]:
    children: list[dict[str, object]] = plan.get("children", [])  # type: ignore[assignment]
    name = str(plan["operatorType"]).split("@")[0]
    return {name}.union(*map(operators, children))


@pytest.mark.parametrize("name", FILES)
def test_the_server_plans_it_by_an_index(name: str, session: Session) -> None:
    _, parameters, returned = head(name)
    found = session.run("EXPLAIN " + statement(name), dict.fromkeys(parameters))
    assert list(found.keys()) == returned
    plan = found.consume().plan
    assert plan is not None
    scans = {"AllNodesScan", "NodeByLabelScan", "UndirectedRelationshipTypeScan", "DirectedRelationshipTypeScan"}
    assert name in WHOLE or not operators(plan) & scans, operators(plan)


def test_what_was_just_loaded_is_looked_up_by_an_index_too(neo4j_url: str) -> None:
    """For some seconds the server's samples of its indexes say that they are empty: only a hint then keeps it from
    walking along all of an index for each row."""
    with connected(emptied(neo4j_url)) as driver, driver.session() as session:
        store = open_store(neo4j_url)
        pairs = [(f"cookie:{n % 2000}", f"cookie:{n * 7 % 2000}") for n in range(4000)]
        store.evidence.append(begin(store), batch(event(f"e{n}", *pair) for n, pair in enumerate(pairs)))
        store.close()
        for name in set(FILES) - WHOLE - RANGES:
            parameters = dict.fromkeys(head(name)[1])
            plan = session.run("CYPHER replan=force EXPLAIN " + statement(name), parameters).consume().plan
            assert plan is not None
            assert [one for one in operators(plan) if one.endswith("Scan")] == [], name


def test_every_file_is_used_and_every_statement_is_a_file() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    named = set(re.findall(r'"((?:store|evidence|persons|segments|privacy|operations|engine)/\w+)"', sources))
    tables = {f"{name}_of" for name in named}
    assert named - set(FILES) == set()
    assert set(FILES) - named - tables == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_text_is_put_together(path: Path) -> None:
    """What reaches the driver is a file, or a statement of the schema's file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in ("run", "_run", "_alone", "execute_query"):
            assert path.name == "connection.py"
            text = node.args[0]
            called = isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.func.id == "statement"
            assert called or (isinstance(text, ast.Name) and text.id == "text"), ast.unparse(node)
