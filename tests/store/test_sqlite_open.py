"""Opening: what a URL may say, what is refused, and with which words."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from identity_graph.errors import StoreError
from identity_graph.model import Identifier
from identity_graph.store import open_store
from identity_graph.store.sqlite import SqliteStore
from tests.store.building import event, load


def refusal(url: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(url)
    return caught.value


@pytest.mark.parametrize(
    "url",
    ["", "people.db", "sqlite:people.db", "sqlite://people.db", "sqlite:///", "postgres:///x", "SQLITE:///x"],
)
def test_what_is_no_url_of_a_store(url: str) -> None:
    error = refusal(url)
    assert error.code == "STORE_URL" and "sqlite:///people.db" in error.help


def test_a_relative_and_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///my people.db")
    load(store, event("a"))
    store.close()
    again = open_store(f"sqlite:////{tmp_path}/my people.db".replace("////", "///", 1))
    assert again.operations.counts()["events"] == 1
    again.close()


def test_two_stores_in_memory_are_two() -> None:
    one, two = open_store("sqlite:///:memory:"), open_store("sqlite:///:memory:")
    load(one, event("a"))
    assert (one.operations.counts()["events"], two.operations.counts()["events"]) == (1, 0)
    one.close()
    two.close()


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    error = refusal(f"sqlite:///{tmp_path / 'no' / 'people.db'}")
    assert error.code == "STORE_OPEN" and "does not exist" in error.message and "Create" in error.help


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    error = refusal(f"sqlite:///{tmp_path}")
    assert error.code == "STORE_OPEN" and str(tmp_path) in error.message


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,email\n" * 1_000)
    before = path.read_bytes()
    error = refusal(f"sqlite:///{path}")
    assert error.code == "STORE_OPEN" and "Give the path of a store" in error.help
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "places.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE place (name)")
    other.close()
    before = path.read_bytes()
    error = refusal(f"sqlite:///{path}")
    assert error.code == "STORE_OPEN" and "another program" in error.message
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["places.db"]


@pytest.mark.parametrize("moment", range(24))
def test_a_file_that_another_process_makes_a_store_meanwhile(
    moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any of the things that are asked of SQLite while it is opened."""
    url, asked = f"sqlite:///{tmp_path / 'people.db'}", 0

    class Slow(apsw.Connection):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            self.other_first()
            return super().execute(*arguments, **options)

        def pragma(self, *arguments: Any, **options: Any) -> Any:
            self.other_first()
            return super().pragma(*arguments, **options)

        def other_first(self) -> None:
            nonlocal asked
            asked += 1
            if asked == moment + 1 and not self.in_transaction:
                with monkeypatch.context() as patch:
                    patch.setattr("apsw.Connection", Slow.__base__)
                    load(other := open_store(url), event("a"))
                    other.close()

    monkeypatch.setattr("apsw.Connection", Slow)
    store = open_store(url)
    assert load(store, event("a"), event("b")).read == 2
    assert asked > moment
    store.close()


def test_a_store_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    open_store(f"sqlite:///{path}").close()
    later = apsw.Connection(str(path))
    later.pragma("user_version", 99)
    later.close()
    error = refusal(f"sqlite:///{path}")
    assert error.code == "STORE_VERSION" and "version 99" in error.message


def test_a_store_keeps_what_it_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    store = open_store(url)
    load(store, event("a", "email:a@x.org", source="web"))
    lines = list(store.operations.canonical_lines())
    key = store.privacy.keyed_hash("x")
    store.close()
    again = open_store(url)
    assert list(again.operations.canonical_lines()) == lines
    assert again.privacy.keyed_hash("x") == key
    assert load(again, event("a", "email:a@x.org", source="web"), event("b", "email:a@x.org")).duplicate == 1
    [row] = again.evidence.identifiers([Identifier("email", "a@x.org")])
    assert row is not None
    again.close()


def test_acknowledged_data_is_durable_and_deleted_data_overwritten(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "people.db"))
    wanted = {"synchronous": 2, "secure_delete": 1, "journal_mode": "wal", "temp_store": 2, "trusted_schema": 0}
    with store.transaction():
        assert {name: store._database.one(f"PRAGMA {name}") for name in wanted} == wanted
    assert {name: store._database.one(f"PRAGMA {name}") for name in wanted} == wanted
    store.close()


def test_a_long_write_keeps_no_reader_waiting(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'people.db'}")
    load(store, event("a"))
    writing, answered = threading.Event(), threading.Event()

    def write() -> None:
        with store.transaction():
            load(store, event("b"))
            assert store.operations.counts()["events"] == 2  # who writes sees its own
            writing.set()
            assert answered.wait(timeout=120)

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(timeout=120)
    assert store.operations.counts()["events"] == 1
    answered.set()
    writer.join()
    assert store.operations.counts()["events"] == 2
    store.close()


def test_many_threads_at_once(store_url: str) -> None:
    store = open_store(store_url)
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for n in range(15):
                load(store, event(f"e{thread}-{n}", f"cookie:{n}", source=f"s{thread}"))
                rows = store.evidence.events([f"e{thread}-{k}" for k in range(n + 1)])
                assert all(row is not None and row.event.source == f"s{thread}" for row in rows)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    counts = store.operations.counts()
    assert (counts["events"], counts["identifiers"], counts["observations"]) == (90, 15, 90)
    store.close()
