"""The options that say how to look at persons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from identity_graph.people import People
    from identity_graph.service import IdentityGraph

_PANEL = "What if"
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="Evidence up to then only.", rich_help_panel=_PANEL)
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="SOURCE", help="As if it had never sent anything.", rich_help_panel=_PANEL),
]
AtLeast = Annotated[
    float, typer.Option("--min-confidence", help="Only identifiers at least this sure, 0..1.", rich_help_panel=_PANEL)
]
Under = Annotated[
    Path | None, typer.Option("--under", metavar="FILE.toml", help="By these rules.", rich_help_panel=_PANEL)
]

ForPurpose = Annotated[
    str | None, typer.Option("--purpose", metavar="NAME", help="Only who may be used for it, as the policy says.")
]


def people_of(
    graph: IdentityGraph,
    as_of: str | None,
    without: list[str] | None,
    at_least: float,
    under: Path | None,
    purpose: str | None,
) -> People:
    """As published where nothing else is asked for. Raises VIEW_INVALID, PURPOSE_UNKNOWN, TIME_INVALID and those of a
    policy file."""
    from identity_graph.policy import Policy
    from identity_graph.times import parse_time
    from identity_graph.view import View

    view = View(
        as_of=None if as_of is None else parse_time(as_of),
        without_sources=frozenset(without or ()),
        min_confidence=at_least,
        policy=None if under is None else Policy.read(under),
        purpose=purpose,
    )
    return graph.people if view == View() else graph.suppose(view)
