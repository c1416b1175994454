"""The HTTP server: says where it listens once it does, and ends quietly when it is told to."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette

from identity_graph.errors import SettingError


class Certificate(NamedTuple):
    """Files of PEM: the certificate with those that vouch for it, and its key where that is not in the same one."""

    chain: Path
    key: Path | None


class Server(uvicorn.Server):
    """Serves until SIGINT or SIGTERM; by TLS alone where it has a certificate. A client that takes nothing for twice
    `patience` seconds, once for what it was sent and once for the end of that, loses its connection. Raises
    SETTING_INVALID for an address or certificate that it cannot have."""

    def __init__(
        self,
        app: Starlette,
        *,
        host: str,
        port: int,
        max_body: int,
        patience: float,
        say: Callable[[str], None],
        path: str = "/graphql",
        certificate: Certificate | None = None,
    ) -> None:
        # What is compressed costs each connection memory, and a socket takes no larger messages than a request is.
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            ws_max_size=max_body,
            ws_per_message_deflate=False,
            ssl_certfile=certificate and certificate.chain,
            ssl_keyfile=certificate and certificate.key,
            ssl_keyfile_password="none",  # else a key that is encrypted would be waited for at the terminal
        )
        super().__init__(config)
        if certificate:
            try:
                config.load()
            except OSError as error:
                names = " and ".join(str(one) for one in certificate if one)
                raise SettingError(
                    "SETTING_INVALID",
                    f"cannot serve by the certificate of {names}: {error.strerror or error}",
                    help="Give files of PEM: the certificate, and its key, not encrypted.",
                ) from error
        self.app = app
        self.path = path
        self.say = say
        try:
            self.socket = socket.create_server((host, port), family=_family(host), backlog=2048)
            # Connections take it over. asyncio sets it only where a socket names its protocol; without it the second of
            # two small packets waits 40 ms for the client to acknowledge the first.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # uvicorn closes a connection once all is taken that was written to it, however long that takes, and an
            # application cannot drop it. Linux can; elsewhere it stays until the client ends.
            if dropping := getattr(socket, "TCP_USER_TIMEOUT", None):
                self.socket.setsockopt(socket.IPPROTO_TCP, dropping, round(2000 * patience))
        except OSError as error:
            raise SettingError(
                "SETTING_INVALID",
                f"cannot listen on {host}, port {port}: {error.strerror}",
                help="Choose another by --host and --port, or stop what listens there.",
            ) from error

    def serve_until_stopped(self) -> None:
        # uvicorn raises a signal again after it has shut down; both then mean the same, and the store is closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Who answers must not wait 5 ms for the thread that stores or publishes to give way.
        sys.setswitchinterval(0.0005)
        with self.socket, suppress(KeyboardInterrupt):
            self.run([self.socket])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.close_streams()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # modules stay, and full collections need not keep everybody waiting to walk them again
        host, port = self.socket.getsockname()[:2]
        scheme, host = "https" if self.config.is_ssl else "http", f"[{host}]" if ":" in host else host
        self.say(f"GraphQL at {scheme}://{host}:{port}{self.path}. Ctrl-C stops.")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
