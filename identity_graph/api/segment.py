"""Segments and who is in them."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.connection import CountedConnection
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.lookup import PersonBy
from identity_graph.api.node import Node, segment_id
from identity_graph.api.paging import Window, given
from identity_graph.api.person import Person
from identity_graph.api.scalars import JSON, DateTime
from identity_graph.roster import Roster


def _segment_id(segment: Parent[model.Segment]) -> strawberry.ID:
    return segment_id(segment.name)


@strawberry.type(description="A name and a condition; its members are those of the last resolution.")
class Segment(Node):
    id: strawberry.ID = strawberry.field(resolver=_segment_id)
    name: str
    condition: JSON = strawberry.field(description="As ConditionInput takes it.")
    size: int = strawberry.field(description="Of all members, for whatever purpose it was asked for.")
    created: DateTime = strawberry.field(name="createdAt")
    evaluated: DateTime = strawberry.field(name="evaluatedAt")

    @classmethod
    def is_type_of(cls, found: Any, _info: Any) -> bool:
        return isinstance(found, model.Segment)

    @strawberry.field
    def description(segment: Parent[model.Segment]) -> str | None:
        return segment.description or None

    @field(CountedConnection[Person], "In order of person id.")
    async def members(
        segment: Parent[model.Segment],
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(f"members {segment.name}", (str,), first=given(first), after=given(after))
        reads = reads_of(info)
        start = str(window.key[0]) if window.key else ""
        size = segment.size
        if reads.purpose is None:
            (ids,) = await reads.members_of.load_all([(segment.name, start, window.limit + 1)])
        else:
            graph = info.context.graph
            roster = Roster(graph.store, graph.people, segment.name, allowed=graph.allowed(reads.purpose))
            ids = await reads.waves.call(roster.allowed, start, window.limit + 1)
            if "totalCount" in info.context.fields:
                size = await reads.waves.call(roster.count)
        live = [person for person in await reads.persons.load_all(ids) if person is not None]
        return window.fetched(live, lambda person: (person.id,), size)

    @field(int | None, "How many persons are in both, for whatever purpose; null where no segment is called so.")
    def overlap(
        segment: Parent[model.Segment],
        info: Info,
        with_: Annotated[str, strawberry.argument(name="with", description="The name of another segment.")],
    ) -> Any:
        reads = reads_of(info)

        def count(other: model.Segment | None) -> Any:
            return None if other is None else reads.overlap.load((segment.name, other.name))

        return reads.segments.load(with_, count)

    @field(bool)
    def contains(segment: Parent[model.Segment], info: Info, person: PersonBy) -> Any:
        contains = reads_of(info).contains

        def ask(found: model.Person | None) -> Any:
            return False if found is None else contains.load((segment.name, found.id))

        return person.find(info, ask)


@strawberry.type(description="Who would be in a segment with this condition.")
class SegmentPreview:
    size: int
    sample: list[Person]
