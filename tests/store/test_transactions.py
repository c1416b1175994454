"""All or nothing across the protocols, and several reads of one moment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from identity_graph.model import Segment
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.store.building import NOW, begin, event, load, publication, publish_persons


def everything(store: Store) -> object:
    return store.operations.counts(), list(store.operations.canonical_lines()), store.persons.resolved()


def change_all(store: Store) -> None:
    load(store, event("a", "email:a@x.org"), event("b", "cookie:b"))
    publish_persons(store, {"p1": ["email:a@x.org"], "p2": ["cookie:b"]})
    store.persons.publish(publication(resolved=2, policy="other"))
    store.segments.save(Segment("s", "", {}, NOW, NOW, 0), ["p1"])
    begin(store)


def test_nothing_of_a_transaction_that_fails_is_left(store: Store) -> None:
    load(store, event("before", "cookie:b"))
    before = everything(store)
    with pytest.raises(KeyboardInterrupt), store.transaction():
        change_all(store)
        assert everything(store) != before
        raise KeyboardInterrupt
    assert everything(store) == before
    assert store.operations.runs(limit=5)[1:] == []


def test_an_inner_transaction_that_fails_takes_only_itself_back(store: Store) -> None:
    with store.transaction():
        load(store, event("outer", "cookie:1"))
        with store.transaction():
            load(store, event("inner", "cookie:2"))
        with pytest.raises(ZeroDivisionError), store.transaction():
            load(store, event("failed", "cookie:3"))
            raise ZeroDivisionError
        load(store, event("after", "cookie:3"))
    assert [row is not None for row in store.evidence.events(["outer", "inner", "failed", "after"])] == [
        True,
        True,
        False,
        True,
    ]
    assert store.operations.counts()["identifiers"] == 3


def test_a_transaction_reads_what_it_wrote(store: Store) -> None:
    with store.transaction():
        change_all(store)
        assert store.persons.count() == 2
        assert store.segments.members("s") == ["p1"]
        assert store.moment(lambda: store.evidence.events(["a"])) != [None]


def test_beside_its_body_is_read_what_the_transaction_sees(store: Store) -> None:
    def members() -> list[int]:
        numbers, _ = store.persons.membership()
        return list(numbers)

    change_all(store)
    with store.transaction():
        with store.beside(members) as seen, store.beside(lambda: 1 // 0) as failed:
            assert store.persons.count() == 2
            assert seen() == members()
            with pytest.raises(ZeroDivisionError):
                failed()
        load(store, event("c", "cookie:c"))
        publish_persons(store, {"p3": ["cookie:c"]})
        with store.beside(members) as seen:
            assert seen() == members() and len(seen()) == 3
    with store.beside(members) as seen:
        assert len(seen()) == 3


def test_what_a_moment_answers_is_of_one_moment(store: Store, store_url: str) -> None:
    # In memory there is nobody else; other threads wait.
    other = None if store_url.endswith(":memory:") else open_store(store_url)
    changed = other is not None

    def read() -> tuple[int, int]:
        nonlocal other
        first = store.persons.count()
        if other is not None:
            change_all(other)
            other.close()
            other = None
        inner = store.moment(lambda: [store.persons.count(), len(store.segments.members("s"))])
        assert inner[0] == inner[1] * 2
        return first, store.persons.count()

    first, second = store.moment(read)
    assert first == second
    assert store.persons.count() == (2 if changed else 0)
    with pytest.raises(ZeroDivisionError):
        store.moment(lambda: 1 // 0)
    load(store, event("c"))
    assert store.operations.counts()["events"] == (3 if changed else 1)


def test_writers_in_threads_take_turns(store: Store) -> None:
    publish_persons(store, {f"p{k}": [] for k in range(40)})

    def add() -> None:
        for _ in range(10):
            with store.transaction():
                found = store.segments.segments(["count"])[0]
                size = found.size if found else 0
                store.segments.save(Segment("count", "", {}, NOW, NOW, 0), [f"p{k}" for k in range(size + 1)])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    [found] = store.segments.segments(["count"])
    assert found is not None and found.size == 40


def test_a_version_differs_when_anybody_has_committed(store: Store) -> None:
    """A store that cannot tell it at once says None, and always."""
    before = store.version()
    assert store.version() == before
    with store.transaction():
        load(store, event("a", "email:a@x.org"))
        assert store.version() == before
    after = store.version()
    assert (after is None) == (before is None)
    if after is not None:
        assert after != before
        list(store.operations.canonical_lines())
        assert store.version() == after


def test_a_version_differs_when_another_process_has_committed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'people.db'}"
    one, other = open_store(url), open_store(url)
    before = one.version(), other.version()
    load(other, event("a", "email:a@x.org"))
    assert one.version() != before[0] and other.version() != before[1]
    one.close()
    other.close()
