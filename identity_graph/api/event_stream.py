"""Answers as server-sent events: what graphql-sse calls its "distinct connections mode", one operation a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from identity_graph.api.encoding import encode
from identity_graph.api.endpoint import Answer
from identity_graph.api.negotiation import EVENTS
from identity_graph.api.seats import Seats

BEAT = 15.0  # seconds after which something is sent, so that whoever is between keeps the connection


class EventStream(Response):
    """Ends when the answers do, when the client leaves or does not take them in time, or when the server ends. Only
    after the first of these it says `complete`: a client that does not hear that comes again."""

    media_type = EVENTS

    def __init__(
        self, answers: AsyncGenerator[Answer, None], headers: Mapping[str, str], seats: Seats, patience: float
    ) -> None:
        super().__init__(headers={**headers, "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._answers = answers
        self._seats = seats
        self._patience = patience
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._seats.take():
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            parts: list[Awaitable[Any]] = [
                self._write(send),
                self._beat(send),
                _left(receive),
                self._seats.closing.wait(),
            ]
            tasks = [asyncio.ensure_future(part) for part in parts]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(TimeoutError):
                await self._send(send, b"", more=False)

    async def _write(self, send: Send) -> None:
        async with aclosing(self._answers) as answers:
            async for answer in answers:
                await self._send(send, b"event: next\ndata: " + encode(answer.body) + b"\n\n")
        await self._send(send, b"event: complete\ndata:\n\n")

    async def _beat(self, send: Send) -> None:
        while True:
            await self._send(send, b":\n\n")
            await asyncio.sleep(BEAT)

    async def _send(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(self._patience), self._turn:
            await send({"type": "http.response.body", "body": chunk, "more_body": more})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
