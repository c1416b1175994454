"""The processor under test: the one that OPENDSR_URL names, else our own service, on each store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.access import Role
from identity_graph.access.keys import KeysFile
from identity_graph.model import Event
from tests.neo4j.database import emptied
from tests.neo4j.port import free_port
from tests.opendsr.authority import Authority
from tests.opendsr.controller import PATIENCE, Controller, Receiver, receiving
from tests.story.worlds import event, household
from tests.tracking.serving import Serving, serving

ELSEWHERE = os.environ.get("OPENDSR_URL", "")
EMAIL = "zoe@example.org"

AGREEMENT = """
domain = "localhost"
url = "http://localhost:{port}"
private_key = "opendsr.key"
certificate = "opendsr.pem"
pending = "{pending}"
shared = "{shared}"
callback_hosts = ["127.0.0.1"]
first_wait = 0.05
attempts = {attempts}
timeout = 5
[identities]
email = "email"
controller_customer_id = "user_id"
ios_advertising_id = "advertising_id"
[extension]
phone = "phone"
cookie = "cookie"
"""


def zoe() -> list[Event]:
    """Of four events, and nobody else's."""
    return [
        event("z1", 0, f"email:{EMAIL}", "cookie:z-one", traits={"first_name": "Zoe"}),
        event("z2", 1, "cookie:z-one", "user_id:zoe"),
        event("z3", 2, "user_id:zoe", "phone:+15550100444", source="crm"),
        event("z4", 3, "user_id:zoe", "ip:203.0.113.9"),
    ]


def agreed(folder: Path, *, pending: str = "1 hour", attempts: int = 6, port: int = 0, shared: str = "detach") -> Path:
    path = folder / "opendsr.toml"
    path.write_text(AGREEMENT.format(pending=pending, attempts=attempts, port=port, shared=shared))
    return path


@contextmanager
def processing(
    url: str, folder: Path, *, pending: str = "1 hour", shared: str = "detach"
) -> Iterator[tuple[Serving, Controller]]:
    """Our own service over the store of that URL; its keys, audit log and agreement are in the folder."""
    port = free_port()
    authority = Authority()
    authority.equip(folder, "localhost")
    keys = KeysFile(folder / "keys.json")
    key = keys.create(Role.PRIVACY_OFFICER, "controller")[1]
    settings = {"keys": str(keys.path), "opendsr": str(agreed(folder, pending=pending, port=port, shared=shared))}
    settings["signing_key"] = str(folder / "signing.pem")
    with serving(url, port=port, **settings) as server:
        base = f"http://localhost:{port}/opendsr/v2"
        own = Controller(base, f"Bearer {key}", authority.trusted)
        own.identity = {"identity_type": "email", "identity_value": EMAIL, "identity_format": "raw"}
        yield server, own


@contextmanager
def _own(request: pytest.FixtureRequest, folder: Path, pending: str) -> Iterator[Controller]:
    on_server = request.param == "neo4j"
    url = emptied(request.getfixturevalue("neo4j_url")) if on_server else f"sqlite:///{folder / 'people.db'}"
    with IdentityGraph.open(url) as graph:
        graph.ingest.events([*zoe(), *household()])
        graph.resolver.resolve()
    with processing(url, folder, pending=pending) as (_, controller):
        yield controller


@contextmanager
def _elsewhere() -> Iterator[Controller]:
    found = os.environ.get
    roots = found("OPENDSR_CA")
    controller = Controller(
        ELSEWHERE.rstrip("/"), found("OPENDSR_AUTHORIZATION", ""), Path(roots).read_bytes() if roots else b""
    )
    controller.patience = float(found("OPENDSR_PATIENCE", PATIENCE))
    supported = controller.discovery["supported_identities"][0]
    controller.identity = {
        "identity_type": found("OPENDSR_IDENTITY_TYPE", supported["identity_type"]),
        "identity_value": found("OPENDSR_IDENTITY_VALUE", "nobody.of.the.conformance.kit@example.org"),
        "identity_format": found("OPENDSR_IDENTITY_FORMAT", "raw"),
    }
    yield controller


STORES = ["elsewhere"] if ELSEWHERE else ["sqlite", "neo4j"]


@pytest.fixture(scope="module", params=STORES)
def processor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """Of which requests are pending for a while."""
    made = _elsewhere() if ELSEWHERE else _own(request, tmp_path_factory.mktemp("patient"), "1 hour")
    with made as controller:
        yield controller


@pytest.fixture(scope="module", params=STORES)
def prompt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """Which carries out what it was asked within `patience`."""
    made = _elsewhere() if ELSEWHERE else _own(request, tmp_path_factory.mktemp("prompt"), "0s")
    with made as controller:
        yield controller


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Of callbacks: OPENDSR_CALLBACK_URL is to lead to OPENDSR_CALLBACK_PORT of this machine."""
    public = os.environ.get("OPENDSR_CALLBACK_URL", "")
    if ELSEWHERE and not public:
        pytest.skip("OPENDSR_CALLBACK_URL says by which address the processor reaches this machine")
    with receiving(int(os.environ.get("OPENDSR_CALLBACK_PORT", "0")), public) as found:
        yield found
