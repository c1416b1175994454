"""Segments that are delivered to where a file of the server says."""

from __future__ import annotations

import strawberry

from identity_graph.api.scalars import DateTime


@strawberry.type(description="What came of delivering to a destination.")
class Activation:
    delivered: int = strawberry.field(description="Persons in a file; members and changes in messages.")
    set_aside: int = strawberry.field(description="Messages that are dead letters now, or still.")
    trouble: str = strawberry.field(description="Why more waits; empty, where nothing does.")
    due: DateTime | None = strawberry.field(name="dueAt", description="When it is to be tried again.")
