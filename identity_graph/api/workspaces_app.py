"""Several workspaces in one service: each is an application of its own, below `/w/NAME/`.

They share nothing but the process: neither a store nor a door, neither metrics nor threads that work behind them. Of a
name that there is not the answers are those of a workspace that lets nobody in, so that nobody learns which there are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from identity_graph.api.app import Standing

PREFIX = "/w"


def create_workspaces_app(apps: Mapping[str, Starlette], nobody: Starlette) -> Starlette:
    """Of applications that `create_app` made for a workspace. `nobody` answers for every other name."""
    every = [*apps.values(), nobody]

    @asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in every:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    async def health(request: Request) -> Response:
        """Of all of them, and of none by name: the worst."""
        worst = max([await app.state.standing() for app in every], key=list(Standing).index)
        return JSONResponse({"status": worst}, 503 if worst is Standing.FAILING else 200, {"cache-control": "no-store"})

    def close_streams() -> None:
        for app in every:
            app.state.close_streams()

    found = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            *(Mount(f"{PREFIX}/{name}", app) for name, app in apps.items()),
            Mount(PREFIX + "/{workspace}", nobody),
        ],
        lifespan=living,
    )
    found.state.close_streams = close_streams
    return found
