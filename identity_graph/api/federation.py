"""This service as a subgraph of Apollo Federation 2: other services extend `Person`, known there by its id or by one
of its identifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.union import StrawberryUnion

from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.person import Person
from identity_graph.errors import InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])\n\n'
PERSON = "type Person implements Node {"

ENTITY: Any = StrawberryUnion(
    name="_Entity",
    type_annotations=(StrawberryAnnotation(Person),),
    description="Apollo Federation's: what other services may extend.",
)


@strawberry.type(name="_Service", description="Apollo Federation's: what is told to whoever composes a supergraph.")
class Subgraph:
    @field(str, "The schema, with the keys of its entities.")
    def sdl(self) -> Any:
        from identity_graph.api.schema import sdl

        # No directives of Federation are in the schema itself: tools that do not know them can read it.
        return LINK + sdl().replace(PERSON, 'type Person implements Node @key(fields: "id") @key(fields: "key") {')


def find_entity(info: Info, representation: Any) -> Any:
    """A value or a future of it. What is no representation is an error in its place, beside the others' answers."""
    try:
        reads = reads_of(info)
        named = representation if isinstance(representation, Mapping) else {}
        if named.get("__typename") == "Person":
            if isinstance(id := named.get("id"), str):
                return reads.persons.load(id)
            if isinstance(key := named.get("key"), str):
                return reads.persons_by_identifier.load(normalise(*Identifier.parse(key)))
        raise InputError(
            "KEY_INVALID",
            "a representation names no person",
            help='Send {"__typename": "Person"} with an "id", or with a "key" such as "email:ann@example.org".',
        )
    except InputError as error:
        return error
