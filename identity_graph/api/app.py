"""The HTTP application: GraphQL over HTTP as its specification says, without uploads and batches; subscriptions by
server-sent events and over a WebSocket; and beside it what `track.py` takes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from identity_graph.access import Door
from identity_graph.activating import Activating
from identity_graph.api import negotiation
from identity_graph.api.admission import CHALLENGE, RATE_HEADERS, STATUS, admitted, behind, let_in, with_rate
from identity_graph.api.encoding import encode
from identity_graph.api.endpoint import Answer, Endpoint, new_request_id
from identity_graph.api.event_stream import EventStream
from identity_graph.api.graphiql import GRAPHIQL, GRAPHIQL_POLICY, graphiql_files
from identity_graph.api.masking import show
from identity_graph.api.metrics import Metrics, name_operation
from identity_graph.api.opendsr import OpenDsr, by_other_names
from identity_graph.api.page import PAGE
from identity_graph.api.request import GraphQLRequest, from_body, from_parameters, read_body
from identity_graph.api.schema import sdl
from identity_graph.api.seats import Seats
from identity_graph.api.socket import serve
from identity_graph.api.terms import Terms
from identity_graph.api.track import track_routes
from identity_graph.errors import IdentityGraphError, QueryError
from identity_graph.model import Identifier
from identity_graph.sweeping import Keeping, Sweeping
from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys

if TYPE_CHECKING:
    from identity_graph.audit import AuditLog
    from identity_graph.opendsr import Agreement
    from identity_graph.service import IdentityGraph

_NOBODY = Identifier("email", "nobody")

_STATUS = STATUS | {
    "BODY_TOO_LARGE": 413,
    "METHOD_REFUSED": 405,
    "MEDIA_TYPE": 415,
    "STORE_TIMEOUT": 503,
    "SEGMENT_NOT_READY": 503,
    "CONNECTION_LIMIT": 503,
}


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
    """`/graphql`, `/schema.graphql`, `/v1`, `/health` and `/metrics`, and `/opendsr` where that is agreed, over a graph
    that the caller opens and closes."""
    terms = terms or Terms()
    tracking = Tracking(
        graph.store,
        graph.resolver,
        (write_keys or WriteKeys()).closed() if door else write_keys or WriteKeys(),
        graph.clock,
        graph.new_id,
        policy=graph.policy.digest,
        tally=graph.ingest.tally,
        elsewhere=elsewhere,
    )
    activating = Activating(graph.store, graph.activation)
    seats = Seats(terms.max_connections)
    quarantine = Sweeping.quarantine(graph.ingest, keeping or Keeping())
    evidence = Sweeping.retention(graph.retention)
    desk = OpenDsr(graph, opendsr, door, audit) if opendsr else None
    measured = (
        Metrics(graph, tracking, activating, seats, quarantine, evidence, desk.fulfilling if desk else None)
        if metrics
        else None
    )
    service = _Service(graph, tracking, measured, terms, seats, door, audit)

    @asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        # A server of Neo4j takes up to seconds to plan what it is first asked about a person: no request waits for it.
        await anyio.to_thread.run_sync(partial(graph.store.persons.subgraph, [_NOBODY], [], events=False))
        if await anyio.to_thread.run_sync(tracking.interrupted):
            with suppress(OSError):  # no other process can begin now: with a message it is tried again
                tracking.resume()
        quarantine.begin()
        evidence.begin()
        activating.start()
        if desk:
            desk.fulfilling.start()
        yield
        if desk:
            await anyio.to_thread.run_sync(desk.fulfilling.close)
        await anyio.to_thread.run_sync(tracking.close)
        await anyio.to_thread.run_sync(activating.close)
        await anyio.to_thread.run_sync(quarantine.close)
        await anyio.to_thread.run_sync(evidence.close)

    app = Starlette(
        routes=[
            _graphql_route(service, terms),
            WebSocketRoute("/graphql", service.socket),
            *(
                [Route("/schema.graphql", behind(door, "GET /schema.graphql", service.schema), methods=["GET"])]
                if terms.introspection
                else []
            ),
            *([graphiql_files()] if terms.graphiql else []),
            *([Route("/health", service.health, methods=["GET"])] if health else []),
            *([Route("/metrics", behind(door, "GET /metrics", measured.show), methods=["GET"])] if measured else []),
            *track_routes(tracking, door),
            *(desk.routes() if desk else []),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*terms.hosts])] if terms.hosts else [],
        lifespan=living,
    )
    app.state.close_streams = seats.closing.set
    app.state.standing = service.standing
    if desk:
        app.add_middleware(by_other_names)
    if measured:
        app.add_middleware(measured.around)
    return app


def _graphql_route(service: _Service, terms: Terms) -> Route:
    """A page of another origin cannot read an answer, nor send what changes anything: a browser asks first about JSON,
    and is refused unless that origin is named."""
    if not terms.origins:
        return Route("/graphql", service.graphql, methods=["GET", "POST"])
    allowed = Middleware(
        CORSMiddleware,
        allow_origins=[*terms.origins],
        allow_methods=["GET", "POST"],
        allow_headers=["content-type", "authorization"],
        expose_headers=["x-request-id", *RATE_HEADERS],
        max_age=86_400,
    )
    return Route("/graphql", service.graphql, methods=["GET", "POST", "OPTIONS"], middleware=[allowed])


class Standing(StrEnum):
    """Of the service, the best first. DEGRADED: what is acknowledged is stored, and comes into no profile now."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


class _Service:
    def __init__(
        self,
        graph: IdentityGraph,
        tracking: Tracking,
        metrics: Metrics | None,
        terms: Terms,
        seats: Seats,
        door: Door | None,
        audit: AuditLog | None,
    ) -> None:
        self._graph = graph
        self._tracking = tracking
        self._metrics = metrics
        self._terms = terms
        self._door = door
        self._endpoint = Endpoint(graph, terms, door, audit)
        self._seats = seats

    async def graphql(self, request: Request) -> Response:
        return with_rate(request, await self._graphql(request))

    async def _graphql(self, request: Request) -> Response:
        name_operation(request, "query")
        accept = request.headers.get("accept")
        if request.method == "GET" and not request.url.query and negotiation.wants_page(accept):
            page, policy = (GRAPHIQL, GRAPHIQL_POLICY) if self._terms.graphiql else (PAGE, _POLICY)
            return HTMLResponse(page, headers=_headers(new_request_id()) | {"content-security-policy": policy})
        request_id = new_request_id()
        streams = negotiation.wants_stream(accept)
        media = negotiation.JSON if streams else negotiation.chosen(accept)
        try:
            if streams:
                self._seats.check()
            if media is None:
                raise QueryError("MEDIA_TYPE", "the client takes no JSON", help=f"Accept {negotiation.GRAPHQL}.")
            # HEAD is GET without its body.
            method = "POST" if request.method == "POST" else "GET"
            caller = await let_in(self._door, request, f"{method} /graphql")
            asked = await _read(request, self._terms.max_body)
        except ClientDisconnect:
            return Response(status_code=400)
        except IdentityGraphError as error:
            status = 406 if media is None else _STATUS.get(error.code, 400)
            return _respond({"errors": [show(error, request_id)]}, media or negotiation.JSON, status, request_id)
        read_only = request.method != "POST"
        if streams:
            name_operation(request, "stream")

            async def still() -> None:
                await admitted(self._door, request.headers.get("authorization"), f"{method} /graphql")

            answers = self._endpoint.stream(
                asked, caller=caller, still=still, read_only=read_only, request_id=request_id
            )
            return EventStream(answers, _headers(request_id), self._seats, self._terms.patience)
        answer = await self._endpoint.answer(asked, caller=caller, read_only=read_only, request_id=request_id)
        if answer.mutates:
            name_operation(request, "mutation")
        if self._metrics:
            self._metrics.failed(shown["extensions"]["code"] for shown in answer.body.get("errors", ()))
        return _respond(answer.body, media, _status(answer, media), request_id)

    async def socket(self, websocket: WebSocket) -> None:
        await serve(websocket, self._endpoint, self._terms, self._seats, self._door)

    async def schema(self, request: Request) -> Response:
        name_operation(request, "schema")
        return PlainTextResponse(sdl(), headers={"x-content-type-options": "nosniff"})

    async def standing(self) -> Standing:
        """As `health` says it, without a reason."""
        try:
            await anyio.to_thread.run_sync(self._graph.store.persons.resolved)
        except Exception:
            return Standing.FAILING
        return self._standing()

    def _standing(self) -> Standing:
        """While the store answers."""
        return Standing.DEGRADED if self._tracking.standing.trouble else Standing.OK

    async def health(self, request: Request) -> Response:
        name_operation(request, "health")
        request_id = new_request_id()
        try:
            await anyio.to_thread.run_sync(self._graph.store.persons.resolved)
        except Exception as error:
            shown = show(error, request_id)["extensions"]["code"]
            return _respond({"status": Standing.FAILING, "store": shown}, negotiation.JSON, 503, request_id)
        found = {
            "status": self._standing(),
            "store": "ok",
            "tracking": "SERVER_BUSY" if self._tracking.full else "ok",
            "persons": self._tracking.standing.trouble or "ok",
        }
        return _respond(found, negotiation.JSON, 200, request_id)


async def _read(request: Request, most: int) -> GraphQLRequest:
    if request.method != "POST":
        return from_parameters(request.query_params.multi_items())
    if not negotiation.sends_json(request.headers.get("content-type")):
        raise QueryError(
            "MEDIA_TYPE", "the body is not said to be JSON in UTF-8", help="Set Content-Type: application/json."
        )
    return from_body(await read_body(request.stream(), request.headers.get("content-length"), most))


def _status(answer: Answer, media: str) -> int:
    if not answer.refused:
        return 200
    code = answer.body["errors"][0]["extensions"]["code"]
    if code == "INTERNAL":
        return 500
    # Of a client that knows only application/json, the specification wants 200 for all that is well-formed.
    return _STATUS.get(code, 200 if media == negotiation.JSON else 400)


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _headers(request_id: str) -> dict[str, str]:
    return {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": request_id}


def _respond(body: Mapping[str, Any], media: str, status: int, request_id: str) -> Response:
    headers = _headers(request_id)
    if status == 405:
        headers["allow"] = "POST"
    if status == 401:
        headers["www-authenticate"] = CHALLENGE
    return Response(encode(body), status, headers, f"{media}; charset=utf-8")
