"""Sorted parts of a tree beside a plain list of entries: whatever is found, taken away and merged is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph import deadline
from identity_graph.hashed import hashes
from identity_graph.model import Identifier
from identity_graph.store import open_store
from identity_graph.store.protocols import Erasure, Store
from identity_graph.store.sqlite import entries as looking
from identity_graph.store.sqlite import layers, parts
from identity_graph.store.sqlite import pages as lying
from identity_graph.store.sqlite import tree as trees
from identity_graph.store.sqlite.connection import PAGE_BYTES, Connection
from identity_graph.store.sqlite.tree import EVENT_ID, OBSERVATION, SOURCE_BITS, Tree
from identity_graph.tables import Int64
from tests.store.building import array, batch, begin, event, load
from tests.store.test_erase import erasure

HASHES = st.integers(-(2**47), 2**47 - 1) | st.integers(-3, 3) | st.sampled_from([-(2**47), 2**47 - 1])
IDENTIFIERS = st.integers(1, 6) | st.integers(1, 2**31 - 1)
NAMED = st.lists(HASHES, max_size=30)
SEEN = st.lists(IDENTIFIERS, max_size=30)


@contextmanager
def small(page: int = 3, many: int = lying.MANY) -> Iterator[pytest.MonkeyPatch]:
    """Pages of so few entries, and two pages in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "PAGE_BYTES", 64 + 24 * page)
        for module in (lying, looking, parts):
            patch.setattr(module, "AT_ONCE", 2)
        patch.setattr(lying, "MANY", many)
        yield patch


@contextmanager
def opened() -> Iterator[Connection]:
    database = Connection(":memory:")
    try:
        yield database
    finally:
        database.close()


def entries_of(tree: Tree, keys: list[int], first: int) -> Int64:
    """Numbered from there on, in order."""
    ordered = np.sort(array(keys))
    numbers = np.arange(first, first + len(ordered))
    if tree is EVENT_ID:
        return np.column_stack((ordered, numbers))
    return np.column_stack((ordered << SOURCE_BITS | numbers % 3, -numbers, numbers))


def put(database: Connection, tree: Tree, entries: Int64) -> None:
    with database.transaction():
        part = layers.begin_part(database, len(entries) or 1)
        parts.write(database, tree, part, [entries[: len(entries) // 2], entries[len(entries) // 2 :]])


def found(database: Connection, tree: Tree, keys: list[int]) -> list[tuple[int, ...]]:
    return sorted(map(tuple, looking.find(database, tree, np.unique(array(keys))).tolist()))


def keys_in_places(database: Connection, tree: Tree) -> set[int]:
    """Of which a place tells, other than by the key before the first one that is there."""
    rows = database.rows(f"SELECT place, entries FROM part_{tree.name}")
    places = {place: tree.unpacked([page]) for place, page in rows}
    return {
        key
        for place, entries in places.items()
        if (key := place - (int(trees.part_of(array([place]))[0]) << trees.PLACE_BITS) >> tree.copies) + 1
        != tree.keys(entries)[0]
    }


def expected(tree: Tree, all_: list[Int64], keys: set[int]) -> list[tuple[int, ...]]:
    return sorted(tuple(row) for entries in all_ for row in entries.tolist() if row[0] >> tree.low in keys)


@pytest.mark.parametrize("tree", [EVENT_ID, OBSERVATION], ids=lambda tree: str(tree.name))
@pytest.mark.parametrize("many", [0, lying.MANY])
@settings(deadline=None)
@given(data=st.data(), page=st.integers(1, 4))
def test_what_is_found_is_what_was_written(tree: Tree, many: int, data: st.DataObject, page: int) -> None:
    keys = NAMED if tree is EVENT_ID else SEEN
    written = data.draw(st.lists(keys, min_size=1, max_size=5))
    with small(page, many), opened() as database:
        all_ = []
        for number, each in enumerate(written):
            all_.append(entries_of(tree, each, 100 * number))
            put(database, tree, all_[-1])
        some = {key for each in written for key in each}
        asked = [key for key in some if data.draw(st.booleans())] + data.draw(keys) or [1]
        assert found(database, tree, asked) == expected(tree, all_, set(asked))
        assert sum(map(len, looking.stored(database, tree))) == sum(map(len, all_))

        gone = {row[-1] for entries in all_ for row in entries.tolist() if data.draw(st.booleans())}
        with database.transaction():
            there = np.unique(np.concatenate([tree.keys(entries) for entries in all_]))
            if len(there) and gone:
                parts.remove(database, tree, there, array(sorted(gone)))
        all_ = [entries[[row[-1] not in gone for row in entries.tolist()]] for entries in all_]
        left = {int(key) for entries in all_ for key in tree.keys(entries)}
        assert left.isdisjoint(some - left) and keys_in_places(database, tree).isdisjoint(some - left)
        assert found(database, tree, asked) == expected(tree, all_, set(asked))

        with database.transaction():
            into = layers.begin_part(database, 1)
            parts.merge(database, tree, [number for (number,) in database.rows("SELECT number FROM part")][:-1], into)
            database.write("DELETE FROM part WHERE number <> ?", (into,))
        assert found(database, tree, asked) == expected(tree, all_, set(asked))
        assert found(database, tree, sorted(some) or [1]) == expected(tree, all_, some)
        pages = database.rows(f"SELECT entries FROM part_{tree.name} ORDER BY place")
        merged = tree.keys(tree.unpacked(blob for (blob,) in pages))
        assert merged.tolist() == sorted(merged.tolist())
        assert all(len(blob) <= tree.page * tree.width for (blob,) in pages)


def test_a_key_may_fill_many_pages() -> None:
    """In a part that comes in pieces, and where parts are merged; also the highest key that there is."""
    with small(), opened() as database:
        for key in (7, 2**31 - 1):
            for number in range(2):
                put(database, OBSERVATION, entries_of(OBSERVATION, [key] * 500, 1_000 * number))
        with database.transaction():
            parts.merge(database, OBSERVATION, [1, 2, 3, 4], layers.begin_part(database, 1))
            database.write("DELETE FROM part WHERE number < 5")
        assert len(found(database, OBSERVATION, [7])) == len(found(database, OBSERVATION, [2**31 - 1])) == 1_000
        assert found(database, OBSERVATION, [6, 8]) == []


def test_parts_stay_few_and_numbers_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LARGE", 1)
    with closing(open_store("sqlite:///:memory:")) as store:
        database: Connection = store._database  # type: ignore[attr-defined]
        most = 0
        for number in range(600):
            load(store, event(f"e{number}", f"cookie:{number % 7}"))
            most = max(most, database.one("SELECT count(*) FROM part"))
        events = sum(count for (count,) in database.rows("SELECT events FROM part"))
        assert events == 600 and most <= 4 * 7 + 1
        assert database.one("SELECT max(number) FROM part") <= most + 1
        assert len(store.evidence.events_of([1])[0]) == len(range(0, 600, 7))


def test_the_recent_layer_becomes_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LEAST", 10)
    with closing(open_store("sqlite:///:memory:")) as store:
        database: Connection = store._database  # type: ignore[attr-defined]
        for number in range(9):
            load(store, event(f"e{number}", f"cookie:{number}"))
        assert database.one("SELECT count(*) FROM part") == 0
        load(store, event("e9", "cookie:9"))
        assert database.rows("SELECT events FROM part") == [(10,)]
        assert [database.one(f"SELECT count(*) FROM recent_{tree.name}") for tree in trees.TREES] == [0, 0, 0]
        assert store.operations.counts()["observations"] == 10


READS: dict[str, tuple[int, Callable[[Store, int], Sized]]] = {
    "events": (4, lambda s, n: s.evidence.events([f"e{i}" for i in range(n)])),
    "events_of": (4, lambda s, n: s.evidence.events_of(range(1, n + 1))),
    "identifiers": (3, lambda s, n: s.evidence.identifiers([Identifier("cookie", str(i)) for i in range(n)])),
    "sightings": (2, lambda s, n: s.evidence.sightings(range(1, n + 1))),
    "observation_table": (3, lambda s, n: s.evidence.observation_table(array(range(1, n + 1)))),
}


def statements(store: Store, act: Callable[[Store, int], Sized], keys: int) -> tuple[int, int]:
    """How many rows come, and how many statements that takes."""
    heard: list[str] = []
    with store.trace(heard.append):
        rows = len(act(store, keys))
    return rows, len([sql for sql in heard if sql not in ("BEGIN", "COMMIT")])


@pytest.mark.parametrize("read", READS)
def test_a_read_of_parts_takes_as_many_statements_for_many_keys_as_for_one(
    read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for pages of a part and one for rows more than of the recent layer."""
    monkeypatch.setattr(layers, "LARGE", 1)
    most, act = READS[read]
    with closing(open_store("sqlite:///:memory:")) as store:
        store.evidence.append(begin(store), batch([event(f"e{n}", f"cookie:{n}") for n in range(3_000)]))
        act(store, 1)
        for keys in (1, lying.MANY - 1, lying.MANY, 3_000):
            assert statements(store, act, keys) == (keys, most)


@pytest.mark.parametrize("read", READS)
def test_a_read_of_few_keys_takes_as_many_statements_of_many_parts_as_of_one(
    read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "LARGE", 1)
    most, act = READS[read]
    with closing(open_store("sqlite:///:memory:")) as store:
        for part in range(6):
            load(store, *(event(f"e{n}", f"cookie:{n % 499}") for n in range(part, 3_000, 6)))
        database: Connection = store._database  # type: ignore[attr-defined]
        assert database.one("SELECT count(*) FROM part") == 6
        act(store, 1)
        for keys in (1, 3, lying.MANY - 1):
            rows, taken = statements(store, act, keys)
            assert rows >= keys and taken == most


def test_an_erasure_of_many_takes_them_out_of_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LARGE", 100)
    with closing(open_store("sqlite:///:memory:")) as store:
        events = [event(f"e{n}", f"cookie:{n % 50}", "ip:shared") for n in range(3_000)]
        for start in range(0, len(events), 300):
            load(store, *events[start : start + 300])
        gone = [each for each in events if each.identifiers[0].value in ("3", "4")]
        keys = sorted({each.identifiers[0].key for each in gone})
        store.privacy.erase(erasure(store, "nobody", [each.id for each in gone], keys))
        assert store.operations.counts()["observations"] == 2 * (len(events) - len(gone))
        assert store.evidence.events([each.id for each in gone]) == [None] * len(gone)
        [shared] = store.evidence.identifiers([events[0].identifiers[1]])
        assert shared
        [rows] = store.evidence.events_of([shared.number])
        assert {row.event.id for row in rows} == {each.id for each in events} - {each.id for each in gone}
        run = load(store, *events)
        assert (run.accepted, run.duplicate, run.suppressed) == (0, len(events) - len(gone), len(gone))


def test_an_event_that_saw_nobody_is_erased() -> None:
    with closing(open_store("sqlite:///:memory:")) as store:
        load(store, event("alone"), event("other", "cookie:1"))
        store.privacy.erase(erasure(store, "nobody", ["alone"], []))
        store.privacy.erase(Erasure([], [99], [], [99], []))
        assert [row and row.event.id for row in store.evidence.events(["alone", "other"])] == [None, "other"]


def test_no_page_keeps_where_a_page_lay_that_is_gone(tmp_path: Path) -> None:
    """Not of the tree's own pages either, of which there are three levels."""
    database = Connection(str(tmp_path / "people.db"))
    found = np.unique(np.random.default_rng(5).integers(-(2**47), 2**47, 620_000))
    with database.transaction():
        parts.write_hashed(database, EVENT_ID, layers.begin_part(database, 1), found, np.arange(len(found)))
    places = array(sorted(place for (place,) in database.rows("SELECT place FROM part_event_id")))
    assert len(places) > 1_200
    gone = places[np.arange(len(places)) % 3 > 0]
    some = np.flatnonzero(np.arange(len(found)) // EVENT_ID.page % 3 > 0)  # two pages in three
    with database.transaction():
        parts.remove(database, EVENT_ID, found[some], some)
    database.truncate_log()
    database.close()
    file = (tmp_path / "people.db").read_bytes()
    pages = (file[start : start + PAGE_BYTES] for start in range(PAGE_BYTES, len(file), PAGE_BYTES))
    content = b"".join(page for page in pages if page[0] in (2, 5, 10))  # of trees, without their rows
    assert [place for place in gone.tolist() if place.to_bytes(8, "big") in content or varint(place) in content] == []
    assert all(place.to_bytes(8, "big") in content for place in places[::3].tolist())


def varint(number: int) -> bytes:
    """As SQLite writes the numbers of rows."""
    last = [number & 0xFF] if number >> 56 else []
    rest = number >> 8 if last else number
    groups = [rest >> shift & 0x7F for shift in range(49, -1, -7)]
    return (
        bytes([0x80 | group for group in groups] + last)
        if last
        else bytes([*(0x80 | g for g in groups[:-1]), groups[-1]])
    )


def test_ids_whose_hashes_are_all_negative() -> None:
    ids = [id for id in map(str, range(4_000)) if hashes([id])[0] < 0]
    with closing(open_store("sqlite:///:memory:")) as store:
        assert load(store, *(event(id, f"cookie:{id}") for id in ids)).accepted == len(ids) > 1_500
        assert load(store, *(event(id, f"cookie:{id}") for id in ids)).duplicate == len(ids)
        assert None not in store.evidence.events(ids)


def test_a_request_with_a_deadline_merges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LARGE", 1)
    monkeypatch.setattr(layers, "LEAST", 1)
    with closing(open_store("sqlite:///:memory:")) as store:
        database: Connection = store._database  # type: ignore[attr-defined]
        with deadline.within(60):
            load(store, event("e1", "cookie:1"))
        assert database.one("SELECT count(*) FROM part") == 0
        load(store, event("e2", "cookie:2"))
        assert database.rows("SELECT events FROM part ORDER BY number") == [(1,), (1,)]
        assert store.operations.counts()["observations"] == 2
