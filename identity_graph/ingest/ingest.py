"""The service: files through loaders, events from the API, and once more what was set aside.

Every run counts exactly: read = accepted + duplicate + quarantined + suppressed. What a run has counted is stored, and
the place where it stands is stored in the same transaction; a run that was killed goes on from there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event as Signal

from identity_graph.ahead import Ahead
from identity_graph.collector import collector_paused
from identity_graph.errors import InputError, LoaderError, NotFound
from identity_graph.event_flaws import event_flaw, surely_canonical
from identity_graph.ingest.before import Before
from identity_graph.ingest.ending import Ending
from identity_graph.ingest.following import Following
from identity_graph.ingest.steps import LARGE, Steps, steps
from identity_graph.legible import legible
from identity_graph.loaders import Loader, read_loader
from identity_graph.loaders.path import Record
from identity_graph.model import Event, Identifier, Origin, Quarantined, Refused, Run, RunState
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.publishing import Publishing
from identity_graph.records import Reader, read_again
from identity_graph.records.event_bytes import finite, read_event, write_event, write_record
from identity_graph.records.header import said
from identity_graph.records.lines import KEPT
from identity_graph.store.protocols import Batch, Store, Upcoming, nothing
from identity_graph.tally import Tally
from identity_graph.times import DAY

BATCH = 5_000
REPLAY_BATCH = 100
SWEEP_BATCH = 10_000

PARTS = ("RECORD_TOO_LARGE", "ROW_CUT")
"""The codes of records of which only a part is at hand."""

Progress = Callable[[int, int | None, int], object]


class Ingest:
    """`clock` gives microseconds since 1970, `new_id` the ids of runs; `policy` is the digest of the rules given."""

    def __init__(self, store: Store, clock: Callable[[], int], new_id: Callable[[], str], policy: str = "") -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._policy = policy
        self.tally = Tally()

    # ---- files

    def load(
        self,
        loader: Loader,
        path: str | Path,
        *,
        time: int | None = None,
        progress: Progress | None = None,
        batch: int = BATCH,
        processes: int | None = None,
    ) -> Run:
        """Store the events of a file, or of standard input (`-`), in transactions of about `batch` records; of one of
        some mebibytes they have as many as are in a block of it.

        `processes` map a large file beside this one; left out, as many as there are other processors. One that was
        loaded before, byte for byte, is not mapped again.

        Records without a time get `time`, else the file's. A load of the same content by the same loader that was
        killed, interrupted or failed goes on where it stands, and its run counts as if nothing had happened. `progress`
        hears bytes read, bytes in all (None: unknown) and records read, after each transaction.

        Columns that the loader names and a table has not are said in the run's message.

        Raises the codes of sources and stores; what was stored stays, and the error's `run` counts it and is FAILED.
        """
        with Reader(path, loader.form_for(time)) as reader:
            begun = self._loading("load", loader, path, time, reader.source.fingerprint(), reader.source.modified)
            large = (reader.size or 0) >= LARGE and type(loader) is Loader
            before = Before(self._store, begun) if large else None
            if before and (same := before.same(reader.source)):
                return self._repeat(begun, same, progress)
            run = self._store.operations.begin_run(begun)
            reader.start = run.offset
            server = self._store.kind != "sqlite"
            made = steps(reader, loader, run, self._clock, batch, processes, server=server)
            found_steps: Steps | Ahead[Batch] = made
            upcoming: Upcoming = nothing
            if server and reader.size is not None:  # who writes waits for it meanwhile
                found_steps = Ahead(made)
                upcoming = found_steps.upcoming
            with self._ending(run) as ending, collector_paused(), closing(found_steps):
                for step in found_steps:
                    ending.run = self._append(replace(ending.run, size=reader.end), step, upcoming)
                    if progress:
                        progress(reader.consumed, reader.size, ending.run.read)
            return ending.done(said(reader.missing), trail=before.trail(reader.source) if before else None)

    def _repeat(self, begun: Run, before: Run, progress: Progress | None) -> Run:
        """Of a file of which every record is stored, as this run before found: there is nothing to do."""
        run = self._store.operations.begin_run(begun)
        after = replace(
            run,
            read=before.read,
            duplicate=before.accepted + before.duplicate,
            suppressed=before.suppressed,
            **{name: getattr(before, name) for name in ("position", "offset", "trail")},
        )
        self.tally.add(run, after)
        if progress:
            progress(before.offset, before.offset, after.read)
        return Ending(self._store, self._clock, after).done(before.message)

    def follow(
        self,
        loader: Loader,
        path: str | Path,
        *,
        stop: Signal,
        time: int | None = None,
        publishing: Publishing | None = None,
        say: Callable[[str], object] = lambda words: None,
    ) -> Iterator[Run]:
        """Store the lines of a file, or of standard input, as they come, until `stop` is set or standard input ends.

        A line is stored within about half a second, and published where there is `publishing`. Gives each run as it
        ends; see `following`.
        """
        new_run = partial(self._loading, "follow", loader, path, time)
        return Following(self._store, self._clock, loader, new_run, stop, publishing, say).runs(path)

    def _loading(
        self, kind: str, loader: Loader, path: str | Path, time: int | None, content: str | None, modified: int | None
    ) -> Run:
        return replace(
            self._new_run(kind, loader),
            file=legible(str(path)),
            fingerprint=None if content is None else _fingerprint(content, loader, time),
            default_time=modified if time is None else time,
        )

    # ---- events

    def events(self, events: Sequence[Event]) -> Run:
        """Store events whose identifiers are as `normalise` writes them, in one transaction.

        An event that may not be stored, or is none, goes to quarantine, with a code of `errors.SET_ASIDE`. Raises
        StoreError; nothing is then stored.
        """
        now = self._clock()
        run = self._store.operations.begin_run(self._new_run("ingest"))
        good: list[Event] = []
        origins: list[Origin] = []
        refused: list[Refused] = []
        known = surely_canonical(events)
        for number, event in enumerate(events):
            flaw = _flaw(event, now, known)
            if flaw is None and not event.received:
                event = event._replace(received=now)
            try:
                raw = write_event(event)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raw = _as_shown(event)
                flaw = flaw or _why_not_json(error)
            origin = Origin(number + 1, number, raw)
            if flaw:
                refused.append(Refused(origin, *flaw))
            else:
                good.append(event)
                origins.append(origin)
        return self._at_once(run, Batch(good, origins, refused, position=len(events), time=now))

    def records(self, loader: Loader, records: Sequence[Record]) -> Run:
        """Store the events of records that are at hand, in one transaction. Raises StoreError; nothing is then stored.

        Each is read as a line of JSON would be. What is refused goes to quarantine; its line is the record's place,
        from 1.
        """
        received = self._clock()
        run = self._store.operations.begin_run(self._new_run("ingest", loader))
        events: list[Event] = []
        origins: list[Origin] = []
        refused: list[Refused] = []
        for number, record in enumerate(records):
            raw = write_record(record)
            origin = Origin(number + 1, number, raw)
            try:
                events.append(loader.event(_again(raw, loader), received=received))
                origins.append(origin)
            except InputError as error:
                refused.append(Refused(origin, error.code, error.message))
        return self._at_once(run, Batch(events, origins, refused, position=len(records), time=received))

    def _at_once(self, run: Run, batch: Batch) -> Run:
        with self._ending(run) as ending:
            ending.run = self._append(run, batch)
        return ending.done()

    def _append(self, run: Run, batch: Batch, upcoming: Upcoming = nothing) -> Run:
        after = self._store.evidence.append(run, batch, upcoming)
        self.tally.add(run, after)
        return after

    def _new_run(self, kind: str, loader: Loader | None = None) -> Run:
        return Run(
            id=self._new_id(),
            kind=kind,
            state=RunState.RUNNING,
            started=self._clock(),
            source=loader.source if loader else "",
            loader=loader.reference if loader else "",
            policy=self._policy,
            normaliser=NORMALISER_VERSION,
        )

    # ---- quarantine

    def replay(self, numbers: Iterable[int] | None = None, code: str | None = None) -> Run:
        """Run records that were set aside through their loaders again: these numbers, those of a code, or all.

        What can be stored now leaves quarantine in the same transaction; the rest stays as it is and counts as
        quarantined. So do those whose loader is gone or broken: the run's message names it. Raises QUARANTINE_UNKNOWN
        and StoreError.
        """
        chosen = None if numbers is None else list(dict.fromkeys(numbers))
        for number in chosen or ():
            if not self._quarantined(number):
                raise NotFound("QUARANTINE_UNKNOWN", f"no record {number} in quarantine")
        run = self._store.operations.begin_run(self._new_run("replay"))
        loaders: dict[str, Loader | LoaderError] = {}
        stay: Counter[str] = Counter()
        with self._ending(run) as ending:
            for records in self._chosen(chosen, code):
                before, ending.run = ending.run, self._replay(ending.run, records, loaders)
                self.tally.add(before, ending.run)
                stay.update(one.loader for one in records if isinstance(loaders.get(one.loader), LoaderError))
        return ending.done("; ".join(_why_they_stay(loaders[name], count) for name, count in stay.items()))

    def sweep(self, days: int | None, most: int | None) -> int:
        """Delete records that were set aside over so many days ago; then the oldest, until the rest has at most so many
        bytes. Answers how many went."""
        if not self._overdue(days, most):  # nearly always; a look keeps no writer waiting
            return 0
        with self._store.transaction():
            gone = self._overdue(days, most)  # another may have deleted them, and their numbers been given again
            self._store.operations.release(gone)
        return len(gone)

    def _overdue(self, days: int | None, most: int | None) -> list[int]:
        rows: list[tuple[int, int, int]] = []
        while found := self._store.operations.quarantine_sizes(rows[-1][0] if rows else 0, SWEEP_BATCH):
            rows += found
        oldest = None if days is None else self._clock() - days * DAY
        held = 0
        gone: list[int] = []
        for number, time, size in reversed(rows):
            held += size
            if (oldest is not None and time < oldest) or (most is not None and held > most):
                gone.append(number)
        return gone

    def _quarantined(self, number: int) -> list[Quarantined]:
        found = self._store.operations.quarantined(after=number - 1, limit=1)
        return [record for record in found if record.number == number]

    def _chosen(self, numbers: Sequence[int] | None, code: str | None) -> Iterator[list[Quarantined]]:
        if numbers is None:
            after = 0
            while records := self._store.operations.quarantined(after=after, limit=REPLAY_BATCH, code=code):
                yield records
                after = records[-1].number
        else:
            for number in numbers:
                yield [record for record in self._quarantined(number) if code in (None, record.code)]

    def _replay(self, run: Run, records: Sequence[Quarantined], loaders: dict[str, Loader | LoaderError]) -> Run:
        operations = self._store.operations
        runs = {found.id: found for found in operations.find_runs([r.run_id for r in records]) if found}
        events: list[Event] = []
        origins: list[Origin] = []
        refused: list[Refused] = []
        stand_ins: list[tuple[str, int]] = []
        for record in records:
            origin = Origin(record.line, record.offset, record.record)
            default_time = runs[record.run_id].default_time if record.run_id in runs else None
            try:
                events.append(self._once_more(record, default_time, loaders))
                origins.append(origin)
                if default_time == events[-1].time:
                    stand_ins.append((events[-1].id, default_time))
            except InputError as error:
                refused.append(Refused(origin, error.code, error.message))
        with self._store.transaction():
            newest = operations.newest_quarantined()
            position = run.position + len(records)
            step = Batch(
                events,
                origins,
                refused,
                position=position,
                replayed=True,
                time=self._clock(),
                stand_ins=frozenset(stand_ins),
            )
            run = self._store.evidence.append(run, step)
            # What the store set aside now was there before: the old entry stays, with its run and loader.
            again = operations.quarantined(after=newest, limit=len(records))
            still = Counter((record.line, record.offset, record.record) for record in again)
            gone = [record.number for record in again]
            for record in records:
                key = (record.line, record.offset, record.record)
                if still[key]:
                    still[key] -= 1
                else:
                    gone.append(record.number)
            operations.release(gone)
        return run

    def _once_more(
        self, record: Quarantined, default_time: int | None, loaders: dict[str, Loader | LoaderError]
    ) -> Event:
        now = self._clock()
        if record.code in PARTS:
            raise InputError(record.code, record.message)
        if not record.loader:
            try:
                event = read_event(record.record)
            except ValueError as error:
                raise InputError(record.code, str(error)) from error
            flaw = _flaw(event, now, set())
            if flaw:
                raise InputError(*flaw)
            return event
        if record.loader not in loaders:
            loaders[record.loader] = _loader_or_error(record.loader)
        loader = loaders[record.loader]
        if isinstance(loader, LoaderError):
            raise InputError(loader.code, loader.message)
        return loader.event(_again(record.record, loader), received=now, fallback_time=default_time)

    def _ending(self, run: Run) -> Ending:
        return Ending(self._store, self._clock, run)


def _loader_or_error(reference: str) -> Loader | LoaderError:
    try:
        return read_loader(reference)
    except LoaderError as error:
        return error


def _why_they_stay(error: object, count: int) -> str:
    assert isinstance(error, LoaderError)
    return f"{'1 record stays' if count == 1 else f'{count:,} records stay'}: {error.code}: {error.message}"


def _again(raw: bytes, loader: Loader) -> Record:
    """The record of bytes that are, or would be, kept of it. Raises InputError."""
    found = read_again(raw, loader.form)
    if isinstance(found, tuple):
        raise InputError(*found)
    return found


def _fingerprint(content: str, loader: Loader, time: int | None) -> str:
    """Of what decides the outcome of a load: the file's content, what the loader says, the time that was given."""
    return hashlib.sha256(f"{content}\n{loader.file.digest}\n{time}".encode()).hexdigest()


def _flaw(event: Event, now: int, known: set[Identifier]) -> tuple[str, str] | None:
    flaw = event_flaw(event, now, known)
    try:
        if flaw is None and not (finite(event.traits) and finite(event.properties)):
            return "NUMBER_NOT_FINITE", "a number is not finite"
    except RecursionError:
        return "RECORD_TOO_DEEP", "the traits or properties nest too deep"
    return flaw


def _as_shown(event: object) -> bytes:
    try:
        return repr(event)[:KEPT].encode("utf-8", "backslashreplace")
    except RecursionError:
        return b""


def _why_not_json(error: Exception) -> tuple[str, str]:
    """Of an event that cannot be written."""
    message = str(error)
    found = next((code for part, code in _NOT_JSON.items() if part in message), "TYPE_INVALID")
    return found, message


_NOT_JSON = {"surrogates": "TEXT_SURROGATE", "64-bit": "NUMBER_RANGE", "Recursion": "RECORD_TOO_DEEP"}
"""Parts of what orjson says."""
