"""Which persons are not what they were: what keeps of them anything is told what to look at again."""

from __future__ import annotations

import pytest

from identity_graph.store.protocols import Marks, Store
from identity_graph.store.sqlite import layers
from tests.store.building import event, load, numbers, publication, publish_persons

KEYS = [f"cookie:{n}" for n in range(4)]


@pytest.fixture
def people(store: Store) -> Store:
    load(store, *(event(f"e{n}", key) for n, key in enumerate(KEYS)))
    publish_persons(store, {f"p{n}": [key] for n, key in enumerate(KEYS)})
    return store


def touched(store: Store, since: Marks) -> list[str]:
    found = store.persons.touched(since).tolist()
    assert found == sorted(found)
    return sorted(row.id for row in store.persons.persons_by_number(found) if row)


def owner(store: Store, id: str) -> int:
    (row,) = store.persons.persons([id])
    assert row is not None
    return row.number


def test_all_are_touched_since_the_beginning(people: Store) -> None:
    assert touched(people, Marks()) == ["p0", "p1", "p2", "p3"]
    marks = people.persons.marks()
    assert (marks.edition > 0, marks.event, marks.gone) == (True, 4, 0)
    assert touched(people, marks) == []


def test_who_was_created_or_updated_is_touched(people: Store) -> None:
    before = people.persons.marks()
    people.persons.publish(publication(updated=[owner(people, "p2")]))
    between = people.persons.marks()
    assert between != before and touched(people, before) == ["p2"]
    load(people, event("new", "cookie:new"))
    publish_persons(people, {"p4": ["cookie:new"]})
    assert (touched(people, between), touched(people, before)) == (["p4"], ["p2", "p4"])


def test_who_owns_what_a_new_event_saw_is_touched(people: Store) -> None:
    before = people.persons.marks()
    load(people, event("late", KEYS[1], KEYS[3], "cookie:nobody's"))
    after = people.persons.marks()
    assert (after.event, after.edition) == (before.event + 1, before.edition)
    assert touched(people, before) == ["p1", "p3"] and touched(people, after) == []


def test_both_sides_of_a_merge_are_touched(people: Store) -> None:
    before = people.persons.marks()
    old, new = owner(people, "p0"), owner(people, "p3")
    people.persons.publish(publication(members=[(numbers(people, KEYS[0])[0], new)], retired=[(old, new)]))
    assert touched(people, before) == ["p0", "p3"]
    assert people.persons.marks().gone == 0


def test_a_person_that_is_deleted_leaves_a_mark(people: Store) -> None:
    before = people.persons.marks()
    people.persons.publish(
        publication(pruned=[(numbers(people, KEYS[0])[0], "HUB")], retired=[(owner(people, "p0"), None)])
    )
    after = people.persons.marks()
    assert touched(people, before) == [] and before.edition < after.gone <= after.edition


def test_what_a_transaction_undid_leaves_no_mark(people: Store) -> None:
    before = people.persons.marks()
    with pytest.raises(ZeroDivisionError), people.transaction():
        people.persons.publish(publication(updated=[owner(people, "p2")]))
        assert people.persons.marks().edition == before.edition + 1
        raise ZeroDivisionError
    assert people.persons.marks() == before and touched(people, before) == []


def test_how_far_segments_are_settled_is_kept(people: Store) -> None:
    assert people.segments.settled() == 0
    people.segments.settle(7)
    assert people.segments.settled() == 7


def test_what_is_loaded_later_does_not_say_that_segments_are_settled(
    people: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "LEAST", 1)  # SQLite then takes its recent layer in
    people.segments.settle(3)
    for n in range(20):
        load(people, event(f"later {n}", KEYS[0]))
    assert people.segments.settled() == 3
