"""Saved conditions and their members."""

from __future__ import annotations

import pytest

from identity_graph.errors import NotFound
from identity_graph.model import Segment
from identity_graph.store.protocols import Store
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
    assert people.segments.delete("gold") is True
    assert people.segments.delete("gold") is False
    assert people.segments.segments() == []
    assert people.segments.of_persons(["p1"]) == [[]]
    people.segments.save(segment("gold"), [])
    assert people.segments.members("gold") == []


def test_refresh_moves_only_who_entered_or_left(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1", "p2", "p3"])
    people.segments.refresh("gold", ["p4", "p2"], ["p1", "p9"], NOW + 5)
    assert people.segments.members("gold") == ["p2", "p3", "p4"]
    [found] = people.segments.segments(["gold"])
    assert found is not None and (found.size, found.evaluated, found.created) == (3, NOW + 5, NOW)
    with pytest.raises(NotFound) as caught:
        people.segments.refresh("silver", [], [], NOW)
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
    people.segments.refresh("gold", ["p2", "nobody", "p1"], ["p1"], NOW)
    assert people.segments.members("gold") == ["p2", "p3"]
    [found] = people.segments.segments(["gold"])
    assert found is not None and found.size == 2
    assert people.segments.of_persons(["p1", "nobody", "p2"]) == [[], [], ["gold"]]


def test_who_leaves_and_enters_at_once_is_in(people: Store) -> None:
    people.segments.save(segment("gold"), ["p1"])
    people.segments.refresh("gold", ["p1", "p2"], ["p1", "p2"], NOW)
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
