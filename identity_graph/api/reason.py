"""Why something does not join."""

from __future__ import annotations

import strawberry


@strawberry.type(description="Why something does not join, or was set aside.")
class Reason:
    code: str = strawberry.field(
        description="Stable: LIMIT, CANNOT_LINK, HUB, BLOCKED, NOT_JOINING, WEAK, OVERSIZED, QUARANTINED, EXPIRED, "
        "UNSEEN, and in a view UNSURE and PURPOSE; of a quarantined record, its error code."
    )
    message: str
    namespace: str | None = None
    values: list[str] = strawberry.field(description="The values that would have come together.", default_factory=list)
