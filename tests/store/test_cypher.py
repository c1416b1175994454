"""The files of `cypher/`: what their heads say, what they look up by, and that no value is ever part of a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from neo4j import Session

from identity_graph.store.neo4j.statements import script, statement
from tests.cypher import EXPLORE, FILES, head
from tests.neo4j.database import connected, emptied

PACKAGE = Path(__file__).parents[2] / "identity_graph" / "store" / "neo4j"
TYPES = re.compile(r"(string|integer|float|boolean|map|list<(string|integer|list|map)>)$")
# Where the planner is led astray most easily: nodes of which the samples of the indexes do not know yet.
LOADED = """
UNWIND range(1, 1000) AS n
CREATE (identifier:Identifier {number: n, key: toString(n)})
CREATE (:Event {number: n, id: toString(n), time: n})-[:OBSERVED]->(identifier)
CREATE (identifier)-[:IDENTIFIES]->(:Person {number: n, id: toString(n)})
CREATE (:Retired {number: -n, id: toString(-n)})
CREATE (:Change {number: n, person_id: toString(n)})
CREATE (:Run {id: toString(n), started: n})
CREATE (:Quarantined {number: n, code: 'CODE'})
"""
SAMPLE = "CALL db.prepareForReplanning(60)"
# What reads the whole of something, by its nature, or walks along an index until it has enough.
WHOLE = {
    "deliveries/deliveries",
    "evidence/link_table",
    "evidence/newest",
    "evidence/statements",
    "evidence/wide_observations",
    "explore/suppressed_links",
    "operations/canonical_suppressed",
    "operations/counts",
    "operations/runs",
    "persons/page_last",
    "persons/pruned",
    "persons/publish_anew",
    "persons/publish_similar_anew",
    "segments/segments_all",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_is_for_and_what_it_takes(name: str) -> None:
    said = head(name)
    assert said.purpose and said.purpose[-1].endswith(".")
    assert set(said.parameters) == set(re.findall(r"\$(\w+)", statement(name)))
    assert [kind for kind in said.parameters.values() if not TYPES.match(kind)] == []
    assert list(said.examples) == (list(said.parameters) if name in EXPLORE else [])


@pytest.fixture(scope="module", params=["new", "grown", "sampled"])
def session(request: pytest.FixtureRequest, neo4j_url: str) -> Iterator[Session]:
    """To an empty store; to one that has grown, of which the samples of the indexes know nothing; and when they do."""
    with connected(emptied(neo4j_url)) as driver, driver.session() as session:
        for text in script("schema"):
            session.run(text).consume()
        session.run(SAMPLE).consume()
        if request.param != "new":
            session.run(LOADED).consume()
        if request.param == "sampled":
            session.run(SAMPLE).consume()
        session.run("CALL db.clearQueryCaches()").consume()
        yield session


def operators(plan: dict[str, object]) -> set[str]:
    children: list[dict[str, object]] = plan.get("children", [])  # type: ignore[assignment]
    name = str(plan["operatorType"]).split("@")[0]
    return {name}.union(*map(operators, children))


@pytest.mark.parametrize("name", FILES)
def test_the_server_plans_it_by_an_index(name: str, session: Session) -> None:
    said = head(name)
    found = session.run("EXPLAIN " + statement(name), dict.fromkeys(said.parameters))
    assert list(found.keys()) == said.returned
    plan = found.consume().plan
    assert plan is not None
    scans = {name for name in operators(plan) if name.endswith("Scan")}
    assert bool(scans) == (name in WHOLE), scans


def test_every_file_is_used_and_every_statement_is_a_file() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.parents[1].rglob("*.py"))
    named = set(
        re.findall(
            r'"((?:store|deliveries|erasures|evidence|persons|segments|subject_requests|privacy|operations|transfer|engine)/\w+)"',
            sources,
        )
    )
    tables = {f"{name}_of" for name in named}
    assert named - set(FILES) == set()
    assert set(FILES) - named - tables == set(EXPLORE)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_no_text_is_put_together(path: Path) -> None:
    """What reaches the driver is a file, or a statement of the schema's file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in ("run", "_run", "_alone", "execute_query"):
            assert path.name == "connection.py"
            text = node.args[0]
            if isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.func.id == "Query":
                text = text.args[0]  # the driver's own, of a text and a time limit
            called = isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.func.id == "statement"
            assert called or (isinstance(text, ast.Name) and text.id == "text"), ast.unparse(node)
