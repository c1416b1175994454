"""Events, and how to choose among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.identifier import Identifier
from identity_graph.api.node import Node
from identity_graph.api.scalars import JSON, DateTime

if TYPE_CHECKING:
    from identity_graph.api.person import Person

PersonType = Annotated["Person", strawberry.lazy("identity_graph.api.person")]
Key = tuple[int, str]


@strawberry.type(description="What came in: one record of one source.")
class Event(Node):
    id: strawberry.ID
    time: DateTime
    received_at: DateTime
    source: str
    name: str
    identifiers: list[Identifier]
    traits: JSON
    properties: JSON
    attribution: strawberry.Private[model.JourneyEvent | None]

    @classmethod
    def of(cls, found: model.JourneyEvent | None) -> Event | None:
        return None if found is None else cls._make(found.event, found)

    @classmethod
    def unattributed(cls, event: model.Event) -> Event:
        """Whose it is will be read if it is asked for."""
        return cls._make(event, None)

    @classmethod
    def _make(cls, event: model.Event, attribution: model.JourneyEvent | None) -> Event:
        return cls(
            id=strawberry.ID(event.id),
            time=DateTime(event.time),
            received_at=DateTime(event.received),
            source=event.source,
            name=event.name,
            identifiers=event.identifiers,  # type: ignore[arg-type]
            traits=JSON(event.traits),
            properties=JSON(event.properties),
            attribution=attribution,
        )

    def _attributed(self, info: Info, pick: Any) -> Any:
        if self.attribution is not None:
            return pick(self.attribution)
        return reads_of(info).events.load(self.id, lambda found: None if found is None else pick(found))

    @field(PersonType | None, "The person that it is attributed to.")
    def person(self, info: Info) -> Any:
        persons = reads_of(info).persons
        return self._attributed(info, lambda found: found.person_id and persons.load(found.person_id))

    @field(Identifier | None, "The identifier that decided whose it is.")
    def attributed_by(self, info: Info) -> Any:
        return self._attributed(info, lambda found: found.attributed_by)


@strawberry.input(description="What is left out lets everything through.")
class EventFilter:
    names: list[str] | None = strawberry.UNSET
    sources: list[str] | None = strawberry.UNSET
    from_: DateTime | None = strawberry.field(name="from", default=strawberry.UNSET, description="This time or later.")
    to: DateTime | None = strawberry.field(default=strawberry.UNSET, description="Before this time.")

    def __str__(self) -> str:
        """The same for the same choice: part of the name of the list that a cursor belongs to."""
        parts = (sorted(self.names or ()), sorted(self.sources or ()), self.from_ or None, self.to or None)
        return repr(parts)

    def choose(self, events: Sequence[model.JourneyEvent]) -> list[model.JourneyEvent]:
        names, sources = frozenset(self.names or ()), frozenset(self.sources or ())
        low = self.from_ if isinstance(self.from_, int) else None
        high = self.to if isinstance(self.to, int) else None
        return [
            found
            for found in events
            if (not names or found.event.name in names)
            and (not sources or found.event.source in sources)
            and (low is None or found.event.time >= low)
            and (high is None or found.event.time < high)
        ]


def event_key(event: Event) -> Key:
    return (event.time, event.id)
