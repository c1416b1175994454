"""The protocol `graphql-transport-ws`: many operations over one WebSocket. Its predecessor `graphql-ws` is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from identity_graph.access import Caller, Door
from identity_graph.api.admission import admitted
from identity_graph.api.encoding import encode
from identity_graph.api.endpoint import Endpoint, new_request_id
from identity_graph.api.masking import show
from identity_graph.api.request import from_mapping, strict_json
from identity_graph.api.seats import Seats
from identity_graph.api.terms import Terms
from identity_graph.errors import AccessError, QueryError

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0  # seconds for the first message
MAX_ID = 128
ROUTE = "POST /graphql"  # a WebSocket may do what a request may


class _Closing(Exception):
    """Ends the connection, with a code of the protocol, or 1013: come again later."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(websocket: WebSocket, endpoint: Endpoint, terms: Terms, seats: Seats, door: Door | None) -> None:
    """From the handshake to the end of the connection."""
    if not _may_connect(websocket, terms):
        await websocket.close()  # which is 403 to a handshake
        return
    if PROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.accept()
        await websocket.close(4406, f"Subprotocol not acceptable: {PROTOCOL} is spoken here")
        return
    await websocket.accept(PROTOCOL)
    with suppress(WebSocketDisconnect):
        try:
            with seats.take():
                await _Session(websocket, endpoint, terms, door).run()
        except _Closing as closing:
            await _close(websocket, closing.code, closing.reason, terms.patience)
        except QueryError as error:
            await _close(websocket, 1013, error.code, terms.patience)


async def _close(websocket: WebSocket, code: int, reason: str, patience: float) -> None:
    """A client that takes nothing cannot be told; then it is cut off."""
    with suppress(TimeoutError, RuntimeError):
        async with asyncio.timeout(patience):
            await websocket.close(code, reason)


def _may_connect(websocket: WebSocket, terms: Terms) -> bool:
    """A browser lets any page open a socket, and says whose page it is."""
    origin = websocket.headers.get("origin")
    return (
        origin is None
        or origin in terms.origins
        or "*" in terms.origins
        or urlsplit(origin).netloc == websocket.headers.get("host")
    )


class _Session:
    """Where there is a door, who it is says the header of the handshake, or, as browsers cannot set that, the member
    `authorization` of what the first message brings."""

    def __init__(self, websocket: WebSocket, endpoint: Endpoint, terms: Terms, door: Door | None) -> None:
        self._websocket = websocket
        self._endpoint = endpoint
        self._terms = terms
        self._door = door
        self._credentials = websocket.headers.get("authorization")
        self._acknowledged = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # those, and others that are still being stopped
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Raises `_Closing` and WebSocketDisconnect."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._listen(group)
        except ExceptionGroup as found:
            ends = [error for error in found.exceptions if isinstance(error, _Closing | WebSocketDisconnect)]
            if not ends:
                raise
            raise ends[0] from None

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._acknowledged:
                    await self._take(await self._receive(), group)
        except TimeoutError:
            raise _Closing(4408, "Connection initialisation timeout") from None
        while True:
            await self._take(await self._receive(), group)

    async def _receive(self) -> Mapping[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        text = received.get("text")
        if text is None:
            raise _Closing(4400, "a message is a JSON object in text")
        if len(text) > self._terms.max_body:
            raise _Closing(1009, "BODY_TOO_LARGE")
        try:
            message = strict_json(text.encode(), "the message")
        except (QueryError, UnicodeEncodeError):
            message = None
        if not isinstance(message, Mapping):
            raise _Closing(4400, "a message is a JSON object in text")
        return message

    async def _take(self, message: Mapping[str, Any], group: asyncio.TaskGroup) -> None:
        match message.get("type"):
            case "connection_init":
                if self._acknowledged:
                    raise _Closing(4429, "Too many initialisation requests")
                await self._introduce(message.get("payload"))
                self._acknowledged = True
                await self._send({"type": "connection_ack"})
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(_id(message), message.get("payload"), group)
            case "complete":
                task = self._running.pop(_id(message), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Closing(4400, "no message has that type")

    async def _introduce(self, payload: Any) -> None:
        if self._credentials is None and isinstance(payload, Mapping):
            shown = payload.get("authorization")
            self._credentials = shown if isinstance(shown, str) else None
        try:
            await self._caller()
        except AccessError as error:
            raise _Closing(4403 if error.code == "FORBIDDEN" else 4401, error.code) from None

    async def _caller(self) -> Caller | None:
        return await admitted(self._door, self._credentials, ROUTE)

    async def _subscribe(self, id: str, payload: Any, group: asyncio.TaskGroup) -> None:
        if not self._acknowledged:
            raise _Closing(4401, "Unauthorized")
        if id in self._running:
            raise _Closing(4409, f"Subscriber for {id[:80]} already exists")
        if len(self._tasks) >= self._terms.max_streams:
            limit = QueryError("CONNECTION_LIMIT", f"{self._terms.max_streams} operations run in this connection")
            await self._send({"id": id, "type": "error", "payload": [show(limit, new_request_id())]})
            return
        task = self._running[id] = group.create_task(self._run(id, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, id: str, payload: Any) -> None:
        request_id = new_request_id()
        try:
            try:
                request, caller = from_mapping(payload), await self._caller()
                if self._door and caller:
                    self._door.spend(caller)
            except (QueryError, AccessError) as error:
                await self._send({"id": id, "type": "error", "payload": [show(error, request_id)]})
                return
            stream = self._endpoint.stream(request, caller=caller, still=self._caller, request_id=request_id)
            async with aclosing(stream) as answers:
                async for answer in answers:
                    if answer.refused:
                        await self._send({"id": id, "type": "error", "payload": answer.body["errors"]})
                        return
                    await self._send({"id": id, "type": "next", "payload": answer.body})
            await self._send({"id": id, "type": "complete"})
        finally:
            if self._running.get(id) is asyncio.current_task():
                del self._running[id]

    async def _send(self, message: Mapping[str, Any]) -> None:
        text = encode(message).decode()
        try:
            async with asyncio.timeout(self._terms.patience), self._turn:
                await self._websocket.send_text(text)
        except TimeoutError:
            raise _Closing(1013, "SUBSCRIBER_SLOW") from None


def _id(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 1 <= len(id) <= MAX_ID:
        raise _Closing(4400, f"the id of an operation is a text of 1 to {MAX_ID} characters")
    return id
