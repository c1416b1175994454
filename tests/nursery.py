"""Programs that are there at once: each is forked from a process that has read every module already, which takes longer
than all else that most of them do before they end, or are killed. From there on they are what they would have been."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import IO, Self

ROOT = Path(__file__).parents[1]
ENDS_WITHIN = 120  # seconds
_ASKING = Lock()

FORK = get_context("forkserver")
"""For processes of which a function of a test is told, by pipes: forked as well."""
FORK.set_forkserver_preload(["neo4j", "identity_graph.store.neo4j", "tests.conftest", "tests.store.building"])


class Forked:
    """A process of the nursery, as `subprocess.Popen` would have it, with three pipes of texts; `stdin` takes the place
    of the first. `arguments` are what follows the name of the interpreter: `-m MODULE ...` or `-c SCRIPT ...`. One that
    is `held` begins once it is told a line."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        *,
        stdin: IO[bytes] | None = None,
        held: bool = False,
    ) -> None:
        pipes = [os.pipe() for _ in range(4)]
        theirs = [pipes[0][0], *(pipe[1] for pipe in pipes[1:])]
        self.stdin = os.fdopen(pipes[0][1], "w")
        self.stdout, self.stderr, self._told = (os.fdopen(pipe[0]) for pipe in pipes[1:])
        self.returncode: int | None = None
        self._telling = Lock()
        words = {
            "arguments": [*map(str, arguments)],
            "environment": dict(os.environ | {"PYTHONPATH": str(ROOT)} if env is None else env),
            "folder": str(cwd),
            "held": held,
        }
        with _ASKING:
            given = [stdin.fileno() if stdin else theirs[0], *theirs[1:]]
            socket.send_fds(cradle(), [json.dumps(words).encode()], given)
            self.pid = int(cradle().recv(32))
        self._process = os.pidfd_open(self.pid)
        for descriptor in theirs:
            os.close(descriptor)
        assert not held or self._told.readline() == "held\n"

    def poll(self) -> int | None:
        """Also for many threads that want to know."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return status

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            with self._telling:
                if self.returncode is None:
                    self.returncode = int(self._told.readline())
        return self.returncode

    def communicate(self, words: str = "", timeout: float | None = None) -> tuple[str, str]:
        """What it says until it ends."""
        with ThreadPoolExecutor(2) as readers:
            said = [readers.submit(pipe.read) for pipe in (self.stdout, self.stderr)]
            try:
                with suppress(BrokenPipeError):
                    self.stdin.write(words)
                    self.stdin.close()
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            output, errors = (each.result() for each in said)
        self.close()
        return output, errors

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._process, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        if self._told.closed:
            return
        self.kill()
        self.wait(ENDS_WITHIN)
        with suppress(BrokenPipeError):
            self.stdin.close()
        for pipe in (self.stdout, self.stderr, self._told):
            pipe.close()
        os.close(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(
    arguments: Sequence[str | Path], env: Mapping[str, str] | None = None, timeout: float = 600.0
) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` would."""
    with Forked(arguments, env) as process:
        output, errors = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess([*map(str, arguments)], process.wait(), output, errors)


@cache
def cradle() -> socket.socket:
    """By which it is asked for a process; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cradle", str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait(ENDS_WITHIN)

    atexit.register(end)
    return ours
