"""A store is written as files for Neo4j's offline importer, imported by the real one, and opened."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph, copying
from identity_graph.errors import InputError
from identity_graph.store.neo4j import link_runs
from identity_graph.store.neo4j.import_files import write_import_files
from identity_graph.store.neo4j.import_tables import NODES
from identity_graph.store.neo4j.statements import script
from tests.neo4j.database import asked, emptied
from tests.neo4j.launcher import OPENS, SHORT_LIVED, Neo4j, prepared
from tests.story.lived import assert_lives_on, files, live, opened, take_key, whole

# Of the Store node; the sum of the events is counted by whoever needs it first.
NOT_ITS_OWN = ("id", "commits", "published", "recent", "writer", "copied", "unindexed", "erased", "event_sum")


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[IdentityGraph]:
    files(tmp_path)
    with opened(f"sqlite:///{tmp_path / 'lived.db'}") as graph:
        live(graph, tmp_path)
        yield graph


def export(graph: IdentityGraph, folder: Path) -> dict[str, int]:
    with graph.store.transfer.hold():
        pieces = (piece for _, piece in copying.pieces(graph.store))
        return write_import_files(folder, pieces, graph.store.persons.persons)


def command(folder: Path) -> list[str]:
    """The importer's, from the README.txt of the files."""
    text = (folder / "README.txt").read_text(encoding="utf-8")
    start = text.index("neo4j-admin")
    return shlex.split(text[start : text.index("\n\n", start)].replace("\\\n", " "))


def imported(folder: Path, home: Path) -> str:
    """Run it, with the server's own classes; what it said."""
    words = command(folder)
    assert words[:4] == ["neo4j-admin", "database", "import", "full"]
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "neo4j.conf").write_text("dbms.usage_report.enabled=false\n")
    java, jars, archive = prepared()
    program = [java.path, "-Xmx1g", *SHORT_LIVED, f"-XX:SharedArchiveFile={archive}", *OPENS]
    program += ["-cp", ":".join(f"{folder}/*" for folder in jars), "org.neo4j.cli.AdminTool"]
    done = subprocess.run(
        [*program, *words[1:]],
        cwd=folder,
        env=os.environ | {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:2000]
    return done.stdout


def left_out(labels: list[str]) -> tuple[str, ...]:
    return ("edition", *NOT_ITS_OWN) if "Store" in labels else ("edition",)


def graph_of(url: str) -> tuple[list[Any], list[Any]]:
    """Every node and relationship, without the numbers that the server gives, without the turn of readers, made at the
    first opening, and without editions, of which a copy makes one a piece."""
    nodes = [
        (sorted(labels), sorted(item for item in facts.items() if item[0] not in left_out(labels)))
        for labels, facts in asked(url, "MATCH (n) WHERE NOT n:Moment RETURN labels(n), properties(n)")
    ]
    relationships = [
        (*ends, type, sorted(facts.items()))
        for ends, type, facts in asked(
            url, "MATCH (a)-[r]->(b) RETURN [n IN [a, b] | coalesce(n.key, n.id, n.name)], type(r), properties(r)"
        )
    ]
    return sorted(nodes, key=repr), sorted(relationships, key=repr)


def test_the_importer_makes_the_graph_that_a_copy_makes(
    lived: IdentityGraph, tmp_path: Path, neo4j_process: Neo4j, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_runs, "ROWS", 300)  # so that links are merged from files
    monkeypatch.setattr(copying, "ROWS", 400)
    folder = tmp_path / "files"
    counts = export(lived, folder)
    nodes = sum(count for name, count in counts.items() if name in NODES)
    said = imported(folder, tmp_path / "home")
    assert f"{nodes} nodes" in said and f"{sum(counts.values()) - nodes} relationships" in said
    with Neo4j(home=tmp_path / "home") as server:
        before = graph_of(server.url)
        with opened(server.url) as copy:
            assert whole(copy) == whole(lived)
            made = asked(server.url, "SHOW CONSTRAINTS YIELD name RETURN count(*)")[0][0]
            assert made == sum(text.startswith("CREATE CONSTRAINT") for text in script("schema"))
            with opened(emptied(neo4j_process.url)) as other:
                copying.copy(lived.store, other.store)
                expected = graph_of(neo4j_process.url)
            assert before[0] == expected[0]
            assert before[1] == expected[1]
            take_key(lived, copy)
            assert_lives_on(copy, lived, tmp_path)


def test_a_store_on_a_server_is_exported_as_one_in_a_file(lived: IdentityGraph, tmp_path: Path, neo4j_url: str) -> None:
    export(lived, tmp_path / "one")
    with opened(emptied(neo4j_url)) as server:
        copying.copy(lived.store, server.store)
        export(server, tmp_path / "other")
    ours = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    theirs = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    own = ("store.csv", "README.txt")  # each export is a store with an id of its own
    assert {name: text for name, text in ours.items() if name not in own} == {
        name: text for name, text in theirs.items() if name not in own
    }
    assert ours.keys() == theirs.keys()


def test_files_that_are_there_are_not_written_over(lived: IdentityGraph, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("mine")
    with pytest.raises(InputError, match="is not empty") as caught:
        export(lived, tmp_path / "full")
    assert caught.value.code == "OUTPUT_FAILED"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter"]


def test_an_empty_store_is_exported_too(tmp_path: Path) -> None:
    with opened("sqlite:///:memory:") as graph:
        assert export(graph, tmp_path / "files") == {"Store": 1}
    assert "tombstone" not in (tmp_path / "files" / "README.txt").read_text().lower()
