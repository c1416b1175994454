"""The launcher against the real thing: it starts, survives a crash, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from neo4j.exceptions import AuthError, ClientError

from tests.conftest import soon
from tests.neo4j.database import asked, emptied
from tests.neo4j.jars import PLUGINS, ROOT, SERVER, version
from tests.neo4j.launcher import PASSWORD, STARTS_WITHIN, STOPS_WITHIN, Neo4j, NotStarted
from tests.neo4j.port import is_free

ASKING = """
import os, threading, time
from tests.neo4j.launcher import Neo4j
server = Neo4j()
threading.Thread(target=server.start, daemon=True).start()
while not server.pid:
    time.sleep(0.01)
fork = os.fork()
if fork:
    print(fork, server.home, flush=True)
time.sleep(600)
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def servers(home: Path) -> list[int]:
    """The processes that have a folder below `home` in their command line, the watchers of servers left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if any(word.startswith(f"--home-dir={home}".encode()) for word in words) and b"-I" not in words:
            found.append(int(entry.name))
    return found


def test_it_answers_and_has_the_versions_of_the_poms(neo4j_url: str) -> None:
    query = (
        "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' RETURN versions[0], edition"
    )
    assert [record.values() for record in asked(neo4j_url, query)] == [[version(SERVER), "community"]]
    assert [record.values() for record in asked(neo4j_url, "RETURN gds.version()")] == [[version(PLUGINS)]]


def test_it_listens_to_this_machine_and_asks_for_the_password(neo4j_server: Neo4j) -> None:
    port = f"{neo4j_server.port:04X}"
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = [line.split()[1] for line in tables.splitlines() if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{port}")] in (
        [f"0100007F:{port}"],
        [f"0000000000000000FFFF00000100007F:{port}"],
    )
    (routes,) = asked(neo4j_server.url, "CALL dbms.routing.getRoutingTable({}) YIELD servers RETURN servers")
    assert {address for server in routes["servers"] for address in server["addresses"]} == {
        f"127.0.0.1:{neo4j_server.port}"
    }
    for password in ("neo4j", "wrong", "wrong", "wrong", "wrong"):
        with pytest.raises(AuthError):
            asked(neo4j_server.url.replace(PASSWORD, password), "RETURN 1")
    assert asked(neo4j_server.url, "RETURN 1"), "wrong passwords lock nobody out"


def test_what_was_committed_outlives_a_crash(neo4j_server: Neo4j) -> None:
    url, home = neo4j_server.url, neo4j_server.home
    emptied(url)
    asked(url, "UNWIND range(1, 30000) AS i CREATE (:Kept {i: i})")
    os.kill(neo4j_server.pid, signal.SIGSTOP)  # even one that hangs
    neo4j_server.kill()
    assert not neo4j_server.running and is_free(neo4j_server.port)
    neo4j_server.start()
    assert (neo4j_server.url, neo4j_server.home) == (url, home)
    assert asked(url, "MATCH (n:Kept) RETURN count(n), sum(n.i)")[0].values() == [30_000, 450_015_000]


def test_emptying_takes_the_nodes_and_leaves_the_schema(neo4j_url: str) -> None:
    asked(neo4j_url, "CREATE CONSTRAINT launcher IF NOT EXISTS FOR (n:Launcher) REQUIRE n.key IS UNIQUE")
    try:
        asked(neo4j_url, "UNWIND range(1, 2000) AS i CREATE (:Launcher {key: i})-[:TO]->(:Other)")
        assert emptied(neo4j_url) == neo4j_url
        assert asked(neo4j_url, "MATCH (n) RETURN count(n)")[0].values() == [0]
        assert asked(neo4j_url, "SHOW CONSTRAINTS YIELD name WHERE name = 'launcher' RETURN name")
    finally:
        asked(neo4j_url, "DROP CONSTRAINT launcher")


def test_a_server_to_play_with(neo4j_process: Neo4j, tmp_path: Path) -> None:
    """What `make neo4j KEEP=folder` runs: it says where it is, Ctrl-C stops it in order, the data stay."""
    home = tmp_path / "kept"
    command = [sys.executable, "-m", "tests.neo4j", "--without-gds", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(4)]
    assert version(SERVER) in said[0] and str(home) in said[3]
    url = said[1].partition("IDENTITY_GRAPH_STORE=")[2].strip()
    asked(url, "CREATE (:Kept)")
    with pytest.raises(ClientError, match="gds"):
        asked(url, "RETURN gds.version()")
    assert servers(home)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=STOPS_WITHIN + 60)
    assert (process.returncode, output.strip()) == (0, "Stopped.")
    assert servers(home) == []
    assert (home / "console.log").read_text(encoding="utf-8").rstrip().endswith("Stopped."), "it was not killed"
    assert (home / "data" / "databases" / "neo4j").is_dir()


def test_nothing_is_left_when_the_process_that_asked_is_killed(neo4j_process: Neo4j) -> None:
    """Also while a fork of it, which knows nothing of the server, holds its files open."""
    process = subprocess.Popen([sys.executable, "-c", ASKING], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    fork, _, folder = process.stdout.readline().strip().partition(" ")
    home = Path(folder)
    try:
        soon(lambda: (home / "data").exists(), within=STARTS_WITHIN)
        assert len(servers(home)) == 1
        process.kill()
        soon(lambda: not servers(home) and not home.exists())
        os.kill(int(fork), 0)  # it was there all the time
    finally:
        os.kill(int(fork), signal.SIGKILL)
        process.communicate()


def test_a_server_that_cannot_start_says_why(neo4j_process: Neo4j, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="'lots' is not a valid size"):
        Neo4j(home=tmp_path, settings={"server.memory.pagecache.size": "lots"}).start()
    with pytest.raises(NotStarted, match=f"listens on port {neo4j_process.port}"):
        Neo4j(home=tmp_path, port=neo4j_process.port).start()
    assert servers(tmp_path) == []
