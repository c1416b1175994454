"""How a person is named in a question."""

from __future__ import annotations

from typing import Any

import strawberry

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.errors import AccessError
from identity_graph.former import former_forms
from identity_graph.normalise import normalise
from identity_graph.service import IdentityGraph


@strawberry.input
class IdentifierInput:
    namespace: str
    value: str = strawberry.field(description="Raw or canonical; it is normalised as ingestion would.")

    def canonical(self) -> model.Identifier:
        """Raises NAMESPACE_INVALID, and the codes that begin with VALUE_, EMAIL_, PHONE_ and IP_."""
        return normalise(self.namespace, self.value)

    def formerly(self) -> list[model.Identifier]:
        """What else it was in earlier versions."""
        return former_forms(self.namespace, self.value)


@strawberry.input(one_of=True, description="One way to name a person.")
class PersonBy:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A person id. A retired id finds its survivor."
    )
    identifier: IdentifierInput | None = strawberry.UNSET

    def anybody(self, graph: IdentityGraph) -> tuple[model.Identifier | None, model.Person | None]:
        """Whoever it is, restricted ones too; and by which identifier, as it is normalised now or was before."""
        if isinstance(self.identifier, IdentifierInput):
            return graph.restrictions.find_any([self.identifier.canonical(), *self.identifier.formerly()])
        return None, graph.restrictions.find(str(self.id))

    def find(self, info: Info, pick: Any = lambda person: person) -> Any:
        """`pick` of the person, or of None."""
        reads = reads_of(info)
        if self.id is not strawberry.UNSET:
            return reads.persons.load(str(self.id), pick)
        assert isinstance(self.identifier, IdentifierInput)
        if info.context.veiled:
            raise AccessError("FORBIDDEN", "PersonBy.identifier is not for the role analyst", help="Ask by person id.")
        return reads.persons_by_identifier.load(self.identifier.canonical(), pick)
