"""How a server is reached: over TLS, as far as certificates are trusted; and whether what was written is read."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph.errors import StoreError
from identity_graph.store import open_store
from tests.conftest import without_neo4j
from tests.neo4j.database import emptied
from tests.neo4j.jars import Unavailable
from tests.neo4j.launcher import Neo4j
from tests.store.building import event, load, numbers

SUBJECT = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What follows the scheme in the URL of a server that speaks TLS, too, and its certificate, which nobody trusts."""
    folder = tmp_path_factory.mktemp("certificate")
    if shutil.which("openssl") is None:
        without_neo4j("openssl makes the certificate of a server: apt-get install openssl")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *SUBJECT]
    files = ["-keyout", str(folder / "private.key"), "-out", str(folder / "public.crt")]
    subprocess.run([*command, *files], check=True, capture_output=True)
    settings = {
        "server.bolt.tls_level": "OPTIONAL",  # the launcher itself asks without
        "dbms.ssl.policy.bolt.enabled": "true",
        "dbms.ssl.policy.bolt.base_directory": str(folder),
        "dbms.ssl.policy.bolt.client_auth": "NONE",
    }
    try:
        with Neo4j(settings=settings) as server:
            yield server.url.partition("://")[2], folder / "public.crt"
    except Unavailable as error:
        without_neo4j(str(error))


@pytest.mark.parametrize("scheme", ["neo4j+s", "bolt+s"])
def test_a_certificate_must_be_trusted(secured: tuple[str, Path], scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rest, certificate = secured
    with pytest.raises(StoreError) as refused:
        open_store(f"{scheme}://{rest}")
    assert refused.value.code == "STORE_UNREACHABLE"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    store = open_store(f"{scheme}://{rest}")
    load(store, event("e1", "email:ann@example.org"))
    assert numbers(store, "email:ann@example.org")
    store.close()


@pytest.mark.parametrize("scheme", ["neo4j+ssc", "bolt+ssc", "neo4j", "bolt"])
def test_any_certificate_or_none_will_do(secured: tuple[str, Path], scheme: str) -> None:
    store = open_store(f"{scheme}://{secured[0]}")
    assert store.persons.count() == 0
    store.close()


def test_a_reading_waits_for_what_was_written_before(neo4j_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """It tells the server the bookmark of the last commit: of a cluster, one that has not got that far answers later.
    A server alone has always got that far, so what is looked at is what the driver sends."""
    store = open_store(emptied(neo4j_url))
    with caplog.at_level(logging.DEBUG, logger="neo4j.io"):
        for number in range(3):
            load(store, event(f"e{number}", f"email:{number}@example.org"))
            written = re.findall(r"S: SUCCESS \{.*'bookmark': '([^']+)'", caplog.text)[-1]
            caplog.clear()
            assert numbers(store, f"email:{number}@example.org")
            (sent,) = [line for line in caplog.messages if "C: RUN" in line]
            assert written in sent
            caplog.clear()
    store.close()
