"""Reads of events and identifiers: aligned, in order, as columns."""

from __future__ import annotations

import numpy as np
import pytest

from identity_graph.model import Identifier
from identity_graph.store.protocols import Sighting, Store
from identity_graph.tables import ObservationTable
from tests.store.building import NOW, array, batch, begin, event, load, numbers

AWKWARD = ["email:a\0b", "email:\ud800", "email:", "email:no-such"]


@pytest.fixture
def loaded(store: Store) -> Store:
    load(
        store,
        event("e2", "email:ann@x.org", "cookie:1", time=NOW + 1),
        event("e1", "email:ann@x.org", "cookie:2", time=NOW + 1, source="crm"),
        event("e0", "email:ann@x.org", time=NOW + 2),
        event("e3", "cookie:2", "user_id:7", time=NOW - 5),
    )
    return store


def observed(table: ObservationTable) -> set[tuple[int, int, int, int]]:
    columns = (table.event, table.identifier, table.time, table.source)
    assert [column.dtype.name for column in columns] == ["int64", "int64", "int64", "int16"]
    rows = list(zip(table.event.tolist(), table.identifier.tolist(), table.time.tolist(), table.source, strict=True))
    assert len(rows) == len(set(rows)) == len(table)
    return set(rows)


def test_events_are_aligned_with_the_ids(loaded: Store) -> None:
    rows = loaded.evidence.events(["e3", "missing", "e0", "e3", "", "a\0b", "\ud800"])
    assert [row and row.event.id for row in rows] == ["e3", None, "e0", "e3", None, None, None]
    assert loaded.evidence.events([]) == []


def test_event_numbers_grow_with_arrival(loaded: Store) -> None:
    rows = loaded.evidence.events(["e2", "e1", "e0", "e3"])
    arrived = [row.number for row in rows if row is not None]
    assert arrived == sorted(set(arrived)) and len(arrived) == 4


def test_events_of_an_identifier_are_by_time_then_id(loaded: Store) -> None:
    ann, seven = numbers(loaded, "email:ann@x.org", "user_id:7")
    found = loaded.evidence.events_of([seven, 987_654, ann, ann])
    assert [[row.event.id for row in rows] for rows in found] == [["e3"], [], ["e1", "e2", "e0"], ["e1", "e2", "e0"]]
    assert loaded.evidence.events_of([]) == []


def test_identifiers_are_aligned_with_the_keys(loaded: Store) -> None:
    keys = [Identifier("user_id", "7"), Identifier("user_id", "8"), Identifier("cookie", "1"), Identifier("nope", "7")]
    rows = loaded.evidence.identifiers([*keys, keys[0]])
    assert [row and row.identifier for row in rows] == [keys[0], None, keys[2], None, keys[0]]
    assert [(row.person, row.since, row.pruned) for row in rows if row] == [(None, 0, None)] * 3
    by_number = loaded.evidence.identifiers_by_number([row.number if row else 999 for row in rows])
    assert by_number == rows
    assert loaded.evidence.identifiers([]) == loaded.evidence.identifiers_by_number([]) == []


@pytest.mark.parametrize("key", AWKWARD, ids=["NUL", "surrogate", "empty", "unknown"])
def test_a_value_that_nothing_can_have_is_unknown_and_no_failure(loaded: Store, key: str) -> None:
    namespace, _, value = key.partition(":")
    known = Identifier("cookie", "1")
    rows = loaded.evidence.identifiers([Identifier(namespace, value), known])
    assert [row and row.identifier for row in rows] == [None, known]


def test_sightings(loaded: Store) -> None:
    ann, seven = numbers(loaded, "email:ann@x.org", "user_id:7")
    assert loaded.evidence.sightings([seven, 987_654, ann]) == [
        Sighting(NOW - 5, NOW - 5, 1, ("web",)),
        None,
        Sighting(NOW + 1, NOW + 2, 3, ("crm", "web")),
    ]


def test_the_identifier_table(loaded: Store) -> None:
    table, values = loaded.evidence.identifier_table()
    assert (table.number.dtype.name, table.namespace.dtype.name) == ("int64", "int16")
    assert (np.diff(table.number) > 0).all()
    keys = {f"{table.namespaces[space]}:{value}" for space, value in zip(table.namespace, values, strict=True)}
    assert keys == {"email:ann@x.org", "cookie:1", "cookie:2", "user_id:7"}
    [two] = numbers(loaded, "cookie:2")
    some, values = loaded.evidence.identifier_table(array([two, 999, two]))
    assert (some.number.tolist(), list(values)) == ([two], ["2"])
    none, values = loaded.evidence.identifier_table(array())
    assert (len(none), len(values)) == (0, 0)


def test_the_observation_table(loaded: Store) -> None:
    names = list(loaded.evidence.sources())
    everything = observed(loaded.evidence.observation_table())
    expected = set()
    for row in loaded.evidence.events(["e0", "e1", "e2", "e3"]):
        assert row is not None
        source = names.index(row.event.source)
        expected |= {(row.number, identifier, row.event.time, source) for identifier in row.identifiers}
    assert everything == expected
    # All that the events saw, which saw any of these: e1 and e3, with cookie:2, ann and 7.
    [two] = numbers(loaded, "cookie:2")
    some = observed(loaded.evidence.observation_table(array([two, 12_345])))
    events = {event for event, identifier, _, _ in everything if identifier == two}
    assert some == {row for row in everything if row[0] in events} and len(some) == 4
    assert observed(loaded.evidence.observation_table(array())) == set()


def test_tables_of_an_empty_store(store: Store) -> None:
    assert len(store.evidence.observation_table()) == 0
    assert len(store.evidence.identifier_table()[0]) == 0
    seen, last = store.evidence.arrived_since(0)
    assert (len(seen), seen.dtype.name, last) == (0, "int64", 0)
    assert (store.evidence.newest(), list(store.evidence.sources())) == (0, [])


def test_statements(store: Store) -> None:
    a, b, c = "user_id:1", "user_id:2", "user_id:3"
    load(
        store,
        event("e", same_person=[(b, a)], time=5),
        event("f", same_person=[(a, b), (b, c)], apart=[(c, b), (c, c)], time=7),
    )
    one, two, three = numbers(store, a, b, c)

    def said(*touching: int) -> list[tuple[int, int, int, bool]]:
        table = store.evidence.statements(array(touching) if touching else None)
        assert [column.dtype.name for column in (table.a, table.b, table.time, table.apart)] == ["int64"] * 3 + ["bool"]
        columns = (table.a, table.b, table.time, table.apart)
        return sorted(zip(*(column.tolist() for column in columns), strict=True))

    first, second = (min(one, two), max(one, two)), (min(two, three), max(two, three))
    everything = sorted([(*first, 5, False), (*first, 7, False), (*second, 7, False), (*second, 7, True)])
    assert said() == everything
    assert said(two) == everything
    assert said(three) == [(*second, 7, False), (*second, 7, True)]
    assert said(4_711) == []
    [row] = store.evidence.events(["f"])
    assert row is not None
    assert row.event.apart == ((Identifier("user_id", "2"), Identifier("user_id", "3")),)
    assert len(row.event.same_person) == 2


def test_who_was_kept_apart_since(store: Store) -> None:
    a, b, c = "user_id:1", "user_id:2", "user_id:3"
    load(store, event("old", apart=[(a, b)]))
    _, last = store.evidence.arrived_since(0)
    assert store.evidence.kept_apart_since(last).tolist() == []
    load(store, event("same", same_person=[(a, b)]), event("new", apart=[(c, b), (c, c)]), event("none", a))
    seen = store.evidence.identifiers([Identifier.parse(one) for one in (b, c)])
    assert store.evidence.kept_apart_since(last).tolist() == sorted(row.number for row in seen if row)
    assert len(store.evidence.kept_apart_since(0)) == 3


def test_what_arrived_since(store: Store) -> None:
    load(store, event("a", "email:a@x.org"), event("b", "email:b@x.org"))
    seen, last = store.evidence.arrived_since(0)
    assert seen.tolist() == sorted(numbers(store, "email:a@x.org", "email:b@x.org"))
    assert store.evidence.arrived_since(last)[0].tolist() == []
    load(store, event("c", "email:b@x.org", "cookie:c"), event("d", "cookie:c"), event("a", "email:a@x.org"))
    seen, after = store.evidence.arrived_since(last)
    assert seen.tolist() == sorted(numbers(store, "email:b@x.org", "cookie:c"))
    assert after > last
    assert store.evidence.arrived_since(after)[1] == after


def test_newest(loaded: Store) -> None:
    assert loaded.evidence.newest() == NOW + 2


def test_an_event_without_identifiers_is_kept(store: Store) -> None:
    load(store, event("alone"))
    [row] = store.evidence.events(["alone"])
    assert row is not None and row.identifiers == ()
    assert len(store.evidence.observation_table()) == 0


def test_a_large_batch_of_many_namespaces_and_sources(store: Store) -> None:
    events = [event(f"e{n}", f"kind{n % 300}:v{n % 7}", source=f"s{n % 400}", time=NOW - n) for n in range(3_000)]
    store.evidence.append(begin(store), batch(events))
    for given in (events[17], events[2_999]):
        [row] = store.evidence.events([given.id])
        assert row is not None and row.event == given
    assert len(store.evidence.sources()) == 400
