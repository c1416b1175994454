"""Several processes on one file: writers take turns, readers see whole batches, a killed one leaves no harm."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from identity_graph.errors import StoreError
from identity_graph.model import Event, Identifier
from identity_graph.store import open_store
from identity_graph.store.protocols import Erasure
from identity_graph.store.sqlite import SqliteStore
from tests.nursery import FORK
from tests.store.building import array, batch, begin, event, load, numbers

BATCHES, SIZE = 25, 20


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "people.db")


def piece(position: int) -> list[Event]:
    return [event(f"e{position}-{n}", f"cookie:{n}", f"email:{position}@x.org") for n in range(SIZE)]


def write(path: str, pipe: Pipe, fingerprint: str) -> None:
    """Load every batch, and say after each that it is stored."""
    store = SqliteStore(path)
    run = begin(store, fingerprint=fingerprint)
    pipe.send("open")
    while run.position < BATCHES:
        run = store.evidence.append(run, batch(piece(run.position), position=run.position + 1))
        pipe.send((run.position, run.accepted, run.duplicate))
    store.close()
    pipe.send("done")


def start(path: str, fingerprint: str) -> tuple[Pipe, ForkServerProcess]:
    here, there = FORK.Pipe()
    process = FORK.Process(target=write, args=(path, there, fingerprint))
    process.start()
    there.close()  # so that the end of the child is the end of what it says
    return here, process


def said(pipe: Pipe) -> Iterator[tuple[int, int, int]]:
    while (word := pipe.recv()) != "done":
        if word != "open":
            yield word


def test_two_writers_at_once_store_everything_once(path: str) -> None:
    children = [start(path, f"file {n}") for n in range(2)]
    last = [list(said(pipe))[-1] for pipe, _ in children]
    for _, process in children:
        process.join(timeout=120)
        assert process.exitcode == 0
    assert sum(accepted for _, accepted, _ in last) == sum(duplicate for _, _, duplicate in last) == BATCHES * SIZE
    store = SqliteStore(path)
    counts = store.operations.counts()
    assert (counts["events"], counts["identifiers"], counts["observations"]) == (
        BATCHES * SIZE,
        BATCHES + SIZE,
        2 * BATCHES * SIZE,
    )
    store.close()


def test_a_reader_meanwhile_sees_whole_batches_only(path: str) -> None:
    store = SqliteStore(path)
    _, process = start(path, "file")
    seen: list[int] = []
    while process.is_alive() or not seen or seen[-1] < BATCHES * SIZE:
        assert process.exitcode in (None, 0)
        table = store.evidence.observation_table()
        seen.append(len(table) // 2)
        assert len(table) % (2 * SIZE) == 0
        seventh = store.evidence.identifiers([Identifier("cookie", "7")])[0]
        if seventh is not None:
            [rows] = store.evidence.events_of([seventh.number])
            assert len(rows) >= seen[-1] // SIZE
    process.join()
    assert seen == sorted(seen)
    store.close()


def test_after_a_kill_every_acknowledged_batch_is_there_and_no_half_one(path: str) -> None:
    acknowledged = 0
    for round_ in range(4):
        here, process = start(path, "file")
        for position, _, _ in said(here):
            acknowledged = position
            if position >= (round_ + 1) * 4:
                break
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(timeout=120)
        store = SqliteStore(path)
        [run] = store.operations.runs()
        counts = store.operations.counts()
        assert acknowledged <= run.position
        assert counts["events"] == run.accepted == run.position * SIZE
        assert counts["observations"] == 2 * run.accepted
        assert store._database.one("PRAGMA integrity_check") == "ok"
        store.close()
    here, process = start(path, "file")
    assert list(said(here))[-1] == (BATCHES, BATCHES * SIZE, 0)
    process.join(timeout=120)


def open_together(path: str, all_here: Barrier, pipe: Pipe) -> None:
    all_here.wait(120)
    store = open_store(f"sqlite:///{path}")
    pipe.send(store.privacy.keyed_hash("x"))
    store.close()


def test_many_may_create_the_store_and_its_key_at_once(path: str, tmp_path: Path) -> None:
    pipes, processes, all_here = [], [], FORK.Barrier(6)
    for _ in range(6):
        here, there = FORK.Pipe()
        process = FORK.Process(target=open_together, args=(path, all_here, there))
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    assert len({pipe.recv() for pipe in pipes}) == 1
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    assert [each.name for each in tmp_path.iterdir() if "key" in each.name] == ["people.db.key"]


# Two stores of one process behave as two processes do, as far as locks and caches go.


def test_a_writer_that_waits_too_long_says_so(path: str) -> None:
    one, two = SqliteStore(path), SqliteStore(path, busy_timeout=0.1)
    run = begin(two)
    with one.transaction():
        load(one, event("a"))
        with pytest.raises(StoreError) as caught:
            two.evidence.append(run, batch([event("b")]))
        assert caught.value.code == "STORE_BUSY" and "Another process" in caught.value.help
        assert two.operations.counts()["events"] == 0
    two.evidence.append(run, batch([event("b")]))
    assert one.operations.counts()["events"] == 2
    one.close()
    two.close()


def test_what_another_process_wrote_or_erased_is_noticed(path: str) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    load(one, event("a", "email:a@x.org", source="first"))
    load(two, event("b", "cookie:b", "email:a@x.org", source="second"))
    load(one, event("c", "cookie:b", "email:a@x.org", source="second"))
    assert one.operations.counts()["identifiers"] == two.operations.counts()["identifiers"] == 2
    assert list(one.evidence.sources()) == list(two.evidence.sources()) == ["first", "second"]
    gone = numbers(two, "email:a@x.org")
    events = [row.number for row in two.evidence.events(["a", "b", "c"]) if row is not None]
    two.privacy.erase(Erasure([], events, [], gone, []))
    load(one, event("d", "email:a@x.org", source="third"))
    [row] = two.evidence.events(["d"])
    assert row is not None and row.event == event("d", "email:a@x.org", source="third")
    assert numbers(one, "email:a@x.org") == numbers(two, "email:a@x.org") != gone
    assert len(two.evidence.observation_table(array(gone))) == 0
    one.close()
    two.close()
