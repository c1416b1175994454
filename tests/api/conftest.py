"""A small world with one of everything, in a real store, asked through the real application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.api.terms import Terms
from identity_graph.files import data_folder
from tests.conftest import Clock
from tests.story.places import Told, place

DAY = 86_400
PATIENT = Terms(deadline=60)  # the machine may be busy with other things
OPERATIONS = sorted(path.stem for path in (data_folder("graphql") / "operations").glob("*.graphql"))

ANN, BOB, CAROL, DAN = "ann@example.org", "bob@example.org", "carol@example.org", "dan@example.org"
SEGMENT = {
    "all": [
        {"trait": {"name": "plan", "is": {"equals": "pro"}}},
        {"event": {"names": ["Order Completed"], "within": "P90D", "is": {"range": {"from": 2}}}},
        {"identifier": {"namespace": "email", "count": {"from": 1}}},
    ]
}


def event(
    id: str,
    time: str,
    source: str,
    name: str,
    identifiers: dict[str, str],
    traits: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An EventInput."""
    return {
        "id": id,
        "time": time,
        "source": source,
        "name": name,
        "identifiers": [{"namespace": namespace, "value": value} for namespace, value in identifiers.items()],
        "traits": traits or {},
        "properties": properties or {},
    }


# Ann browses, signs up and buys twice; Bob uses the tablet after her; Carol is two persons until a call joins them.
EVENTS = [
    event("a1", "2025-12-01T10:00:00Z", "web", "Page Viewed", {"anonymous_id": "x1"}, None, {"path": "/"}),
    event("a2", "2025-12-01T10:10:00Z", "web", "Signed Up", {"anonymous_id": "x1", "user_id": "u1", "email": ANN},
          {"first_name": "Ann", "plan": "free"}),
    event("a3", "2025-12-02T09:00:00Z", "orders", "Order Completed", {"email": "ANN@example.org"}, None, {"total": 30}),
    event("a4", "2025-12-20T09:00:00Z", "orders", "Order Completed", {"email": ANN}, None, {"total": 12.5}),
    event("a5", "2025-12-21T08:00:00Z", "crm", "Contact Updated", {"user_id": "u1", "phone": "+44 20 7946 0958"},
          {"first_name": "Anne", "plan": "pro"}),
    event("a6", "2025-12-22T20:00:00Z", "app", "App Opened", {"user_id": "u1", "device_id": "tablet"}),
    event("b1", "2025-12-22T21:00:00Z", "app", "App Opened", {"user_id": "u2", "device_id": "tablet", "email": BOB},
          {"first_name": "Bob", "plan": "pro"}),
    event("c1", "2025-12-03T12:00:00Z", "web", "Page Viewed", {"anonymous_id": "x9", "email": CAROL}),
    event("c2", "2025-12-04T12:00:00Z", "loyalty", "Card Used", {"loyalty_id": "L-77"}, {"tier": "gold"}),
    event("n1", "2025-12-05T12:00:00Z", "web", "Page Viewed", {"anonymous_id": "anonymous", "email": DAN}),
]  # fmt: skip
JOINS_CAROL = event("c3", "2025-12-06T12:00:00Z", "calls", "Called", {"email": CAROL, "loyalty_id": "L-77"})


@dataclass
class Api:
    """The application, its graph and what a client of it does."""

    graph: IdentityGraph
    client: TestClient
    retired: dict[str, str] = field(default_factory=dict)

    def post(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        response = self.client.post("/graphql", json={"query": query, "variables": variables or {}, **more})
        answer: dict[str, Any] = response.json()
        return answer

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.post(query, variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def refusal(self, query: str, variables: dict[str, Any] | None = None) -> str:
        """The code of the only error."""
        (error,) = self.post(query, variables)["errors"]
        assert error["message"] and error["extensions"]["help"]
        code: str = error["extensions"]["code"]
        return code

    def run(self, operation: str, **variables: Any) -> dict[str, Any]:
        """The data of a shipped operation."""
        return self.ask(operation_text(operation), variables)

    def person_id(self, email: str) -> str:
        found: str = self.run("person_by_email", email=email)["person"]["id"]
        return found


def operation_text(name: str) -> str:
    return (data_folder("graphql") / "operations" / f"{name}.graphql").read_text(encoding="utf-8")


def email_of(value: str) -> dict[str, Any]:
    """A PersonBy."""
    return {"identifier": {"namespace": "email", "value": value}}


@pytest.fixture
def empty(tmp_path: Path, clock: Clock) -> Iterator[Api]:
    """In a file; where a test uses `each_store` on a server, there."""
    url = place.fresh() if place.server else f"sqlite:///{tmp_path / 'people.db'}"
    with place.take(Told.open(url, clock=clock)) as graph:
        yield Api(graph, TestClient(create_app(graph, terms=PATIENT)))


@pytest.fixture
def api(empty: Api, clock: Clock) -> Api:
    return peopled(empty, clock)


def peopled(empty: Api, clock: Clock) -> Api:
    """The world, resolved; Carol was two persons and is one now."""
    empty.run("ingest", events=EVENTS)
    empty.run("resolve")
    loyal = {"identifier": {"namespace": "loyalty_id", "value": "L-77"}}
    before = [person["id"] for person in empty.run("people", by=[email_of(CAROL), loyal])["people"]]
    clock.tick(60)
    empty.run("ingest", events=[JOINS_CAROL])
    empty.run("resolve")
    empty.run("save_segment", name="vip", description="Buys again", condition=SEGMENT)
    survivor = empty.person_id(CAROL)
    empty.retired = {old: survivor for old in before if old != survivor}
    return empty
