"""Profiles by stock strawberry: the types that an app would write, strawberry's own view, all data in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON


@strawberry.type
class Identifier:
    key: str
    namespace: str
    value: str


@strawberry.type
class Membership:
    identifier: Identifier
    confidence: float
    since: str


@strawberry.type
class Trait:
    name: str
    value: JSON
    source: str
    time: str


@strawberry.type
class Profile:
    traits: list[Trait]


@strawberry.type
class Event:
    id: strawberry.ID
    time: str
    source: str
    name: str


@strawberry.type
class Journey:
    nodes: list[Event]


@strawberry.type
class Person:
    id: strawberry.ID
    identifiers: list[Membership]
    profile: Profile
    whole: strawberry.Private[list[Event]]

    @strawberry.field
    def journey(self, first: int = 20) -> Journey:
        return Journey(nodes=self.whole[:first])


@strawberry.input(one_of=True)
class PersonBy:
    id: strawberry.ID | None = strawberry.UNSET


def stock(answers: Mapping[str, Mapping[str, Any]]) -> Starlette:
    """The application, at `/graphql`, over what another service has answered of each person, by person id."""
    persons = {id: _person(answer) for id, answer in answers.items()}

    @strawberry.type
    class Query:
        @strawberry.field
        def person(self, by: PersonBy) -> Person | None:
            return persons.get(str(by.id))

        @strawberry.field
        def people(self, by: list[PersonBy]) -> list[Person | None]:
            return [persons.get(str(one.id)) for one in by]

    view: Any = GraphQL(strawberry.Schema(query=Query))
    return Starlette(routes=[Route("/graphql", view, methods=["POST"])])


def _person(answer: Mapping[str, Any]) -> Person:
    members = [
        Membership(identifier=Identifier(**found["identifier"]), confidence=found["confidence"], since=found["since"])
        for found in answer["identifiers"]
    ]
    return Person(
        id=answer["id"],
        identifiers=members,
        profile=Profile(traits=[Trait(**trait) for trait in answer["profile"]["traits"]]),
        whole=[Event(**event) for event in answer["journey"]["nodes"]],
    )
