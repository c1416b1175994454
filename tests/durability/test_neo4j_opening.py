"""A Neo4j store that cannot be opened: one code each, at once, without a word too many."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from identity_graph.errors import StoreError
from identity_graph.store import open_store
from identity_graph.store.neo4j import connection
from identity_graph.store.neo4j.address import Address
from identity_graph.store.neo4j.failures import PATIENCE
from identity_graph.store.neo4j.statements import script
from tests.cli.calling import failure
from tests.neo4j.database import asked, emptied
from tests.neo4j.port import free_port

ROOT = Path(__file__).parents[2]
WRONG = "not-the-pass%2Fword"
FAILS_WITHIN = 100.0  # seconds, on a busy machine; more than 20 are never waited for
SECRETS = (WRONG, "not-the-pass/word")  # that of the launcher is the name of the project, too


def refused(url: str, code: str) -> StoreError:
    """The error of opening it, which neither takes minutes, as the driver would by itself, nor tells the password."""
    begun = time.monotonic()
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert time.monotonic() - begun < FAILS_WITHIN
    assert caught.value.code == code, caught.value
    assert "\n" not in caught.value.message and caught.value.help
    assert not any(secret in f"{caught.value} {caught.value.help}" for secret in SECRETS)
    return caught.value


def changed(url: str, **parts: str) -> str:
    """Another user, password, host, database or scheme."""
    old = urlsplit(url)
    new = {
        "scheme": old.scheme,
        "user": old.username,
        "password": old.password,
        "host": f"{old.hostname}:{old.port}",
        "database": old.path.strip("/"),
    } | parts
    return "{scheme}://{user}:{password}@{host}/{database}".format(**new)


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """Host and port of somebody who says this to whoever connects; None says nothing, and stays."""
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                kept.append(client)
                if answer is not None:
                    client.recv(1024)
                    client.sendall(answer)
                    client.close()

        Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for client in kept:
        client.close()


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_who_is_not_known_there_is_denied(scheme: str, neo4j_url: str) -> None:
    url = changed(neo4j_url, scheme=scheme)
    refused(changed(url, password=WRONG), "STORE_DENIED")
    refused(changed(url, user="ann"), "STORE_DENIED")
    refused(f"{scheme}://{urlsplit(url).netloc.rpartition('@')[2]}/neo4j", "STORE_DENIED")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_database_that_is_not_there(scheme: str, neo4j_url: str) -> None:
    assert "people" in refused(changed(neo4j_url, scheme=scheme, database="people"), "STORE_OPEN").message
    refused(changed(neo4j_url, scheme=scheme, database="system"), "STORE_URL")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j", "neo4j+s", "neo4j+ssc"])
def test_nobody_is_there(scheme: str, neo4j_url: str) -> None:
    url = changed(neo4j_url, scheme=scheme, host=f"127.0.0.1:{free_port()}")
    assert "Connection refused" in refused(url, "STORE_UNREACHABLE").message
    refused(changed(neo4j_url, scheme=scheme, host="nobody.invalid:7687"), "STORE_UNREACHABLE")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j", "bolt+s"])
def test_somebody_else_is_there(scheme: str, neo4j_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as host:
        refused(changed(neo4j_url, scheme=scheme, host=host), "STORE_UNREACHABLE")
    assert connection.CONNECT + PATIENCE < 30
    monkeypatch.setattr(connection, "CONNECT", 0.5)
    with listening(None) as host:
        refused(changed(neo4j_url, scheme=scheme, host=host), "STORE_UNREACHABLE")


@pytest.mark.parametrize("scheme", ["bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc"])
def test_a_server_without_tls_is_asked_for_tls(scheme: str, neo4j_url: str) -> None:
    assert "neo4j:// for none" in refused(changed(neo4j_url, scheme=scheme), "STORE_UNREACHABLE").help


@pytest.mark.parametrize(
    "url",
    [
        "neo4j+x://neo4j:{}@host/neo4j",
        "neo4j://neo4j:{}@host:seven/neo4j",
        "neo4j://neo4j:{}@host:70000/neo4j",
        "neo4j://neo4j:{}@/neo4j",
        "neo4j://neo4j:{}@host/neo4j/people",
        "neo4j://neo4j:{}@host/neo4j?database=people",
        "neo4j://neo4j:{}@[host/neo4j",
        "neo4j://neo4j:[{}@host/neo4j",
        # A password in which a slash was not written %2F: what follows it is no name of a database.
        "neo4j://neo4j:12/{}@host/neo4j",
        "neo4j://neo4j:12/{}@host",
    ],
)
def test_a_url_that_is_none(url: str) -> None:
    refused(url.format(WRONG), "STORE_URL")


def test_a_store_of_a_newer_version_is_left_alone(neo4j_url: str) -> None:
    open_store(emptied(neo4j_url)).close()
    asked(neo4j_url, "MATCH (store:Store) SET store.version = 1000")
    assert "1000" in refused(neo4j_url, "STORE_VERSION").message
    emptied(neo4j_url)


@pytest.mark.parametrize("cut", [None, 0, 17])
def test_a_store_of_an_earlier_version_is_made_one_of_this(
    cut: int | None, neo4j_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted it is of the earlier one still, and the next that opens it does all of it."""
    open_store(emptied(neo4j_url)).close()
    names = "SHOW CONSTRAINTS YIELD name RETURN name ORDER BY name"
    before = asked(neo4j_url, names)
    asked(neo4j_url, "DROP CONSTRAINT erasure_id")
    asked(neo4j_url, "DROP INDEX identifier_restricted")
    asked(neo4j_url, f"MATCH (store:Store) SET store.version = {connection.OLDEST}")
    if cut is not None:
        with monkeypatch.context() as patch:
            texts = [*script("schema")][:cut]
            patch.setattr(connection, "script", lambda name: [*texts, "RETURN not_a_function()"])
            with pytest.raises(StoreError):
                open_store(neo4j_url)
        assert asked(neo4j_url, "MATCH (store:Store) RETURN store.version") == [(connection.OLDEST,)]
    open_store(neo4j_url).close()
    assert asked(neo4j_url, "MATCH (store:Store) RETURN store.version") == [(connection.VERSION,)]
    assert asked(neo4j_url, names) == before
    assert asked(neo4j_url, "SHOW INDEXES YIELD name WHERE name = 'identifier_restricted' RETURN name")


@pytest.mark.parametrize("query", ["CREATE (:Person {id: 'ann'})-[:KNOWS]->(:Person {id: 'ann'})", "CREATE (:Film)"])
def test_a_graph_of_others_is_left_alone(query: str, neo4j_url: str) -> None:
    emptied(neo4j_url)
    for (name,) in asked(neo4j_url, "SHOW CONSTRAINTS YIELD name RETURN name"):
        asked(neo4j_url, f"DROP CONSTRAINT {name}")
    asked(neo4j_url, query)
    before = asked(neo4j_url, "MATCH (node) RETURN count(node)")
    refused(neo4j_url, "STORE_OPEN")
    assert asked(neo4j_url, "MATCH (node) RETURN count(node)") == before
    assert asked(neo4j_url, "SHOW CONSTRAINTS") == []
    open_store(emptied(neo4j_url)).close()


# ---- the command line


CASES: dict[str, Callable[[str], tuple[str, str]]] = {
    "password": lambda url: (changed(url, password=WRONG), "STORE_DENIED"),
    "database": lambda url: (changed(url, database="people"), "STORE_OPEN"),
    "nobody": lambda url: (changed(url, password=WRONG, host=f"127.0.0.1:{free_port()}"), "STORE_UNREACHABLE"),
    "tls": lambda url: (changed(url, password=WRONG, scheme="neo4j+s"), "STORE_UNREACHABLE"),
    "url": lambda url: (f"neo4j://neo4j:12/{WRONG}@host", "STORE_URL"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_line_says_so(case: str, neo4j_url: str) -> None:
    url, code = CASES[case](neo4j_url)
    assert failure("stats", "--store", url, status=6) == code


def test_the_driver_prints_nothing_beside_it(neo4j_url: str) -> None:
    """In a process of its own, where nobody has set up logging."""
    url = changed(neo4j_url, scheme="neo4j", password=WRONG, host=f"127.0.0.1:{free_port()}")
    command = [sys.executable, "-m", "identity_graph", "stats", "--store", url]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (6, "", 2), done.stderr
    assert lines[0].startswith("STORE_UNREACHABLE: neo4j://127.0.0.1:")


def test_no_log_and_no_object_shows_the_password(neo4j_url: str, caplog: pytest.LogCaptureFixture) -> None:
    system = changed(emptied(neo4j_url), database="system")
    asked(system, "CREATE USER ann SET PASSWORD $password CHANGE NOT REQUIRED", password=SECRETS[1])
    caplog.set_level(logging.DEBUG)
    try:
        store = open_store(changed(neo4j_url, user="ann", password=WRONG))
        found = [repr(store), repr(vars(store)), repr(vars(store.database))]  # type: ignore[attr-defined]
        store.close()
    finally:
        asked(system, "DROP USER ann")
    for case in CASES.values():
        with pytest.raises(StoreError) as caught:
            open_store(case(neo4j_url)[0])
        found += [repr(caught.value), str(caught.getrepr(style="short"))]
    found += [repr(Address.parse(changed(neo4j_url, password=WRONG))), caplog.text]
    assert len(caplog.records) > 100, "the driver says what it does"
    assert [text for text in found for secret in SECRETS if secret in text] == []
