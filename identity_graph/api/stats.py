"""How much there is."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry


@strawberry.type(description="Counts of the whole store.")
class Stats:
    events: int
    identifiers: int
    observations: int
    persons: int
    largest_person: int = strawberry.field(description="How many identifiers the largest person has.")
    hubs: int = strawberry.field(description="Identifiers seen with too many others to mean one person.")
    suppressed_links: int
    segments: int
    quarantined: int

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Stats:
        names = (
            "events",
            "identifiers",
            "observations",
            "persons",
            "largest_person",
            "hubs",
            "suppressed_links",
            "segments",
            "quarantined",
        )
        return cls(**{name: counts[name] for name in names})
