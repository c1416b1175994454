"""On what terms a request is answered: deadlines, the size of a body, introspection, hosts and origins."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from graphql import get_introspection_query
from starlette.testclient import TestClient

from identity_graph.api import create_app, execute
from identity_graph.api.terms import Terms
from tests.api.conftest import EVENTS, Api, operation_text
from tests.store.test_deadline import idle_soon, slow

STATS = "{ stats { events } }"
QUICK = Terms(deadline=0.5, mutation_deadline=0.5)


def client(api: Api, **terms: Any) -> TestClient:
    return TestClient(create_app(api.graph, terms=Terms(**{"deadline": 60.0} | terms)))


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", ())]


def test_a_query_is_ended_in_the_store_and_the_worker_is_free(
    each_store: None, empty: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`stats` reads for minutes; what stands beside it is answered."""
    store = empty.graph.store
    begun, ended = threading.Event(), threading.Event()

    def counts() -> Any:
        begun.set()
        try:
            return slow(store)()
        finally:
            ended.set()

    with monkeypatch.context() as patch:
        patch.setattr(store.operations, "counts", counts)
        for seconds in (0.5, 5.0, 50.0):  # on a busy machine the first may pass before the store is asked
            asked = TestClient(create_app(empty.graph, terms=Terms(deadline=seconds)))
            answer = asked.post("/graphql", json={"query": "{ __typename stats { events } }"})
            assert codes(answer) == ["STORE_TIMEOUT"]
            if begun.is_set():
                break
    (error,) = answer.json()["errors"]
    assert "IDENTITY_GRAPH_DEADLINE" in error["extensions"]["help"] and error["message"]
    assert ended.wait(120), "the thread is free"
    idle_soon(store)
    assert "STORE_TIMEOUT" in caplog.text
    patient = TestClient(create_app(empty.graph, terms=Terms(deadline=60)))
    assert patient.post("/graphql", json={"query": STATS}).json() == {"data": {"stats": {"events": 0}}}


def test_a_query_that_computes_is_not_waited_for(empty: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can end such a thread, and the client has its answer."""
    going_on = threading.Event()

    def counts() -> Any:
        going_on.wait(120)
        return {}

    monkeypatch.setattr(empty.graph.store.operations, "counts", counts)
    answer = TestClient(create_app(empty.graph, terms=QUICK)).post("/graphql", json={"query": STATS})
    going_on.set()
    assert (answer.status_code, codes(answer)) == (503, ["STORE_TIMEOUT"])


def test_a_mutation_that_takes_too_long_is_undone(
    each_store: None, empty: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = empty.graph.store
    digest = empty.graph.digest()
    append = store.evidence.append

    def slowly(*arguments: Any) -> Any:
        with store.transaction():
            append(*arguments)
            slow(store)()

    asked = TestClient(create_app(empty.graph, terms=Terms(mutation_deadline=3)))
    with monkeypatch.context() as patch:
        patch.setattr(store.evidence, "append", slowly)
        body = {"query": operation_text("ingest"), "variables": {"events": EVENTS}}
        answer = asked.post("/graphql", json=body)
    assert codes(answer) == ["STORE_TIMEOUT"]
    idle_soon(store)
    assert empty.graph.digest() == digest
    assert empty.run("ingest", events=EVENTS)["ingest"]["accepted"] == len(EVENTS)


def test_in_the_process_there_is_no_deadline(empty: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = empty.graph.store.operations.counts

    def later() -> Any:
        time.sleep(2.5)
        return counts()

    monkeypatch.setattr(empty.graph.store.operations, "counts", later)
    assert execute(empty.graph, STATS) == {"data": {"stats": {"events": 0}}}


def test_the_longest_body_can_be_set(empty: Api) -> None:
    asked = client(empty, max_body=100)
    assert codes(asked.post("/graphql", json={"query": STATS})) == []
    answer = asked.post("/graphql", json={"query": STATS + " " * 100})
    assert (answer.status_code, codes(answer)) == (413, ["BODY_TOO_LARGE"])


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        "{ __schema { queryType { name } } }",
        "{ _service { sdl } }",
        "{ ...f } fragment f on Query { stats { events } found: __schema { __typename } }",
    ],
    ids=lambda query: query[:20],
)
def test_introspection_can_be_turned_off(empty: Api, query: str) -> None:
    asked = client(empty, introspection=False)
    assert codes(asked.post("/graphql", json={"query": query})) == ["INTROSPECTION_OFF"]
    assert asked.get("/schema.graphql").status_code == 404
    types = ('a: __type(name: "Person") { name }', 'b: __type(name: "x") { name }')
    body = {"query": f"{{ {types[0]} __typename stats {{ __typename events }} {types[1]} }}"}
    stats = {"__typename": "Stats", "events": 0}
    answer = asked.post("/graphql", json=body)
    assert answer.json() == {"data": {"a": None, "__typename": "Query", "stats": stats, "b": None}}
    assert list(answer.json()["data"]) == ["a", "__typename", "stats", "b"]
    answer = asked.post("/graphql", json={"query": '{ __typename a: __type(name: "Person") { name } }'})
    assert answer.json() == {"data": {"__typename": "Query", "a": None}}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ stat { events } }", {}),
        ("{ stats { event } }", {}),
        ("{ stats(dept: 1) { events } }", {}),
        ("{ stats { ... on Stat { events } } }", {}),
        ("{ stats @skp(if: true) { events } }", {}),
        ("{ stats { events } } fragment f on Person { id }", {}),
        ("{ persons(fist: 1) { totalCount } }", {}),
        ("{ person(by: {iden: 1}) { id } }", {}),
        ("{ changes(kinds: [CREATE]) { nodes { kind } } }", {}),
        ("query ($by: PersonB!) { person(by: $by) { id } }", {}),
        ("query ($by: PersonBy!) { person(by: $by) { id } }", {"by": {"identifie": {}}}),
        ("query ($k: [ChangeKind!]) { changes(kinds: $k) { nodes { kind } } }", {"k": ["CREATE"]}),
    ],
)
def test_nothing_is_suggested(empty: Api, query: str, variables: dict[str, Any]) -> None:
    """Who guesses at names is not helped."""
    answer = empty.post(query, variables)
    assert answer["errors"] and "Did you mean" not in str(answer)


def test_only_named_hosts_are_served(empty: Api) -> None:
    asked = client(empty, hosts=("people.example.org", "*.internal"))
    for host, status in {"people.example.org": 200, "a.internal:8000": 200, "evil.example": 400, "": 400}.items():
        for path in ("/health", "/graphql?query={__typename}"):
            assert asked.get(path, headers={"host": host}).status_code == status, host
    assert client(empty).get("/health", headers={"host": "any.example"}).status_code == 200


HEADERS = {"origin": "https://app.example.org", "access-control-request-method": "POST"}


def test_a_page_of_another_origin_gets_nothing_unless_it_is_named(empty: Api) -> None:
    asks = HEADERS | {"access-control-request-headers": "content-type"}
    plain = client(empty)
    assert plain.options("/graphql", headers=asks).status_code == 405
    answer = plain.post("/graphql", json={"query": STATS}, headers=HEADERS)
    assert not any(name.startswith("access-control") for name in answer.headers)

    named = client(empty, origins=("https://app.example.org",))
    asked = named.options("/graphql", headers=asks)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, "https://app.example.org")
    assert "access-control-allow-credentials" not in asked.headers
    answer = named.post("/graphql", json={"query": STATS}, headers=HEADERS)
    assert answer.headers["access-control-allow-origin"] == "https://app.example.org"
    other = named.options("/graphql", headers=asks | {"origin": "https://evil.example"})
    assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)
    answer = named.post("/graphql", json={"query": STATS}, headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_what_a_form_of_another_page_can_send_changes_nothing(empty: Api, content_type: str | None) -> None:
    """The requests that a browser sends without asking first: by these types, and by GET."""
    mutation = 'mutation { deleteSegment(name: "all") }'
    empty.run("save_segment", name="all", condition={"identifier": {"namespace": "email", "count": {"from": 1}}})
    headers = {"origin": "https://evil.example"} | ({"content-type": content_type} if content_type else {})
    body = b'{"query": "' + mutation.replace('"', '\\"').encode() + b'"}'
    for asked in (client(empty), client(empty, origins=("https://app.example.org",))):
        assert asked.post("/graphql", content=body, headers=headers).status_code == 415
        assert asked.get("/graphql", params={"query": mutation}, headers=headers).status_code == 405
    assert len(empty.run("segments")["segments"]) == 1
