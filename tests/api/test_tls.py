"""Serving by TLS: with the certificate that it was given, and by nothing else."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.client import BadStatusLine
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.cli.calling import failure
from tests.opendsr.authority import Authority, write_key
from tests.tracking.serving import PATIENCE, serving

STATS = b'{"query": "{ stats { persons } }"}'


def ask(url: str, trusting: ssl.SSLContext | None = None) -> object:
    request = urllib.request.Request(url, STATS, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE, context=trusting) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, ssl.SSLContext]:
    """A certificate of `localhost`, its key, and what a client trusts."""
    folder, authority, key = tmp_path_factory.mktemp("tls"), Authority(), ec.generate_private_key(ec.SECP256R1())
    chain, own = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(authority.certificate(key, "localhost"))
    write_key(own, key)
    return chain, own, ssl.create_default_context(cadata=authority.trusted.decode())


def test_it_answers_by_tls_alone(issued: tuple[Path, Path, ssl.SSLContext], tmp_path: Path) -> None:
    chain, key, trusting = issued
    store = f"sqlite:///{tmp_path / 'people.db'}"
    with serving(store, ssl_certfile=str(chain), ssl_keyfile=str(key)) as server:
        assert server.url.startswith("https://127.0.0.1:")
        port = server.url.rpartition(":")[2]
        at = f"https://localhost:{port}/graphql"
        assert ask(at, trusting) == {"data": {"stats": {"persons": 0}}}
        with connect(
            f"wss://localhost:{port}/graphql",
            ssl=trusting,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            open_timeout=PATIENCE,
        ) as socket:
            socket.send('{"type": "connection_init"}')
            assert '"connection_ack"' in str(socket.recv(PATIENCE))
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(at, ssl.create_default_context())
        with pytest.raises((BadStatusLine, ConnectionError)):
            ask(at.replace("https", "http"))


@pytest.mark.parametrize(
    "wrong", ["missing", "no certificate", "another's key", "encrypted key", "no certificate named"]
)
def test_a_certificate_that_cannot_be_used(
    wrong: str, issued: tuple[Path, Path, ssl.SSLContext], tmp_path: Path
) -> None:
    chain, key, _ = issued
    other = tmp_path / "other.pem"
    if wrong == "missing":
        chain = tmp_path / "missing.pem"
    elif wrong == "no certificate":
        other.write_text("nothing of PEM\n")
        chain = other
    elif wrong == "another's key":
        write_key(other, ec.generate_private_key(ec.SECP256R1()))
        key = other
    elif wrong == "encrypted key":
        secret = BestAvailableEncryption(b"secret")
        own = ec.generate_private_key(ec.SECP256R1())
        other.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
        key = other
    named: list[str | Path] = [] if wrong == "no certificate named" else ["--ssl-certfile", chain]
    store = f"sqlite:///{tmp_path / 'people.db'}"
    code = failure("serve", "--open", "--port", "0", "--store", store, *named, "--ssl-keyfile", key, status=2)
    assert code == "SETTING_INVALID"
