"""The power is cut at any moment: the store opens, no acknowledged batch is lost, and none is half there."""

from __future__ import annotations

import hashlib
import os
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

from identity_graph.ingest import Ingest
from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy
from identity_graph.service import IdentityGraph
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.conftest import NIGHTLY
from tests.durability.recording import Cuts, Disk, Recording
from tests.durability.test_kill import record
from tests.story.ingesting import jsonl, write
from tests.story.worlds import numbered

STATES = 100_000 if NIGHTLY else 10_000
LOOKED_INTO = 40  # of the states one in so many is read, and loaded into again
RECORDS, BATCH = 240, 20
EVENTS = 250  # that are stored one by one
CHECKPOINT = 50  # pages, so that the log is copied back a few times
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it
_recordings = count(1)


class Alone(apsw.Connection):
    """The only connection of a database, and read by itself."""

    def __init__(self, path: str, vfs: str, synchronous: str) -> None:
        super().__init__(path, vfs=vfs)
        self._synchronous = synchronous
        super().pragma("locking_mode", "exclusive")

    def pragma(self, name: str, value: Any = None, **more: Any) -> Any:
        if name == "query_only":
            return None
        if name == "synchronous" and self._synchronous != "full":
            value = self._synchronous
        if name == "wal_autocheckpoint":
            value = CHECKPOINT
        return super().pragma(name, value, **more) if value is not None else super().pragma(name, **more)


@contextmanager
def recorded(synchronous: str) -> Iterator[Recording]:
    """Stores that are opened inside are written down."""
    recording = Recording(f"recording-{next(_recordings)}")
    opened: list[Alone] = []

    def connect(path: str, **_: Any) -> Alone:
        if not opened:
            opened.append(Alone(path, recording.name, synchronous))
        return opened[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("identity_graph.store.sqlite.connection.apsw.Connection", connect)
        patch.setattr("identity_graph.store.sqlite.connection.LOG_PAGES", CHECKPOINT)
        yield recording
    recording.unregister()


@dataclass(frozen=True)
class Life:
    """A load in batches, a publication, an erasure; by the position of the load what the evidence then was."""

    recording: Recording
    file: Path
    digests: dict[int, str]
    end: str


def digest(store: Store) -> str:
    """Of evidence and persons."""
    return hashlib.sha256(b"".join(store.operations.canonical_lines())).hexdigest()


def clock() -> int:
    return 1_767_225_600_000_000


def load(store: Store, file: Path, heard: Callable[[int], object], ids: str = "run") -> None:
    Ingest(store, clock, numbered(ids)).load(
        read_loader("orders"), file, batch=BATCH, progress=lambda _done, _size, read: heard(read)
    )


def lived(folder: Path, synchronous: str = "full") -> Life:
    file = write(folder / "orders.jsonl", jsonl(*map(record, range(RECORDS))))
    digests: dict[int, str] = {}
    with recorded(synchronous) as recording:
        store = open_store(f"sqlite:///{folder / 'people.db'}")
        digests[0] = digest(store)

        def loaded(read: int) -> None:
            recording.say(f"read {read}")
            digests[read] = digest(store)

        load(store, file, loaded)
        graph = IdentityGraph(store, Policy.default(), clock=clock, new_id=numbered())
        graph.resolver.resolve()
        recording.say("resolved")
        end = digest(store)
        store.close()
    return Life(recording, file, digests, end)


def flaws(disk: Disk, folder: Path, life: Life, *, thorough: bool) -> list[str]:
    """What is wrong with a store on this disk; empties the folder."""
    for path in folder.iterdir():
        path.unlink()
    disk.write(folder)
    path = folder / "people.db"
    if not path.exists():
        return ["nothing is there"] if disk.promises else []
    acknowledged = max((int(said[1]) for one in disk.promises if (said := re.match(r"read (\d+)", one))), default=0)
    database: Any = apsw.Connection(str(path))
    try:
        found: list[str] = [
            f"integrity: {row[0]}" for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"
        ]
        if not database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'run'").fetchall()[0][0]:
            return [*found, *(["no schema"] if disk.promises else [])]
        rows = database.execute(
            "SELECT position, read, accepted, duplicate, quarantined, suppressed FROM run WHERE kind = 'load'"
        ).fetchall()
        position, read, *parts = rows[0] if rows else (0, 0, 0, 0, 0, 0)
        events = database.execute("SELECT count(*) FROM event").get
        resolved = database.execute("SELECT count(*) FROM meta WHERE key = 'policy'").get
    except apsw.Error as error:
        return [f"integrity: {error}"]
    finally:
        database.close()
    found += [f"lost: {read} of {acknowledged} acknowledged"] if read < acknowledged else []
    found += (
        [f"half a batch: {read} read, {parts}, {events} events"] if read != sum(parts) or events != parts[0] else []
    )
    found += [f"in a batch: {read}"] if read % BATCH and read != RECORDS else []
    found += ["the publication is lost"] if "resolved" in disk.promises and not resolved else []
    if thorough and not found:
        found += _looked_into(path, position, bool(resolved), life)
    return found


def _looked_into(path: Path, position: int, resolved: bool, life: Life) -> list[str]:
    store = open_store(f"sqlite:///{path}")
    try:
        before = digest(store)
        if before != (life.end if resolved else life.digests[position]):
            return [f"the state is none that ever was at {position}"]
        load(store, life.file, lambda read: None, "again")
        graph = IdentityGraph(store, Policy.default(), clock=clock, new_id=numbered("q"))
        graph.resolver.resolve()
        return [] if digest(store) == life.end else ["the same load ends in another state"]
    finally:
        store.close()


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder that is no disk, where there is one: each state is a few files."""
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield Path(folder)


def tried(life: Life, states: int, memory: Path) -> tuple[int, list[str]]:
    """How many states were tried, and the flaws of the first that has one."""
    dice = random.Random(SEED)
    calls = life.recording.calls
    cuts = Cuts(calls)
    for state in range(states):
        disk = cuts.after(dice.randrange(1, len(calls) + 1), dice)
        if found := flaws(disk, memory, life, thorough=state % LOOKED_INTO == 0):
            return state, found
    return states, []


def test_no_cut_of_the_power_loses_or_halves_an_acknowledged_batch(tmp_path: Path, memory: Path) -> None:
    life = lived(tmp_path)
    said = [call.file for call in life.recording.calls if call.kind == "said"]
    assert len(said) == RECORDS // BATCH + 1 and len(life.digests) == RECORDS // BATCH + 1
    assert tried(life, STATES, memory) == (STATES, []), f"seed {SEED}"


def singly(folder: Path) -> Life:
    """Events and publications one by one: of each run nobody waits for the beginning to be on the disk."""
    with recorded("full") as recording:
        graph = IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", clock=clock, new_id=numbered())
        for number in range(EVENTS):
            ends = [Identifier("cookie", f"c{number % 40}"), Identifier("email", f"{number % 30}@example.org")]
            graph.ingest.events(
                [Event(f"e{number}", clock(), "web", "Seen", ends, {}, {"x": "y" * (7 * number % 600)})]
            )
            recording.say(f"stored {number + 1}")
            graph.resolver.resolve()
        graph.close()
    return Life(recording, folder / "people.db", {}, "")


def fewer(life: Life, memory: Path) -> tuple[int, str]:
    """How many states were tried, and what is wrong with the first that is broken, or lacks an acknowledged event."""
    dice = random.Random(SEED)
    cuts, calls = Cuts(life.recording.calls), life.recording.calls
    first = next(at for at, call in enumerate(calls, 1) if call.kind == "said")
    for state in range(STATES):
        disk = cuts.after(dice.randrange(first, len(calls) + 1), dice)
        for path in memory.iterdir():
            path.unlink()
        disk.write(memory)
        try:
            database = apsw.Connection(str(memory / "people.db"))
            whole, there = database.pragma("integrity_check"), database.execute("SELECT count(*) FROM event").get
            database.close()
        except apsw.Error as error:
            return state, f"{error}"
        stored = int(disk.promises[-1].removeprefix("stored "))
        if whole != "ok" or there < stored:
            return state, f"{whole}: {there} of {stored} events"
    return STATES, ""


def test_no_cut_loses_an_event_where_the_beginning_of_a_run_is_not_waited_for(tmp_path: Path, memory: Path) -> None:
    assert fewer(singly(tmp_path), memory) == (STATES, ""), f"seed {SEED}"


def test_a_log_that_begins_anew_unwaited_for_is_caught(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity_graph.store.sqlite.connection.LAZY", "off")
    _, flaw = fewer(singly(tmp_path), memory)
    assert flaw, f"seed {SEED}"


@pytest.mark.parametrize("synchronous", ["normal", "off"])
def test_a_store_that_syncs_less_is_caught(tmp_path: Path, memory: Path, synchronous: str) -> None:
    """So that the test above is one that can fail."""
    _, found = tried(lived(tmp_path, synchronous), STATES, memory)
    assert any(flaw.startswith(("lost", "integrity", "nothing", "no schema")) for flaw in found), f"seed {SEED}"
