"""A file that was loaded before: the outcome is that of loading it, and nothing is mapped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from identity_graph.ingest import ingest
from identity_graph.loaders import Loader
from identity_graph.model import Identifier, Run
from identity_graph.store.protocols import Erasure, Store
from tests.conftest import Clock
from tests.story.ingesting import EVENTS, counts, ingest_into, jsonl, native, state, write

LINES = [native(number, note="x" * 100) for number in range(800)]


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LARGE", 0)


@pytest.fixture
def load(store: Store, clock: Clock) -> Callable[..., Run]:
    return lambda path, **options: ingest_into(store, clock).load(EVENTS, path, processes=0, **options)


def unmapped(load: Callable[..., Run], path: Path) -> Run:
    with mock.patch.object(Loader, "events", side_effect=AssertionError("it was mapped")):
        return load(path)


def test_nothing_is_mapped_twice(store: Store, load: Callable[..., Run], tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES, LINES[5]))
    assert counts(load(path)) == (801, 800, 1, 0, 0)
    before, heard = state(store), []
    found = unmapped(load, path)
    assert counts(found) == (801, 0, 801, 0, 0) and found.offset == path.stat().st_size
    assert counts(unmapped(load, path)) == counts(found)
    with mock.patch.object(Loader, "events", side_effect=AssertionError):
        load(path, progress=lambda *told: heard.append(told))
    assert state(store) == before and heard == [(found.offset, found.offset, 801)]
    assert [counts(run)[2] for run in store.operations.runs()] == [801, 801, 801, 1]


def test_another_content_of_the_same_size_and_ends(load: Callable[..., Run], tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES))
    assert len(path.read_bytes()) > 3 * (1 << 16)
    load(path, time=5)
    other = path.read_bytes().replace(b'"e400"', b'"E400"').replace(b'{"n": 401}', b'{"n": 104}')
    write(path, other)
    assert counts(load(path, time=5)) == (800, 1, 798, 1, 0)


def test_records_that_were_set_aside_are_judged_again(load: Callable[..., Run], tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES, native(900, identifiers={})))
    assert [counts(load(path)) for _ in range(2)] == [(801, 800, 0, 1, 0), (801, 0, 800, 1, 0)]
    with pytest.raises(AssertionError, match="it was mapped"):
        unmapped(load, path)


def erase(store: Store, number: int, *, buried: bool = True) -> None:
    (row,) = store.evidence.events([f"e{number}"])
    assert row
    with store.transaction():
        store.privacy.erase(
            Erasure(persons=[], events=[row.number], event_ids=[row.event.id] * buried, identifiers=[], tombstones=[])
        )


def test_what_was_erased_does_not_count_as_stored(store: Store, load: Callable[..., Run], tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES))
    load(path)
    erase(store, 7)
    assert store.privacy.gone() == (1, 1)
    assert counts(load(path)) == (800, 0, 799, 0, 1)
    assert counts(unmapped(load, path)) == (800, 0, 799, 0, 1)
    erase(store, 8)
    assert counts(load(path)) == (800, 0, 798, 0, 2)
    assert store.evidence.identifiers([Identifier("cookie", "c9")]) != [None]


def test_what_was_deleted_without_a_tombstone_is_stored_again(
    store: Store, load: Callable[..., Run], tmp_path: Path
) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES))
    load(path)
    erase(store, 7, buried=False)
    assert store.privacy.gone() == (0, 1)
    assert counts(load(path)) == (800, 1, 799, 0, 0)
    assert counts(unmapped(load, path)) == (800, 0, 800, 0, 0)


def test_a_load_that_was_interrupted_goes_on(load: Callable[..., Run], tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*LINES))
    load(path)
    other = write(tmp_path / "other.jsonl", jsonl(*LINES[::-1]))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(other, progress=stop, batch=100)
    assert counts(load(other)) == (800, 0, 800, 0, 0)
    assert counts(unmapped(load, other)) == (800, 0, 800, 0, 0)
