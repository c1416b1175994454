"""A restricted person is as if it were not, for everybody but the privacy desk; and it comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph, View
from identity_graph.model import ChangeKind, Identifier, PersonOrder
from identity_graph.people import People
from identity_graph.remembering import Remembering
from identity_graph.store.protocols import PersonRow
from tests.conftest import law
from tests.story.picture import picture
from tests.story.worlds import (
    event,
    household,
    new_graph,
    person,
    policies,
    save_segments,
    shared_tablet,
    told,
    worlds,
)

pytestmark = pytest.mark.usefixtures("each_store")
KIM = "email:kim@example.org"


@law(8)
@given(worlds(), policies, st.randoms(use_true_random=False))
def test_nobody_sees_who_is_restricted(events, policy, random):  # type: ignore[no-untyped-def]
    keys = sorted({one for event in events for one in event.identifiers})
    with new_graph(policy) as graph:
        save_segments(graph)
        graph.ingest.events(events)
        graph.resolver.resolve()
        everybody = graph.people.page()
        if not everybody:
            return
        before, digest = picture(graph, keys), graph.digest()
        victim = random.choice(everybody).id
        own = {one.identifier for one in graph.people.members([victim])[0]}
        mine = {one.event.id for one in graph.people.journeys([victim])[0]}
        others = [one.id for one in everybody if one.id != victim]
        journeys = [[one.event.id for one in rows] for rows in graph.people.journeys(others)]
        assert graph.restrictions.restrict(victim)
        assert graph.restrictions.restrict(victim), "again is the same"
        for _ in range(2):
            assert_unseen(graph, victim, own, mine, [one.id for one in events])
            assert [one.id for one in graph.people.page()] == others and graph.people.count() == len(others)
            assert [[one.event.id for one in rows] for rows in graph.people.journeys(others)] == journeys
            assert [graph.people.page(limit=1, backward=True)] == [graph.people.page()[-1:]]
            graph.resolver.resolve(full=True)
            assert graph.digest() == digest
        assert graph.restrictions.unrestrict(victim) and not graph.restrictions.unrestrict(victim)
        assert picture(graph, keys) == before
        assert [one.id for one in graph.people.page()] == [one.id for one in everybody]


def test_who_is_restricted_is_asked_once_in_each_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    with new_graph() as graph:
        graph.ingest.events(household())
        graph.resolver.resolve()
        ned, mail = Identifier("user_id", "ned"), Identifier("email", "ned@example.org")
        asked, answer = [], graph.store.privacy.restricted_persons

        def counted() -> list[PersonRow]:
            asked.append(1)
            return answer()

        monkeypatch.setattr(graph.store.privacy, "restricted_persons", counted)
        for number in (1, 2):
            assert graph.people.explain(ned, mail).path and len(asked) == number
        assert graph.restrictions.restrict(person(graph, ned.key))
        asked.clear()
        assert graph.people.explain(ned, mail).obstacles[0].code == "UNSEEN" and len(asked) == 1


def assert_unseen(graph: IdentityGraph, victim: str, own: set[Identifier], mine: set[str], ids: list[str]) -> None:
    (restriction,) = graph.restrictions.all()
    assert (restriction.person_id, restriction.identifiers) == (victim, len(own))
    assert graph.forget.preview(victim) and graph.disclosures.of(victim)
    for people in views(graph, victim, own):
        assert people.find([victim]) == [None] and people.profiles([victim])[0].values == {}
        assert not any(people.find_by_identifier(sorted(own))) and not any(people.identifiers(sorted(own)))
        assert people.journeys([victim]) == [()] and people.members([victim]) == [()]
        assert people.segments([victim]) == [()] and people.links([victim]) == [()]
        others = [one.id for one in people.find([row.id for row in graph.people.page()]) if one]
        told_of = [one.event for found in people.journeys(others) for one in found]
        assert own.isdisjoint(one for event in told_of for one in event.identifiers)
    assert {row[0] for row in graph.people.memberships().rows()}.isdisjoint({victim})
    seen = [one for one in graph.people.events(ids) if one]
    assert mine.isdisjoint(one.event.id for one in seen)
    assert own.isdisjoint(one for told in seen for one in told.event.identifiers)
    first, *rest = sorted(own)
    assert graph.people.explain(first, rest[0] if rest else Identifier("cookie", "?")).obstacles[0].code == "UNSEEN"
    for link in (one for links in graph.people.links([row.id for row in graph.people.page()]) for one in links):
        assert own.isdisjoint({link.a, link.b, *link.shared})
    visible = graph.visible.persons
    assert visible.changes_of([victim]) == [[]]
    assert victim not in {one.person_id for one in visible.changes(limit=3)}
    for order in PersonOrder:
        for condition in (None, *(one.condition for one in graph.segments.all())):
            listed, count = graph.listing.page(order, condition)
            assert victim not in {one.id for _, one in listed} and count == len(listed)
            last, _ = graph.listing.page(order, condition, limit=1, backward=True)
            assert last == listed[-1:]
    for segment in graph.segments.all():
        assert victim not in graph.segments.members(segment.name) and segment.size == len(
            graph.segments.members(segment.name)
        )
        assert victim not in graph.segments.preview(segment.condition)[1]


def views(graph: IdentityGraph, victim: str, own: set[Identifier]) -> Iterator[People]:
    """As the command line asks, as a request does that reads ahead, and as of a view."""
    yield graph.people
    for events in (True, False):
        ahead = graph.people.at_once(Remembering(graph.visible, events=events))
        ahead.find([victim, *(one.id for one in graph.people.page())])
        yield ahead
    yield graph.suppose(View())
    yield graph.suppose(View(as_of=2**60))


def test_others_keep_what_is_theirs_at_a_shared_tablet() -> None:
    with told(shared_tablet()) as graph:
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert ann != bob
        graph.restrictions.restrict(ann)
        assert graph.people.find([ann]) == [None] and graph.people.journeys([bob])[0]


def test_it_holds_to_identifiers_whatever_is_resolved_later() -> None:
    with told([event("a", 0, KIM, "cookie:one")]) as graph:
        graph.restrictions.restrict(person(graph, KIM))
        graph.ingest.events([event("b", 1, "cookie:one", "user_id:kim"), event("c", 2, "user_id:kim", "cookie:new")])
        graph.resolver.resolve()
        new = Identifier("cookie", "new")
        assert graph.people.find_by_identifier([new]) == [None] and graph.people.count() == 0
        (found,) = graph.restrictions.all()
        assert found.identifiers == 2, "the new ones are hidden with the person, but are not restricted themselves"
        assert graph.restrictions.unrestrict(found.person_id)
        assert graph.people.find_by_identifier([new])[0]


def test_it_leaves_its_segments_and_comes_back_to_them() -> None:
    with told(household()) as graph:
        save_segments(graph)
        before = {one.name: graph.segments.members(one.name) for one in graph.segments.all()}
        victim = next(ids[0] for ids in before.values() if ids)
        graph.restrictions.restrict(victim)
        assert all(victim not in graph.segments.members(name) for name in before)
        last = graph.store.persons.changes_of([victim])[0][-1]
        assert last.kind is ChangeKind.LEFT, "destinations are told"
        graph.restrictions.unrestrict(victim)
        assert {one.name: graph.segments.members(one.name) for one in graph.segments.all()} == before


def test_it_ends_with_the_person() -> None:
    with told([event("a", 0, KIM, "cookie:one"), event("b", 1, "cookie:one", "user_id:kim")]) as graph:
        graph.restrictions.restrict(person(graph, KIM))
        preview = graph.forget.preview(graph.restrictions.all()[0].person_id)
        assert preview
        graph.forget.erase(preview.token)
        assert graph.restrictions.all() == [] and graph.store.privacy.restricted() == []


def test_what_an_erasure_leaves_to_others_is_not_restricted() -> None:
    """The tablet is Ann's, who logged in more often; then it is Bob's."""
    with told(shared_tablet()) as graph:
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert person(graph, "device_id:tablet") == ann
        graph.restrictions.restrict(ann)
        preview = graph.forget.preview(ann)
        assert preview
        graph.forget.erase(preview.token)
        assert person(graph, "device_id:tablet") == person(graph, "user_id:bob") == bob
        assert graph.store.privacy.restricted() == []


def test_unknown_persons_are_not_restricted() -> None:
    with told([event("a", 0, KIM)]) as graph:
        assert graph.restrictions.restrict("nobody") is None and not graph.restrictions.unrestrict("nobody")
        assert graph.restrictions.find("nobody") is None
        assert graph.restrictions.find(Identifier("email", "nobody@example.org")) is None
