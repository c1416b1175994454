"""Computed traits: measures over events, declared by name."""

from __future__ import annotations

import strawberry

from identity_graph.api.scalars import JSON


@strawberry.type(description="A measure over the events of each person.")
class ComputedTrait:
    name: str
    definition: JSON = strawberry.field(description="As MeasureInput takes it.")


@strawberry.type(description="Computed from events, as of now, rather than stated.")
class ComputedValue:
    name: str
    value: JSON
