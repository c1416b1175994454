"""Requests that nobody sane sends: each is answered, with a code, and none with a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.errors import CODES
from tests.api.conftest import OPERATIONS, PATIENT, operation_text
from tests.conftest import FIXTURE_SHARED

ACCEPT = st.sampled_from(["application/json", "application/graphql-response+json", "*/*", "text/html", ";;q=,", ""])


def json_values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )


PLAIN = json_values(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
VALUES = json_values(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"))
TOKENS = """
{ } ( ) [ ] ! : = @ ... | $a a first after 1 -1 1e999 null true "x" query mutation subscription fragment f on
Person Node node person people by id persons nodes edges journey profile values __typename __schema types
"""
WORDS = st.sampled_from(TOKENS.split())
SHIPPED = st.sampled_from(OPERATIONS).map(operation_text)
QUERIES = st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=20) | SHIPPED
MEMBERS = {"query": QUERIES | VALUES, "variables": VALUES, "operationName": VALUES, "extensions": VALUES}
BODIES = (
    st.binary(max_size=50)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries({}, optional=MEMBERS).map(lambda value: json.dumps(value).encode())
)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with IdentityGraph.open("sqlite:///:memory:") as graph, TestClient(create_app(graph, terms=PATIENT)) as client:
        yield client


def check(response: Any) -> None:
    assert response.status_code < 500
    if not response.headers["content-type"].startswith("text/"):
        answer = response.json()
        assert ("data" in answer) or answer["errors"]
        for error in answer.get("errors", ()):
            assert error["extensions"]["code"] in CODES.keys() - {"INTERNAL"}
            assert error["message"] and error["extensions"]["help"]


@settings(max_examples=400, deadline=None, suppress_health_check=FIXTURE_SHARED)
@given(body=BODIES, accept=ACCEPT)
def test_any_body(client: TestClient, body: bytes, accept: str) -> None:
    check(client.post("/graphql", content=body, headers={"content-type": "application/json", "accept": accept}))


@settings(max_examples=200, deadline=None, suppress_health_check=FIXTURE_SHARED)
@given(query=QUERIES, variables=VALUES.map(json.dumps) | st.text(max_size=5), accept=ACCEPT)
def test_any_url(client: TestClient, query: str, variables: str, accept: str) -> None:
    parameters = {"query": query.encode("utf-8", "replace"), "variables": variables.encode("utf-8", "replace")}
    check(client.get("/graphql", params=parameters, headers={"accept": accept}))


@settings(max_examples=300, deadline=None, suppress_health_check=FIXTURE_SHARED)
@given(data=st.data())
def test_any_variables_of_the_shipped_operations(client: TestClient, data: st.DataObject) -> None:
    """Values of the right outer shape: what coercion lets through reaches the services."""
    text = st.text(max_size=8) | st.sampled_from(["email", "user_id", "ann@example.org", "\0", "segment:", "P3D"])
    identifier = st.fixed_dictionaries({"namespace": text, "value": text})
    test = st.fixed_dictionaries({"equals": PLAIN}) | st.fixed_dictionaries({"prefix": text})
    leaf = st.fixed_dictionaries({"trait": st.fixed_dictionaries({"name": text, "is": test})})
    condition = st.recursive(
        leaf | st.fixed_dictionaries({"segment": text}),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, max_size=2)}), st.fixed_dictionaries({"not": inner})
        ),
        max_leaves=4,
    )
    times = st.sampled_from(["2025-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "x", ""])
    event = st.fixed_dictionaries(
        {"time": times, "source": text, "name": text, "identifiers": st.lists(identifier, max_size=2)},
        optional={"id": text, "traits": PLAIN | st.dictionaries(text, PLAIN), "properties": PLAIN},
    )
    by = st.fixed_dictionaries({"id": text}) | st.fixed_dictionaries({"identifier": identifier})
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "by": by,
        "person": by,
        "a": identifier,
        "b": identifier,
        "condition": condition,
        "events": st.lists(event, max_size=2),
    } | dict.fromkeys(("email", "id", "name", "token", "code", "after", "before"), text)
    name = data.draw(st.sampled_from(OPERATIONS))
    kinds["by"] = {"people": st.lists(by, max_size=3), "identifier": identifier}.get(name, by)
    asked = operation_text(name)
    variables = {key: data.draw(values) for key, values in kinds.items() if f"${key}:" in asked}
    body = json.dumps({"query": asked, "variables": variables})
    check(client.post("/graphql", content=body.encode(), headers={"content-type": "application/json"}))
