"""/metrics, as Prometheus reads it."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from identity_graph import IdentityGraph, __version__
from identity_graph.api import create_app
from identity_graph.errors import CODES
from identity_graph.loaders import read_loader
from identity_graph.tally import OUTCOMES
from identity_graph.tracking.sent import BATCHES, TYPES
from tests.api.conftest import PATIENT
from tests.tracking.serving import PATIENCE, Serving, serving

ANN = "ann@example.org"
OPERATIONS = {"query", "mutation", "schema", "health", "metrics", "other", *TYPES, *BATCHES}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Samples, name: str, **labels: str) -> float:
    return found[(f"identity_graph_{name}", frozenset(labels.items()))]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with IdentityGraph.open("sqlite:///:memory:") as graph, TestClient(create_app(graph, terms=PATIENT)) as client:
        yield client


def talk(client: TestClient) -> None:
    """One of everything that is counted, each with an address in it wherever one can be."""
    client.post("/v1/identify", json={"userId": ANN, "messageId": ANN, "traits": {"email": ANN}}, auth=(ANN, ""))
    client.post("/v1/identify", json={"userId": ANN, "messageId": ANN, "traits": {"email": ANN}}, auth=(ANN, ""))
    client.post("/v1/batch", json={"batch": [{"type": ANN, "event": ANN}]}, auth=(ANN, ""))
    client.post("/v1/track", content=ANN.encode(), auth=(ANN, ""))
    client.get(f"/{ANN}", headers={"user-agent": ANN, "x-request-id": ANN})
    client.post(f"/v1/{ANN}?writeKey={ANN}")
    client.request("BREW", f"/graphql?{ANN}")
    who = f'{{identifier: {{namespace: "email", value: "{ANN}"}}}}'
    client.post("/graphql", json={"query": f"{{ person(by: {who}) {{ id }} }}"})
    client.post("/graphql", json={"query": f'{{ person(by: "{ANN}") }}', "operationName": ANN})
    client.post("/graphql", json={"query": "mutation { resolve { id } }"})
    event = {"id": ANN, "time": "2026-01-02T03:04:05Z", "source": ANN, "name": ANN, "identifiers": []}
    query = "mutation($e: [EventInput!]!) { ingest(events: $e) { quarantined } }"
    client.post("/graphql", json={"query": query, "variables": {"e": [event]}})
    client.get("/health")


def test_what_the_server_did_is_counted(client: TestClient) -> None:
    talk(client)
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert value(found, "requests_total", operation="identify", status="200") == 2
    assert value(found, "requests_total", operation="track", status="400") == 1
    assert value(found, "requests_total", operation="query", status="200") == 2
    assert value(found, "requests_total", operation="mutation", status="200") == 2
    assert value(found, "requests_total", operation="other", status="404") == 2
    assert value(found, "request_seconds_count", operation="identify") == 2
    assert value(found, "graphql_errors_total", code="QUERY_INVALID") == 1
    assert value(found, "events_total", outcome="accepted") == 1
    assert value(found, "events_total", outcome="duplicate") == 1
    assert value(found, "events_total", outcome="quarantined") == 2
    assert value(found, "events_total", outcome="suppressed") == 0
    assert value(found, "publications_total") >= 1 and value(found, "publications_seconds_total") > 0
    assert value(found, "publication_lag_seconds") >= value(found, "publication_failing") == 0
    assert value(found, "store_size", of="events") == value(found, "store_up") == 1
    assert value(found, "tracking_waiting_messages") == value(found, "tracking_waiting_bytes") == 0
    (info,) = (dict(labels) for name, labels in found if name == "identity_graph_info")
    assert (info["version"], info["store"]) == (__version__, "sqlite")
    assert ("process_resident_memory_bytes", frozenset()) in found


def test_no_label_holds_what_somebody_sent(client: TestClient) -> None:
    talk(client)
    text = client.get("/metrics").text
    assert "ann@" not in text.lower() and "example" not in text
    allowed = {"operation": OPERATIONS, "outcome": set(OUTCOMES), "code": set(CODES)}
    checked = set()
    for _, labels in samples(text):
        for name, found in labels:
            if name in allowed:
                assert found in allowed[name]
                checked.add(name)
            else:
                assert name in {"status", "le", "of", "version", "store", "policy", "normaliser"}
    assert checked == set(allowed)


def test_two_servers_of_a_process_do_not_mix(client: TestClient) -> None:
    talk(client)
    with IdentityGraph.open("sqlite:///:memory:") as graph, TestClient(create_app(graph, terms=PATIENT)) as other:
        found = samples(other.get("/metrics").text)
    assert value(found, "events_total", outcome="accepted") == 0
    assert not any("identify" in dict(labels).values() for _, labels in found)


def test_they_can_be_left_out(tmp_path: Path) -> None:
    with IdentityGraph.open("sqlite:///:memory:") as graph, TestClient(create_app(graph, metrics=False)) as client:
        assert client.get("/metrics").status_code == 404
        assert client.get("/health").status_code == 200
    with serving(f"sqlite:///{tmp_path / 'people.db'}", metrics="false") as server:
        assert server.get("/health")["status"] == "ok"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scraped(server)


def test_a_full_queue_and_what_could_not_be_published_are_seen(tmp_path: Path) -> None:
    """Another process holds the store."""
    with serving(f"sqlite:///{tmp_path / 'people.db'}") as server:
        assert server.send("/v1/track", {"userId": "u", "event": "First"}).status == 200
        server.person_soon("user_id", "u")
        other = apsw.Connection(str(tmp_path / "people.db"))
        other.set_busy_timeout(60_000)
        other.execute("BEGIN IMMEDIATE")
        sender = threading.Thread(target=server.send, args=("/v1/track", {"userId": "u", "event": "Second"}))
        sender.start()
        deadline = time.monotonic() + PATIENCE
        while not value(scraped(server), "tracking_waiting_bytes"):
            assert time.monotonic() < deadline
        other.execute("ROLLBACK")
        other.close()
        sender.join()
        while value(scraped(server), "tracking_waiting_bytes"):
            assert time.monotonic() < deadline
        assert value(scraped(server), "requests_total", operation="track", status="200") == 2


def scraped(server: Serving) -> Samples:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=PATIENCE) as response:
        return samples(response.read().decode())


def test_two_servers_sweep_one_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    with IdentityGraph.open(url) as graph:
        graph.ingest.records(read_loader("events"), [{"id": f"e{n}"} for n in range(20)])
        assert graph.store.operations.counts()["quarantined"] == 20
    with serving(url, quarantine_bytes="0") as one, serving(url, quarantine_bytes="0") as other:
        deadline = time.monotonic() + PATIENCE
        while sum(value(scraped(server), "quarantine_swept_total") for server in (one, other)) < 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for server in (one, other):
            assert value(scraped(server), "quarantine_sweeping_failing") == 0
        assert one.ask("{ stats { events quarantined } }")["stats"]["quarantined"] == 0
        assert sum(value(scraped(server), "quarantine_swept_total") for server in (one, other)) == 20
