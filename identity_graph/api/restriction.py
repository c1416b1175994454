"""Who is hidden from everybody but the privacy desk."""

from __future__ import annotations

import strawberry

from identity_graph.api.scalars import DateTime


@strawberry.type(description="A person that nobody but a privacy officer sees, until it is unrestricted or erased.")
class Restriction:
    person_id: strawberry.ID
    since: DateTime
    identifiers: int = strawberry.field(description="How many identifiers of the person it holds to.")
