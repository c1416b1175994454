"""A source as the steps of its load: each with what one transaction stores, and the place after it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from identity_graph.errors import InputError
from identity_graph.ingest.crew import Crew
from identity_graph.loaders import Loader, NoTime
from identity_graph.model import Origin, Refused, Run
from identity_graph.records import Reader
from identity_graph.resolve.threads import processors
from identity_graph.store.protocols import Batch

MOST_BYTES = 16 << 20  # of one transaction
BLOCK = 2 << 20  # of what a process maps at once, stored in one transaction
LARGE = 4 << 20  # of what is left of a file: less does not pay for starting a process
PACKED = 4  # times as large as its file is what Parquet holds
MOST_PROCESSES = 4

Steps = Generator[Batch, None, None]
"""To be closed, as it may have begun processes."""


def steps(
    reader: Reader,
    loader: Loader,
    run: Run,
    clock: Callable[[], int],
    size: int,
    processes: int | None,
    *,
    server: bool = False,
) -> Steps:
    """The rest of the source. What was read before an error comes before the error. `server` is whether one stores:
    then a transaction has not many thousand short rows."""
    in_blocks = bool(processes)
    if processes is None:
        # One stores, the others map. Starting one takes as long as mapping some ten thousand records.
        left = (reader.size or 0) - reader.start
        if reader.source.format == "parquet":
            left *= PACKED
        in_blocks = left >= BLOCK
        processes = min(MOST_PROCESSES, max(1, processors() - 1)) if left >= LARGE else 0
    if in_blocks and run.default_time is not None and type(loader) is Loader:
        tables = reader.source.format == "parquet"
        block = BLOCK // 8 if server and (tables or reader.source.format == "csv") else BLOCK
        crew = Crew(loader, run.default_time, clock, processes, hashing=not server, tables=tables)
        return _in_blocks(reader, crew, run, clock, block)
    return _one_by_one(reader, loader, run, clock, size)


def _in_blocks(reader: Reader, begun: Crew, run: Run, clock: Callable[[], int], block: int) -> Steps:
    position = run.position
    with begun as crew:
        for piece, mapped in crew.steps(reader.pieces(block)):
            batch = mapped.batch(piece, position, clock())
            position = batch.position
            yield batch


def _one_by_one(reader: Reader, loader: Loader, run: Run, clock: Callable[[], int], size: int) -> Steps:
    position = run.position
    records = iter(reader)
    failure: InputError | None = None
    ended = False
    while not (ended or failure):
        found: list[dict[str, Any]] = []
        origins: list[Origin] = []
        before: list[int] = []  # where the record began
        refused: list[Refused] = []
        bytes_read, received = 0, clock()
        offset = reader.offset
        try:
            for origin, record in records:
                if isinstance(record, Refused):
                    refused.append(record)
                else:
                    found.append(record)
                    origins.append(origin)
                    before.append(offset)
                offset = reader.offset
                bytes_read += len(origin.raw)
                if len(found) + len(refused) >= size or bytes_read >= MOST_BYTES:
                    break
            else:
                ended = True
                offset = reader.offset
        except InputError as error:
            failure = error
        events, places, bad = loader.events(found, received=received, fallback_time=run.default_time)
        timeless = next(((place, why) for place, why in bad if isinstance(why, NoTime)), None)
        if timeless:  # the load ends here, with what was read before
            place, why = timeless
            failure, offset = _no_time(reader, origins[place], why), before[place]
            refused = [record for record in refused if record.origin.line < origins[place].line]
            events, places, bad = loader.events(found[:place], received=received, fallback_time=run.default_time)
        refused += [Refused(origins[place], why.code, why.message) for place, why in bad]
        if places or refused:
            position += len(places) + len(refused)
            refused.sort(key=lambda record: record.origin.line)
            yield Batch(events, [origins[place] for place in places], refused, position, offset, time=received)
    if failure:
        raise failure


def _no_time(reader: Reader, origin: Origin, error: NoTime) -> InputError:
    return InputError(
        error.code,
        f"{reader.source.name}, line {origin.line}: {error.message}",
        help="Say --time for records that have none: standard input has no time that could stand in.",
    )
