"""Persons. A resolver's source here is the model's `Person`."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.activity import ActivityCount, Touchpoint
from identity_graph.api.change import Change, change_key
from identity_graph.api.computed import ComputedValue
from identity_graph.api.connection import Connection, CountedConnection
from identity_graph.api.consent import Consent
from identity_graph.api.context import Info, reads_of
from identity_graph.api.event import Event, EventFilter
from identity_graph.api.field import field
from identity_graph.api.identifier import Membership
from identity_graph.api.link import Graph, Link, drawn
from identity_graph.api.node import Node
from identity_graph.api.paging import Window, given
from identity_graph.api.profile import Profile
from identity_graph.api.scalars import DateTime
from identity_graph.api.session import Session, session_key
from identity_graph.journey import Bucket, activity, touchpoints

if TYPE_CHECKING:
    from identity_graph.api.segment import Segment

strawberry.enum(
    model.PersonOrder,
    description="CREATED, UPDATED and LAST_SEEN: oldest first; LAST_SEEN is the time of the newest event. SIZE: who has"
    " the fewest identifiers first.",
)
PersonType = Annotated["Person", strawberry.lazy("identity_graph.api.person")]
SegmentType = Annotated["Segment", strawberry.lazy("identity_graph.api.segment")]


@strawberry.type(description="Another person that may be the same.")
class MergeSuggestion:
    weight: float = strawberry.field(description="Of the strongest of the links.")
    links: list[Link] = strawberry.field(description="What speaks for it, the strongest first, and what suppressed it.")

    @field(PersonType | None)
    def person(suggestion: Parent[model.Suggestion], info: Info) -> Any:
        return reads_of(info).persons.load(suggestion.person_id)


@strawberry.type(description="A recomputable view over evidence: identifiers that belong together.")
class Person(Node):
    id: strawberry.ID
    created: DateTime = strawberry.field(name="createdAt")
    updated: DateTime = strawberry.field(name="updatedAt")
    requested_id: strawberry.ID | None = strawberry.field(description="Set when a merge retired the id asked for.")

    @classmethod
    def is_type_of(cls, found: Any, _info: Any) -> bool:
        return isinstance(found, model.Person)

    @field(DateTime | None, "The time of its newest event.")
    def last_seen(person: Parent[model.Person], info: Info) -> Any:
        return reads_of(info).journeys.load(person.id, lambda journey: journey[-1].event.time if journey else None)

    @field(
        float,
        "The weakest link that holds the person together, 0..1; 1 for a single identifier.",
    )
    def confidence(person: Parent[model.Person], info: Info) -> Any:
        return reads_of(info).confidences.load(person.id)

    @field(list[PersonType], "Persons that were split off from this one, or from the one asked for, and still are.")
    async def split_into(person: Parent[model.Person], info: Info) -> Any:
        reads = reads_of(info)
        asked = [person.id, *filter(None, [person.requested_id])]
        changes = chain.from_iterable(await reads.changes.load_all(asked))
        splits = sorted((one for one in changes if one.kind == model.ChangeKind.SPLIT), key=change_key)
        parts = await reads.persons.load_all(dict.fromkeys(id for split in splits for id in split.to_ids))
        found = {part.id: part for part in parts if part}
        return [part for id, part in found.items() if id != person.id]

    @field(list[Membership], "In order of key.")
    def identifiers(person: Parent[model.Person], info: Info, namespaces: list[str] | None = strawberry.UNSET) -> Any:
        wanted = given(namespaces)

        def choose(members: tuple[model.Membership, ...]) -> Any:
            return [member for member in members if wanted is None or member.identifier.namespace in wanted]

        return reads_of(info).members.load(person.id, choose)

    @field(str | None, "The value of that namespace that is surest, then the newest.")
    def identifier(person: Parent[model.Person], info: Info, namespace: str) -> Any:
        def choose(members: tuple[model.Membership, ...]) -> Any:
            own = [member for member in members if member.identifier.namespace == namespace]
            best = max(own, key=lambda member: (member.confidence, member.since), default=None)
            return best and best.identifier.value

        return reads_of(info).members.load(person.id, choose)

    @field(str | None, "Of the identifier that is surest, then the newest: namespace:value, as others may know it.")
    def key(person: Parent[model.Person], info: Info) -> Any:
        def choose(members: tuple[model.Membership, ...]) -> Any:
            best = max(members, key=lambda member: (member.confidence, member.since), default=None)
            return best and best.identifier.key

        return reads_of(info).members.load(person.id, choose)

    @field(Profile)
    def profile(person: Parent[model.Person], info: Info) -> Any:
        return reads_of(info).profiles.load(person.id)

    @field(list[Consent], "What stands of what was said of purposes; in order of purpose.")
    def consents(person: Parent[model.Person], info: Info) -> Any:
        return reads_of(info).consents.load(person.id)

    @field(CountedConnection[Event], "Events, oldest first.")
    def journey(
        person: Parent[model.Person],
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
        filter: EventFilter | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(
            f"journey {person.id} {given(filter) or EventFilter()}",
            (int, str),
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )

        def page(events: tuple[model.JourneyEvent, ...]) -> Any:
            chosen = _chosen(events, filter)
            return window.cut(chosen, lambda found: (found.event.time, found.event.id), len(chosen)).map(Event.of)

        return reads_of(info).journeys.load(person.id, page)

    @field(CountedConnection[Session], "Visits, oldest first; with a filter, those in which such an event happened.")
    def sessions(
        person: Parent[model.Person],
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
        filter: EventFilter | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(
            f"sessions {person.id} {given(filter) or EventFilter()}",
            (int, str),
            first=given(first),
            after=given(after),
            last=given(last),
            before=given(before),
        )

        def page(sessions: tuple[model.Session, ...]) -> Any:
            chosen = [session for session in sessions if _chosen(session.events, filter)]
            return window.cut(chosen, session_key, len(chosen))

        return reads_of(info).sessions.load(person.id, page)

    @field(list[Touchpoint], "By channel, in order of the first touch.")
    def touchpoints(person: Parent[model.Person], info: Info, filter: EventFilter | None = strawberry.UNSET) -> Any:
        return reads_of(info).journeys.load(person.id, lambda journey: touchpoints(_chosen(journey, filter)))

    @field(list[ActivityCount], "How many events, in order of key; what has none is left out.")
    def activity(
        person: Parent[model.Person],
        info: Info,
        filter: EventFilter | None = strawberry.UNSET,
        by: Bucket = Bucket.DAY,
    ) -> Any:
        def count(journey: tuple[model.JourneyEvent, ...]) -> Any:
            return [ActivityCount(key=key, count=n) for key, n in activity(_chosen(journey, filter), by)]

        return reads_of(info).journeys.load(person.id, count)

    @field(list[ComputedValue], "In order of name: all that have a value, or those of these names.")
    def computed_traits(person: Parent[model.Person], info: Info, names: list[str] | None = strawberry.UNSET) -> Any:
        wanted = given(names)

        def choose(values: dict[str, Any]) -> Any:
            return [ComputedValue(name=n, value=v) for n, v in values.items() if wanted is None or n in wanted]

        return reads_of(info).computed.load(person.id, choose)

    @field(list[SegmentType], "In order of name.")
    def segments(person: Parent[model.Person], info: Info) -> Any:
        reads = reads_of(info)
        return reads.segments_of.load(person.id, lambda names: [reads.segments.load(name) for name in names])

    @field(list[Link], "Links between its identifiers, and out of it.")
    def links(person: Parent[model.Person], info: Info, include_suppressed: bool = False) -> Any:
        def choose(links: tuple[model.Link, ...]) -> Any:
            return [link for link in links if include_suppressed or link.suppressed is None]

        return reads_of(info).links.load(person.id, choose)

    @field(Graph, "Its identifiers and links, for drawing.")
    async def graph(person: Parent[model.Person], info: Info, include_suppressed: bool = True) -> Any:
        reads = reads_of(info)
        (members,), (links,) = await gather(reads.members.load_all([person.id]), reads.links.load_all([person.id]))
        return drawn(members, links, include_suppressed)

    @field(
        list[MergeSuggestion],
        "Others that may be the same person, the strongest first: suppressed links lead to them, and nobody said that"
        " they are not. `link` makes one of them, `unlink` keeps them apart.",
    )
    def merge_suggestions(person: Parent[model.Person], info: Info) -> Any:
        return reads_of(info).suggestions.load(person.id)

    @field(Connection[Change], "What happened to it, oldest first.")
    def changes(
        person: Parent[model.Person],
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(f"changes {person.id}", (int,), first=given(first), after=given(after))
        return reads_of(info).changes.load(person.id, lambda changes: window.cut(changes, change_key))


def _chosen(events: Sequence[model.JourneyEvent], filter: object) -> Sequence[model.JourneyEvent]:
    return filter.choose(events) if isinstance(filter, EventFilter) else events
