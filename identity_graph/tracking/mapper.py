"""Another process that maps large bodies while this one stores what it made: mapping takes longer than storing.

The other one reads frames from standard input and answers each on standard output, as `ingest.worker` does. It ends
when its input ends, so nothing is left of it when the process that started it is gone.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache

from identity_graph.errors import QueryError
from identity_graph.loaders import read_loader
from identity_graph.process import begin_process
from identity_graph.tracking.mapped import map_sent
from identity_graph.tracking.request import Request
from identity_graph.tracking.sent import read_sent
from identity_graph.uuid7 import uuid7
from identity_graph.wire import read_frame, write_frame

LARGE = 8 << 10  # bytes of a body: less is mapped here before another process has heard of it


class Mapper:
    """Begins its process at the first request. Until it has begun, and when it is gone, this process maps."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "mapping")
        self._starting = False
        self._process: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    @property
    def ready(self) -> bool:
        if not self._starting:
            self._starting = True
            self._thread.submit(self._start)
        return self._worker is not None

    def map(self, request: Request, then: Callable[[Request], None]) -> None:
        """Calls `then` in another thread, unless the request has failed."""
        self._thread.submit(self._map, request, then)

    def _map(self, request: Request, then: Callable[[Request], None]) -> None:
        try:
            if not self._asked(request):
                request.map()
        except Exception as error:
            request.stored.set_exception(error)
        else:
            then(request)

    def _asked(self, request: Request) -> bool:
        worker = self._worker
        if worker is None:
            return False
        try:
            write_frame(worker.stdin, (request.loader.reference, *request.body))  # type: ignore[arg-type]
            trouble, packed = read_frame(worker.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, ValueError):
            self._worker = None
            return False
        if trouble:
            raise QueryError(*trouble)
        request.packed = packed
        return True

    def _start(self) -> None:
        with suppress(OSError, EOFError):
            self._process = worker = begin_process("identity_graph.tracking.mapper")
            read_frame(worker.stdout)  # type: ignore[arg-type]
            self._worker = worker

    def close(self) -> None:
        """What was asked is still answered."""
        self._thread.shutdown(wait=True)
        if self._process:
            self._process.kill()
            with suppress(OSError), self._process:  # closes its pipes, into which nobody reads
                pass


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that started this one
    gc.freeze()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into a frame
    loader_of = cache(read_loader)
    try:
        write_frame(answers, None)
        while True:
            reference, raw, kind, received, objects = read_frame(sys.stdin.buffer)
            try:
                mapped = map_sent(read_sent(raw, kind), loader_of(reference), received, uuid7, objects)
            except QueryError as error:
                write_frame(answers, ((error.code, error.message), None))
            else:
                write_frame(answers, (None, mapped.pack()))
    except (EOFError, BrokenPipeError):
        os._exit(0)
