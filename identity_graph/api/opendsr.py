"""OpenDSR 2.0 at `/opendsr/v2`: discovery, requests, their status and cancellation, and what they found.

Every answer is signed. What a controller did wrong is 400, as the specification wants it, whatever it was; who may not
ask gets what HTTP has for that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from identity_graph.access import AccessRules, Caller, Door
from identity_graph.api import negotiation
from identity_graph.api.admission import CHALLENGE, STATUS, let_in, with_rate
from identity_graph.api.endpoint import new_request_id
from identity_graph.api.masking import show
from identity_graph.api.metrics import name_operation
from identity_graph.api.recording import recorded
from identity_graph.api.request import read_body, strict_json
from identity_graph.audit import AuditLog, Ending
from identity_graph.errors import AccessError, IdentityGraphError, PolicyError, QueryError, StoreError
from identity_graph.opendsr import Agreement, Calling, Fulfilling, answers
from identity_graph.opendsr.agreement import PREFIX
from identity_graph.opendsr.asked import ID, read

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph

Made = tuple[int, bytes]
Work = Callable[[Request, Caller | None, Ending], Awaitable[Made]]

_OLD = re.compile(r"(?:/opendsr)?(?:/v[12])?/(?:opengdpr|opencompliance)_requests(?=/|$)")
_SHORT = re.compile(r"^(?:/opendsr|/v2)(?=/(?:discovery|certificate\.pem|requests|status|results)(?:/|$))")
_OLD_NAME = "identity_graph.opengdpr"


class OpenDsr:
    """The routes over a graph, and what works for them in the background. Raises OPENDSR_INVALID."""

    def __init__(self, graph: IdentityGraph, agreement: Agreement, door: Door | None, audit: AuditLog | None) -> None:
        self._graph = graph
        self._agreement = agreement
        self._door = door
        self._audit = audit
        self._seal = agreement.seal()
        self._desk = graph.desk(agreement)
        calling = Calling(graph.store, self._desk, self._seal, private=graph.private_destinations)
        self.fulfilling = Fulfilling(self._desk, calling, audit)

    def routes(self) -> list[Route]:
        one = "/{id}"
        return [
            self._route("GET", "/discovery", self._discovery),
            self._route("GET", "/certificate.pem", self._certificate),
            self._route("POST", "/requests", self._receive),
            self._route("GET", f"/requests{one}", self._status),
            self._route("GET", f"/status{one}", self._status),
            self._route("DELETE", f"/requests{one}", self._cancel),
            self._route("GET", f"/results{one}", self._results),
        ]

    def _route(self, method: str, path: str, work: Work) -> Route:
        route = f"{method} {PREFIX}{path}"

        async def answer(request: Request) -> Response:
            name_operation(request, "opendsr")
            request_id = new_request_id()
            try:
                status, body = await self._admitted(request, route, work)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:
                status, body = _refused(error, request_id)
            headers = {
                "cache-control": "no-store",
                "pragma": "no-cache",
                "x-content-type-options": "nosniff",
                "x-request-id": request_id,
                **answers.headers(self._agreement, self._seal, body),
            }
            if status == 401:
                headers["www-authenticate"] = CHALLENGE
            media = "application/x-pem-file" if body == self._seal.certificate else negotiation.JSON
            return with_rate(request, Response(body, status, headers, media))

        return Route(f"{PREFIX}{path}", answer, methods=[method])

    async def _admitted(self, request: Request, route: str, work: Work) -> Made:
        rules = AccessRules.shipped()
        public = None in rules.routes.get(route, ())
        caller = None
        try:
            if not public:
                caller = await let_in(self._door, request, route)
        except AccessError as error:
            if error.code == "FORBIDDEN" and self._audit and self._door:
                asking = await anyio.to_thread.run_sync(self._door.caller, request.headers.get("authorization"))
                await asyncio.to_thread(self._audit.refused, asking, route)
            raise
        action = route if rules.privileged(rules.routes, route) else ""
        async with recorded(self._audit, caller, action) as ending:
            ending.target = _id(request)
            return await work(request, caller, ending)

    # ---- the work of each

    async def _discovery(self, _request: Request, _caller: Caller | None, _ending: Ending) -> Made:
        return 200, orjson.dumps(answers.discovery(self._agreement))

    async def _certificate(self, _request: Request, _caller: Caller | None, _ending: Ending) -> Made:
        return 200, self._seal.certificate

    async def _receive(self, request: Request, caller: Caller | None, ending: Ending) -> Made:
        if not negotiation.sends_json(request.headers.get("content-type")):
            raise QueryError("MEDIA_TYPE", "the body is not said to be JSON in UTF-8")
        body = await read_body(request.stream(), request.headers.get("content-length"))
        found = strict_json(body, "the body")
        if request.scope.get(_OLD_NAME) and isinstance(found, dict):
            found.setdefault("regulation", "gdpr")  # there was no other
        asked = read(found, self._agreement)
        ending.target = asked.id
        kept = await anyio.to_thread.run_sync(self._desk.receive, asked, body, self._controller(caller))
        return 201, answers.signed(self._seal, answers.received(kept, body))

    async def _status(self, request: Request, _caller: Caller | None, _ending: Ending) -> Made:
        found = await anyio.to_thread.run_sync(self._desk.find, _id(request))
        return 200, orjson.dumps(answers.status(found, self._agreement, self._desk.shown(found)))

    async def _cancel(self, request: Request, _caller: Caller | None, _ending: Ending) -> Made:
        found = await anyio.to_thread.run_sync(self._desk.cancel, _id(request))
        return 202, answers.signed(self._seal, answers.cancelled(found))

    async def _results(self, request: Request, _caller: Caller | None, _ending: Ending) -> Made:
        def look() -> Made:
            found = self._desk.results(_id(request))
            return 200, orjson.dumps(answers.results(self._desk.find(_id(request)), found))

        return await anyio.to_thread.run_sync(look)

    def _controller(self, caller: Caller | None) -> str:
        """The id of a key; of a token what tells nothing of a person."""
        if caller is None:
            return "anybody"
        return caller.name if caller.is_key else f"subject {self._graph.signer.keyed_hash(caller.name)[:16]}"


def by_other_names(app: ASGIApp) -> ASGIApp:
    """The application, where these routes may be written without their version, at the root of a domain of their own,
    and as they were called before there was OpenDSR."""

    async def renamed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            known = path if path.startswith(f"{PREFIX}/") else _SHORT.sub(PREFIX, path, count=1)
            old = _OLD.match(known)
            if old:
                known = f"{PREFIX}/requests{known[old.end() :]}"
            if known != path:
                scope.update({"path": known, "raw_path": known.encode(), _OLD_NAME: bool(old)})
        await app(scope, receive, send)

    return renamed


def _id(request: Request) -> str:
    """What is no id is nobody's."""
    id: Any = request.path_params.get("id", "")
    return id if ID.fullmatch(id) else ""


def _refused(error: Exception, request_id: str) -> Made:
    shown = show(error, request_id)
    code = shown["extensions"]["code"]
    if code in STATUS:
        status, domain = STATUS[code], "Access"
    elif isinstance(error, StoreError | PolicyError):
        status, domain = 503, "Service"
    elif isinstance(error, IdentityGraphError):
        status, domain = 400, "Validation"
    else:
        status, domain = 500, "Service"
    return status, orjson.dumps(answers.failed(status, domain, code, shown["message"]))
