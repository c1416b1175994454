"""The HTTP server that says where it listens once it does."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette


class Server(uvicorn.Server):
    def __init__(self, app: Starlette, *, host: str, port: int, say: Callable[[str], None]) -> None:
        super().__init__(uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False))
        self.say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                address = f"[{host}]" if ":" in host else host
                self.say(f"GraphQL at http://{address}:{port}/graphql. Ctrl-C stops.")
