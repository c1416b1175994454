"""An erasure by the command line on a server is killed before chosen statements and commits: the person is whole, or
hidden and then gone, and is finished by who comes next."""

from __future__ import annotations

import signal
from pathlib import Path

from identity_graph import IdentityGraph
from identity_graph.model import Identifier
from tests import nursery
from tests.cli.calling import answer, failure
from tests.conftest import NIGHTLY
from tests.neo4j.database import emptied
from tests.story.worlds import event, tell, town

ZOE = Identifier("email", "zoe@example.org")
HERS = [event(f"z{n}", n, ZOE.key, f"cookie:z{n}", "ip:203.0.113.7") for n in range(4)]
FORGET = """
import json, os, signal, sys
from neo4j import Transaction
from identity_graph.cli import main
from identity_graph.store.neo4j.connection import Connection
at, told, steps = int(sys.argv.pop(1)), open(sys.argv.pop(1), "w"), 0
def counted(of, method, name):
    work = getattr(of, method)
    def do(self, *given):
        global steps
        steps += 1
        print(name or given[-1], file=told, flush=True)
        if steps == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(self, *given)
    setattr(of, method, do)
counted(Connection, "_run", "")
counted(Transaction, "commit", "commit")
counted(Connection, "_end_turn", "committed")
main()
"""
"""`identity-graph`, which writes what it does, and ends before the step of that number."""


def forgetting(url: str, folder: Path, at: int = 0) -> tuple[int, list[str]]:
    """How it ended, and its steps."""
    command = ["forget", ZOE.key, "--yes", "--receipt", str(folder / "receipt.json"), "--store", url]
    told = folder / "steps"
    ended = nursery.run(["-c", FORGET, str(at), told, *command])
    return ended.returncode, told.read_text().splitlines()


def peopled(url: str, *, with_her: bool) -> str:
    with IdentityGraph.open(emptied(url)) as graph:
        tell(graph, [*town(), *(HERS if with_her else ())])
        return graph.digest()


def moments(steps: list[str]) -> list[int]:
    """By number, from 1, from where the erasure is noted: before each commit, and when it is there; nightly each."""
    begun = steps.index("erasures/keep") + 1
    found = range(begun, len(steps) + 1)
    return [at for at in found if NIGHTLY or steps[at - 1] in ("commit", "committed", "privacy/erase_events")]


def test_killed_in_an_erasure(neo4j_url: str, tmp_path: Path) -> None:
    """By the same command where the person is there, and by `forget resume` everywhere."""
    without, whole = peopled(neo4j_url, with_her=False), peopled(neo4j_url, with_her=True)
    status, steps = forgetting(neo4j_url, tmp_path)
    assert status == 0
    told, seen = tmp_path / "receipt.json", set()
    for turn, at in enumerate(moments(steps)):
        assert peopled(neo4j_url, with_her=True) == whole
        told.unlink(missing_ok=True)
        status, killed = forgetting(neo4j_url, tmp_path, at)
        assert (status, killed) == (-signal.SIGKILL, steps[:at]) and not told.exists()
        with IdentityGraph.open(neo4j_url) as graph:
            before, open_ = graph.digest(), graph.store.erasures.open()
            asked = bool(graph.store.erasures.requests())
            assert before in (whole, without), (at, steps[at - 1], "never half")
            assert (graph.people.find_by_identifier([ZOE]) == [None]) == asked
        seen.add((asked, before == without))
        if before == whole and turn % 2 == 0:
            answer("forget", ZOE.key, "--yes", "--receipt", told, "--store", neo4j_url)
        else:
            assert len(answer("forget", "resume", "--store", neo4j_url)) == len(open_)
        if before == without:
            assert failure("forget", ZOE.key, "--yes", "--store", neo4j_url, status=7) == "PERSON_UNKNOWN"
        with IdentityGraph.open(neo4j_url) as graph:
            asked = bool(graph.store.erasures.requests())
            assert graph.digest() == (without if asked else whole) and graph.store.erasures.open() == []
            assert graph.restrictions.all() == []
            if asked:
                assert graph.store.privacy.tombstoned([ZOE]) == [True]
                assert graph.ingest.events(HERS).suppressed == len(HERS)
    assert seen == {(False, False), (True, False), (True, True)}, "each stage was killed"
