"""What if: persons as of a time, without some sources, under other rules, or only as far as one can be sure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.errors import InputError
from identity_graph.model import Event, Identifier
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.view import View
from tests.conftest import law
from tests.story.worlds import (
    MINUTE,
    START,
    cookie_reset,
    event,
    fading,
    key,
    kiosk,
    new_graph,
    person,
    persons,
    policies,
    recycled_phone,
    save_segments,
    shared_tablet,
    tight,
    told,
    worlds,
)

pytestmark = pytest.mark.usefixtures("each_store")

SIMILAR = Policy.parse('[[similarity]]\nbetween = ["cookie"]\nby = ["ip"]\n')
MOMENTS = [0, 1, 60, 70_000, None]


def at(minute: int | None) -> int | None:
    return None if minute is None else START + minute * MINUTE


def seen(people: People, keys: list[Identifier], ids: bool = False) -> dict[str, Any]:
    """All that is said of everybody, without ids of persons."""
    found = dict(zip(keys, people.find_by_identifier(keys), strict=True))
    facts = dict(zip(keys, people.identifiers(keys), strict=True))
    everybody = sorted({one.id for one in found.values() if one})
    reads = (people.members, people.journeys, people.profiles, people.confidences, people.links, people.segments)
    answers = {id: answer for id, *answer in zip(everybody, *(read(everybody) for read in reads), strict=True)}
    told = {}
    for one, owner in found.items():
        fact = facts[one]
        told[one.key] = (fact and (fact.observations, fact.first_seen, fact.sources, fact.pruned), owner and owner.id)
    shown = {}
    for id, (members, journey, profile, sure, links, segments) in answers.items():
        name = tuple(member.identifier.key for member in members)
        events = [(step.event.id, step.attributed_by, step.person_id == id) for step in journey]
        confidences = [member.confidence for member in members]
        shown[name] = (confidences, events, profile, round(sure, 9), set(links), segments)
    return {"persons": shown, "identifiers": {one: fact for one, (fact, _) in told.items()}}


@st.composite
def views(draw: st.DrawFn) -> tuple[list[Event], Policy, View, int | None]:
    minute = draw(st.sampled_from(MOMENTS))
    without = draw(st.sampled_from([(), ("x",), ("x", "y")]))
    policy = draw(st.one_of(policies, st.just(fading()), st.just(replace(tight(), similarity=SIMILAR.similarity))))
    other = draw(st.one_of(st.none(), policies, st.just(fading()), st.just(Policy.default())))
    view = View(at(minute), frozenset(without), policy=other)
    # Evidence ages to the moment of the view: something is seen just then.
    anchor = event("anchor", 80_000 if minute is None else minute, "loyalty_id:ANCHOR", source="anchor")
    return [*draw(worlds()), anchor], policy, view, minute


@law(25)
@given(views())
def test_a_view_shows_what_a_store_of_that_evidence_and_those_rules_would(
    case: tuple[list[Event], Policy, View, int | None],
) -> None:
    events, policy, view, _ = case
    kept = [
        one
        for one in events
        if one.source not in view.without_sources and (view.as_of is None or one.time <= view.as_of)
    ]
    keys = sorted({one for happened in events for one in happened.identifiers})

    def clock() -> int:
        return view.as_of or START + 80_000 * MINUTE

    with told(kept, view.policy or policy, clock=clock) as graph:
        save_segments(graph)
        expected = seen(graph.people, keys)
        pairs = [(keys[n], keys[-1 - n]) for n in range(len(keys) // 2)]
        why = [graph.people.explain(*pair) for pair in pairs]
    with told(events, policy, clock=clock) as graph:
        save_segments(graph)
        before = graph.digest()
        assert seen(graph.suppose(view), keys) == expected
        for pair, found in zip(pairs, why, strict=True):
            again = graph.suppose(view).explain(*pair)
            assert (again.same_person, again.confidence, again.path) == (
                found.same_person,
                found.confidence,
                found.path,
            )
            assert {one.code for one in again.obstacles} == {one.code for one in found.obstacles}
        # Each alone finds what all at once find.
        alone = [graph.suppose(view).find_by_identifier([one])[0] for one in keys[:3]]
        assert [one and graph.suppose(view).find([one.id])[0] for one in alone] == alone
        assert graph.digest() == before


def test_as_of_a_time() -> None:
    with told(cookie_reset()) as graph:
        eve = person(graph, "email:eve@example.org")
        then = graph.suppose(View(as_of=START + 100 * MINUTE))
        assert [found and found.id for found in then.find([eve])] == [eve]
        assert [one.identifier.key for one in then.members([eve])[0]] == ["cookie:k-one", "email:eve@example.org"]
        assert then.profiles([eve])[0].values == {"plan": "free"}
        assert then.find_by_identifier([key("cookie:k-two")]) == [None]
        assert graph.suppose(View(as_of=START - 1)).find([eve]) == [None]


def test_without_a_source_that_joined_two_one_keeps_the_id_and_the_other_gets_one_of_its_own() -> None:
    events = [
        *(event(f"m{n}", n, "email:ann@example.org", "cookie:a", "cookie:b") for n in range(2)),
        event("call", 5, "email:ann@example.org", "phone:+15550100400", source="calls"),
        event("b", 6, "phone:+15550100400", "cookie:c"),
    ]
    with told(events) as graph:
        ann = person(graph, "email:ann@example.org")
        people = graph.suppose(View(without_sources=frozenset({"calls"})))
        found = people.find_by_identifier([key("email:ann@example.org"), key("cookie:c")])
        assert [one and one.id for one in found] == [ann, f"{ann}~2"]
        assert people.find([f"{ann}~2"])[0] == found[1] and graph.people.find([f"{ann}~2"]) == [None]
        assert not people.explain(key("cookie:a"), key("cookie:c")).same_person


def test_only_who_is_sure_enough() -> None:
    with told(
        [*cookie_reset(), *(event(f"x{n}", 700, "cookie:k-two", "email:eve@example.org") for n in range(5))]
    ) as graph:
        eve = person(graph, "email:eve@example.org")
        (members,) = graph.people.members([eve])
        least = sorted(one.confidence for one in members)[-2]
        people = graph.suppose(View(min_confidence=least))
        people.find([eve])
        (sure,) = people.members([eve])
        assert [one.identifier.key for one in sure] == ["cookie:k-two", "email:eve@example.org"]
        assert {one.confidence for one in sure} == {1.0, least}
        ids = [step.event.id for step in people.journeys([eve])[0]]
        assert "k1" not in ids and "k4" not in ids and "k5" in ids
        assert people.find_by_identifier([key("cookie:k-one")]) == [None]
        why = people.explain(key("cookie:k-one"), key("email:eve@example.org"))
        assert not why.same_person and why.path and [one.code for one in why.obstacles] == ["UNSURE"]
        assert f"{least:.17g} is asked for" in why.message
        assert people.explain(key("cookie:k-two"), key("email:eve@example.org")).same_person


def test_who_is_not_sure_enough_is_told_so_however_far_the_two_are_from_each_other() -> None:
    chain = [f"cookie:{n}" for n in range(6)]
    with told([event(str(n), n, *chain[n : n + 2]) for n in range(5)]) as graph:
        assert len(persons(graph)) == 1
        why = graph.suppose(View(min_confidence=1)).explain(key(chain[1]), key(chain[5]))
        assert (why.same_person, len(why.path), [one.code for one in why.obstacles]) == (False, 4, ["UNSURE"])
        other = graph.suppose(View(min_confidence=1)).explain(key(chain[1]), key("cookie:none"))
        assert [one.code for one in other.obstacles] == ["UNSEEN"]


def test_who_is_not_resolved_yet_is_told_so_whatever_one_asks_for() -> None:
    with told([event("1", 1, "cookie:a", "email:ann@example.org")]) as graph:
        graph.ingest.events([event("2", 2, "cookie:new"), event("3", 3, "cookie:late", "cookie:a")])
        for view in (View(min_confidence=0.5), View(as_of=at(9), min_confidence=0.5), View(as_of=at(9))):
            found = graph.suppose(view).explain(key("cookie:a"), key("cookie:new"))
            assert [one.code for one in found.obstacles] == ["UNSEEN"]
        late = graph.suppose(View(min_confidence=0.5)).explain(key("cookie:a"), key("cookie:late"))
        assert not late.same_person and "not resolved yet" in late.message


def test_a_hub_is_one_no_more_where_the_crowd_is_left_out() -> None:
    crowd = [one._replace(source="kiosk") for one in kiosk()]
    with told([*crowd, event("own", 99, "user_id:q03", "device_id:kiosk", source="app")]) as graph:
        assert graph.people.find_by_identifier([key("device_id:kiosk")]) == [None]
        people = graph.suppose(View(without_sources=frozenset({"kiosk"})))
        (found,) = people.find_by_identifier([key("device_id:kiosk")])
        assert found and found.id == person(graph, "user_id:q03")
        assert people.find_by_identifier([key("user_id:q04")]) == [None]


def test_evidence_does_not_age_by_a_source_that_is_left_out() -> None:
    rules = Policy.parse('[namespaces.device_id]\nexpires = "10 days"\n')
    days = 24 * 60
    seen = [event("1", 0, "device_id:d", "cookie:k"), event("2", 40 * days, "cookie:other", source="shop")]
    with told(seen, rules) as graph:
        assert person(graph, "device_id:d") != person(graph, "cookie:k")
        people = graph.suppose(View(without_sources=frozenset({"shop"})))
        one, other = people.find_by_identifier([key("device_id:d"), key("cookie:k")])
        assert one and other and one.id == other.id


def test_a_hub_is_one_no_more_where_its_evidence_has_expired_under_other_rules() -> None:
    phone, days = "phone:+15550100201", 24 * 60
    seen = [
        event("1", 0, phone, "user_id:u1"),
        event("2", 8 * days, phone, "user_id:u2"),
        event("3", 14 * days, "cookie:k"),
    ]
    rules = '[namespaces.phone]\nhub_cap = 1\nlimit = "1 ever"\n'
    with told(seen, Policy.parse(rules)) as graph:
        assert graph.people.find_by_identifier([key(phone)]) == [None]
        people = graph.suppose(View(policy=Policy.parse(rules + 'expires = "10 days"\n')))
        one, other = people.find_by_identifier([key(phone), key("user_id:u2")])
        assert one and other and one.id == other.id


def test_under_other_rules() -> None:
    with told([*shared_tablet(), *recycled_phone()]) as graph:
        free = graph.suppose(View(policy=Policy.default().without_limits()))
        assert free.explain(key("user_id:ann"), key("user_id:bob")).same_person
        assert free.explain(key("user_id:liv"), key("user_id:max")).same_person
        before = persons(graph)
        assert len(before) > len({one.id for one in free.find_by_identifier([key("user_id:ann")]) if one})


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_cannot_be(least: float) -> None:
    with pytest.raises(InputError) as caught:
        View(min_confidence=least)
    assert caught.value.code == "VIEW_INVALID"


def test_an_empty_store_and_nobody() -> None:
    with new_graph() as graph:
        people = graph.suppose(View(as_of=0))
        assert people.find_by_identifier([key("email:none@example.org")]) == [None] and people.find(["none"]) == [None]
        assert isinstance(graph, IdentityGraph)
