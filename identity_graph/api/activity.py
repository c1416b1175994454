"""What a journey adds up to: contacts by channel, counts by day or name."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.event import Event
from identity_graph.api.field import field
from identity_graph.journey import Bucket

strawberry.enum(Bucket, name="ActivityBucket", description="Days, weeks (ISO 8601), months and years are of UTC.")


@strawberry.type(description="First and last contact through one channel: a source.")
class Touchpoint:
    channel: str
    count: int

    @field(Event)
    def first(touchpoint: Parent[model.Touchpoint]) -> Any:
        return Event.of(touchpoint.first)

    @field(Event)
    def last(touchpoint: Parent[model.Touchpoint]) -> Any:
        return Event.of(touchpoint.last)


@strawberry.type(description="How many events.")
class ActivityCount:
    key: str = strawberry.field(description="Such as 2026-01-31, 2026-W05, 2026-01, 2026, a name or a source.")
    count: int
