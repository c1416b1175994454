"""Who is let in over HTTP, and what is said to who is not."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from identity_graph.access import Role, keys
from identity_graph.errors import CODES
from identity_graph.model import Identifier
from tests.access.conftest import Guarded
from tests.api.conftest import ANN, email_of, operation_text
from tests.conftest import soon

STATS = "{ stats { persons } }"
PERSON = "query ($by: PersonBy!) { person(by: $by) { profile { values } } }"


def refusal(response: Any, status: int) -> tuple[str, str]:
    """Code and message, after checking what every refusal has."""
    assert response.status_code == status, response.text
    (error,) = response.json()["errors"]
    code = error["extensions"]["code"]
    assert code in CODES and error["extensions"]["help"] and "data" not in response.json()
    assert (response.headers.get("www-authenticate") is not None) == (status == 401)
    return code, error["message"]


def test_a_key_opens_what_its_role_may(guarded: Guarded) -> None:
    found = guarded.ask(Role.APP_READER, PERSON, {"by": email_of(ANN)})
    assert found.json()["data"]["person"]["profile"]["values"]["plan"] == "pro"


def test_a_key_with_scopes_opens_those_alone(guarded: Guarded) -> None:
    _, text = guarded.file.create(Role.PRIVACY_OFFICER, scopes=["Query.person", "Mutation.restrict"])
    shown = {"authorization": f"Bearer {text}"}

    def ask(query: str, **variables: Any) -> Any:
        return guarded.client.post("/graphql", json={"query": query, "variables": variables}, headers=shown)

    assert ask(PERSON, by=email_of(ANN)).json()["data"]["person"]
    assert ask("query ($by: PersonBy!) { person(by: $by) { id __typename } __typename }", by=email_of(ANN)).json()[
        "data"
    ]
    both = "query ($by: PersonBy!) { person(by: $by) { id } previewErasure(by: $by) { token } }"
    assert refusal(ask(both, by=email_of(ANN)), 403) == (
        "FORBIDDEN",
        "Query.previewErasure is not among the scopes of the key",
    )
    inside = "query ($by: PersonBy!) { ...on Query { ...F } } fragment F on Query { previewErasure(by: $by) { token } }"
    assert refusal(ask(inside, by=email_of(ANN)), 403)[0] == "FORBIDDEN"
    assert refusal(ask(operation_text("erase"), token="x"), 403)[0] == "FORBIDDEN"
    route = guarded.client.get("/opendsr/v2/status/x", headers=shown)
    assert route.status_code == 403 and guarded.ask(Role.PRIVACY_OFFICER, both, {"by": email_of(ANN)}).json()["data"]
    _, text = guarded.file.create(Role.INGEST, scopes=["POST /v1/track"])
    shown = {"authorization": f"Bearer {text}"}
    assert refusal(ask("mutation { resolve { id } }"), 403)[0] == "FORBIDDEN"
    sent = {"userId": "scoped", "event": "Seen"}
    assert guarded.client.post("/v1/track", json=sent, headers=shown).status_code == 200
    assert guarded.client.post("/v1/page", json=sent, headers=shown).status_code == 403


def test_a_statement_holds_who_made_it(guarded: Guarded) -> None:
    a, b = ({"namespace": "cookie", "value": value} for value in ("stated-one", "stated-two"))
    answer = guarded.ask(Role.PRIVACY_OFFICER, operation_text("link"), {"a": a, "b": b, "reason": "one browser"})
    assert answer.json()["data"]["link"]["samePerson"]
    people = guarded.open.graph.people
    (found,) = people.find_by_identifier([Identifier("cookie", "stated-one")])
    assert found
    ((row,),) = people.journeys([found.id])
    id = guarded.keys[Role.PRIVACY_OFFICER].split("_")[1]
    assert row.event.properties == {"reason": "one browser", "user": f"key {id}"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer ig_1", "Basic aWc6", "Bearer  x y", "ig_0_0"])
def test_without_a_key_nothing_is_answered(guarded: Guarded, header: str) -> None:
    headers = {"authorization": header} if header else {}
    for method, path, body in (
        ("POST", "/graphql", '{"query": "{ stats { persons } }"}'),
        ("POST", "/graphql", "{"),
        ("GET", "/graphql?query={nothing}", ""),
        ("GET", "/metrics", ""),
        ("GET", "/schema.graphql", ""),
    ):
        sent = headers | {"content-type": "application/json"}
        answer = guarded.client.request(method, path, content=body, headers=sent)
        assert refusal(answer, 401)[0] == "UNAUTHENTICATED"


def test_a_refusal_names_the_field_and_the_role(guarded: Guarded) -> None:
    code, message = refusal(guarded.ask(Role.INGEST, PERSON, {"by": email_of(ANN)}), 403)
    assert code == "FORBIDDEN" and "Person.profile" in message and "ingest" in message
    code, message = refusal(guarded.ask(Role.APP_READER, operation_text("erase"), {"token": "x"}), 403)
    assert code == "FORBIDDEN" and "Mutation.erase" in message


def test_a_refusal_does_not_say_whether_somebody_exists(guarded: Guarded) -> None:
    answers = [
        guarded.ask(role, PERSON, {"by": email_of(email)}).json()["errors"]
        for role in (Role.INGEST, Role.ADMIN, Role.AUDITOR)
        for email in (ANN, "nobody@example.org", "not an address")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[3] == answers[4] == answers[5]


HIDDEN = [
    "query { stats { persons } ...on Query { previewErasure(by: {id: \"x\"}) { events } } }",
    "query { a: stats { persons } b: previewErasure(by: {id: \"x\"}) { events } }",
    "query ($no: Boolean = false) { previewErasure(by: {id: \"x\"}) @include(if: $no) { events } }",
    "query A { stats { persons } } query B { previewErasure(by: {id: \"x\"}) { events } }",
    "query { ...F } fragment F on Query { ...G } fragment G on Query { previewErasure(by: {id: \"x\"}) { events } }",
    "query { node(id: \"x\") { id ... on QuarantinedRecord { record } } }",
    "query { people(by: []) { segments { members { nodes { links { suppressed { message } } } } } } }",
    "mutation { resolve { id } erase(token: \"x\") { id } }",
]  # fmt: skip


@pytest.mark.parametrize("query", HIDDEN)
def test_no_way_of_writing_it_hides_a_field(guarded: Guarded, query: str) -> None:
    more = {"operationName": "A"} if "query A" in query else {}
    assert refusal(guarded.ask(Role.ANALYST, query, None, **more), 403)[0] == "FORBIDDEN"


def test_a_document_that_another_role_sent_before_is_checked_again(guarded: Guarded) -> None:
    """It is prepared once and kept; so is the text by its hash."""
    assert guarded.ask(Role.PRIVACY_OFFICER, PERSON, {"by": email_of(ANN)}).json()["data"]
    assert refusal(guarded.ask(Role.AUDITOR, PERSON, {"by": email_of(ANN)}), 403)[0] == "FORBIDDEN"


def test_only_an_admin_sees_the_schema(guarded: Guarded) -> None:
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Person") { name } }', "{ _service { sdl } }"):
        assert guarded.ask(Role.ADMIN, query).json()["data"]
        assert refusal(guarded.ask(Role.ANALYST, query), 403)[0] == "FORBIDDEN"
    assert guarded.ask(Role.ADMIN, "{ __typename }").json() == {"data": {"__typename": "Query"}}
    assert guarded.client.get("/schema.graphql", headers=guarded.headers(Role.ADMIN)).status_code == 200


def test_what_anybody_may(guarded: Guarded) -> None:
    assert guarded.client.get("/health").status_code == 200
    assert guarded.client.get("/graphql", headers={"accept": "text/html"}).status_code == 200


IDENTIFY = {"type": "identify", "userId": "u-77", "traits": {"plan": "pro"}}


def test_the_tracking_api_takes_keys_of_ingest(guarded: Guarded) -> None:
    with guarded.client as client:
        sent = client.post("/v1/identify", json=IDENTIFY, headers=guarded.headers(Role.INGEST))
        assert (sent.status_code, sent.json()) == (200, {"success": True})
        for headers, status, code in (
            (guarded.headers(Role.ADMIN), 403, "FORBIDDEN"),
            ({"authorization": "Bearer nothing"}, 401, "UNAUTHENTICATED"),
            ({}, 401, "WRITE_KEY_INVALID"),
            ({"authorization": "Basic YW55Og=="}, 401, "WRITE_KEY_INVALID"),
        ):
            refused = client.post("/v1/identify", json=IDENTIFY | {"writeKey": "any"}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (status, code)


REVOKE = """
import sys
from pathlib import Path
from identity_graph.access.keys import KeysFile
KeysFile(Path(sys.argv[1])).revoke(sys.argv[2])
"""


@pytest.mark.parametrize("by", ["this process", "another process"])
def test_a_revoked_key_stops_within_a_second(by: str, guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a clock that only the test moves: 0.99 seconds after a request was let in, none is any more, however busy the
    machine is. One that does nothing else revokes it."""
    at = time.monotonic()
    monkeypatch.setattr(keys, "time", SimpleNamespace(monotonic=lambda: at))
    key, text = guarded.file.create(Role.AUDITOR)
    headers = {"authorization": f"Bearer {text}"}
    assert guarded.client.get("/metrics", headers=headers).status_code == 200
    if by == "this process":
        guarded.file.revoke(key.id)
    else:
        subprocess.run([sys.executable, "-c", REVOKE, guarded.file.path, key.id], check=True, timeout=300)
        assert guarded.client.get("/metrics", headers=headers).status_code == 200, "the clock stands still"
        at += 0.99
    assert keys.FRESH < 0.99
    assert refusal(guarded.client.get("/metrics", headers=headers), 401)[0] == "UNAUTHENTICATED"


def test_a_broken_file_of_keys_is_not_named_to_clients(guarded: Guarded) -> None:
    kept = guarded.file.path.read_bytes()
    guarded.file.path.write_bytes(b"{")
    try:
        soon(lambda: guarded.ask(Role.ADMIN, STATS).status_code != 200)
        code, message = refusal(guarded.ask(Role.ADMIN, STATS), 503)
        assert code == "KEYS_FILE" and str(guarded.file.path) not in message
    finally:
        guarded.file.path.write_bytes(kept)
        soon(lambda: guarded.ask(Role.ADMIN, STATS).status_code == 200)
    assert guarded.ask(Role.ADMIN, STATS).status_code == 200
