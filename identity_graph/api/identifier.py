"""Identifiers. A resolver's source is the model's `Identifier`; what else is known of it is read when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.reason import Reason
from identity_graph.api.scalars import DateTime

if TYPE_CHECKING:
    from identity_graph.api.person import Person

PersonType = Annotated["Person", strawberry.lazy("identity_graph.api.person")]


def _fact(identifier: model.Identifier, info: Info, pick: Callable[[model.IdentifierFacts], Any], unseen: Any) -> Any:
    return reads_of(info).identifiers.load(identifier, lambda facts: unseen if facts is None else pick(facts))


@strawberry.type(description="One way to recognise somebody: a namespace and a canonical value.")
class Identifier:
    key: str = strawberry.field(description="namespace:value")
    namespace: str
    value: str

    @field(DateTime | None)
    def first_seen(identifier: Parent[model.Identifier], info: Info) -> Any:
        return _fact(identifier, info, lambda facts: facts.first_seen, None)

    @field(DateTime | None)
    def last_seen(identifier: Parent[model.Identifier], info: Info) -> Any:
        return _fact(identifier, info, lambda facts: facts.last_seen, None)

    @field(int, "How many events saw it.")
    def observations(identifier: Parent[model.Identifier], info: Info) -> Any:
        return _fact(identifier, info, lambda facts: facts.observations, 0)

    @field(list[str])
    def sources(identifier: Parent[model.Identifier], info: Info) -> Any:
        return _fact(identifier, info, lambda facts: facts.sources, ())

    @field(Reason | None, "Why it joins nobody, if it does not.")
    def pruned(identifier: Parent[model.Identifier], info: Info) -> Any:
        return _fact(identifier, info, lambda facts: facts.pruned, None)

    @field(PersonType | None)
    def person(identifier: Parent[model.Identifier], info: Info) -> Any:
        return reads_of(info).persons_by_identifier.load(identifier)


@strawberry.type(description="An identifier as part of a person.")
class Membership:
    identifier: Identifier
    confidence: float = strawberry.field(
        description="The weakest link on the strongest path to the rest of the person, 0..1."
    )
    since: DateTime
