"""Links and what they explain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.connection import CountedConnection
from identity_graph.api.context import Info, reads_of
from identity_graph.api.event import Event, event_key
from identity_graph.api.field import field
from identity_graph.api.identifier import Identifier
from identity_graph.api.paging import Window, given
from identity_graph.api.reason import Reason
from identity_graph.api.scalars import DateTime

strawberry.enum(
    model.LinkKind,
    description="OBSERVED: seen together. SIMILAR: seen with the same others. MUST: an event stated that they are one "
    "person. CANNOT: that they are not, so that it is suppressed.",
)


@strawberry.type(description="Two identifiers observed together, or of which something was stated.")
class Link:
    a: Identifier
    b: Identifier
    kind: model.LinkKind
    weight: float = strawberry.field(description="How strongly it says 'same person', 0..1.")
    count: int = strawberry.field(description="How many events saw both.")
    first_seen: DateTime = strawberry.field(description="Of what was only stated, when it was.")
    last_seen: DateTime
    sources: list[str]
    suppressed: Reason | None = strawberry.field(description="What kept it from joining; null when it joins.")
    shared: list[Identifier] = strawberry.field(
        description="Identifiers that both were seen with, where the policy compares what identifiers share."
    )

    @field(CountedConnection[Event], "The events that saw both identifiers, oldest first.")
    def evidence(
        link: Parent[model.Link],
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
    ) -> Any:
        window = Window.read(f"evidence {link.a.key} {link.b.key}", (int, str), first=given(first), after=given(after))

        def page(events: tuple[model.Event, ...]) -> Any:
            found = sorted((Event.unattributed(event) for event in events), key=event_key)
            return window.cut(found, event_key, len(found))

        return reads_of(info).evidence.load((link.a, link.b), page)


@strawberry.type(description="Nodes and links, to be drawn as they are.")
class Graph:
    nodes: list[Identifier] = strawberry.field(
        description="In order of key; the other ends of suppressed links among them."
    )
    links: list[Link]


def drawn(members: Iterable[model.Membership], links: Iterable[model.Link], suppressed: bool) -> Graph:
    shown = [link for link in links if suppressed or link.suppressed is None]
    nodes = {member.identifier for member in members} | {end for link in shown for end in (link.a, link.b)}
    return Graph(nodes=sorted(nodes, key=lambda node: node.key), links=shown)  # type: ignore[arg-type]


@strawberry.type(description="Why, or why not, two identifiers are one person.")
class Explanation:
    same_person: bool
    path: list[Link] = strawberry.field(
        description="The strongest path between the two, whether or not it joins; empty where there is none."
    )
    confidence: float | None = strawberry.field(description="The weakest joining link on the path.")
    obstacles: list[Reason] = strawberry.field(description="What keeps them apart, or would have.")
    message: str
