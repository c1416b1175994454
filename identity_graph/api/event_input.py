"""Events given to `ingest`. They go through a loader, so that the API and files cannot read one event differently."""

from __future__ import annotations

from functools import cache
from typing import Any

import strawberry

from identity_graph import model
from identity_graph.api.lookup import IdentifierInput
from identity_graph.api.scalars import JSON, DateTime
from identity_graph.errors import InputError
from identity_graph.loaders import Loader, parse_loader

_LOADER = """
source = "graphql"

[event]
id = "id"
time = "time"
time_unit = "us"
name = "name"
source = "source"

[[identifier_pairs]]
namespace = "identifiers[].namespace"
value = "identifiers[].value"

[traits]
"*" = "traits"

[properties]
"*" = "properties"
"""


@cache
def _loader() -> Loader:
    return parse_loader(_LOADER, "the loader of ingest")


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

    def read(self, received: int, where: str) -> model.Event:
        """Raises InputError with the code of the quarantine; `where` begins its message."""
        record: dict[str, Any] = {
            "id": None if self.id is strawberry.UNSET else self.id,
            "time": self.time,
            "source": self.source,
            "name": self.name,
            "identifiers": [{"namespace": one.namespace, "value": one.value} for one in self.identifiers],
        }
        try:
            for name, value in (("traits", self.traits), ("properties", self.properties)):
                if value is not strawberry.UNSET and value is not None:
                    if not isinstance(value, dict):
                        raise InputError(
                            "TYPE_INVALID", f"{name} is not an object", help="Give an object of named values."
                        )
                    record[name] = value
            return _loader().event(record, received=received)
        except InputError as error:
            raise InputError(error.code, f"{where}: {error.message}", help=error.help) from None
