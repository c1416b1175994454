"""Erasure: what would go, and the proof that it went."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Parent

from identity_graph import model
from identity_graph.api.context import Info, reads_of
from identity_graph.api.field import field
from identity_graph.api.identifier import Identifier
from identity_graph.api.person import Person
from identity_graph.api.scalars import JSON
from identity_graph.api.segment import Segment
from identity_graph.erasing import ErasureRequest, ErasureState

strawberry.enum(
    model.Scope,
    name="ErasureScope",
    description="CONNECTED: the person. EXACT: the identifier that is asked for, and the person's events that saw it.",
)

strawberry.enum(
    model.SharedRule,
    description="What an erasure does about contested identifiers. DETACH: they stay with the events of the others."
    " REFUSE: nothing is erased, and somebody decides.",
)


@strawberry.type(description="What erasing a person, or one identifier of it, would take.")
class ErasurePreview:
    token: str = strawberry.field(description="For `erase`: proves that somebody looked at this very state first.")
    exclusive: list[Identifier] = strawberry.field(description="No other event holds them: they go.")
    beside: list[Identifier] = strawberry.field(
        description="Not asked for, but seen by the events that go alone: they go too."
    )
    shared: list[Identifier] = strawberry.field(description="Other events hold them too: they stay with those.")
    contested: list[Identifier] = strawberry.field(
        description="Those of the shared ones that events of other people hold, and that may join somebody: for one of"
        " them the rule REFUSE refuses."
    )
    scope: model.Scope
    kept: Identifier | None = strawberry.field(
        description="What the person was asked for by, where that is a shared one: it stays, and leads to others."
    )
    events: int = strawberry.field(description="How many go.")
    quarantined: int = strawberry.field(description="How many records that were set aside name the person and go.")

    @field(Person | None)
    def person(preview: Parent[model.ErasurePreview], info: Info) -> Any:
        return reads_of(info).persons.load(preview.person_id)

    @field(list[Segment], "That it will leave.")
    def segments(preview: Parent[model.ErasurePreview], info: Info) -> Any:
        return [reads_of(info).segments.load(name) for name in preview.segments]


strawberry.enum(
    ErasureState,
    description="RESTRICTED: nobody sees the person. DELETED: nothing is left of it but bytes in files. SCRUBBED: nor"
    " those. REFUSED: nothing was erased.",
)


@strawberry.type(description="Proof of an erasure, without personal data.")
class Receipt:
    id: strawberry.ID
    document: JSON


@strawberry.type(description="What became of one of several erasures.")
class Erasure:
    state: ErasureState
    code: str | None = strawberry.field(description="Why it was refused, or is not finished yet.")
    receipt: Receipt | None

    @classmethod
    def of(cls, request: ErasureRequest) -> Erasure:
        signed = "signature" in request.document
        proof: Any = model.Receipt(request.id, request.document) if signed else None
        return cls(state=request.state, code=request.code or None, receipt=proof)
