"""Questions about persons: what is answered, in which order, and at what cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from identity_graph import IdentityGraph
from identity_graph.model import Event, Identifier, LinkKind
from identity_graph.policy import Policy
from identity_graph.times import DAY
from tests.conftest import law
from tests.story.worlds import (
    MINUTE,
    START,
    alias,
    cookie_reset,
    event,
    junk,
    key,
    kiosk,
    person,
    policies,
    save_segments,
    shared_tablet,
    tell,
    told,
    town,
    two_cards,
    worlds,
)
from tests.unit.naive import persons as naive

pytestmark = pytest.mark.usefixtures("each_store")


def trusting(**sources: float) -> Policy:
    return replace(Policy.default(), sources=sources)


# ---- profiles


def test_the_most_trusted_source_speaks_then_the_newest() -> None:
    events = [
        event("1", 0, "user_id:u", source="crm", traits={"city": "Rome", "plan": "free"}),
        event("2", 5, "user_id:u", source="crm", traits={"city": "Oslo", "plan": None}),
        event("3", 9, "user_id:u", source="form", traits={"city": "Bern", "age": 7}),
        event("4", 9, "user_id:u", source="form", traits={"age": 8}),
    ]
    with told(events, trusting(form=0.5)) as graph:
        (profile,) = graph.people.profiles([person(graph, "user_id:u")])
        assert profile.values == {"age": 8, "city": "Oslo", "plan": "free"}
        city = {trait.name: trait for trait in profile.traits}["city"]
        assert (city.source, city.time, city.event_id) == ("crm", START + 5 * MINUTE, "2")
        assert [(one.value, one.event_id) for one in city.alternatives] == [("Bern", "3"), ("Rome", "1")]


# ---- journeys


def test_an_event_is_his_whose_identifier_ranks_highest() -> None:
    with told(shared_tablet()) as graph:
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert person(graph, "device_id:tablet") == ann
        journeys = graph.people.journeys([ann, bob])
        found = [
            [(one.event.id, one.attributed_by and one.attributed_by.key) for one in journey] for journey in journeys
        ]
        assert found == [
            [("t1", "user_id:ann"), ("t2", "user_id:ann"), ("t4", "device_id:tablet")],
            [("t3", "user_id:bob")],
        ]
        assert [one and one.person_id for one in graph.people.events(["t3", "none", "t4"])] == [bob, None, ann]


@law(40)
@given(worlds(), policies)
def test_every_event_is_in_the_journey_of_one(events, policy):  # type: ignore[no-untyped-def]
    def owner(one: Event) -> Identifier | None:
        owned = [i for i in one.identifiers if i in group_of]
        return min(owned, key=lambda i: (policy.rule(i.namespace).priority, i.key), default=None)

    group_of = {one: group for group in naive(events, policy) for one in group}
    with told(events, policy) as graph:
        for group in set(group_of.values()):
            (journey,) = graph.people.journeys([person(graph, min(group).key)])
            own = [one for one in events if (by := owner(one)) and group_of[by] == group]
            own.sort(key=lambda one: (one.time, one.id))
            assert [(one.event.id, one.attributed_by) for one in journey] == [(one.id, owner(one)) for one in own]


def test_a_longer_pause_begins_a_session() -> None:
    gap = 30
    minutes = [0, gap, 2 * gap, 3 * gap + 0.001, 500]
    with told([event(f"{n}", minute, "user_id:u") for n, minute in enumerate(minutes)]) as graph:
        (sessions,) = graph.people.sessions([person(graph, "user_id:u")])
        assert [[one.event.id for one in session.events] for session in sessions] == [["0", "1", "2"], ["3"], ["4"]]
        assert (sessions[0].start, sessions[0].end) == (START, START + 2 * gap * MINUTE)


# ---- links and confidence


def test_links_that_join_and_that_were_refused() -> None:
    with told(shared_tablet()) as graph:
        ann, bob = graph.people.links([person(graph, "user_id:ann"), person(graph, "user_id:bob")])
        joining, refused = ann
        assert (joining.a.key, joining.b.key) == ("device_id:tablet", "user_id:ann")
        assert (joining.count, joining.sources, joining.kind) == (2, ("app",), LinkKind.OBSERVED)
        assert (joining.first_seen, joining.last_seen) == (START, START + 10 * MINUTE)
        assert joining.weight == pytest.approx(0.7 * 1.0 * (1 - 0.25**2))
        assert refused.suppressed and (refused.suppressed.code, refused.suppressed.namespace) == ("LIMIT", "user_id")
        assert refused.suppressed.values == ("ann", "bob")
        assert bob == (refused,)
        seen = graph.people.evidence([(joining.a, joining.b), (refused.b, refused.a), (joining.a, key("cookie:none"))])
        assert [[one.id for one in events] for events in seen] == [["t1", "t2"], ["t3"], []]


def test_a_person_is_a_graph_of_its_members_and_of_whom_a_limit_keeps_out() -> None:
    with told(shared_tablet()) as graph:
        id = person(graph, "user_id:ann")
        found, nobody = graph.people.networks([id, "nobody"])
        (members,), (links,) = graph.people.members([id]), graph.people.links([id])
        inside = {node for node, member in found.nodes(data="member") if member}
        assert inside == {one.identifier.key for one in members} and set(found) - inside == {"user_id:bob"}
        assert {one.identifier.key: one.confidence for one in members} == {
            node: found.nodes[node]["confidence"] for node in inside
        }
        assert found.number_of_edges() == len(links) == 2
        for link in links:
            edge = found.edges[link.a.key, link.b.key]
            assert (edge["weight"], edge["count"], edge["sources"]) == (link.weight, link.count, list(link.sources))
            assert (edge["suppressed"] is None) == ({link.a.key, link.b.key} <= inside)
        assert found.edges["device_id:tablet", "user_id:bob"]["suppressed"] == "LIMIT"
        assert len(nobody) == 0


def test_confidence_is_that_of_the_weakest_link_on_the_way() -> None:
    with told([*cookie_reset(), event("k6", 2000, "cookie:k-two", "email:eve@example.org")]) as graph:
        id = person(graph, "email:eve@example.org")
        once, twice = 0.9 * 0.7 * 0.75, 0.9 * 0.7 * (1 - 0.25**2)
        (members,) = graph.people.members([id])
        assert {one.identifier.value: one.confidence for one in members} == {
            "eve@example.org": 1.0,
            "k-one": pytest.approx(once),
            "k-two": pytest.approx(twice),
            "k-three": pytest.approx(once),
        }
        assert [one.identifier.key for one in members] == sorted(one.identifier.key for one in members)
        assert graph.people.confidences([id]) == [pytest.approx(once)]
        first, far = key("cookie:k-one"), key("cookie:k-two")
        assert graph.people.explain(first, far).confidence == pytest.approx(once)


# ---- aligned, for unknown and retired ids too


def answers(graph: IdentityGraph) -> dict[str, Callable[[Sequence[str]], Sequence[Any]]]:
    people = graph.people
    methods = (people.members, people.confidences, people.profiles, people.journeys, people.sessions, people.links)
    return {method.__name__: method for method in (*methods, people.segments, people.facts)}


def test_answers_are_aligned_and_a_retired_id_answers_as_its_survivor() -> None:
    with told(town()) as graph:
        save_segments(graph)
        kept, retired = person(graph, "email:kim@example.org"), person(graph, "cookie:j-one")
        tell(graph, [event("join", 90, "email:kim@example.org", "cookie:j-one")])
        assert person(graph, "cookie:j-one") == kept
        for name, method in answers(graph).items():
            both, none, late = method([kept, "nobody", retired])
            assert both == late and both, name
            assert not getattr(none, "traits", none if not hasattr(none, "events") else none.events), name
            assert list(method([])) == []
        assert graph.segments.contains("buyers", [kept, "nobody", retired]) == [True, False, True]
        found = graph.people.find_by_identifier([key("cookie:none"), key("cookie:j-one"), key("user_id:anonymous")])
        assert [one and one.id for one in found] == [None, kept, None]
        facts = graph.people.identifiers([key("user_id:anonymous"), key("cookie:none"), key("loyalty_id:LC1")])
        assert facts[1] is None and facts[0] and facts[2]
        assert facts[0].pruned and (facts[0].pruned.code, facts[0].person_id) == ("BLOCKED", None)
        assert (facts[2].observations, facts[2].sources, facts[2].person_id) == (2, ("loyalty", "orders"), kept)
        assert facts[2].last_seen - facts[2].first_seen == 70 * MINUTE < DAY


def test_persons_are_paged_in_both_directions() -> None:
    with told(kiosk(7)) as graph:
        ids = [one.id for one in graph.people.page()]
        assert ids == sorted(ids) and len(ids) == graph.people.count() == 7
        assert [one.id for one in graph.people.page(ids[1], 3)] == ids[2:5]
        assert [one.id for one in graph.people.page(ids[5], 2, backward=True)] == ids[3:5]


def test_as_many_statements_for_many_keys_as_for_few() -> None:
    events = [*town(), *two_cards(), *alias(), *junk()]
    with told(events) as graph:
        save_segments(graph)
        everybody = [one.id for one in graph.people.page()]
        members = dict(zip(everybody, graph.people.members(everybody), strict=True))
        few = [person(graph, "email:kim@example.org"), next(id for id, rows in members.items() if len(rows) == 1)]

        def statements(ask: Callable[[], object]) -> list[str]:
            heard: list[str] = []
            ask()  # names of sources are read once
            with graph.store.trace(heard.append):
                ask()
            return heard

        for name, method in answers(graph).items():
            one, many = statements(lambda: method(few)), statements(lambda: method(everybody))  # noqa: B023
            assert len(one) == len(many) <= 20, (name, one, many)
        keys = [one.identifier for rows in graph.people.members(everybody) for one in rows]
        ids = [one.id for one in events]
        for ask, known in (
            (graph.people.find, everybody),
            (graph.people.find_by_identifier, keys),
            (graph.people.identifiers, keys),
            (graph.people.events, ids),
            (graph.people.evidence, list(pairwise(keys))),
        ):
            one, many = (statements(lambda part=part: ask(part)) for part in (known[:1], known))  # type: ignore[misc]  # noqa: B023
            assert len(one) == len(many) <= 12, ask
