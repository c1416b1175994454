"""serve --workspaces: an application for each, over its own store and behind its own door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from identity_graph.cli.command import Command

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from identity_graph.api.terms import Terms
    from identity_graph.workspaces import Workspace


@contextmanager
def workspaces_app(command: Command, file: Path, terms: Terms) -> Iterator[Starlette]:
    """All that the file names, until it is left. Raises WORKSPACES_INVALID, and what opening a store raises."""
    from identity_graph.access import Door
    from identity_graph.api import create_app, create_workspaces_app
    from identity_graph.service import IdentityGraph
    from identity_graph.workspaces import read_workspaces

    with ExitStack() as stack:
        apps = {one.name: _app(command, one, terms, stack) for one in read_workspaces(file, command.settings)}
        nothing = stack.enter_context(IdentityGraph.open("sqlite:///:memory:"))
        door = Door(None, quiet=True)
        nobody = create_app(nothing, terms=terms, metrics=command.settings.metrics, door=door, health=False)
        yield create_workspaces_app(apps, nobody)


def _app(command: Command, workspace: Workspace, terms: Terms, stack: ExitStack) -> Starlette:
    from identity_graph.api import create_app
    from identity_graph.sweeping import Keeping
    from identity_graph.tracking.write_keys import WriteKeys

    settings = workspace.settings
    own = Command(settings, settings.store, settings.policy, command.json, workspace.tombstone_key)
    graph = stack.enter_context(own.graph(create=True))
    own.finish_erasures(graph, f"{workspace.name}: ")
    own.check_published(graph, f"{workspace.name}: ")
    door = own.door(quiet=True)
    if door and door.keys and not door.keys.any():
        command.say(f"{workspace.name}: there are no keys yet: IDENTITY_GRAPH_KEYS={settings.keys} key create")
    return create_app(
        graph,
        WriteKeys.parse(settings.write_keys),
        terms,
        metrics=settings.metrics,
        door=door,
        keeping=Keeping(settings.quarantine_days, settings.quarantine_bytes),
        audit=own.audit(),
        health=False,
    )
