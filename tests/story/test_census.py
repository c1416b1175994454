"""What conditions ask of everybody is read once, and then kept right; whoever publishes."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from identity_graph import IdentityGraph, deadline, segments
from identity_graph.errors import StoreError
from identity_graph.store.protocols import Store
from tests.conftest import Clock
from tests.story.worlds import event, new_graph, numbered, tell, told

pytestmark = pytest.mark.usefixtures("each_store")
PRO = {"trait": {"name": "plan", "is": {"equals": "pro"}}}
FREE = {"trait": {"name": "plan", "is": {"equals": "free"}}}


def plans(*plans: str) -> list[Any]:
    return [event(f"e{n}", n, f"user_id:u{n}", traits={"plan": plan}) for n, plan in enumerate(plans)]


class Hearing:
    """How often events were read whole; `gate` may keep that back."""

    def __init__(self, store: Store) -> None:
        self.times = 0
        self.gate = threading.Event()
        self.gate.set()
        read = store.transfer.events

        def events(after: int, limit: int) -> Any:
            self.times += after == 0
            assert self.gate.wait(120)
            return read(after, limit)

        store.transfer.events = events  # type: ignore[method-assign]


def wait_for_reading(graph: IdentityGraph, heard: Hearing) -> None:
    """As a request does, in vain. On a busy machine its time may be over before the reading begins, or as anything else
    is asked: then it gets more."""
    for seconds in (0.2, 2.0, 20.0):
        with deadline.within(seconds), pytest.raises(StoreError) as refused:
            graph.segments.count(PRO)
        if heard.times and refused.value.code == "SEGMENT_NOT_READY":
            return
    raise AssertionError(refused.value.code)


def test_everybody_is_read_once_and_then_who_was_touched() -> None:
    with told(plans("pro", "free", "pro")) as graph:
        heard = Hearing(graph.store)
        assert graph.segments.count(PRO) == 2 and graph.segments.count(FREE) == 1
        tell(graph, [event("new", 9, "user_id:u9", traits={"plan": "pro"})])
        tell(graph, [event("other", 9, "user_id:u0", traits={"plan": "free"})])
        assert graph.segments.count(PRO) == 2 and graph.segments.count(FREE) == 2
        assert heard.times == 1


def test_another_process_may_publish_and_erase(shared_url: str) -> None:
    with (
        new_graph(url=shared_url) as graph,
        IdentityGraph.open(shared_url, clock=Clock(), new_id=numbered("q")) as other,
    ):
        tell(other, plans("pro", "free", "pro"))
        heard = Hearing(graph.store)
        assert graph.segments.count(PRO) == 2
        tell(other, [event("joins", 9, "user_id:u1", "email:a@example.org", traits={"plan": "pro"})])
        assert graph.segments.preview(PRO) == (3, [one.id for one in graph.people.page()])
        (first,) = graph.people.page(limit=1)
        preview = other.forget.preview(first.id)
        assert preview
        other.forget.erase(preview.token)
        assert graph.segments.preview(PRO) == (2, [one.id for one in graph.people.page()])
        assert heard.times == 1


def test_an_erased_person_is_kept_nowhere() -> None:
    with told(plans("pro", "secret", "pro")) as graph:
        kept = {"trait": {"name": "plan", "is": {"equals": "secret"}}}
        assert graph.segments.count(kept) == 1
        columns = graph.census._places.columns  # type: ignore[union-attr]
        preview = graph.forget.preview(graph.people.page()[1].id)
        assert preview and any("secret" in repr(vars(column)) for column in columns.values())
        graph.forget.erase(preview.token)
        assert not any("secret" in repr(vars(column)) for column in columns.values())
        assert (graph.segments.count(kept), graph.segments.count(PRO)) == (0, 2)


def test_more_persons_than_there_is_room_for_are_read_anew() -> None:
    with told(plans("pro")) as graph:
        heard = Hearing(graph.store)
        assert graph.segments.count(PRO) == 1
        graph.census._places.capacity = 3  # type: ignore[union-attr]
        tell(graph, [event(f"n{n}", n, f"user_id:n{n}", traits={"plan": "pro"}) for n in range(9)])
        assert graph.segments.count(PRO) == 10 and heard.times == 2


def test_what_takes_too_much_memory_is_not_kept() -> None:
    with told(plans("pro", "free")) as other:
        graph = IdentityGraph(other.store, memory=0, clock=Clock())
        heard = Hearing(graph.store)
        assert [graph.segments.count(PRO) for _ in range(3)] == [1, 1, 1] and heard.times == 3


def test_a_request_is_told_that_reading_goes_on(shared_url: str) -> None:
    with new_graph(url=shared_url) as graph:
        tell(graph, plans("pro", "free", "pro"))
        heard = Hearing(graph.store)
        heard.gate.clear()
        wait_for_reading(graph, heard)
        wait_for_reading(graph, heard)
        heard.gate.set()
        with deadline.within(120):
            assert graph.segments.count(PRO) == 2
            assert graph.segments.count(FREE) == 1
        assert heard.times == 1


def test_a_reading_that_fails_says_so_and_is_tried_again(shared_url: str) -> None:
    with new_graph(url=shared_url) as graph:
        tell(graph, plans("pro"))
        read = graph.store.transfer.events

        def broken(after: int, limit: int) -> Any:
            raise StoreError("STORE_FAILED", "the disk is gone")

        graph.store.transfer.events = broken  # type: ignore[method-assign]
        with deadline.within(120), pytest.raises(StoreError, match="the disk is gone"):
            graph.segments.count(PRO)
        graph.store.transfer.events = read  # type: ignore[method-assign]
        with deadline.within(120):
            assert graph.segments.count(PRO) == 1


def test_closing_ends_a_reading(shared_url: str) -> None:
    with new_graph(url=shared_url) as graph:
        tell(graph, plans("pro"))
        heard = Hearing(graph.store)
        heard.gate.clear()
        wait_for_reading(graph, heard)
        threading.Timer(0.2, heard.gate.set).start()
    assert not any(one.name == "census" for one in threading.enumerate()) and heard.times == 1


def test_segments_follow_a_publication_that_ended_before_they_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_FEW", 0)  # as of many persons they do
    with told(plans("pro", "free")) as graph:
        graph.segments.save("pros", "", PRO)
        seen = graph.store.persons.changes(limit=1000)[-1].number
        graph.ingest.events([event("late", 9, "user_id:u1", traits={"plan": "pro"})])
        with graph.store.transaction():
            graph.resolver.catch_up()  # and here the process is killed
        assert graph.segments.get(["pros"])[0].size == 1  # type: ignore[union-attr]
        for _ in range(2):
            graph.resolver.resolve()
        assert graph.segments.members("pros") == [one.id for one in graph.people.page()]
        told_of = [one for one in graph.store.persons.changes(after=seen, limit=1000) if one.segment]
        assert [(one.kind, one.person_id) for one in told_of] == [("ENTERED", graph.people.page()[1].id)]


def test_who_changes_a_condition_meanwhile_is_not_overwritten(shared_url: str) -> None:
    with (
        new_graph(url=shared_url) as graph,
        IdentityGraph.open(shared_url, clock=Clock(), new_id=numbered("q")) as other,
    ):
        tell(graph, plans("pro", "free", "free"))
        graph.segments.save("some", "", PRO)
        members, found = graph.census.members, list[Any]()

        def slow(*given: Any) -> Any:
            answer = members(*given)
            if not found:
                other.segments.save("some", "", FREE)
                tell(other, [event("late", 9, "user_id:u2", traits={"plan": "pro"})])
            found.append(answer)
            return answer

        graph.census.members = slow  # type: ignore[method-assign, assignment]
        graph.segments.save("others", "", {"not": {"segment": "some"}})
        ids = [one.id for one in graph.people.page()]
        assert graph.segments.members("some") == ids[1:2]
        assert graph.segments.members("others") == [ids[0], ids[2]] and len(found) == 2


def test_who_is_restricted_meanwhile_is_in_no_segment(shared_url: str) -> None:
    with (
        new_graph(url=shared_url) as graph,
        IdentityGraph.open(shared_url, clock=Clock(), new_id=numbered("q")) as other,
    ):
        tell(graph, plans("pro", "free", "pro"))
        first, _, last = (one.id for one in graph.people.page())
        members, found = graph.census.members, list[Any]()

        def slow(*given: Any) -> Any:
            answer = members(*given)
            if not found:
                other.restrictions.restrict(first)
            found.append(answer)
            return answer

        graph.census.members = slow  # type: ignore[method-assign, assignment]
        graph.segments.save("pros", "", PRO)
        assert graph.segments.members("pros") == [last] and len(found) == 2
        assert graph.segments.preview(PRO) == (1, [last]) and graph.segments.count({"not": PRO}) == 1
        other.restrictions.unrestrict(first)
        assert graph.segments.members("pros") == [first, last] and graph.segments.count(PRO) == 2
