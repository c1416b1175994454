"""A port of 127.0.0.1 that a server may come back to."""

from __future__ import annotations

import random
import socket

USUAL = 7687  # where the tools of Neo4j look first

# Below the ports that systems hand out for outgoing connections. Among those, a client that asks again and again
# for a server that is down can be given the server's own port, and keep it (a connection to itself).
FIRST, LAST = 15_000, 32_000


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    dice = random.SystemRandom()
    return next(port for port in iter(lambda: dice.randrange(FIRST, LAST), None) if is_free(port))
