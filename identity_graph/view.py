"""How somebody looks at persons: as published, or as they would be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from identity_graph.errors import InputError
from identity_graph.policy import Policy
from identity_graph.store.protocols import EventRow
from identity_graph.tables import ObservationTable


@dataclass(frozen=True, slots=True)
class View:
    """What if: evidence up to the time `as_of` (microseconds since 1970, UTC) only, as if the sources `without_sources`
    had never sent anything, under another `policy`; and of each person only the identifiers whose confidence is at
    least `min_confidence`, 0..1. With a `purpose` of the policy only persons who may be used for it. Raises
    VIEW_INVALID.
    """

    as_of: int | None = None
    without_sources: frozenset[str] = frozenset()
    min_confidence: float = 0.0
    policy: Policy | None = None
    purpose: str | None = None

    def __post_init__(self) -> None:
        if self.purpose is not None and (self.as_of is not None or self.without_sources):
            message = "for a purpose one looks at what is, and what was said of it by everybody"
            raise InputError(
                "VIEW_INVALID", message, help="Ask for a purpose, or as of another time or without sources."
            )
        if self.policy is not None:
            self.policy.check()
        if not 0 <= self.min_confidence <= 1:  # NaN neither
            raise InputError("VIEW_INVALID", f"a confidence of at least {self.min_confidence} is asked for")

    @property
    def as_published(self) -> bool:
        """Whether nothing is to be resolved anew."""
        return self.as_of is None and not self.without_sources and self.policy is None

    def events(self, rows: Iterable[EventRow]) -> list[EventRow]:
        """Those that it lets through."""
        return [
            row
            for row in rows
            if (self.as_of is None or row.event.time <= self.as_of) and row.event.source not in self.without_sources
        ]

    def observations(self, table: ObservationTable, sources: list[str]) -> ObservationTable:
        """Those that it lets through; `sources` are the names that the table has by number."""
        seen = ~np.isin(table.source, [place for place, name in enumerate(sources) if name in self.without_sources])
        if self.as_of is not None:
            seen &= table.time <= self.as_of
        return ObservationTable(table.event[seen], table.identifier[seen], table.time[seen], table.source[seen])
