"""Processes that map pieces of a source while this one stores what they made."""

from __future__ import annotations

import pickle
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from math import inf
from time import perf_counter
from types import TracebackType
from typing import Self

from identity_graph.ingest.block import PIECES, Mapped, map_piece
from identity_graph.loaders import Loader
from identity_graph.process import begin_process
from identity_graph.records.lines import LongLine
from identity_graph.records.reader import Lines, Piece
from identity_graph.wire import read_frame, write_frame


class Crew:
    """`size` processes, or none, begun at the first piece. While they are starting, or busy and slower than who takes
    what comes out, this process maps pieces too, and it does the work of one that dies: what comes out never depends on
    them.

    `hashing` is whether what comes from a process has the hashes by which it is stored: whoever waits for the process
    has the time. Of `tables`, processes load what reads these before they count as begun: that takes them as long as
    mapping a hundred thousand short rows."""

    def __init__(
        self,
        loader: Loader,
        default_time: int | None,
        clock: Callable[[], int],
        size: int,
        *,
        hashing: bool = False,
        tables: bool = False,
    ) -> None:
        self._loader = loader
        self._default_time = default_time
        self._clock = clock
        self._size = size
        self._hashing = hashing
        self._tables = tables
        self._workers: list[subprocess.Popen[bytes]] = []
        self._mine = threading.local()
        self._threads = ThreadPoolExecutor(max(1, size), "mapping", initializer=self._begin)

    def steps(self, pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Mapped]]:
        """Every piece with what became of it, in order. An error of the source comes after all pieces before it."""
        if not self._size:
            yield from ((piece, self._map(piece)) for piece in pieces)
            return
        waiting: deque[tuple[Piece, Future[Mapped]]] = deque()
        mapping, storing = inf, 0.0  # seconds of a record: here, and by who takes them, the last time
        ended = False
        failure: Exception | None = None
        while True:
            while not ended and len(waiting) < 2 * self._size + 1:
                try:
                    piece = next(pieces, None)
                except Exception as error:
                    piece, failure = None, error
                if piece is None:
                    ended = True
                else:
                    waiting.append((piece, self._threads.submit(self._ask, piece)))
            if not waiting:
                break
            piece, first = waiting[0]
            if not first.done() and not (first.running() and mapping < storing * self._size):
                # Rather than wait, do what nobody has begun, the next one first; but not where a process has begun this
                # one and they map as fast as is stored, if they take as long as it took here.
                mine = next((place for place, (_, future) in enumerate(waiting) if future.cancel()), None)
                if mine is not None:
                    own: Future[Mapped] = Future()
                    start = perf_counter()
                    own.set_result(self._map(waiting[mine][0]))
                    mapping = (perf_counter() - start) / max(1, len(own.result().places))
                    waiting[mine] = (waiting[mine][0], own)
                    continue
            waiting.popleft()
            mapped = first.result()
            start = perf_counter()
            yield piece, mapped
            storing = (perf_counter() - start) / max(1, len(mapped.places))
        if failure:
            raise failure

    def _map(self, piece: Piece) -> Mapped:
        return map_piece(self._loader, piece, self._clock(), self._default_time)

    def _ask(self, piece: Piece) -> Mapped:
        worker: subprocess.Popen[bytes] | None = self._mine.worker
        kind = piece.__class__.__name__
        if worker is None or kind not in PIECES or (isinstance(piece, Lines) and isinstance(piece.cut[3], LongLine)):
            return self._map(piece)
        question = kind, (*piece,), self._clock(), self._default_time
        try:
            write_frame(worker.stdin, question)  # type: ignore[arg-type]
            mapped = Mapped.unpack(read_frame(worker.stdout))  # type: ignore[arg-type]
        except (OSError, EOFError, ValueError):
            self._mine.worker = None
            return self._map(piece)
        return mapped._replace(events=mapped.events.with_hashes()) if self._hashing else mapped

    def _begin(self) -> None:
        """In each thread: its process, ready to be asked."""
        self._mine.worker = None
        with suppress(OSError, EOFError, ValueError):
            worker = begin_process("identity_graph.ingest.worker")
            self._workers.append(worker)
            write_frame(worker.stdin, pickle.dumps((self._loader.file, self._tables)))  # type: ignore[arg-type]
            read_frame(worker.stdout)  # type: ignore[arg-type]
            self._mine.worker = worker

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:  # of all threads: one may have begun its process just now
            worker.kill()
            with suppress(OSError), worker:  # closes its pipes, into which nobody reads
                pass
