"""The door of the service in front of its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from identity_graph.access import Caller, Door
from identity_graph.access.limits import Allowance, RateLimited
from identity_graph.api.endpoint import new_request_id
from identity_graph.api.masking import show
from identity_graph.errors import AccessError

STATUS = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "RATE_LIMITED": 429, "KEYS_FILE": 503}
RATE_HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy", "retry-after")
CHALLENGE = 'Bearer realm="identity-graph"'

Endpoint = Callable[[Request], Awaitable[Response]]


async def let_in(door: Door | None, request: Request, route: str) -> Caller | None:
    """As `admitted`, by the header of a request; counts it where the caller may make so many. Raises RATE_LIMITED, too.

    `with_rate` then tells of it in the response.
    """
    caller = await admitted(door, request.headers.get("authorization"), route)
    if door and caller:
        try:
            request.state.allowance = door.spend(caller)
        except RateLimited as error:
            request.state.allowance = error.allowance
            raise
    return caller


def with_rate(request: Request, response: Response) -> Response:
    """With how much the caller has left, where it may make so many."""
    allowance: Allowance | None = getattr(request.state, "allowance", None)
    if allowance:
        response.headers.update(allowance.headers)
    return response


async def admitted(door: Door | None, shown: str | None, route: str) -> Caller | None:
    """Who asks for this route, written as in `roles.toml`, and shows this; None where there is no door.

    Raises UNAUTHENTICATED, FORBIDDEN, KEYS_FILE.
    """
    if door is None:
        return None
    caller = await anyio.to_thread.run_sync(door.caller, shown) if door.waits(shown) else door.caller(shown)
    door.check(door.rules.routes, route, caller)
    return caller


def behind(door: Door | None, route: str, endpoint: Endpoint) -> Endpoint:
    if door is None:
        return endpoint

    async def guarded(request: Request) -> Response:
        try:
            await let_in(door, request, route)
        except AccessError as error:
            request_id = new_request_id()
            status = STATUS[error.code]
            headers = {"cache-control": "no-store", "x-request-id": request_id}
            headers |= {"www-authenticate": CHALLENGE} if status == 401 else {}
            refusal = JSONResponse({"errors": [show(error, request_id)]}, status, headers)
            return with_rate(request, refusal)
        return with_rate(request, await endpoint(request))

    return guarded


def is_bearer(authorization: str | None) -> bool:
    return (authorization or "").partition(" ")[0].lower() == "bearer"
