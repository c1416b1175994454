"""Saved conditions and their members."""

from __future__ import annotations

import pytest

from identity_graph.errors import NotFound
from identity_graph.model import Segment
from identity_graph.store.protocols import Store
from tests.store.building import NOW

CONDITION = {"all": [{"trait": {"name": "plan", "is": {"equals": "gold"}}}]}


def segment(name: str, condition: dict[str, object] | None = None) -> Segment:
    return Segment(name, f"about {name}", condition or CONDITION, NOW, NOW, 0)


def test_save_and_replace(store: Store) -> None:
    store.segments.save(segment("gold"), ["p3", "p1", "p1"])
    [found] = store.segments.segments(["gold"])
    assert found == Segment("gold", "about gold", CONDITION, NOW, NOW, 2)
    assert store.segments.members("gold") == ["p1", "p3"]
    store.segments.save(Segment("gold", "anew", {"not": {}}, NOW + 1, NOW + 2, 99), ["p2"])
    assert store.segments.segments() == [Segment("gold", "anew", {"not": {}}, NOW + 1, NOW + 2, 1)]
    assert store.segments.members("gold") == ["p2"]


def test_segments_are_aligned_or_all_by_name(store: Store) -> None:
    for name in ("b", "a", "ü"):
        store.segments.save(segment(name), [])
    assert [found and found.name for found in store.segments.segments(["ü", "none", "a"])] == ["ü", None, "a"]
    assert [found and found.name for found in store.segments.segments()] == ["a", "b", "ü"]
    assert store.segments.segments([]) == []


def test_delete(store: Store) -> None:
    store.segments.save(segment("gold"), ["p1"])
    assert store.segments.delete("gold") is True
    assert store.segments.delete("gold") is False
    assert store.segments.segments() == []
    assert store.segments.of_persons(["p1"]) == [[]]
    store.segments.save(segment("gold"), [])
    assert store.segments.members("gold") == []


def test_refresh_moves_only_who_entered_or_left(store: Store) -> None:
    store.segments.save(segment("gold"), ["p1", "p2", "p3"])
    store.segments.refresh("gold", ["p4", "p2"], ["p1", "p9"], NOW + 5)
    assert store.segments.members("gold") == ["p2", "p3", "p4"]
    [found] = store.segments.segments(["gold"])
    assert found is not None and (found.size, found.evaluated, found.created) == (3, NOW + 5, NOW)
    with pytest.raises(NotFound) as caught:
        store.segments.refresh("silver", [], [], NOW)
    assert caught.value.code == "SEGMENT_UNKNOWN"


def test_segments_of_persons(store: Store) -> None:
    store.segments.save(segment("b"), ["p1", "p2"])
    store.segments.save(segment("a"), ["p1"])
    assert store.segments.of_persons(["p2", "p0", "p1", "p2"]) == [["b"], [], ["a", "b"], ["b"]]
    assert store.segments.of_persons([]) == []


def test_members_are_paged(store: Store) -> None:
    ids = [f"p{n:03}" for n in range(250)]
    store.segments.save(segment("all"), ids)
    assert store.segments.members("all") == ids[:100]
    assert store.segments.members("all", after="p099", limit=101) == ids[100:201]
    assert store.segments.members("all", after="p249") == []
    assert store.segments.members("none") == []
