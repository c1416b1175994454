"""No room, and no right to write: said by name, nothing half done, and all well once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph.errors import StoreError
from identity_graph.model import Run
from identity_graph.store.protocols import Batch
from identity_graph.store.sqlite import SqliteStore
from tests.store.building import batch, begin, event


def piece(position: int, size: int = 200) -> Batch:
    events = [event(f"e{position}-{n}", f"cookie:{position}-{n}", traits={"x": "y" * 500}) for n in range(size)]
    return batch(events, position=position)


def fill(store: SqliteStore, run: Run) -> tuple[Run, StoreError]:
    while run.position < 1_000:
        try:
            run = store.evidence.append(run, piece(run.position + 1))
        except StoreError as error:
            return run, error
    raise AssertionError("the disk was never full")


def check(store: SqliteStore, run: Run) -> None:
    assert run.position > 0
    assert store.operations.runs() == [run]
    counts = store.operations.counts()
    assert counts["events"] == counts["identifiers"] == counts["observations"] == run.accepted


def test_a_full_disk(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "people.db"))
    run = begin(store)
    # SQLite's own limit on the size of the file fails as a full disk does.
    with store.transaction():
        pages = store._database.one("PRAGMA page_count")
        store._database.one(f"PRAGMA max_page_count = {pages + 200}")
    run, error = fill(store, run)
    assert error.code == "STORE_FULL" and "Make room" in error.help
    check(store, run)
    with store.transaction():
        store._database.one("PRAGMA max_page_count = 1000000")
    after = store.evidence.append(run, piece(run.position + 1))
    check(store, after)
    store.close()


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of three mebibytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if shutil.which("mount") is None or not mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)):
        pytest.skip("needs the right to mount a small tmpfs: run the tests as root to try a disk that is really full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    store = SqliteStore(str(small_disk / "people.db"))
    run, error = fill(store, begin(store))
    assert error.code == "STORE_FULL"
    check(store, run)
    store.close()
    assert mount("-o", "remount,size=64m", str(small_disk))
    again = SqliteStore(str(small_disk / "people.db"))
    check(again, run)
    check(again, again.evidence.append(run, piece(run.position + 1)))
    again.close()


def test_no_room_for_the_first_page(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (3 << 20))
    with pytest.raises(StoreError) as caught:
        SqliteStore(str(small_disk / "people.db"))
    assert caught.value.code == "STORE_FULL"


def test_a_place_that_became_read_only(small_disk: Path) -> None:
    path = small_disk / "people.db"
    SqliteStore(str(path)).close()
    assert mount("-o", "remount,ro", str(small_disk))
    for name in ("people.db", "new.db"):
        with pytest.raises(StoreError) as caught:
            SqliteStore(str(small_disk / name))
        assert caught.value.code == "STORE_OPEN" and "writable" in caught.value.help


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; run the tests as another user too")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError) as caught:
        SqliteStore(str(tmp_path / "people.db"))
    tmp_path.chmod(0o700)
    assert caught.value.code == "STORE_OPEN" and "writable" in caught.value.help
