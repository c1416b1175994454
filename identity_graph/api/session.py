"""Visits: a journey cut where the person was silent for longer than the policy's session gap."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.event import Event
from identity_graph.api.field import field
from identity_graph.api.scalars import DateTime
from identity_graph.times import SECOND


@strawberry.type(description="Events with no longer gap between two than the policy's session gap; oldest first.")
class Session:
    start: DateTime
    end: DateTime

    @strawberry.field
    def duration_seconds(session: Parent[model.Session]) -> int:
        return (session.end - session.start) // SECOND

    @field(list[Event])
    def events(session: Parent[model.Session]) -> Any:
        return [Event.of(event) for event in session.events]

    @field(Event)
    def entry(session: Parent[model.Session]) -> Any:
        return Event.of(session.events[0])

    @field(Event)
    def exit(session: Parent[model.Session]) -> Any:
        return Event.of(session.events[-1])


def session_key(session: model.Session) -> tuple[int, str]:
    return (session.start, session.events[0].event.id)
