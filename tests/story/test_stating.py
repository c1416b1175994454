"""What people say of two identifiers: heeded at once, kept as evidence, taken back by saying the opposite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from identity_graph.errors import InputError
from identity_graph.model import LinkKind
from identity_graph.policy import Policy, Similarity
from tests.story.worlds import event, key, new_graph, person, persons, shared_tablet, tell, told

pytestmark = pytest.mark.usefixtures("each_store")

DEFAULT = Policy.default()
ANN, BOB, TABLET = "user_id:ann", "user_id:bob", "device_id:tablet"


def test_a_link_joins_what_a_limit_keeps_apart_until_the_opposite_is_said() -> None:
    with told(shared_tablet()) as graph:
        before = persons(graph)
        assert person(graph, ANN) != person(graph, BOB)
        found = graph.stating.link(key(ANN), key(BOB), "one person with two logins", "kim")
        assert found.same_person and person(graph, ANN) == person(graph, BOB)
        [row] = [one for one in graph.people.journeys([person(graph, ANN)])[0] if one.event.source == "manual"]
        assert row.event.properties == {"reason": "one person with two logins", "user": "kim"}
        graph.clock.tick()  # type: ignore[attr-defined]
        found = graph.stating.unlink(key(BOB), key(ANN), "they are a couple")
        assert not found.same_person
        assert persons(graph) == before


def test_an_unlink_parts_what_evidence_joins_and_says_why() -> None:
    seen = [event(str(n), n, "email:ann@example.org", "cookie:one") for n in range(5)]
    with told(seen) as graph:
        assert persons(graph) == {frozenset({"email:ann@example.org", "cookie:one"})}
        found = graph.stating.unlink(key("email:ann@example.org"), key("cookie:one"), "a browser in a shop")
        assert [reason.code for reason in found.obstacles] == ["CANNOT_LINK"]
        assert len(persons(graph)) == 2
        # More of the same evidence changes nothing, and neither does resolving everything.
        tell(graph, [event("more", 9, "email:ann@example.org", "cookie:one")])
        graph.resolver.resolve(full=True)
        assert len(persons(graph)) == 2
        graph.clock.tick()  # type: ignore[attr-defined]
        assert graph.stating.link(key("email:ann@example.org"), key("cookie:one"), "it was hers").same_person


def test_an_unlink_is_no_sighting_of_the_two_together() -> None:
    """It makes no hub of an address, strengthens no link, and is taken back without a trace."""
    mail, cap = "email:b@x.org", DEFAULT.rule("email").hub_cap
    seen = [event(f"u{n}", n, f"user_id:u{n}", mail) for n in range(cap)]
    with told([*seen, event("c", 9, "cookie:c", mail), event("s", 9, "user_id:stranger")]) as graph:
        before, (links,) = persons(graph), graph.people.links([person(graph, mail)])
        graph.stating.unlink(key(mail), key("user_id:stranger"), "not his address")
        graph.stating.unlink(key("cookie:c"), key(mail), "a browser in a shop")
        graph.clock.tick()  # type: ignore[attr-defined]
        assert not graph.stating.unlink(key("cookie:c"), key(mail), "really").same_person
        owner = {one: members for members in persons(graph) for one in members}
        assert owner[mail] == next(one for one in before if mail in one) - {"cookie:c"}
        (after,) = graph.people.links([person(graph, mail)])
        weights = {(one.a, one.b): (one.weight, one.count) for one in links}
        assert {(one.a, one.b): (one.weight, one.count) for one in after}.items() >= weights.items()
        graph.resolver.resolve(full=True)
        assert owner == {one: members for members in persons(graph) for one in members}


def test_an_unlink_that_takes_a_link_from_a_hub_may_free_it() -> None:
    """The stated link made one person too many; what is resolved around it is what everything would be."""
    mail = "email:ann@example.org"
    seen = [event(f"e{n}", n, mail, f"user_id:u{n}") for n in range(4)]
    wide = event("wide", 5, mail, "user_id:u4", "user_id:u5", *(f"cookie:c{n}" for n in range(6)))
    with told([*seen, wide._replace(same_person=[(key(mail), key("user_id:u5"))])]) as graph:
        (before,) = graph.people.identifiers([key(mail)])
        assert before and before.pruned and before.pruned.code == "HUB"
        graph.stating.unlink(key(mail), key("user_id:u5"), "not hers")
        (after,), digest = graph.people.identifiers([key(mail)]), graph.digest()
        assert after and after.pruned is None and after.person_id
        assert graph.resolver.resolve(full=True).message == "nothing changed" and graph.digest() == digest


def test_who_is_kept_apart_is_not_alike_for_that() -> None:
    alike = replace(DEFAULT, similarity=(Similarity(("cookie",), ("ip",), min=0.5),))
    with told([event("1", 1, "cookie:a", "ip:8.8.8.8"), event("2", 2, "cookie:b")], policy=alike) as graph:
        graph.stating.unlink(key("cookie:b"), key("ip:8.8.8.8"), "was never there")
        assert not graph.people.explain(key("cookie:a"), key("cookie:b")).same_person
        graph.resolver.resolve(full=True)
        assert not graph.people.explain(key("cookie:a"), key("cookie:b")).same_person


def test_statements_through_others_keep_their_ends_apart() -> None:
    seen = [event("1", 0, "email:a@x.org", "cookie:c"), event("2", 1, "email:b@x.org", "cookie:c")]
    with told(seen) as graph:
        assert len(persons(graph)) == 1
        found = graph.stating.unlink(key("email:a@x.org"), key("email:b@x.org"), "two people")
        assert not found.same_person and len(persons(graph)) == 2


def test_what_is_said_depends_on_nothing_but_what_was_said() -> None:
    """The same events in one go, in another order, resolved once: one digest."""
    with told(shared_tablet()) as graph:
        graph.stating.unlink(key(ANN), key(TABLET), "the tablet is Bob's")
        graph.clock.tick()  # type: ignore[attr-defined]
        graph.stating.link(key(BOB), key(TABLET), "the tablet is Bob's")
        events = [row.event for found in graph.store.evidence.events_of(range(1, 10)) for row in found]
        digest = graph.digest()
    with new_graph() as other:
        tell(other, sorted({one.id: one for one in events}.values(), key=lambda one: one.id, reverse=True))
        assert other.digest() == digest


@pytest.mark.parametrize(("a", "b", "reason"), [(ANN, ANN, "why"), (ANN, BOB, " "), (ANN, BOB, "x" * 1001)])
def test_a_statement_names_two_and_says_why(a: str, b: str, reason: str) -> None:
    with told(shared_tablet()) as graph:
        digest = graph.digest()
        with pytest.raises(InputError) as caught:
            graph.stating.link(key(a), key(b), reason)
        assert caught.value.code == "STATEMENT_INVALID" and graph.digest() == digest


def test_a_change_says_that_a_statement_brought_it_about_and_not_what_came_in_before() -> None:
    with told([event("1", 0, "user_id:ann"), event("2", 1, "user_id:bob")]) as graph:
        graph.ingest.events([event("3", 2, "user_id:cy")])
        graph.stating.link(key("user_id:ann"), key("user_id:bob"), "one man, two accounts")
        graph.clock.tick()  # type: ignore[attr-defined]
        graph.stating.unlink(key("user_id:ann"), key("user_id:bob"), "two men after all")
        found = graph.store.persons.changes(limit=10)
    assert [(one.kind.name, one.cause) for one in found] == [
        ("CREATED", "evidence"),
        ("CREATED", "evidence"),
        ("CREATED", "evidence"),
        ("MERGED", "statement"),
        ("SPLIT", "statement"),
    ]


def test_what_is_said_is_seen_as_a_link_until_the_opposite_is_said() -> None:
    cy = "user_id:cy"
    with told([*shared_tablet(), event("c", 1, cy)]) as graph:
        graph.stating.unlink(key(BOB), key(TABLET), "the tablet is Ann's")
        graph.stating.unlink(key(BOB), key(cy), "two men")
        ids = [person(graph, ANN), person(graph, BOB), person(graph, cy)]
        ann, bob, other = ({(one.a.key, one.b.key): one for one in links} for links in graph.people.links(ids))
        never, seen = bob[BOB, cy], bob[TABLET, BOB]
        assert (never.kind, never.count, never.sources) == (LinkKind.CANNOT, 0, ())
        assert [one.suppressed and one.suppressed.code for one in (never, seen)] == ["CANNOT_LINK"] * 2
        assert (seen.kind, seen.sources) == (LinkKind.CANNOT, ("app",))
        assert ann[TABLET, BOB] == seen and other[BOB, cy] == never
        graph.clock.tick()  # type: ignore[attr-defined]
        graph.stating.link(key(BOB), key(cy), "one man")
        (links,) = graph.people.links([person(graph, BOB)])
        assert [one.kind for one in links if {one.a.key, one.b.key} == {BOB, cy}] == [LinkKind.MUST]


def test_what_is_said_of_two_that_are_linked_by_nothing_else_is_a_link_of_its_time() -> None:
    """An event of many identifiers links each with one of them only, whatever it states."""
    many = [f"cookie:{n}" for n in range(20)]
    pairs = [(key("cookie:3"), key("cookie:4")), (key("cookie:5"), key("cookie:6"))]
    wide = event("wide", 7, *many)
    with told([wide._replace(apart=pairs[:1], same_person=pairs[1:])]) as graph:
        ids = [person(graph, f"cookie:{n}") for n in (3, 4, 5)]
        one, other, both = ({(link.a, link.b): link for link in links} for links in graph.people.links(ids))
        apart = one[pairs[0]]
        assert (apart.kind, apart.count, apart.weight, apart.sources) == (LinkKind.CANNOT, 0, 0.0, ())
        assert apart.first_seen == apart.last_seen == wide.time and other[pairs[0]] == apart
        assert apart.suppressed and apart.suppressed.code == "CANNOT_LINK"
        stated = both[pairs[1]]
        assert (stated.kind, stated.count, stated.first_seen) == (LinkKind.MUST, 0, wide.time)
        assert stated.last_seen == wide.time and stated.suppressed is None
        assert "CANNOT_LINK" in [reason.code for reason in graph.people.explain(*pairs[0]).obstacles]
        assert [found.id for found in graph.people.evidence([pairs[0]])[0]] == ["wide"]
