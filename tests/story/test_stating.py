"""What people say of two identifiers: heeded at once, kept as evidence, taken back by saying the opposite."""

from __future__ import annotations

import pytest

from identity_graph.errors import InputError
from tests.story.worlds import event, key, new_graph, person, persons, shared_tablet, tell, told

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
