"""The feed of what resolutions did to persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.paging import cursor_of
from identity_graph.api.scalars import DateTime

if TYPE_CHECKING:
    from identity_graph.api.person import Person

PersonType = Annotated["Person", strawberry.lazy("identity_graph.api.person")]

FEED = "changes"
strawberry.enum(model.ChangeKind)


@strawberry.type(description="What brought a change about.")
class Cause:
    cause: str = strawberry.field(
        name="kind", description="`evidence`, `statement`, `policy`, `erasure`, `retention` or `segment`."
    )
    message: str
    policy: str = strawberry.field(name="policyVersion", description="SHA-256 of the policy that was in force.")


@strawberry.type(description="What a resolution or an erasure did to one person, or which segment it entered or left.")
class Change:
    time: DateTime
    kind: model.ChangeKind
    person_id: strawberry.ID
    from_ids: list[strawberry.ID] = strawberry.field(name="from", description="Persons that went into it.")
    to_ids: list[strawberry.ID] = strawberry.field(name="to", description="Persons that came out of it.")
    segment: str | None = strawberry.field(description="The name of the segment that the person entered or left.")

    @field(str, "Where to continue `changes` from.")
    def cursor(change: Parent[model.Change]) -> str:
        return cursor_of(FEED, change_key(change))

    @field(PersonType | None, "As it is now; its survivor, if it was retired.")
    def person(change: Parent[model.Change], info: Info) -> Any:
        return reads_of(info).persons.load(change.person_id)

    @field(Cause)
    def cause(change: Parent[model.Change]) -> Any:
        return change


def change_key(change: model.Change) -> tuple[int]:
    return (change.number,)
