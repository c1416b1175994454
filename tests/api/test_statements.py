"""No N+1: fifty persons cost as many statements as one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api, email_of, event

pytestmark = pytest.mark.usefixtures("each_store")

EVERYTHING = """
query Everything($by: [PersonBy!]!) {
  people(by: $by) {
    id
    confidence
    email: identifier(namespace: "email")
    identifiers { confidence identifier { key observations firstSeen sources pruned { code } person { id } } }
    profile { values traits { name value event { id name } alternatives { value event { id } } } }
    journey(first: 5) { totalCount nodes { id person { id } attributedBy { key observations } } }
    sessions(first: 5) { nodes { start events { id identifiers { key person { id } } } } }
    segments { name size contains(person: {id: "unknown"}) }
    links(includeSuppressed: true) { a { key } weight evidence(first: 2) { nodes { id person { id } } } }
    changes(first: 2) { nodes { kind person { id } } }
  }
}
"""


def crowded(api: Api, size: int) -> Api:
    """So many persons of the same shape, two events and three identifiers each."""
    events = []
    for n in range(size):
        known = {"user_id": f"u{n}", "email": f"p{n}@example.org"}
        events += [
            event(f"a{n}", "2025-12-01T10:00:00Z", "web", "Signed Up", known, {"plan": "free"}),
            event(f"b{n}", "2025-12-02T10:00:00Z", "app", "Opened", known | {"device_id": f"d{n}"}, {"plan": "pro"}),
        ]
    api.run("ingest", events=events)
    api.run("resolve")
    api.run("save_segment", name="pro", condition={"trait": {"name": "plan", "is": {"equals": "pro"}}})
    return api


@pytest.fixture
def crowd(empty: Api) -> Api:
    return crowded(empty, 50)


def statements(api: Api, query: str, variables: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    heard: list[str] = []
    with api.graph.store.trace(heard.append):
        data = api.ask(query, variables)
    return heard, data


def test_fifty_persons_with_everything_cost_as_many_statements_as_one(crowd: Api) -> None:
    one, first = statements(crowd, EVERYTHING, {"by": [email_of("p0@example.org")]})
    crowd.run("resolve")  # and what was read is remembered no more
    many, all_of_them = statements(crowd, EVERYTHING, {"by": [email_of(f"p{n}@example.org") for n in range(50)]})
    assert len(all_of_them["people"]) == 50
    assert all_of_them["people"][0] == first["people"][0]
    person = all_of_them["people"][49]
    assert person["profile"]["traits"][0]["alternatives"] == [{"value": "free", "event": {"id": "a49"}}]
    assert [node["id"] for node in person["journey"]["nodes"]] == ["a49", "b49"]
    assert person["segments"][0]["size"] == 50
    assert [link["evidence"]["nodes"][0]["person"]["id"] for link in person["links"]] == [person["id"]] * 3
    assert len(many) == len(one)
    assert 2 < len(one) < 100, "proof that the count counts"


def test_pages_of_persons_and_members_cost_the_same_whatever_their_size(crowd: Api) -> None:
    page = (
        "query ($n: Int!) { persons(first: $n) { nodes { id identifiers { identifier { key } } profile { values } } } }"
    )
    members = """query ($n: Int!) { segment(name: "pro") { members(first: $n) { nodes { id segments { name } } } } }"""
    for query in (page, members):
        assert len(statements(crowd, query, {"n": 1})[0]) == len(statements(crowd, query, {"n": 50})[0])


def test_fields_by_other_names_are_read_once(crowd: Api) -> None:
    query = "query ($by: PersonBy!) { person(by: $by) { id %s } }"
    again = query % " ".join(f"p{n}: profile {{ values }}" for n in range(20))
    one, other = ({"by": email_of(f"p{n}@example.org")} for n in range(2))  # what was read of one is remembered
    assert len(statements(crowd, again, one)[0]) == len(statements(crowd, query % "profile { values }", other)[0]) > 0
