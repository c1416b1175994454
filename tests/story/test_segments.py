"""Who is in a segment: always those who meet its condition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.errors import InputError
from identity_graph.model import Event
from identity_graph.segment import Facts, parse_condition
from identity_graph.segments import Segments
from tests.conftest import Clock, law
from tests.story.worlds import (
    SEGMENTS,
    event,
    key,
    new_graph,
    person,
    policies,
    save_segments,
    spied,
    tell,
    told,
    town,
    two_cards,
    worlds,
)

pytestmark = pytest.mark.usefixtures("each_store")
BUYS = {"event": {"names": ["Order Completed"], "is": {"range": {"from": 2}}}}
LATELY = {"event": {"names": ["Order Completed"], "within": "P30D", "is": {"range": {"from": 1}}}}
LAPSED = {"event": {"names": ["Order Completed"], "measure": "LAST", "is": {"olderThan": "P60D"}}}
HOUR, DAY = 3600, 86_400


def facts_of_each(graph: IdentityGraph) -> dict[str, Facts]:
    """Read one by one, for all conditions: on a server each is some statements."""
    return {one.id: graph.people.facts([one.id])[0] for one in graph.people.page(limit=10_000)}


def by_hand(graph: IdentityGraph, name: str, facts: dict[str, Facts]) -> list[str]:
    """Each person's facts against the condition, one by one."""
    trees = {one.name: one.condition for one in graph.segments.all()}
    met = parse_condition({"segment": name}, trees.get, graph.computed.all().get)
    return [id for id, known in facts.items() if met(known, graph.clock())]


def assert_all_right(graph: IdentityGraph) -> None:
    facts = facts_of_each(graph)
    for one in graph.segments.all():
        members = graph.segments.members(one.name, limit=10_000)
        assert members == by_hand(graph, one.name, facts), one.name
        assert one.size == len(members)


@law(40)
@given(worlds(), policies, st.randoms(use_true_random=False))
def test_members_are_those_who_meet_the_condition(events, policy, random):  # type: ignore[no-untyped-def]
    with new_graph(policy) as graph:
        save_segments(graph)
        random.shuffle(events)
        while events:
            size = random.randrange(1, 8)
            tell(graph, events[:size])
            events = events[size:]
            assert_all_right(graph)
        victims = graph.people.page()
        if victims:
            preview = graph.forget.preview(random.choice(victims).id)
            assert preview
            graph.forget.erase(preview.token)
            assert_all_right(graph)


def test_an_event_that_passes_to_another_person_counts_there() -> None:
    """Bob's card becomes a hub: what he bought with it on Ann's device is then what her device did."""
    bought = [event(f"b{n}", n, "loyalty_id:LC7", "device_id:tablet", name="Order Completed") for n in range(2)]
    alone = [event(f"a{n}", n, "user_id:ann", "device_id:tablet") for n in range(3)]
    events = [event("u", 0, "user_id:bob", "loyalty_id:LC7"), *alone, *bought]
    with told(events) as graph:
        graph.segments.save("buys", "", BUYS)
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert graph.segments.members("buys") == [bob]
        tell(graph, [event(f"h{n}", 9, "loyalty_id:LC7", f"user_id:h{n}") for n in range(9)])
        (journey,) = graph.people.journeys([ann])
        assert [one.event.id for one in journey] == ["a0", "b0", "a1", "b1", "a2"]
        assert_all_right(graph)
        assert graph.segments.members("buys") == [ann]


def test_a_window_moves_with_the_clock() -> None:
    clock = Clock()  # 2026-01-01; the orders are of 2025-11-01
    with told(two_cards(), clock=clock) as graph:
        graph.segments.save("lately", "", LATELY)
        graph.segments.save("lapsed", "", LAPSED)
        graph.segments.save("not lapsed", "", {"not": {"segment": "lapsed"}})
        kim = [person(graph, "email:kim@example.org")]
        assert graph.segments.members("lapsed") == kim
        tell(graph, [event("again", 60 * 1440, "loyalty_id:LC1", name="Order Completed")])  # 2025-12-31
        assert (graph.segments.members("lately"), graph.segments.members("not lapsed")) == (kim, kim)
        clock.tick(20 * DAY)
        graph.resolver.resolve()
        assert_all_right(graph)
        clock.tick(15 * DAY)
        tell(graph, [event("else", 0, "cookie:else")])  # about somebody else
        assert graph.segments.members("lately") == []
        assert_all_right(graph)
        clock.tick(30 * DAY)
        graph.resolver.resolve()
        assert graph.segments.members("lapsed") == kim
        assert {one.evaluated for one in graph.segments.all()} == {clock.now}


def test_a_computed_trait_moves_with_the_clock_and_with_events() -> None:
    clock = Clock()
    with told(two_cards(), clock=clock) as graph:
        graph.computed.save("recency", {"names": ["Order Completed"], "measure": "DAYS_SINCE"})
        graph.segments.save("lapsed", "", {"computed": {"name": "recency", "is": {"range": {"from": 90}}}})
        graph.segments.save("not lapsed", "", {"not": {"segment": "lapsed"}})
        kim = person(graph, "email:kim@example.org")
        assert graph.computed.of_persons([kim]) == [{"recency": 60}] and graph.segments.members("lapsed") == []
        clock.tick(31 * DAY)
        graph.resolver.resolve()
        assert graph.segments.members("lapsed") == [kim]
        assert_all_right(graph)
        tell(graph, [event("again", 90 * 1440, "loyalty_id:LC1", name="Order Completed")])
        assert graph.segments.members("lapsed") == [] and graph.computed.of_persons([kim]) == [{"recency": 2}]
        assert_all_right(graph)


def test_a_quantile_is_of_everybody_and_follows_each_resolution_or_the_hour() -> None:
    clock = Clock()
    with told([bought(n, n) for n in range(1, 9)], clock=clock) as graph:
        graph.computed.save("spent", {"measure": "SUM", "property": "total"})
        best = {"quantile": {"name": "spent", "parts": 4, "is": {"equals": 4}}}
        graph.segments.save("best", "", best)
        graph.segments.save("others", "", {"not": {"segment": "best"}})

        def members() -> list[str]:
            return sorted(graph.segments.members("best"))

        def those(*numbers: int) -> list[str]:
            return sorted(person(graph, f"user_id:u{n}") for n in numbers)

        assert members() == those(7, 8) and len(graph.segments.members("others")) == 6
        tell(graph, [bought(n, n) for n in (20, 21, 22, 23)])  # resolves
        assert members() == those(21, 22, 23) and len(graph.segments.members("others")) == 9
        graph.ingest.events([bought(n, n) for n in (30, 31, 32, 33)])
        graph.resolver.follow()  # as a server does after each few events
        assert members() == those(21, 22, 23) and graph.segments.count(best) == 4
        clock.tick(HOUR + 1)
        graph.ingest.events([bought(1, 1, "again")])
        graph.resolver.follow()
        assert members() == those(30, 31, 32, 33) and len(graph.segments.members("others")) == 12
        graph.restrictions.restrict(those(33)[0])
        assert members() == those(30, 31, 32)
        assert graph.segments.preview({"quantile": {"name": "spent", "parts": 2, "is": {"exists": True}}})[0] == 15


def bought(who: int, total: int, id: str = "") -> Event:
    return event(f"b{who}{id}", 0, f"user_id:u{who}", name="Order Completed", properties={"total": total})


@pytest.mark.parametrize(
    ("total", "value"), [(2**63 - 1, {"spent": 3.0 * 2**63}), (1.7e308, {}), (1.5, {"spent": 4.5})]
)
def test_a_sum_that_is_too_large_is_a_float_or_no_value(total: float, value: dict[str, float]) -> None:
    events = [event(f"e{n}", n, "user_id:ann", properties={"total": total}) for n in range(3)]
    with told(events) as graph:
        graph.computed.save("spent", {"measure": "SUM", "property": "total"})
        (found,) = graph.computed.of_persons([person(graph, "user_id:ann")])
        assert found == value and all(isinstance(one, float) for one in found.values())


def test_the_clock_alone_makes_no_work_for_an_hour_nor_ever_without_windows() -> None:
    clock = Clock()
    with told(town(), clock=clock) as graph:
        save_segments(graph)
        reads: list[str] = []

        def journeys_read() -> bool:
            del reads[:]
            with graph.store.trace(reads.append):
                graph.resolver.resolve()
            return any("properties" in text or text in ("evidence/events_of", "transfer/events") for text in reads)

        clock.tick(HOUR - 1)
        assert not journeys_read()
        clock.tick(2)
        assert journeys_read()
        assert not journeys_read()
        for name in ("recent",):
            graph.segments.delete(name)
        clock.tick(30 * DAY)
        assert not journeys_read()


def test_a_resolution_evaluates_whom_it_touched() -> None:
    with told(town()) as graph:
        save_segments(graph)
        kim = person(graph, "email:kim@example.org")
        rows = spied(graph.store)
        tell(graph, [event("more", 99, "loyalty_id:LC1", name="Order Completed", properties={"total": 500})])
        assert graph.people.segments([kim])[0] == ("buyers", "reached") and sum(rows) < 20
        assert_all_right(graph)


def test_few_enter_and_leave_in_the_transaction_that_publishes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads, or is killed, right after it finds persons and members of one moment."""
    both = {"all": [{"identifier": {"namespace": "email"}}, {"identifier": {"namespace": "user_id"}}]}
    with told([event("1", 0, "user_id:ann"), event("2", 0, "user_id:bob", "email:bob@example.org")]) as graph:
        graph.segments.save("reachable", "", both)
        monkeypatch.setattr(Segments, "settle", lambda *_, **__: 1 / 0)
        graph.ingest.events([event("3", 1, "user_id:ann", "email:ann@example.org")])
        with pytest.raises(ZeroDivisionError):
            graph.resolver.resolve()
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert graph.segments.members("reachable") == sorted([ann, bob])
        with pytest.raises(ZeroDivisionError):
            graph.stating.unlink(key("user_id:ann"), key("email:ann@example.org"), "not hers")
        assert graph.segments.members("reachable") == [bob]
        changes = [one for one in graph.store.persons.changes(limit=100) if one.segment and one.person_id != bob]
        assert sorted((one.kind.name, one.person_id) for one in changes) == [("ENTERED", ann), ("LEFT", ann)]
        monkeypatch.undo()
        before = graph.segments.members("reachable"), graph.store.persons.changes(limit=100)
        graph.resolver.settle()
        assert (graph.segments.members("reachable"), graph.store.persons.changes(limit=100)) == before


# ---- saving, deleting


def test_a_segment_is_saved_replaced_and_previewed() -> None:
    clock = Clock()
    with told(town(), clock=clock) as graph:
        kim = person(graph, "email:kim@example.org")
        assert graph.segments.preview(BUYS) == (1, [kim]) and graph.segments.all() == []
        saved = graph.segments.save("buys", "twice", BUYS)
        assert (saved.name, saved.description, saved.condition, saved.size) == ("buys", "twice", BUYS, 1)
        assert (saved.created, saved.evaluated) == (clock.now, clock.now)
        clock.tick(60)
        wider = graph.segments.save("buys", "once", {"identifier": {"namespace": "loyalty_id"}})
        assert (wider.created, wider.evaluated) == (saved.created, clock.now)
        assert graph.segments.get(["none", "buys"]) == [None, wider]
        first = graph.segments.members("buys", limit=1)
        assert first + graph.segments.members("buys", first[-1]) == by_hand(graph, "buys", facts_of_each(graph))


def test_segments_of_segments_follow() -> None:
    with told(town()) as graph:
        save_segments(graph)
        graph.segments.save("the same", "", {"segment": "buyers"})
        assert graph.segments.members("the same") == graph.segments.members("buyers") != []
        graph.segments.save("buyers", "", {"trait": {"name": "plan", "is": {"exists": True}}})
        assert_all_right(graph)
        assert graph.segments.members("the same") == [person(graph, "email:eve@example.org")]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("new", {"segment": "nowhere"}),
    ("new", {"segment": "new"}),
    ("buyers", {"not": {"segment": "targets"}}),  # targets is built on it
    ("new", {"trait": {"name": "plan"}}),
    ("", BUYS),
    ("a\nb", BUYS),
]


def test_what_cannot_be_saved_changes_nothing() -> None:
    with told(town()) as graph:
        save_segments(graph)
        before = graph.segments.all()
        for name, condition in REFUSED:
            try:
                graph.segments.save(name, "", condition)
            except InputError as error:
                assert error.code == "CONDITION_INVALID", (name, condition)
            else:
                pytest.fail(f"saved: {name!r}, {condition}")
            assert graph.segments.all() == before, (name, condition)
            assert_all_right(graph)


def test_a_segment_that_others_use_is_not_deleted() -> None:
    with told(town()) as graph:
        save_segments(graph)
        with pytest.raises(InputError) as refused:
            graph.segments.delete("buyers")
        assert refused.value.code == "CONDITION_INVALID" and "targets" in refused.value.message
        assert graph.segments.delete("targets") and graph.segments.delete("buyers")
        assert not graph.segments.delete("buyers")
        assert {one.name for one in graph.segments.all()} == set(SEGMENTS) - {"buyers", "targets"}
        assert all("buyers" not in names for names in graph.people.segments([one.id for one in graph.people.page()]))
