"""Documents by their hash: trusted ones, and those that clients sent before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, print_ast, strip_ignored_characters
from starlette.testclient import TestClient

from identity_graph.api import create_app, persisted
from identity_graph.api.terms import Terms
from identity_graph.errors import SettingError
from identity_graph.files import data_folder
from tests.api.conftest import OPERATIONS, Api, operation_text
from tests.tracking.serving import serving

STATS = "{ stats { events } }"
NONE = {"data": {"stats": {"events": 0}}}
SHIPPED = data_folder("graphql") / "operations"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_hash(text: str, **more: Any) -> dict[str, Any]:
    """As Apollo's clients send it."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}} | more


def code(answer: Any) -> str:
    (error,) = answer["errors"]
    assert "data" not in answer and error["extensions"]["help"]
    found: str = error["extensions"]["code"]
    return found


def client(empty: Api, **terms: Any) -> TestClient:
    return TestClient(create_app(empty.graph, terms=Terms(deadline=60, **terms)))


def post(asked: TestClient, body: Any) -> Any:
    return asked.post("/graphql", json=body).json()


def test_a_client_sends_a_document_once(empty: Api) -> None:
    asked = empty.client
    unknown = post(asked, by_hash(STATS))
    assert (code(unknown), unknown["errors"][0]["message"]) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    assert post(asked, by_hash(STATS, query=STATS)) == NONE
    assert post(asked, by_hash(STATS)) == NONE
    assert post(asked, {"documentId": f"sha256:{sha256(STATS)}"}) == NONE
    extensions = json.dumps(by_hash(STATS)["extensions"])
    assert asked.get("/graphql", params={"extensions": extensions}).json() == NONE


def test_a_document_is_kept_under_no_hash_but_its_own(empty: Api) -> None:
    other = "{ stats { persons } }"
    assert code(post(empty.client, by_hash(STATS, query=other))) == "BODY_INVALID"
    assert code(post(empty.client, by_hash(STATS))) == "PERSISTED_QUERY_NOT_FOUND"


def test_what_is_not_valid_is_not_kept(empty: Api) -> None:
    nope = "{ nope }"
    assert code(post(empty.client, by_hash(nope, query=nope))) == "QUERY_INVALID"
    assert code(post(empty.client, by_hash(nope))) == "PERSISTED_QUERY_NOT_FOUND"


def test_those_used_last_are_kept(empty: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted, "KEPT", 2)
    one, two, three = (f"{{ a{n}: stats {{ events }} }}" for n in range(3))
    for text in (one, two):
        post(empty.client, by_hash(text, query=text))
    post(empty.client, by_hash(one))
    post(empty.client, by_hash(three, query=three))
    known = ["data" in post(empty.client, by_hash(text)) for text in (one, two, three)]
    assert known == [True, False, True]


def test_a_mutation_by_its_hash_does_not_go_by_get(empty: Api) -> None:
    text = 'mutation { deleteSegment(name: "vip") }'
    assert post(empty.client, by_hash(text, query=text)) == {"data": {"deleteSegment": False}}
    answer = empty.client.get("/graphql", params={"extensions": json.dumps(by_hash(text)["extensions"])})
    assert (answer.status_code, code(answer.json())) == (405, "METHOD_REFUSED")


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": 1}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": sha256(STATS)}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(STATS).upper()}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"documentId": sha256(STATS)},
        {"documentId": 1},
        {"extensions": {}},
    ],
)
def test_what_is_no_hash_is_refused(empty: Api, body: dict[str, Any]) -> None:
    assert code(post(empty.client, body)) == "BODY_INVALID"


@pytest.mark.parametrize("write", [str, str.strip, strip_ignored_characters, lambda text: print_ast(parse(text))])
def test_trusted_documents_are_answered_by_hash_and_by_text_and_no_others(empty: Api, write: Any) -> None:
    asked = client(empty, trusted=SHIPPED, trusted_only=True)
    text = write(operation_text("stats"))
    for body in (by_hash(text), {"query": text}, by_hash(text, query=text), {"documentId": f"sha256:{sha256(text)}"}):
        assert post(asked, body)["data"]["stats"]["events"] == 0
    assert code(post(asked, {"query": STATS})) == "DOCUMENT_UNTRUSTED"
    assert code(post(asked, by_hash(STATS, query=STATS))) == "DOCUMENT_UNTRUSTED"
    assert code(post(asked, by_hash(STATS))) == "PERSISTED_QUERY_NOT_FOUND"
    assert code(post(asked, {"query": text + " fragment f on Query { __typename }"})) == "DOCUMENT_UNTRUSTED"


def test_beside_trusted_documents_others_are_answered_unless_told_otherwise(empty: Api) -> None:
    asked = client(empty, trusted=SHIPPED)
    assert post(asked, {"query": STATS}) == NONE
    for name in OPERATIONS:
        answer = post(asked, by_hash(operation_text(name)))
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes <= {"QUERY_INVALID", "STREAM_REQUIRED"}, f"{name} is known; only its variables are missing"


@pytest.mark.parametrize("text", [None, "{ nope }", "{", "\udcff"])
def test_a_folder_that_is_not_one_of_operations_is_named(empty: Api, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "a.graphql").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingError) as caught:
        client(empty, trusted=tmp_path)
    assert caught.value.code == "SETTING_INVALID"
    assert str(tmp_path if text is None else tmp_path / "a.graphql") in caught.value.message


def test_serve_takes_the_folder(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path / 'p.db'}", trusted=str(SHIPPED), trusted_only="true") as server:
        assert server.send("/graphql", {"query": STATS}).body["errors"][0]["extensions"]["code"] == "DOCUMENT_UNTRUSTED"
        answer = server.send("/graphql", by_hash(operation_text("stats")))
        assert answer.body["data"]["stats"]["events"] == 0
