"""How to look at persons: a root field's `view` holds for everything below it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from identity_graph import view
from identity_graph.api.context import Info
from identity_graph.api.scalars import DateTime


@strawberry.input(description="What if: persons as they would be. Leave it out for the published answer.")
class View:
    as_of: DateTime | None = strawberry.field(default=strawberry.UNSET, description="Evidence up to this time only.")
    without_sources: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="As if these sources had never sent anything."
    )
    min_confidence: float | None = strawberry.field(
        default=strawberry.UNSET, description="Only identifiers whose membership is at least this sure, 0..1."
    )

    def look(self, info: Info) -> None:
        """From this field on. Raises VIEW_INVALID."""
        found = view.View(
            as_of=self.as_of if isinstance(self.as_of, int) else None,
            without_sources=frozenset(self.without_sources or ()),
            min_confidence=self.min_confidence or 0.0,
        )
        if found != view.View():
            info.context.viewed[info.path.key] = info.context.under(found)


Look = Annotated[
    View | None, strawberry.argument(description="How to look at it and at everything below; null: as published.")
]


def look(given: View | None, info: Info) -> None:
    if isinstance(given, View):
        given.look(info)
