"""Events given to `ingest`. They go through a loader, so that the API and files cannot read one event differently."""

from __future__ import annotations

from functools import cache
from typing import Any

import strawberry

from identity_graph.api.lookup import IdentifierInput
from identity_graph.api.scalars import JSON, DateTime
from identity_graph.loaders import Loader, read_loader
from identity_graph.times import NUMBERS_SINCE, format_time


@cache
def ingest_loader() -> Loader:
    return read_loader("graphql")


@strawberry.input
class EventInput:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="An id stored already makes it a duplicate, for ever. Left out: a hash of the content.",
    )
    time: DateTime = strawberry.field(
        description="When it happened: never the time of sending, or repeating would differ."
    )
    source: str
    name: str
    identifiers: list[IdentifierInput]
    traits: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="An object: what it says of the person."
    )
    properties: JSON | None = strawberry.field(default=strawberry.UNSET, description="An object: what happened.")

    def record(self) -> dict[str, Any]:
        """As the loader reads it."""
        record: dict[str, Any] = {
            "id": None if self.id is strawberry.UNSET else self.id,
            "time": self.time if self.time >= NUMBERS_SINCE else format_time(self.time),  # it came as a date
            "source": self.source,
            "name": self.name,
            "identifiers": [{"namespace": one.namespace, "value": one.value} for one in self.identifiers],
        }
        for name, value in (("traits", self.traits), ("properties", self.properties)):
            if value is not strawberry.UNSET and value is not None:
                record[name] = value
        return record
