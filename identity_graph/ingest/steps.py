"""A source as the steps of its load: each with what one transaction stores, and the place after it."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from identity_graph.errors import InputError
from identity_graph.ingest.crew import Crew
from identity_graph.loaders import Loader, NoTime
from identity_graph.model import Event, Origin, Refused, Run
from identity_graph.records import Reader
from identity_graph.store.protocols import Batch

MOST_BYTES = 16 << 20  # of one transaction
BLOCK = 2 << 20  # of lines that a process maps at once, stored in one transaction
LARGE = 16 << 20  # of what is left of a file: less does not pay for starting a process
MOST_PROCESSES = 4

Steps = Generator[Batch, None, None]
"""To be closed, as it may have begun processes."""


def steps(
    reader: Reader, loader: Loader, run: Run, clock: Callable[[], int], size: int, processes: int | None
) -> Steps:
    """The rest of the source. What was read before an error comes before the error."""
    if processes is None:
        # One stores, the others map. Starting one takes as long as mapping some ten thousand records.
        large = (reader.size or 0) - reader.start >= LARGE
        processes = min(MOST_PROCESSES, _processors() - 1) if large else 0
    if processes > 0 and reader.source.format == "jsonl" and run.default_time is not None and type(loader) is Loader:
        return _in_blocks(reader, loader, run, clock, processes)
    return _one_by_one(reader, loader, run, clock, size)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_blocks(reader: Reader, loader: Loader, run: Run, clock: Callable[[], int], processes: int) -> Steps:
    position = run.position
    with Crew(loader, run.default_time, clock, processes) as crew:
        for cut, mapped in crew.steps(reader.cuts(BLOCK)):
            batch = mapped.batch(cut, position, clock())
            position = batch.position
            yield batch


def _one_by_one(reader: Reader, loader: Loader, run: Run, clock: Callable[[], int], size: int) -> Steps:
    position = run.position
    records = iter(reader)
    failure: InputError | None = None
    ended = False
    while not (ended or failure):
        events: list[Event] = []
        origins: list[Origin] = []
        refused: list[Refused] = []
        bytes_read, received, event_of = 0, clock(), loader.event
        offset = reader.offset
        try:
            for origin, record in records:
                if isinstance(record, Refused):
                    refused.append(record)
                else:
                    try:
                        events.append(event_of(record, received=received, fallback_time=run.default_time))
                        origins.append(origin)
                    except NoTime as error:
                        raise _no_time(reader, origin, error) from error
                    except InputError as error:
                        refused.append(Refused(origin, error.code, error.message))
                offset = reader.offset
                bytes_read += len(origin.raw)
                if len(events) + len(refused) >= size or bytes_read >= MOST_BYTES:
                    break
            else:
                ended = True
                offset = reader.offset
        except InputError as error:
            failure = error
        if events or refused:
            position += len(events) + len(refused)
            yield Batch(events, origins, refused, position, offset, time=received)
    if failure:
        raise failure


def _no_time(reader: Reader, origin: Origin, error: NoTime) -> InputError:
    return InputError(
        error.code,
        f"{reader.source.name}, line {origin.line}: {error.message}",
        help="Say --time for records that have none: standard input has no time that could stand in.",
    )


@contextmanager
def collector_paused() -> Iterator[None]:
    """A load makes millions of objects and no cycles; looking for cycles would take a quarter of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
