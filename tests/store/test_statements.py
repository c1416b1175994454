"""How many statements a read takes: the same for one key and for a thousand."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from identity_graph.model import Identifier
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.store.building import NOW, array, batch, begin, event, publish_persons

MANY = 1_000
READS: dict[str, tuple[int, Callable[[Store, int], object]]] = {
    "events": (2, lambda s, n: s.evidence.events([f"e{i}" for i in range(n)])),
    "events_of": (3, lambda s, n: s.evidence.events_of(range(1, n + 1))),
    "identifiers": (1, lambda s, n: s.evidence.identifiers([Identifier("cookie", str(i)) for i in range(n)])),
    "identifiers_by_number": (1, lambda s, n: s.evidence.identifiers_by_number(range(1, n + 1))),
    "sightings": (1, lambda s, n: s.evidence.sightings(range(1, n + 1))),
    "identifier_table": (2, lambda s, n: s.evidence.identifier_table(array(range(1, n + 1)))),
    "observation_table": (1, lambda s, n: s.evidence.observation_table(array(range(1, n + 1)))),
    "statements": (1, lambda s, n: s.evidence.statements(array(range(1, n + 1)))),
    "membership": (1, lambda s, n: s.persons.membership(array(range(1, n + 1)))),
    "persons": (1, lambda s, n: s.persons.persons([f"p{i}" for i in range(n)])),
    "persons_by_number": (1, lambda s, n: s.persons.persons_by_number(range(1, n + 1))),
    "members": (1, lambda s, n: s.persons.members(range(1, n + 1))),
    "suppressed": (1, lambda s, n: s.persons.suppressed(range(1, n + 1))),
    "pruned": (1, lambda s, n: s.persons.pruned(array(range(1, n + 1)))),
    "changes_of": (1, lambda s, n: s.persons.changes_of([f"p{i}" for i in range(n)])),
    "segments": (1, lambda s, n: s.segments.segments([f"s{i}" for i in range(n)])),
    "of_persons": (1, lambda s, n: s.segments.of_persons([f"p{i}" for i in range(n)])),
    "find_runs": (1, lambda s, n: s.operations.find_runs([f"r{i}" for i in range(n)])),
}


@pytest.fixture
def full(store: Store) -> Store:
    pairs = [(f"cookie:{n}", f"email:{n % 10}@x.org") for n in range(MANY)]
    store.evidence.append(begin(store), batch(event(f"e{n}", *pair) for n, pair in enumerate(pairs)))
    publish_persons(store, {f"p{n}": [f"cookie:{n}"] for n in range(MANY)})
    return store


@pytest.mark.parametrize("read", READS)
def test_a_read_takes_as_many_statements_for_many_keys_as_for_one(full: Store, read: str, store_url: str) -> None:
    most, act = READS[read]
    act(full, 1)  # names of namespaces and sources are read once
    for keys in (1, MANY):
        heard: list[str] = []
        with full.trace(heard.append):
            act(full, keys)
        expected = 1 if store_url.startswith("neo4j") else most  # over a network each one is a journey
        assert len([sql for sql in heard if sql not in ("BEGIN", "COMMIT")]) == expected, heard


def test_a_page_is_a_walk_along_an_index(tmp_path: Path) -> None:
    """Of SQLite; those of Neo4j are in `test_cypher`."""
    with closing(open_store(f"sqlite:///{tmp_path / 'people.db'}")) as store:
        heard: list[str] = []
        with store.trace(heard.append):
            for backward in (False, True):
                store.persons.page(after="p", backward=backward)
                store.persons.page_by_creation(after=3, backward=backward)
                store.persons.page_by_update(after=(NOW, 3), backward=backward)
    with closing(apsw.Connection(str(tmp_path / "people.db"))) as wire:
        asked = [sql for sql in heard if "ORDER BY" in sql]
        assert len(asked) == 6
        for sql in asked:
            given = (0,) * int(max(re.findall(r"[?](\d)", sql)))
            steps = [str(row[3]) for row in wire.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
            assert len(steps) == 1 and steps[0].startswith("SEARCH"), steps  # and nothing is sorted


def test_nothing_is_heard_afterwards(store: Store) -> None:
    heard: list[str] = []
    with store.trace(heard.append):
        store.persons.count()
    store.persons.count()
    assert len(heard) == 1
