"""How long, and how much of it, what was set aside is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from identity_graph.ingest import Ingest, ingest
from identity_graph.model import Event, Identifier
from identity_graph.store.protocols import Store
from identity_graph.store.sqlite import SqliteStore
from identity_graph.sweeping import Keeping, Sweeping
from tests.conftest import Clock, soon
from tests.story.ingesting import ingest_into

DAY = 86_400


def refused(number: int) -> Event:
    """Set aside: it names nobody."""
    return Event(f"e{number}", 1_767_225_600_000_000, "web", "Seen", (), {}, {"n": "x" * number})


def kept(store: Store) -> list[int]:
    return [record.number for record in store.operations.quarantined(limit=1000)]


@pytest.fixture
def days(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """Of five days, a record a day."""
    monkeypatch.setattr(ingest, "SWEEP_BATCH", 2)
    service = ingest_into(store, clock)
    for number in range(5):
        service.events([refused(number)])
        clock.tick(DAY)
    return service


def test_what_is_too_old_goes(store: Store, days: Ingest) -> None:
    assert (days.sweep(5, None), kept(store)) == (0, [1, 2, 3, 4, 5])
    assert (days.sweep(3, None), kept(store)) == (2, [3, 4, 5])
    assert days.sweep(3, None) == 0


def test_the_newest_are_kept_that_there_is_room_for(store: Store, days: Ingest) -> None:
    sizes = [size for *_, size in store.operations.quarantine_sizes(0, 9)]
    assert days.sweep(None, sum(sizes)) == 0
    assert (days.sweep(None, sum(sizes[2:]) + sizes[1] - 1), kept(store)) == (2, [3, 4, 5])
    assert (days.sweep(1, sizes[4]), kept(store)) == (2, [5])
    assert (days.sweep(None, 0), kept(store)) == (1, [])


def test_what_went_is_set_aside_again_when_it_comes_again(store: Store, days: Ingest) -> None:
    before = [record.record for record in store.operations.quarantined()]
    days.sweep(None, 0)
    for number in range(5):
        days.events([refused(number)])
    assert len(kept(store)) == len(before) == 5
    good = refused(6)._replace(identifiers=(Identifier("email", "ann@example.org"),))
    assert days.events([good]).accepted == 1


def test_several_sweep_at_once_and_each_record_goes_once(store: Store, days: Ingest) -> None:
    with ThreadPoolExecutor(4) as pool:
        gone = list(pool.map(lambda _: days.sweep(3, None), range(4)))
    assert (sum(gone), kept(store)) == (2, [3, 4, 5])


def test_it_goes_by_itself_again_and_again(store: Store, days: Ingest, clock: Clock) -> None:
    sweeping = Sweeping.quarantine(days, Keeping(days=3), every=0.02)
    sweeping.begin()
    try:
        soon(lambda: sweeping.deleted == 2)
        assert kept(store) == [3, 4, 5]
        clock.tick(DAY)
        soon(lambda: sweeping.deleted == 3)
    finally:
        sweeping.close()
    assert (kept(store), sweeping.trouble) == ([4, 5], "")
    clock.tick(9 * DAY)
    assert kept(store) == [4, 5]


def test_without_a_limit_nothing_is_begun(days: Ingest) -> None:
    before = threading.active_count()
    sweeping = Sweeping.quarantine(days, Keeping())
    sweeping.begin()
    assert threading.active_count() == before
    sweeping.close()


def test_a_store_that_is_written_by_another_is_swept_later(
    clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "people.db"
    store = SqliteStore(str(path), busy_timeout=0.2)
    service = ingest_into(store, clock)
    service.events([refused(1)])
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    sweeping = Sweeping.quarantine(service, Keeping(bytes=0), every=0.02)
    sweeping.begin()
    try:
        soon(lambda: sweeping.trouble == "STORE_BUSY")
        other.execute("ROLLBACK")
        soon(lambda: sweeping.deleted == 1)
        assert (kept(store), sweeping.trouble) == ([], "")
    finally:
        sweeping.close()
        other.close()
        store.close()
    said = [record.getMessage() for record in caplog.records if record.name == "identity_graph.sweeping"]
    assert said == [
        "quarantine is not swept: STORE_BUSY, StoreError",
        "deleted from quarantine, as the settings say: 1",
    ]
