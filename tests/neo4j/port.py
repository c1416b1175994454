"""A port of 127.0.0.1 that a server may come back to."""

from __future__ import annotations

import os
import random
import socket

USUAL = 7687  # where the tools of Neo4j look first

# Below the ports that systems hand out for outgoing connections. Among those, a client that asks again and again
# for a server that is down can be given the server's own port, and keep it (a connection to itself).
FIRST, LAST = 15_000, 32_000

# Each process of a test run has ports of its own: a server that was killed comes back to its port, which nobody else
# may have been given meanwhile.
PROCESSES = 16


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def own_ports() -> range:
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
    each = (LAST - FIRST) // PROCESSES
    return range(FIRST + process * each, FIRST + (process + 1) * each)


def free_port() -> int:
    ports, dice = own_ports(), random.SystemRandom()
    return next(port for port in iter(lambda: dice.choice(ports), None) if is_free(port))
