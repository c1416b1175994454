"""How to look at persons: a root field's `view` holds for everything below it."""

from __future__ import annotations

from dataclasses import replace
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

    def read(self) -> view.View:
        """Raises VIEW_INVALID."""
        return view.View(
            as_of=self.as_of if isinstance(self.as_of, int) else None,
            without_sources=frozenset(self.without_sources or ()),
            min_confidence=self.min_confidence or 0.0,
        )


Look = Annotated[
    View | None, strawberry.argument(description="How to look at it and at everything below; null: as published.")
]
ForPurpose = Annotated[
    str | None,
    strawberry.argument(
        description="Of the policy: who may not be used for it is not there, here and in everything below."
    ),
]


def look(info: Info, given: View | None, purpose: str | None = None) -> None:
    """From this field on. Raises VIEW_INVALID and PURPOSE_UNKNOWN."""
    found = given.read() if isinstance(given, View) else view.View()
    if isinstance(purpose, str):
        found = replace(found, purpose=purpose)
    if found != view.View():
        info.context.viewed[info.path.key] = info.context.under(found)
