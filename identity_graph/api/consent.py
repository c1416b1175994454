"""What was said of purposes."""

from __future__ import annotations

import strawberry

from identity_graph import model
from identity_graph.api.scalars import DateTime

strawberry.enum(model.ConsentStatus, description="Everything but GRANTED is a no.")


@strawberry.type(description="What stands of the statements of one purpose: the newest, of equals the stricter.")
class Consent:
    purpose: str
    status: model.ConsentStatus
    source: str
    time: DateTime
    expires: DateTime | None = strawberry.field(name="expiresAt")
