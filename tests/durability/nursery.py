"""Servers that are there at once: each is forked from a process that has read every module already, which takes longer
than all else that a server does before it is killed."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO

from tests.tracking.serving import PATIENCE, ROOT, Serving, environment, heard

# Neither Polars nor a server is begun before the fork: their threads would not be there after it.
NURSERY = """
import os, sys
import pydantic_settings, uvicorn.loops.uvloop, uvicorn.protocols.http.httptools_impl, uvloop, websockets.server
import identity_graph.api.app, identity_graph.cli.ask, identity_graph.cli.server, identity_graph.opendsr
import identity_graph.settings, identity_graph.store.sqlite, identity_graph.sweeping, identity_graph.tracking
import numpy as np
from identity_graph.cli import app
from identity_graph.resolve.fold import fold

# Whatever is compiled first has much to read besides.
numbers, names = np.arange(2), np.zeros(2, np.int16)
fold(numbers, numbers.astype(np.int32), numbers, names, namespace=names, namespaces=["a"], values=["a", "b"],
     priority=np.ones(1, np.int32), pairwise_up_to=8)
for store in sys.stdin:
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        app(["serve", "--open", "--port", "0", "--store", store.strip()])
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(f"\\nended {os.waitstatus_to_exitcode(status)}", file=sys.stderr, flush=True)
"""


class Forked:
    """A process of the nursery, as `subprocess` would have it."""

    def __init__(self, pid: int, said: IO[str]) -> None:
        self.pid = pid
        self._said = said
        self._descriptor = os.pidfd_open(pid)
        self._status: int | None = None

    def poll(self) -> int | None:
        """For threads that want to know whether it has ended, however it did."""
        return 0 if select.select([self._descriptor], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        assert select.select([self._descriptor], [], [], timeout)[0]
        while self._status is None:
            if ended := re.match("ended (.+)", self._said.readline()):
                self._status = int(ended[1])
        return self._status

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        if self.poll() is None:
            self.kill()
        self.wait(PATIENCE)
        os.close(self._descriptor)


class Nursery:
    """One server at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @contextmanager
    def serving(self, store: str) -> Iterator[Serving]:
        asked, told, said = self._process.stdin, self._process.stdout, self._process.stderr
        assert asked and told and said
        print(store, file=asked, flush=True)
        with closing(Forked(int(told.readline()), said)) as forked:
            yield Serving(forked, heard(said))


@contextmanager
def nursery() -> Iterator[Nursery]:
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Nursery(process)
        process.communicate(timeout=PATIENCE)
