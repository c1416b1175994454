"""A source that still grows: its events are stored as they come, until it is time to stop.

A file that was renamed and made anew, as logs are, is read to its end before the new one is begun; one that was
truncated is read from its beginning. Each has a run of its own, which is found again by the name that was given and the
file's first line, and goes on where it stands if what it read last still stands there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from typing import NamedTuple, Protocol

from identity_graph.errors import InputError, StoreError
from identity_graph.ingest.block import map_piece
from identity_graph.ingest.ending import Ending
from identity_graph.legible import legible
from identity_graph.loaders import Loader
from identity_graph.model import Run, RunState
from identity_graph.publishing import Publishing
from identity_graph.records.growing import (
    PAUSE,
    GrowingFile,
    Rewritten,
    Stopped,
    check_growing,
    standard_input,
)
from identity_graph.records.lines import cuts, line_after
from identity_graph.records.reader import Lines
from identity_graph.store.protocols import Batch, Store

HURRIED = 1 << 16  # bytes at a time: while more come, storing is not kept waiting by each publication
AGAIN = 1.0  # seconds after which a store that another process writes is tried again


class NewRun(Protocol):
    def __call__(self, content: str | None, modified: int | None) -> Run: ...


class Following:
    """`new_run` makes the run of a content, not recorded yet; `say` hears what a person may want to know."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        loader: Loader,
        new_run: NewRun,
        stop: Signal,
        publishing: Publishing | None,
        say: Callable[[str], object],
    ) -> None:
        self._store = store
        self._clock = clock
        self._loader = loader
        self._new_run = new_run
        self._stop = stop
        self._publishing = publishing
        self._say = say

    def runs(self, path: str | Path) -> Iterator[Run]:
        """Each as it ends. Raises the codes of sources and stores; the error's `run` is then FAILED."""
        try:
            if str(path) == "-":
                check_growing(None, self._loader.form)
                run = self._store.operations.begin_run(self._new_run(None, None))
                yield self._store_all(run, standard_input(self._stop, self._publish), None)
            else:
                yield from self._files(Path(path).absolute())
        finally:
            if self._publishing:
                self._publishing.publish()

    def _files(self, path: Path) -> Iterator[Run]:
        if not path.parent.is_dir():
            raise InputError("SOURCE_MISSING", f"{path.parent}: no such folder")
        with suppress(Stopped):
            for other in self._renamed(path):
                with GrowingFile(other, self._stop, self._publish, complete=True) as file:
                    self._say(f"{other} goes on where it was before it was renamed.")
                    yield from self._file(path, file)
            while True:
                with self._open(path) as file:
                    yield from self._file(path, file)
                self._say(f"{path} was renamed, removed or truncated: reading from its beginning.")

    def _file(self, path: Path, file: GrowingFile) -> Iterator[Run]:
        head = file.head()
        if head is None:
            return
        begun = self._new_run(_content(path, head), file.modified)
        run = self._store.operations.begin_run(begun)
        if run.offset and file.trail(run.offset) != _Place.of(run).trail:
            Ending(self._store, self._clock, run).done("the file was truncated and written anew")
            run = self._store.operations.begin_run(begun)
        ended = self._store_all(run, file.chunks(_Place.of(run).offset), file)
        yield ended
        if ended.state is RunState.PAUSED:
            raise Stopped

    def _open(self, path: Path) -> GrowingFile:
        said = False
        while True:
            try:
                check_growing(path, self._loader.form)
                return GrowingFile(path, self._stop, self._publish)
            except (OSError, InputError) as error:
                if path.exists():
                    if isinstance(error, OSError):
                        raise InputError("SOURCE_MISSING", f"{path}: {error.strerror}") from error
                    raise
            if not said:
                self._say(f"{path} is not there: waiting for it.")
                said = True
            self._publish()
            if self._stop.wait(PAUSE):
                raise Stopped

    def _renamed(self, path: Path) -> list[Path]:
        """Those beside it that were followed by its name and not read to their end, oldest first; none while it is
        there itself."""
        if self._stands(path, path):
            return []
        beside = [other for other in path.parent.iterdir() if other.name.startswith(path.name) and other != path]
        return sorted(
            (other for other in beside if self._stands(path, other)), key=lambda other: other.stat().st_mtime_ns
        )

    def _stands(self, path: Path, other: Path) -> bool:
        """Whether a run of the name stands in this file."""
        if not other.is_file():  # to open a pipe would wait for who writes
            return False
        try:
            with GrowingFile(other, self._stop, lambda: None, complete=True) as file:
                head = file.head()
                sought = None if head is None else self._new_run(_content(path, head), None)
                found = sought and self._store.operations.interrupted(sought.fingerprint or "", sought.loader)
                return bool(found and found.offset and file.trail(found.offset) == _Place.of(found).trail)
        except OSError:
            return False

    def _store_all(self, run: Run, chunks: Iterable[bytes], file: GrowingFile | None) -> Run:
        with Ending(self._store, self._clock, run) as ending:
            try:
                place = _Place.of(run)
                for cut in cuts(chunks, run.offset, offset=place.offset, line=place.line):
                    now = self._clock()
                    piece = Lines(cut)
                    mapped = map_piece(self._loader, piece, now, ending.run.default_time)
                    trail = file.trail(cut[2]) if file else None
                    batch = mapped.batch(piece, ending.run.position, now)
                    batch = replace(batch, trail=f"{trail} {line_after(cut)}" if trail else "")
                    ending.run = self._append(ending.run, batch)
                    if self._publishing:
                        self._publishing.arrived()
                        self._publish(hurried=len(cut[3]) > HURRIED)
            except Stopped:
                return ending.paused()
            except Rewritten:
                return ending.done("the file was truncated")
            except OSError as error:
                raise InputError("SOURCE_MISSING", f"{run.file}: {error.strerror or error}") from error
            return ending.done()

    def _append(self, run: Run, batch: Batch) -> Run:
        said = False
        while True:
            try:
                return self._store.evidence.append(run, batch)
            except StoreError as error:
                if error.code != "STORE_BUSY" or self._stop.wait(AGAIN):
                    raise
                if not said:
                    self._say(f"{error.code}: {error.message}; trying again.")
                    said = True

    def _publish(self, *, hurried: bool = False) -> None:
        if self._publishing and self._publishing.due(hurried=hurried):
            self._publishing.publish()


class _Place(NamedTuple):
    """Where the run of a file goes on, as its `trail` says: the digest of what stands before, and the next line."""

    trail: str
    offset: int
    line: int

    @classmethod
    def of(cls, run: Run) -> _Place:
        """Of a run that did not keep the line: the beginning, from which lines are counted once more."""
        trail, _, line = run.trail.partition(" ")
        return cls(trail, run.offset, int(line)) if line else cls(trail, 0, 1)


def _content(path: Path, head: bytes) -> str:
    return f"follow {legible(str(path))} {head.hex()}"
