"""Saved conditions and their members."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import NotFound
from identity_graph.model import ChangeKind, Segment
from identity_graph.store.protocols import Erasure, Store
from tests.conftest import FIXTURE_SHARED
from tests.store.building import NOW, publication, publish_persons

CONDITION = {"all": [{"trait": {"name": "plan", "is": {"equals": "gold"}}}]}


def segment(name: str, condition: dict[str, object] | None = None) -> Segment:
    return Segment(name, f"about {name}", condition or CONDITION, NOW, NOW, 0)


@pytest.fixture
def people(store: Store) -> Store:
    publish_persons(store, {f"p{n}": [] for n in range(5)})
    return store


def test_save_and_replace(people: Store) -> None:
    people.segments.save(segment("gold"), ["p3", "p1", "p1"])
    [found] = people.segments.segments(["gold"])
    assert found == Segment("gold", "about gold", CONDITION, NOW, NOW, 2)
    assert people.segments.members("gold") == ["p1", "p3"]
    people.segments.save(Segment("gold", "anew", {"not": {}}, NOW + 1, NOW + 2, 99), ["p2"])
    assert people.segments.segments() == [Segment("gold", "anew", {"not": {}}, NOW + 1, NOW + 2, 1)]
    assert people.segments.members("gold") == ["p2"]


def test_segments_are_aligned_or_all_by_name(store: Store) -> None:
    for name in ("b", "a", "ü"):
        store.segments.save(segment(name), [])
    assert [found and found.name for found in store.segments.segments(["ü", "none", "a"])] == ["ü", None, "a"]
    assert [found and found.name for found in store.segments.segments()] == ["a", "b", "ü"]
    assert store.segments.segments([]) == []


def test_delete(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1"])
    assert people.segments.delete("gold", NOW) is True
    assert people.segments.delete("gold", NOW) is False
    assert people.segments.segments() == []
    assert people.segments.of_persons(["p1"]) == [[]]
    people.segments.save(segment("gold"), [])
    assert people.segments.members("gold") == []


def test_refresh_moves_only_who_entered_or_left(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1", "p2", "p3"])
    people.segments.refresh("gold", ["p4", "p2"], ["p1", "p9"], NOW + 5, NOW + 6)
    assert people.segments.members("gold") == ["p2", "p3", "p4"]
    [found] = people.segments.segments(["gold"])
    assert found is not None and (found.size, found.evaluated, found.created) == (3, NOW + 5, NOW)
    with pytest.raises(NotFound) as caught:
        people.segments.refresh("silver", [], [], NOW, NOW)
    assert caught.value.code == "SEGMENT_UNKNOWN"


def test_segments_of_persons(people: Store) -> None:
    people.segments.save(segment("b"), ["p1", "p2"])
    people.segments.save(segment("a"), ["p1"])
    assert people.segments.of_persons(["p2", "p0", "p1", "p2"]) == [["b"], [], ["a", "b"], ["b"]]
    assert people.segments.of_persons([]) == []


def test_members_are_paged(store: Store) -> None:
    ids = [f"p{n:03}" for n in range(250)]
    publish_persons(store, {id: [] for id in ids})
    store.segments.save(segment("all"), ids)
    assert store.segments.members("all") == ids[:100]
    assert store.segments.members("all", after="p099", limit=101) == ids[100:201]
    assert store.segments.members("all", after="p249") == []
    assert store.segments.members("none") == []


def test_only_live_persons_are_members(people: Store) -> None:
    [old, new] = [row.number for row in people.persons.persons(["p1", "p2"]) if row]
    people.persons.publish(publication(retired=[(old, new)]))
    people.segments.save(segment("gold"), ["p1", "nobody", "p3", "\0"])
    assert people.segments.members("gold") == ["p3"]
    people.segments.refresh("gold", ["p2", "nobody", "p1"], ["p1"], NOW, NOW)
    assert people.segments.members("gold") == ["p2", "p3"]
    [found] = people.segments.segments(["gold"])
    assert found is not None and found.size == 2
    assert people.segments.of_persons(["p1", "nobody", "p2"]) == [[], [], ["gold"]]


def test_who_leaves_and_enters_at_once_is_in(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1"])
    people.segments.refresh("gold", ["p1", "p2"], ["p1", "p2"], NOW, NOW)
    assert people.segments.members("gold") == ["p1", "p2"]


def test_overlap(people: Store) -> None:
    people.segments.save(segment("a"), ["p0", "p1", "p2"])
    people.segments.save(segment("b"), ["p1", "p2", "p3"])
    people.segments.save(segment("none"), [])
    assert people.segments.overlap("a", "b") == people.segments.overlap("b", "a") == 2
    assert people.segments.overlap("a", "a") == 3
    assert people.segments.overlap("a", "none") == people.segments.overlap("a", "unknown") == 0


def test_computed_traits_are_declared_all_at_once(store: Store) -> None:
    assert store.segments.computed() == {}
    spent = {"measure": "SUM", "property": "total", "names": ["Ordered"]}
    store.segments.declare({"spent": spent, "a ü": {}})
    assert list(store.segments.computed().items()) == [("a ü", {}), ("spent", spent)]
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.segments.declare({})
        assert store.segments.computed() == {}
        raise ZeroDivisionError
    assert store.segments.computed()["spent"] == spent
    store.segments.declare({})
    assert store.segments.computed() == {}


def told(store: Store, after: int = 0) -> list[tuple[str, str, str | None, int]]:
    """Who entered or left what, and when."""
    kinds = [ChangeKind.ENTERED, ChangeKind.LEFT]
    found = store.persons.changes(after=after, kinds=kinds)
    assert [one.number for one in found] == sorted({one.number for one in found})
    assert all(one.cause == "segment" and one.policy == "rules" and one.message for one in found)
    return [(one.kind.value, one.person_id, one.segment, one.time - NOW) for one in found]


def test_who_enters_and_leaves_is_told(people: Store) -> None:
    people.segments.save(segment("gold"), ["p2", "p1", "p1", "nobody"])
    assert told(people) == [("ENTERED", "p1", "gold", 0), ("ENTERED", "p2", "gold", 0)]
    last = people.transfer.standing().change
    people.segments.refresh("gold", ["p2", "p3", "p9"], ["p1", "p4"], NOW, NOW + 7)
    assert told(people, last) == [("LEFT", "p1", "gold", 7), ("ENTERED", "p3", "gold", 7)]
    [p1] = people.persons.changes_of(["p1"])
    assert [one.kind for one in p1 if one.segment] == [ChangeKind.ENTERED, ChangeKind.LEFT]
    last = people.transfer.standing().change
    people.segments.save(segment("gold"), None)
    assert people.segments.members("gold") == ["p2", "p3"] and told(people, last) == []
    people.segments.save(segment("gold"), ["p3", "p4"])
    assert told(people, last) == [("LEFT", "p2", "gold", 0), ("ENTERED", "p4", "gold", 0)]
    last = people.transfer.standing().change
    people.segments.delete("gold", NOW + 9)
    assert told(people, last) == [("LEFT", "p3", "gold", 9), ("LEFT", "p4", "gold", 9)]


def test_who_is_merged_leaves(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1", "p2"])
    people.segments.save(segment("all"), ["p1", "p3"])
    last = people.transfer.standing().change
    [p1, p2, p3] = [row.number for row in people.persons.persons(["p1", "p2", "p3"]) if row]
    people.persons.publish(publication(retired=[(p1, p2), (p3, None)], time=NOW + 3))
    assert sorted(told(people, last)) == [("LEFT", "p1", "all", 3), ("LEFT", "p1", "gold", 3), ("LEFT", "p3", "all", 3)]
    assert people.segments.members("all") == []


def test_of_who_is_erased_nothing_is_told(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1", "p2", "p3"])
    [p1, p2] = [row.number for row in people.persons.persons(["p1", "p2"]) if row]
    people.persons.publish(publication(retired=[(p1, p2)]))
    people.privacy.erase(Erasure([p2], [], [], [], []))
    assert told(people) == [("ENTERED", "p3", "gold", 0)]
    assert people.segments.members("gold") == ["p3"]


@given(steps=st.lists(st.tuples(st.sets(st.sampled_from("01234")), st.sets(st.sampled_from("01234"))), max_size=6))
@settings(suppress_health_check=FIXTURE_SHARED, max_examples=20, deadline=None)
def test_who_is_in_follows_from_what_was_told(people: Store, steps: list[tuple[set[str], set[str]]]) -> None:
    people.segments.delete("law", NOW)
    people.segments.save(segment("law"), [])
    last = people.transfer.standing().change
    for entered, left in steps:
        people.segments.refresh("law", [f"p{n}" for n in entered], [f"p{n}" for n in left], NOW, NOW)
    inside: set[str] = set()
    for kind, person, _, _ in told(people, last):
        assert (person in inside) == (kind == "LEFT"), "nobody enters twice"
        inside ^= {person}
    assert sorted(inside) == people.segments.members("law")
