"""Sources that others still write: a file that grows, and standard input."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from threading import Event as Signal
from types import TracebackType
from typing import Self

from identity_graph.errors import InputError
from identity_graph.legible import legible
from identity_graph.records.source import Form, Source

PAUSE = 0.2  # seconds between two looks, while what comes is gathered
STILL = 1.0  # seconds without a new byte, after which a file that was renamed or removed is complete
LAST = 2.0  # seconds in which standard input may still come to its end, once it is time to stop
CHUNK = 1 << 20
HEAD = TRAIL = 1 << 10


class Stopped(Exception):
    """It is time to stop; what was given is complete, and more may come."""


class Rewritten(Exception):
    """What was read of the file stands there no more."""


class GrowingFile:
    """A file to which others append, also after it was renamed. `modified` in microseconds; `complete` says that nobody
    does any more. `idle` is called now and then while nothing comes. The methods raise Stopped once `stop` is set.
    """

    def __init__(self, path: Path, stop: Signal, idle: Callable[[], object], *, complete: bool = False) -> None:
        self._path = path
        self._stop = stop
        self._idle = idle
        self._complete = complete
        self._file = path.open("rb", buffering=0)
        self._number = self._file.fileno()
        self._grown = time.monotonic()
        self._facts = os.fstat(self._number)
        self.modified = self._facts.st_mtime_ns // 1000

    def head(self) -> bytes | None:
        """The first line, or the first KiB of a longer one; waits for it. None: there never will be one."""
        while True:
            found = os.pread(self._number, HEAD, 0)
            line, newline, _ = found.partition(b"\n")
            if newline or len(found) == HEAD:
                return line
            if self._ended():
                return line or None
            self._wait()

    def trail(self, offset: int) -> str | None:
        """A digest of up to a KiB before the offset; None where the file is shorter."""
        size = min(offset, TRAIL)
        found = os.pread(self._number, size, offset - size)
        return blake2b(found, digest_size=16).hexdigest() if len(found) == size else None

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """From this offset, then what is appended, gathered for PAUSE; ends with a file that was renamed or removed,
        once it is complete. Raises Rewritten."""
        at, last = start, b""
        while True:
            if self._stop.is_set():
                raise Stopped
            found = os.pread(self._number, len(last) + CHUNK, at - len(last))
            if not found.startswith(last):
                raise Rewritten
            new = len(found) - len(last)
            if new:
                yield found[len(last) :]
                at, last, self._grown = at + new, found[-TRAIL:], time.monotonic()
            elif self._ended():
                return
            if new < CHUNK:
                self._wait()

    def _ended(self) -> bool:
        if self._complete:
            return True
        try:
            facts = self._path.stat()
        except OSError:
            moved = True
        else:
            moved = (facts.st_dev, facts.st_ino) != (self._facts.st_dev, self._facts.st_ino)
        return moved and time.monotonic() - self._grown > STILL

    def _wait(self) -> None:
        self._idle()
        if self._stop.wait(0 if self._complete else PAUSE):
            raise Stopped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def standard_input(stop: Signal, idle: Callable[[], object]) -> Iterator[bytes]:
    """What comes, gathered for PAUSE, to its end. Once `stop` is set: what has come by then, or within LAST."""
    number = sys.stdin.fileno()
    deadline: float | None = None
    ended = False
    while not ended:
        gathered = bytearray()
        until = time.monotonic() + PAUSE
        while len(gathered) < CHUNK and not ended and (left := until - time.monotonic()) > 0:
            if select.select([number], [], [], left)[0]:
                data = os.read(number, CHUNK)
                gathered += data
                ended = not data
        if stop.is_set():
            deadline = deadline or time.monotonic() + LAST
            ended = ended or not gathered or time.monotonic() > deadline
        if gathered:
            yield bytes(gathered)
        else:
            idle()


def check_growing(path: Path | None, form: Form) -> None:
    """Raises SOURCE_FORMAT for what cannot be followed, and SOURCE_MISSING. None is standard input."""
    name, found = "standard input", form.format or "jsonl"
    if path is not None:
        name = legible(str(path))
        if not S_ISREG(path.stat().st_mode):
            raise InputError(
                "SOURCE_FORMAT", f"{name} is not a file", help=f"Give a pipe as standard input: --follow - < {name}"
            )
        source = Source(path, form)
        source.close()
        found = "compressed" if source.gzipped else source.format
    if found not in ("jsonl", "lines"):
        raise InputError(
            "SOURCE_FORMAT",
            f"{name}: what is {found} cannot be followed",
            help="Follow JSON Lines or lines of text; load what is complete without --follow.",
        )
