"""What is known of a person: surviving traits, and the statements that lost."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.event import Event
from identity_graph.api.field import field
from identity_graph.api.scalars import JSON, DateTime


def _said_by(event_id: str, info: Info) -> Any:
    return reads_of(info).events.load(event_id, Event.of)


@strawberry.type(description="One event said so.")
class Statement:
    value: JSON
    source: str
    time: DateTime

    @field(Event | None)
    def event(statement: Parent[model.Statement], info: Info) -> Any:
        return _said_by(statement.event_id, info)


@strawberry.type(description="The statement that survived.")
class Trait:
    name: str
    value: JSON
    source: str
    time: DateTime
    alternatives: list[Statement] = strawberry.field(description="Other values that lost to it, newest first.")

    @field(Event | None, "The event that stated it.")
    def event(trait: Parent[model.Trait], info: Info) -> Any:
        return _said_by(trait.event_id, info)


@strawberry.type(description="The person with its surviving traits.")
class Profile:
    values: JSON = strawberry.field(description="All surviving values as one object.")

    @field(list[Trait], "In order of name: all, or those of these names.")
    def traits(profile: Parent[model.Profile], names: list[str] | None = strawberry.UNSET) -> Any:
        if not isinstance(names, list):
            return profile.traits
        wanted = frozenset(names)
        return [trait for trait in profile.traits if trait.name in wanted]

    @field(Trait | None)
    def trait(profile: Parent[model.Profile], name: str) -> Any:
        return next((trait for trait in profile.traits if trait.name == name), None)
