"""The process that `tests.nursery` starts: it has read every module, and forks whenever it is asked to.

A child is told what to run: `-m MODULE ...` or `-c SCRIPT ...`, as an interpreter would be.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import selectors
import socket
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

WORDS = 2**20  # bytes, at most, by which a child is told
TRACED_BY, ANYBODY = 0x59616D61, -1  # of prctl(2)


def read_modules() -> None:
    """Neither Polars nor a server is begun before the fork: their threads would not be there after it."""
    import neo4j  # noqa: F401
    import numpy as np
    import pydantic_settings  # noqa: F401
    import uvloop  # noqa: F401
    import websockets.server  # noqa: F401

    import identity_graph.api.app
    import identity_graph.cli.server
    import identity_graph.opendsr
    import identity_graph.store.neo4j
    import identity_graph.store.sqlite
    import identity_graph.sweeping
    import identity_graph.tracking
    import identity_graph.webhook  # noqa: F401
    from identity_graph.resolve.fold import fold

    # Whatever is compiled first has much to read besides.
    numbers, names = np.arange(2), np.zeros(2, np.int16)
    fold(
        numbers,
        numbers.astype(np.int32),
        numbers,
        names,
        namespace=names,
        namespaces=["a"],
        values=["a", "b"],
        priority=np.ones(1, np.int32),
        pairwise_up_to=8,
    )
    gc.collect()
    gc.freeze()  # what children only read stays one


def children(asked: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Returns in a child, with what it is told and its input, output, errors and status. Ends when nobody asks."""
    ends: dict[int, tuple[int, int]] = {}  # of a child: its status, and where that is told
    with selectors.DefaultSelector() as waiting:
        waiting.register(asked, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is not asked:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
                    pid, told = ends.pop(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    with suppress(BrokenPipeError):
                        os.write(told, f"{status}\n".encode())
                    os.close(told)
                    continue
                words, given, _, _ = socket.recv_fds(asked, WORDS, 4)
                if not words:
                    sys.exit()
                pid = os.fork()
                if not pid:
                    for descriptor, (_, told) in ends.items():
                        os.close(descriptor)
                        os.close(told)
                    asked.close()
                    return json.loads(words), given
                for descriptor in given[:3]:
                    os.close(descriptor)
                ends[descriptor := os.pidfd_open(pid)] = pid, given[3]
                waiting.register(descriptor, selectors.EVENT_READ)
                asked.send(f"{pid}".encode())


def become(told: dict[str, Any], given: list[int]) -> None:
    """What an interpreter is that was started with these arguments. One that is `held` goes on once it is traced."""
    for place, descriptor in enumerate(given[:3]):
        os.dup2(descriptor, place)
        os.close(descriptor)
    if told["held"]:
        ctypes.CDLL(None).prctl(TRACED_BY, ANYBODY, 0, 0, 0)
        os.write(given[3], b"held\n")
        os.read(0, 1)
    os.close(given[3])
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    kind, what, *sys.argv[1:] = told["arguments"]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv[0] = kind
        sys.modules["__main__"] = program = ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), program.__dict__)


if __name__ == "__main__":
    read_modules()
    become(*children(socket.socket(fileno=int(sys.argv[1]))))
