"""A Neo4j server is killed in the middle of a load and of a publication: the same command goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import StoreError
from identity_graph.model import RunState
from identity_graph.store.neo4j import failures
from tests.cli.calling import answer
from tests.durability.test_neo4j_opening import FAILS_WITHIN
from tests.neo4j.database import asked, emptied
from tests.neo4j.launcher import PASSWORD, Neo4j
from tests.nursery import Forked
from tests.story.ingesting import jsonl, native, write

ROOT = Path(__file__).parents[2]
RECORDS = 6_000  # of which the command line stores 5,000 at first
LOAD = """
import sys
from identity_graph.cli import main
from identity_graph.store.neo4j.connection import Connection
run = Connection._run
def haltingly(self, text, parameters, name):
    if name == "evidence/append_events" and parameters["events"][0]["number"] > 5_000:
        print("in the middle", flush=True)
        sys.stdin.readline()
    return run(self, text, parameters, name)
Connection._run = haltingly
main()
"""
"""`identity-graph` with a word said, and one waited for, in the second transaction of a load."""


def test_killed_and_started_again(neo4j_server: Neo4j, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "events.jsonl", jsonl(*map(native, range(RECORDS))))
    calm, url = f"sqlite:///{tmp_path / 'calm.db'}", emptied(neo4j_server.url)
    answer("load", "--store", calm, "--loader", "events", path)
    answer("resolve", "--store", calm)

    # In the middle of a load, by a process of its own.
    with Forked(["-c", LOAD, "load", "--store", url, "--loader", "events", path]) as load:
        assert load.stdout.readline() == "in the middle\n"
        neo4j_server.kill()
        _, errors = load.communicate("go on\n", timeout=FAILS_WITHIN)
    assert (load.returncode, len(errors.splitlines())) == (6, 2), errors
    assert errors.startswith("STORE_UNREACHABLE: ") and PASSWORD not in errors.replace("identity-graph ", "")
    neo4j_server.start()
    assert 0 < position(url) < RECORDS
    (run,) = answer("load", "--store", url, "--loader", "events", path)["runs"]
    assert (run["read"], run["accepted"], run["duplicate"]) == (RECORDS, RECORDS, 0)

    # In the middle of a publication, by a process that then goes on with the connections that it had.
    graph = IdentityGraph.open(url)

    def kill(statement: str) -> None:
        if statement == "persons/publish_members":
            neo4j_server.kill()

    monkeypatch.setattr(failures, "PAUSES", ())  # how long it waits for the server was seen above
    with graph.store.trace(kill), pytest.raises(StoreError) as caught:
        graph.resolver.resolve()
    assert caught.value.code == "STORE_UNREACHABLE"
    monkeypatch.undo()
    neo4j_server.start()
    assert graph.store.persons.count() == 0
    assert answer("resolve", "--store", url)["state"] == RunState.DONE
    assert graph.store.persons.count() == answer("stats", "--store", calm)["persons"] > 0
    graph.close()
    assert answer("digest", "--store", url) == answer("digest", "--store", calm)


def position(url: str) -> int:
    """Of the only run; 0 where there is none."""
    rows = asked(url, "MATCH (run:Run) RETURN run.position")
    return int(rows[0][0]) if rows else 0
