"""GraphQL over HTTP: methods, media types, statuses, and what hostile requests are answered with."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph, Policy
from identity_graph.api import create_app
from identity_graph.api.cost import MAX_LENGTH
from identity_graph.api.terms import MAX_BODY
from tests.api.conftest import ANN, EVENTS, Api, email_of, operation_text
from tests.conftest import Clock

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
STATS = "{ stats { events } }"


def code_of(response: Any) -> str:
    (error,) = response.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
    ],
)
def test_the_answer_comes_in_a_type_that_the_client_takes(api: Api, accept: str | None, media: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    del api.client.headers["accept"]
    response = api.client.post("/graphql", json={"query": STATS}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media}; charset=utf-8"
    assert response.json() == {"data": {"stats": {"events": 11}}}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"]


def test_a_question_does_not_publish_under_other_rules(api: Api) -> None:
    """GET is safe: the persons are those of the last resolution."""
    before = api.graph.store.persons.resolved(), api.graph.digest()
    with IdentityGraph(api.graph.store, Policy.parse("min_weight = 1.0"), clock=api.graph.clock) as other:
        parameters = {"query": operation_text("preview_erasure"), "variables": json.dumps({"by": email_of(ANN)})}
        response = TestClient(create_app(other)).get("/graphql", params=parameters)
        assert code_of(response) == "POLICY_DIFFERS"
        assert (api.graph.store.persons.resolved(), api.graph.digest()) == before


def test_a_client_that_takes_no_json_is_told_so(api: Api) -> None:
    response = api.client.post("/graphql", json={"query": STATS}, headers={"accept": "image/png"})
    assert (response.status_code, code_of(response)) == (406, "MEDIA_TYPE")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        f"{JSON}; charset=latin1",
    ],
)
def test_only_json_is_read_from_a_body(api: Api, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = api.client.post("/graphql", content=b'{"query": "{ stats { events } }"}', headers=headers)
    assert (response.status_code, code_of(response)) == (415, "MEDIA_TYPE")


@pytest.mark.parametrize(
    "body",
    [b"null", b"1", b'"x"', b"[]", b"[" * 200_000, b"9" * 5_000, b'{"query": "\xff"}', b'{"query": 1}', b"{}", b""],
    ids=lambda body: repr(body[:16]),
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_a_body_that_is_no_request_is_a_400_and_never_a_500(api: Api, body: bytes, accept: str) -> None:
    response = api.client.post("/graphql", content=body, headers={"content-type": JSON, "accept": accept})
    assert (response.status_code, code_of(response)) == (400, "BODY_INVALID")
    assert "data" not in response.json()


def test_a_body_that_is_too_large_is_a_413(api: Api) -> None:
    body = b'{"query": "' + b" " * MAX_BODY + b'"}'
    response = api.client.post("/graphql", content=body, headers={"content-type": JSON})
    assert (response.status_code, code_of(response)) == (413, "BODY_TOO_LARGE")

    def chunks() -> Any:
        for _ in range(40):
            yield b" " * 32_768

    response = api.client.post("/graphql", content=chunks(), headers={"content-type": JSON})
    assert (response.status_code, code_of(response)) == (413, "BODY_TOO_LARGE")


FRAGMENTS = "{ ...f0 } " + " ".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }}" for i in range(30))
DEEP = "{ node(id: 1) {" + "... on Event { person { journey { nodes {" * 5 + " id " + "} } } }" * 5 + "} }"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "QUERY_INVALID"),
        ("", "QUERY_INVALID"),
        ("{ nope }", "QUERY_INVALID"),
        ("fragment f on Query { stats { events } }", "QUERY_INVALID"),
        ("{ ...f } fragment f on Query { ...f }", "QUERY_INVALID"),
        ("query ($n: Int!) { persons(first: $n) { totalCount } }", "QUERY_INVALID"),
        ('{ person(by: {id: 1, identifier: {namespace: "email", value: "x"}}) { id } }', "QUERY_INVALID"),
        ("{ person(by: {}) { id } }", "QUERY_INVALID"),
        ("subscription { stats { events } }", "QUERY_INVALID"),
        ("type Query { a: Int }", "QUERY_INVALID"),
        ("query A { stats { events } } query B { stats { persons } }", "OPERATION_REQUIRED"),
        (FRAGMENTS + " fragment f30 on Query { stats { events } }", "QUERY_TOO_COMPLEX"),
        (DEEP, "QUERY_TOO_COMPLEX"),
        ("{" * 300, "QUERY_INVALID"),
        ("{" + "a {" * 300, "QUERY_TOO_COMPLEX"),
        ("{ stats { events } }" + " " * MAX_LENGTH, "QUERY_TOO_COMPLEX"),
        ("{ explain(a: " + "[" * 3_000 + ") }", "QUERY_TOO_COMPLEX"),
        ("mutation {" + " ".join(f"m{n}: resolve {{ id }}" for n in range(11)) + "}", "QUERY_TOO_COMPLEX"),
    ],
    ids=lambda value: value[:40],
)
def test_a_request_that_cannot_run_is_a_400_or_by_the_older_type_a_200(api: Api, query: str, code: str) -> None:
    older = api.client.post("/graphql", json={"query": query}, headers={"accept": JSON})
    newer = api.client.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL})
    assert (older.status_code, newer.status_code) == (200, 400)
    for response in (older, newer):
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {code}
        assert "data" not in response.json()


def test_an_operation_is_chosen_by_name_and_by_nothing_else(api: Api) -> None:
    both = 'query A { stats { events } } mutation B { deleteSegment(name: "vip") }'
    assert api.post(both, operationName="A") == {"data": {"stats": {"events": 11}}}
    assert api.post(both, operationName="C")["errors"][0]["extensions"] == {
        "code": "OPERATION_REQUIRED",
        "help": "Set operationName to one of: A, B.",
    }
    assert api.post(STATS, operationName="C")["errors"][0]["extensions"]["code"] == "OPERATION_REQUIRED"
    assert api.post("query A { stats { events } }")["data"]["stats"]["events"] == 11


def test_queries_go_by_get_and_mutations_do_not(api: Api) -> None:
    query = operation_text("person_by_email")
    parameters = {"query": query, "variables": f'{{"email": "{ANN}"}}', "operationName": "PersonByEmail"}
    response = api.client.get("/graphql", params=parameters)
    assert response.json()["data"]["person"]["id"] == api.person_id(ANN)
    for accept in (JSON, GRAPHQL, "text/html, */*"):
        refused = api.client.get(
            "/graphql", params={"query": 'mutation { deleteSegment(name: "vip") }'}, headers={"accept": accept}
        )
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert code_of(refused) == "METHOD_REFUSED"
    assert len(api.run("segments")["segments"]) == 1
    assert api.client.get("/graphql").status_code == 400
    assert api.client.put("/graphql", json={"query": STATS}).status_code == 405


def test_a_browser_gets_a_page_that_needs_nothing_from_elsewhere(api: Api) -> None:
    response = api.client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "<script" not in response.text
    assert "https://" not in response.text
    assert api.client.get("/schema.graphql").text.startswith("directive @oneOf")


def test_health_says_whether_the_store_can_be_read(api: Api) -> None:
    assert api.client.get("/health").json() == {"status": "ok", "store": "ok", "tracking": "ok", "persons": "ok"}
    api.graph.close()
    response = api.client.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "failing"


def test_errors_of_the_project_are_shown_and_keep_their_path(api: Api) -> None:
    answer = api.post(
        "query ($a: IdentifierInput!) { ok: stats { events } why: identifier(by: $a) { key } }",
        {"a": {"namespace": "email", "value": "no address"}},
    )
    assert answer["data"] == {"ok": {"events": 11}, "why": None}
    (error,) = answer["errors"]
    assert error["path"] == ["why"]
    assert error["extensions"]["code"] == "EMAIL_NO_AT"


@pytest.mark.parametrize(
    ("operation", "variables", "code"),
    [
        ("persons_page", {"first": 0}, "PAGE_INVALID"),
        ("persons_page", {"first": 101}, "PAGE_INVALID"),
        ("persons_page", {"after": "nonsense"}, "PAGE_INVALID"),
        ("people", {"by": [email_of(ANN)] * 101}, "BATCH_TOO_LARGE"),
        ("ingest", {"events": [EVENTS[0]] * 1_001}, "BATCH_TOO_LARGE"),
        ("ingest", {"events": [EVENTS[0] | {"time": "10000-01-01"}]}, "TS_RANGE"),
        ("ingest", {"events": [EVENTS[0] | {"time": "yesterday"}]}, "TS_INVALID"),
        ("ingest", {"events": [EVENTS[0] | {"time": 5}]}, "TS_INVALID"),
        ("ingest", {"events": [EVENTS[0] | {"traits": {"n": 2**64}}]}, "NUMBER_RANGE"),
        ("save_segment", {"name": "", "condition": {"segment": "vip"}}, "CONDITION_INVALID"),
        ("save_segment", {"name": "x", "condition": {"segment": "unknown"}}, "CONDITION_INVALID"),
        ("save_segment", {"name": "vip", "condition": {"segment": "vip"}}, "CONDITION_INVALID"),
        ("save_segment", {"name": "x", "condition": {"all": []}}, "CONDITION_INVALID"),
        ("save_segment", {"name": "x", "condition": {}}, "QUERY_INVALID"),
        ("replay_quarantine", {"ids": ["quarantine:5"]}, "QUARANTINE_UNKNOWN"),
        ("erase", {"token": "nonsense"}, "TOKEN_INVALID"),
    ],
)
def test_a_wrong_argument_has_its_code(api: Api, operation: str, variables: dict[str, Any], code: str) -> None:
    digest = api.graph.digest()
    assert api.refusal(operation_text(operation), variables) == code
    assert api.graph.digest() == digest


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"identifiers": []}, "NO_IDENTIFIER"),
        ({"identifiers": [{"namespace": "phone", "value": "12"}]}, "PHONE_NO_COUNTRY"),
        ({"name": ""}, "EVENT_NAME_MISSING"),
        ({"id": "x" * 257}, "EVENT_ID_TOO_LONG"),
        ({"id": "a\0"}, "TEXT_INVALID"),
        ({"time": "2026-01-02T00:10:00Z"}, "TS_FUTURE"),
        ({"traits": [1]}, "OBJECT_INVALID"),
        ({"properties": "none"}, "OBJECT_INVALID"),
    ],
)
def test_good_events_beside_a_bad_one_are_kept(
    each_store: None, empty: Api, change: dict[str, Any], code: str, clock: Clock
) -> None:
    run = empty.run("ingest", events=[*EVENTS[:3], EVENTS[3] | change, EVENTS[4]])["ingest"]
    assert (run["state"], run["read"], run["accepted"], run["quarantined"]) == ("DONE", 5, 4, 1)
    assert empty.run("stats")["stats"]["events"] == 4
    (record,) = empty.run("quarantine")["quarantine"]["nodes"]
    assert (record["reason"]["code"], record["line"], record["run"]["id"]) == (code, 4, run["id"])
    assert "Order Completed" in record["record"] or "name" in change
    clock.tick(86_400)
    again = empty.run("replay_quarantine")["replayQuarantine"]
    mended = int(code == "TS_FUTURE")
    assert (again["read"], again["accepted"], again["quarantined"]) == (1, mended, 1 - mended)


def test_cursors_stay_with_their_list(each_store: None, api: Api) -> None:
    persons = api.run("persons_page", first=1)["persons"]["pageInfo"]["endCursor"]
    assert api.refusal(operation_text("changes"), {"after": persons}) == "PAGE_INVALID"
    journey = api.run("journey", by=email_of(ANN), last=1)["person"]["journey"]["pageInfo"]["startCursor"]
    others = {"by": email_of("bob@example.org"), "before": journey}
    filtered = {"by": email_of(ANN), "before": journey, "filter": {"names": ["Page Viewed"]}}
    for variables in (others, filtered):
        assert api.refusal(operation_text("journey"), variables) == "PAGE_INVALID"


SECRET = "secret.person@example.org"


def test_a_defect_is_masked_and_the_log_has_its_place_but_no_values(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="identity_graph")
    people = api.graph.people
    api.graph.people = None  # type: ignore[assignment]  # a defect as there may be any
    response = api.client.post(
        "/graphql", json={"query": operation_text("person_by_email"), "variables": {"email": SECRET}}
    )
    api.graph.people = people
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    request_id = response.headers["x-request-id"]
    assert error["message"] == f"a defect of the service; request {request_id}"
    assert "NoneType" not in response.text
    assert f"request {request_id}: AttributeError at " in caplog.text
    assert "context.py:" in caplog.text
    assert SECRET not in caplog.text


def test_a_store_that_fails_is_named_by_its_code_and_its_path_stays_in_the_log(
    each_store: None, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.graph.close()
    response = api.client.post("/graphql", json={"query": STATS})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "STORE_FAILED"
    assert not any(place in response.text for place in ("people.db", "127.0.0.1", "neo4j"))
    assert response.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize(
    "query",
    [
        f'{{ person(by: {{identifier: {{namespace: "email", value: "{SECRET}"}}}}) {{ nope }} }}',
        f'{{ person(by: {{identifier: {{namespace: "email", value: "{SECRET}" }} }}',
        f'{{ person(by: {{identifier: {{namespace: "{SECRET}", value: "x"}}}}) {{ id }} }}',
        f'mutation {{ erase(token: "{SECRET}") {{ id }} }}',
        f'{{ people(by: "{SECRET}") {{ id }} }}',
    ],
)
def test_the_log_has_no_literals_of_requests_that_fail(api: Api, caplog: pytest.LogCaptureFixture, query: str) -> None:
    caplog.set_level(logging.DEBUG)
    assert "errors" in api.client.post("/graphql", json={"query": query}).json()
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "secret.person" not in logged
    assert "request " in logged
