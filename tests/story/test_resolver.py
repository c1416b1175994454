"""Resolving: the same persons by every way, ids that stay, changes with names, and no more read than was touched."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.model import ChangeKind, Event, RunState
from identity_graph.policy import Policy
from tests.conftest import Clock, law
from tests.story.worlds import (
    alias,
    changing,
    cookie_reset,
    event,
    household,
    junk,
    kiosk,
    new_graph,
    person,
    persons,
    policies,
    recycled_phone,
    shared_tablet,
    spied,
    tell,
    tight,
    told,
    town,
    two_cards,
    worlds,
)
from tests.unit.naive import persons as naive

pytestmark = pytest.mark.usefixtures("each_store")
CREATED, ABSORBED, MERGED, SPLIT = ChangeKind.CREATED, ChangeKind.ABSORBED, ChangeKind.MERGED, ChangeKind.SPLIT


def expected(events: list[Event], policy: Policy) -> set[frozenset[str]]:
    return {frozenset(one.key for one in group) for group in naive(events, policy)}


def changes(graph: IdentityGraph, after: int = 0) -> list[tuple[ChangeKind, str, tuple[str, ...], tuple[str, ...]]]:
    found = graph.store.persons.changes(after=after, limit=1000)
    return [(one.kind, one.person_id, one.from_ids, one.to_ids) for one in found]


# ---- one answer, whatever the way to it


@law(60)
@given(worlds(), policies, st.randoms(use_true_random=False))
def test_full_incremental_and_plain_give_the_same(events, policy, random):  # type: ignore[no-untyped-def]
    random.shuffle(events)
    with told(events, policy) as graph:
        at_once = graph.digest()
    with new_graph(policy) as graph:
        start = 0
        while start < len(events):
            end = start + random.randrange(1, 8)
            graph.ingest.events(events[start:end])
            start = end
            if random.random() < 0.6:
                graph.resolver.resolve()
        graph.resolver.resolve()
        assert persons(graph) == expected(events, policy)
        digest, said = graph.digest(), changes(graph)
        assert digest == at_once
        graph.resolver.resolve(full=True)
        assert (graph.digest(), changes(graph)) == (digest, said)


@law(25)
@given(worlds(), st.lists(policies, min_size=2, max_size=3))
def test_another_policy_resolves_everything(events, rules):  # type: ignore[no-untyped-def]
    fresh = dict[str, str]()
    for policy in rules:
        with told(events, policy) as graph:
            fresh[policy.digest] = graph.digest()
    with new_graph(rules[0]) as first:
        half = len(events) // 2
        tell(first, events[:half])
        first.ingest.events(events[half:])
        for before, policy in pairwise(rules):
            graph = IdentityGraph(first.store, policy, clock=Clock(), new_id=first.resolver._new_id)
            known = len(changes(graph))
            graph.resolver.resolve()
            assert persons(graph) == expected(events, policy)
            assert graph.store.persons.resolved()[1] == policy.digest
            causes = {one.cause for one in graph.store.persons.changes(limit=1000)[known:]}
            assert causes <= {"evidence" if policy == before else "policy"}
            assert graph.digest() == fresh[policy.digest]


def test_a_town_is_who_it_is() -> None:
    with told(town()) as graph:
        assert persons(graph) == expected(town(), graph.policy)


def test_worlds_end_as_their_stories_say() -> None:
    def of(events: list[Event], policy: Policy | None = None) -> set[frozenset[str]]:
        with told(events, policy) as graph:
            return persons(graph)

    tablet = "device_id:tablet"
    assert of(shared_tablet()) == {frozenset({"user_id:ann", tablet}), frozenset({"user_id:bob"})}
    assert of(shared_tablet(), tight("newest")) == {frozenset({"user_id:ann"}), frozenset({"user_id:bob", tablet})}
    assert len(of(cookie_reset())) == len(of(two_cards())) == len(of(alias())) == 1
    assert frozenset({"user_id:liv", "phone:+15550100200"}) in of(recycled_phone())
    assert frozenset({"user_id:max", "phone:+15550100200"}) in of(recycled_phone(), tight("newest"))
    assert all(len(group) in (2, 3) for group in of(household())) and len(of(household())) == 3
    assert all(len(group) == 1 for group in of(kiosk()) | of(junk()))


def test_the_middle_of_a_star_does_not_depend_on_arrival() -> None:
    """Of two identifiers of one priority and value the smaller namespace is the better, whichever came first."""
    star = event("star", 1, "left:a", "right:a", *(f"cookie:s{n}" for n in range(4)))
    alone = event("alone", 0, "right:a")
    digests = set()
    for order in ([alone, star], [star, alone]):
        with told([], tight()) as graph:
            for one in order:
                tell(graph, [one])
            (links,) = graph.people.links([person(graph, "left:a")])
            assert len(links) == 5 and all("left:a" in (link.a.key, link.b.key) for link in links)
            assert persons(graph) == expected(order, tight())
            digests.add((graph.digest(), links))
    assert len(digests) == 1


# ---- ids and changes


def test_changes_are_named_in_order_and_ids_stay() -> None:
    with new_graph() as graph:
        tell(graph, [event("1", 0, "user_id:u", "email:a@x.example"), event("2", 1, "cookie:c")])
        one, other = person(graph, "user_id:u"), person(graph, "cookie:c")
        assert changes(graph) == [(CREATED, one, (), ()), (CREATED, other, (), ())]

        tell(graph, [event("3", 2, "user_id:u", "phone:+15550100400")])
        tell(graph, [event("4", 50, "email:a@x.example", "user_id:u", "cookie:c")])
        assert changes(graph, after=2) == [(ABSORBED, one, (), (one,)), (MERGED, one, (other,), (one,))]

        tell(graph, [event("5", 4, "user_id:v", "loyalty_id:L1", "cookie:c")])
        new = person(graph, "user_id:v")
        assert changes(graph, after=4) == [(CREATED, new, (), ())]
        assert person(graph, "user_id:u") == one

        tell(graph, [event(f"v{n}", 5 + n, "user_id:v", "cookie:c") for n in range(5)])
        assert person(graph, "cookie:c") == new
        assert changes(graph, after=5) == [(SPLIT, one, (one,), (one, new))]
        assert [change.number for change in graph.store.persons.changes()] == [1, 2, 3, 4, 5, 6]


def test_a_retired_id_answers_with_its_survivor_after_chains_of_merges() -> None:
    with new_graph() as graph:
        people = graph.people
        # Of 1, 2, 4 and 8 cookies: each is heavier than all before it, and so survives them.
        sizes = [[f"cookie:c{n}-{m}" for m in range(2**n)] for n in range(4)]
        tell(graph, [event(f"s{n}", n, *keys) for n, keys in enumerate(sizes)])
        ids = [person(graph, keys[0]) for keys in sizes]
        for n in range(3):
            tell(graph, [event(f"m{n}", 10, sizes[n][0], sizes[n + 1][0])])
            assert changes(graph)[-1] == (MERGED, ids[n + 1], (ids[n],), (ids[n + 1],))
        assert [one and one.id for one in people.find(ids)] == [ids[3]] * 4
        assert [one and one.requested_id for one in people.find(ids)] == [*ids[:3], None]
        rows = [row for row in graph.store.persons.persons(ids) if row]
        assert [row.survivor for row in rows] == [rows[3].number] * 3 + [None]
        assert people.count() == 1 and [one.id for one in people.page()] == ids[3:]


def test_a_person_that_falls_apart_keeps_its_id_in_the_heavier_part() -> None:
    with told(recycled_phone()) as graph:
        loose = IdentityGraph(
            graph.store, Policy.default().without_limits(), clock=Clock(), new_id=graph.resolver._new_id
        )
        liv = person(graph, "user_id:liv")
        loose.resolver.resolve()
        assert len(persons(graph)) == 1 and person(graph, "user_id:max") == liv
        before = len(changes(graph))
        graph.resolver.resolve()  # the strict rules again: repaired, not only from now on
        assert person(graph, "phone:+15550100200") == person(graph, "user_id:liv") == liv
        assert changes(graph, before) == [(SPLIT, liv, (liv,), (liv, person(graph, "user_id:max")))]


# ---- nothing to do


def test_nothing_to_do_changes_nothing() -> None:
    clock = Clock()
    with told(town(), clock=clock) as graph:
        before = graph.people.page(), changes(graph), graph.digest(), graph.store.persons.resolved()
        clock.tick(3600)
        written: list[str] = []
        with graph.store.trace(written.append):
            run = graph.resolver.resolve()
        assert (run.state, run.message) == (RunState.DONE, "nothing changed")
        after = graph.people.page(), changes(graph), graph.digest(), graph.store.persons.resolved()
        assert after == before
        assert [one for one in changing(written) if not re.search(r"(\b|_)run\b", one)] == []
        graph.resolver.resolve(full=True)
        assert (graph.people.page(), changes(graph), graph.digest()) == before[:3]


# ---- no more than was touched


def test_a_touched_hub_does_not_bring_its_history() -> None:
    with told(kiosk(400)) as graph:
        reads = spied(graph.store)
        tell(graph, [event("new", 9000, "device_id:kiosk", "user_id:late"), event("old", 9001, "user_id:q07")])
        assert 0 < sum(reads) <= 10
        assert person(graph, "user_id:late") != person(graph, "user_id:q07")


def test_an_address_on_the_internet_does_not_bring_its_history() -> None:
    events = [event(f"i{n}", n, f"cookie:i{n}", "ip:203.0.113.9", "user_id:null") for n in range(300)]
    with told(events) as graph:
        reads = spied(graph.store)
        tell(graph, [event("new", 9000, "cookie:late", "ip:203.0.113.9", "user_id:null")])
        assert 0 < sum(reads) <= 10


def test_where_evidence_ages_nothing_is_read_until_something_comes() -> None:
    with told(town(), Policy.parse("[namespaces.cookie]\nhalf_life = '90 days'\n")) as graph:
        reads = spied(graph.store)
        assert graph.resolver.resolve().message == "nothing changed" and reads == []
        before = persons(graph)
        tell(graph, [event("new", 9000, "cookie:late")])
        assert persons(graph) == before | {frozenset({"cookie:late"})}


def test_as_many_statements_for_one_as_for_many() -> None:
    def statements(size: int) -> int:
        heard: list[str] = []
        with told(town()) as graph:
            graph.ingest.events([event(f"x{n}", n, f"cookie:x{n}", f"email:x{n}@x.example") for n in range(size)])
            with graph.store.trace(heard.append):
                graph.resolver.resolve()
        return len([text for text in heard if not text.startswith("INSERT INTO change")])  # a row each

    assert statements(1) == statements(200)
