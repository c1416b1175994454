"""A Neo4j server with short time-outs, and with TLS by a certificate of its own; and its first moments as a store."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import SettingError, StoreError
from identity_graph.store import open_store
from identity_graph.store.neo4j import failures
from tests.conftest import without_neo4j
from tests.durability.test_neo4j_opening import FAILS_WITHIN, refused
from tests.neo4j.database import asked, emptied
from tests.neo4j.jars import Unavailable
from tests.neo4j.launcher import Neo4j
from tests.nursery import FORK
from tests.store.building import batch, begin, event, load

ROOT = Path(__file__).parents[2]
LOCK, TRANSACTION = 1.0, 3.0  # seconds
MEMORY = 8 * 1024 * 1024  # bytes of a transaction
ITSELF = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        without_neo4j("openssl makes the certificate of a server with TLS here: apt-get install openssl")
    folder = tmp_path_factory.mktemp("certificate")
    files = ["-keyout", str(folder / "private.key"), "-out", str(folder / "public.crt")]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *ITSELF, *files]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "public.crt"


@pytest.fixture(scope="module")
def strict(certificate: Path) -> Iterator[Neo4j]:
    """Nothing was ever stored there. TLS is for those who want it."""
    settings = {
        "db.lock.acquisition.timeout": f"{LOCK:.0f}s",
        "db.memory.transaction.max": str(MEMORY),
        "dbms.ssl.policy.bolt.enabled": "true",
        "dbms.ssl.policy.bolt.base_directory": str(certificate.parent),
        "dbms.ssl.policy.bolt.client_auth": "NONE",
        "server.bolt.tls_level": "OPTIONAL",
    }
    try:
        with Neo4j(gds=False, heap="512m", settings=settings) as server:
            yield server
    except Unavailable as error:
        without_neo4j(str(error))


@pytest.fixture
def impatient(strict: Neo4j) -> Neo4j:
    """The same, started again with a time that a busy machine may need for anything: for the last test here."""
    strict.stop()
    strict.settings = {
        **strict.settings,
        "db.transaction.timeout": f"{TRANSACTION:.0f}s",
        "db.transaction.monitor.check.interval": "100ms",
    }
    strict.start()
    return strict


def begin_store(url: str, all_here: Barrier) -> None:
    # Whoever waits for others may do so for longer than LOCK, again and again.
    vars(failures).update(PAUSES=(0.2,) * 500, PATIENCE=100.0)
    all_here.wait(120)
    store = open_store(url)
    load(store, event(f"by {os.getpid()}", "cookie:of-all"))
    store.close()


def test_many_may_begin_the_store_at_once(strict: Neo4j) -> None:
    assert asked(strict.url, "SHOW CONSTRAINTS") == []
    all_here = FORK.Barrier(4)
    processes = [FORK.Process(target=begin_store, args=(strict.url, all_here)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    store = open_store(strict.url)
    counts = store.operations.counts()
    assert (counts["events"], counts["identifiers"], counts["observations"]) == (4, 1, 4)
    assert asked(strict.url, "MATCH (store:Store) RETURN count(store)")[0][0] == 1
    store.close()


def test_what_the_server_has_no_memory_for_is_tried_once(strict: Neo4j) -> None:
    """The server calls it a failure that may pass; the same step would need the same memory again."""
    store = open_store(emptied(strict.url))
    run, heard = begin(store), list[str]()
    large = [event(f"e{n}", "cookie:1", properties={"text": "x" * (MEMORY // 4)}) for n in range(8)]
    with store.trace(heard.append), pytest.raises(StoreError) as caught:
        store.evidence.append(run, batch(large))
    assert (caught.value.code, "in its memory" in caught.value.help) == ("STORE_FULL", True)
    assert "MemoryPoolOutOfMemory" in str(getattr(caught.value.__cause__, "code", ""))
    assert heard.count("evidence/append_events") == 1
    assert store.operations.counts()["events"] == 0
    load(store, event("small", "cookie:1"))
    assert store.operations.counts()["events"] == 1
    store.close()


def test_tls_by_a_certificate_that_is_trusted_or_need_not_be(strict: Neo4j, certificate: Path) -> None:
    """neo4j+s:// in a process of its own: the certificates that are trusted are read once a process."""
    emptied(strict.url)
    for scheme in ("neo4j+s", "bolt+s"):
        error = refused(strict.url.replace("neo4j://", f"{scheme}://"), "STORE_UNREACHABLE")
        assert "self-signed certificate" in error.message and "neo4j+ssc://" in error.help
    for scheme in ("neo4j+ssc", "bolt+ssc"):
        store = open_store(strict.url.replace("neo4j://", f"{scheme}://"))
        load(store, event(scheme, "cookie:1"))
        assert store.operations.counts()["identifiers"] == 1
        store.close()
    url = strict.url.replace("neo4j://", "neo4j+s://")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SSL_CERT_FILE": str(certificate)}
    command = [sys.executable, "-m", "identity_graph", "stats", "--json", "--store", url]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, '"events": 2' in done.stdout) == (0, True), done


def test_without_graph_data_science_columns_are_read_and_that_is_said_once(
    strict: Neo4j, caplog: pytest.LogCaptureFixture
) -> None:
    url = emptied(strict.url.replace("neo4j://", "neo4j+ssc://"))
    with caplog.at_level(logging.WARNING), IdentityGraph.open(url) as graph:
        graph.ingest.events([event("1", "user_id:ann", "cookie:1")])
        for _ in range(2):
            graph.resolver.resolve(full=True)
        assert (graph.engine.name, graph.people.count()) == ("arrays", 1)
    assert ["Graph Data Science" in record.message for record in caplog.records] == [True]
    with pytest.raises(SettingError) as caught:
        IdentityGraph.open(url, engine="gds")
    assert caught.value.code == "ENGINE_MISSING"


@pytest.mark.parametrize("whole", [True, False])
def test_a_writer_waits_for_another_and_then_says_so(
    whole: bool, strict: Neo4j, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity_graph.store.neo4j.failures.PATIENCE", 0.0)  # else it waits as often as that allows
    one, two = open_store(emptied(strict.url)), open_store(strict.url)
    run = begin(two)

    def write() -> None:
        if whole:
            with two.transaction():
                load(two, event("b"))
        else:
            two.evidence.append(run, batch([event("b")]))

    with one.transaction():
        load(one, event("a"))
        begun = time.monotonic()
        with pytest.raises(StoreError) as caught:
            write()
        assert (caught.value.code, "Another process" in caught.value.help) == ("STORE_BUSY", True)
        assert LOCK * 0.9 < time.monotonic() - begun < FAILS_WITHIN
        assert [two.operations.counts()["events"], one.operations.counts()["events"]] == [0, 1], "readers do not wait"
    # And where the other one ends in time, or while it is tried again.
    monkeypatch.undo()
    held, ends = threading.Event(), threading.Event()

    def hold() -> None:
        with one.transaction():
            load(one, event("c"))
            held.set()
            ends.wait(LOCK / 5)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    write()
    holder.join()
    assert one.operations.counts()["events"] == 3
    one.close()
    two.close()


def test_a_transaction_may_take_too_long(impatient: Neo4j) -> None:
    store = open_store(emptied(impatient.url))
    for more in (lambda: load(store, event("b", "cookie:1")), lambda: None):
        begun = time.monotonic()
        with pytest.raises(StoreError) as caught, store.transaction():
            load(store, event("a", "cookie:1"))
            time.sleep(TRANSACTION + 0.5)
            more()
        assert (caught.value.code, "db.transaction.timeout" in caught.value.help) == ("STORE_TIMEOUT", True)
        assert time.monotonic() - begun < FAILS_WITHIN
        assert store.operations.counts()["events"] == 0
    load(store, event("a", "cookie:1"))
    assert store.operations.counts()["identifiers"] == 1
    store.close()
