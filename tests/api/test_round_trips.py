"""An application asks for a person far away from its server: each statement is a journey, so there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from tests.api.conftest import PATIENT, Api, email_of, operation_text
from tests.api.test_statements import EVERYTHING, crowded, statements
from tests.conftest import Clock
from tests.neo4j.database import emptied
from tests.neo4j.proxy import Proxy, proxied

PERSONS = 100
EVERYDAY = """
query Everyday($by: [PersonBy!]!) {
  people(by: $by) {
    id
    identifiers { since identifier { key } }
    profile { values traits { name value source time } }
    journey(last: 5) { totalCount nodes { id name time attributedBy { key } } }
    segments { name size }
  }
}
"""
ONE_PERSON = ("person", "person_by_email", "profile", "journey", "sessions", "links", "people")


@pytest.fixture(scope="module")
def proxy(neo4j_url: str) -> Iterator[Proxy]:
    with proxied(emptied(neo4j_url)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def far(proxy: Proxy) -> Iterator[Api]:
    with IdentityGraph.open(proxy.url, clock=Clock()) as graph:
        yield crowded(Api(graph, TestClient(create_app(graph, terms=PATIENT))), PERSONS)


def test_the_server_plans_what_a_person_is_read_by_before_anybody_asks(far: Api) -> None:
    heard: list[str] = []
    with far.graph.store.trace(heard.append), TestClient(create_app(far.graph)):
        assert heard[:1] == ["persons/subgraph"]


def everybody(size: int) -> list[object]:
    return [email_of(f"p{n}@example.org") for n in range(size)]


@pytest.mark.parametrize("name", ONE_PERSON)
def test_a_shipped_question_about_one_person_is_one_round_trip(far: Api, proxy: Proxy, name: str) -> None:
    (by,) = everybody(1)
    before = proxy.turns
    heard, _ = statements(
        far, operation_text(name), {"by": [by] if name == "people" else by, "email": "p0@example.org"}
    )
    assert (heard, proxy.turns - before) == (["persons/subgraph"], 1)


@pytest.mark.parametrize("size", [1, PERSONS])
def test_everyday_questions_about_persons_are_one_round_trip(far: Api, proxy: Proxy, size: int) -> None:
    ids = [{"id": person["id"]} for person in far.run("people", by=everybody(size))["people"]]
    answers = []
    for by in (everybody(size), ids):
        before = proxy.turns
        heard, answer = statements(far, EVERYDAY, {"by": by})
        assert (heard, proxy.turns - before) == (["persons/subgraph"], 1)
        answers.append(answer)
    assert answers[0] == answers[1]
    person = answers[0]["people"][-1]
    assert (len(person["identifiers"]), person["profile"]["values"]) == (3, {"plan": "pro"})
    assert (person["journey"]["totalCount"], person["segments"]) == (2, [{"name": "pro", "size": PERSONS}])


def test_a_page_is_read_ahead_only_where_more_than_the_page_is_asked(far: Api, proxy: Proxy) -> None:
    page = "query { persons(first: 50) { totalCount nodes { id createdAt %s } pageInfo { endCursor } } }"
    for more, names in (
        ("", []),
        ("segments { name size }", ["persons/subgraph"]),
        ("identifiers { confidence identifier { key } } profile { values }", ["persons/subgraph"]),
    ):
        before = proxy.turns
        heard, answer = statements(far, page % more, {})
        hidden = "privacy/restricted_persons"
        assert (heard, proxy.turns - before) == ([hidden, "persons/page", "persons/count", *names], 3 + len(names))
        assert len(answer["persons"]["nodes"]) == 50
    members = '{ segment(name: "pro") { size members(first: 50) { nodes { id segments { name } } } } }'
    assert len(statements(far, members, {})[0]) == 3


@pytest.mark.parametrize("size", [1, PERSONS])
def test_everything_takes_four(far: Api, proxy: Proxy, size: int) -> None:
    """The persons, their changes, who is restricted, and another person that is asked for inside."""
    before = proxy.turns
    heard, answer = statements(far, EVERYTHING, {"by": everybody(size)})
    read = ["persons/changes_of", "persons/subgraph", "persons/subgraph", "privacy/restricted_persons"]
    assert (sorted(heard), proxy.turns - before) == (read, 4)
    assert len(answer["people"]) == size
