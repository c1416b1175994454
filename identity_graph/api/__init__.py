"""GraphQL: over HTTP by `create_app`, in the process by `execute`. Loaded when first used, for strawberry is heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from identity_graph.access import Caller, Door
    from identity_graph.api.terms import Terms
    from identity_graph.audit import AuditLog
    from identity_graph.opendsr import Agreement
    from identity_graph.service import IdentityGraph
    from identity_graph.sweeping import Keeping
    from identity_graph.tracking.write_keys import WriteKeys

__all__ = ["create_app", "create_workspaces_app", "execute", "sdl"]


def create_app(
    graph: IdentityGraph,
    write_keys: WriteKeys | None = None,
    terms: Terms | None = None,
    *,
    metrics: bool = True,
    door: Door | None = None,
    keeping: Keeping | None = None,
    audit: AuditLog | None = None,
    opendsr: Agreement | None = None,
    health: bool = True,
    elsewhere: Callable[[], IdentityGraph] | None = None,
) -> Starlette:
    """The HTTP application. Its log is `identity_graph.api`: request ids and codes, no queries and no values.

    Without a `door` it answers whoever asks: let nobody but its own machine reach it then. Without `write_keys` the
    tracking API takes any, and without `terms` those of `api.terms` hold; quarantine is swept as `keeping` says, and
    what only the privileged may do is recorded in `audit`. With `opendsr` controllers are answered. A server in front
    should not log URLs either: a GET request has its query there.

    `elsewhere` opens the same store once more: it is called in another process, which stores and publishes what the
    tracking API takes, so that nobody who asks or sends waits for that. By default a thread of this one does.
    """
    from identity_graph.api import app

    return app.create_app(
        graph,
        write_keys,
        terms,
        metrics=metrics,
        door=door,
        keeping=keeping,
        audit=audit,
        opendsr=opendsr,
        health=health,
        elsewhere=elsewhere,
    )


def create_workspaces_app(apps: Mapping[str, Starlette], nobody: Starlette) -> Starlette:
    """Applications that `create_app` made for a workspace each, below `/w/NAME/`. `nobody` answers for other names."""
    from identity_graph.api import workspaces_app

    return workspaces_app.create_workspaces_app(apps, nobody)


def execute(
    graph: IdentityGraph,
    query: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    *,
    door: Door | None = None,
    caller: Caller | None = None,
    audit: AuditLog | None = None,
) -> dict[str, Any]:
    """The response to one request as a JSON object, after the same checks as over HTTP. Not for use in a coroutine."""
    import anyio

    from identity_graph.api.endpoint import answer_once

    found = {"query": query, "variables": variables, "operationName": operation_name}
    return dict(anyio.run(answer_once, graph, found, door, caller, audit))


def sdl() -> str:
    """The schema in GraphQL's own language."""
    from identity_graph.api import schema

    return schema.sdl()
