"""Links that nobody observed: what the policy's similarity joins, keeps, explains, and takes back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import Event, Identifier, LinkKind
from identity_graph.policy import Policy
from identity_graph.remembering import Remembering
from tests.story.places import place
from tests.story.worlds import event, key, new_graph, person, persons, tell, told

pytestmark = pytest.mark.usefixtures("each_store")

RULE = '[[similarity]]\nbetween = ["cookie"]\nby = ["ip", "user_agent"]\nmin = 0.6\n'
POLICY = Policy.parse(RULE)
HOME, PHONE, DESK = "ip:192.0.2.7", "user_agent:Fennec", "user_agent:Firefox"
ANN, COOKIES = "email:ann@example.org", ["cookie:old", "cookie:new"]


def reset() -> list[Event]:
    """A browser that forgot its cookie; at the same address, another browser."""
    return [
        event("e1", 1, "cookie:old", HOME, PHONE),
        event("e2", 2, "cookie:old", ANN),
        event("e3", 30, "cookie:new", HOME, PHONE),
        event("e4", 40, "cookie:other", HOME, DESK),
    ]


def together(graph: IdentityGraph, *keys: str) -> bool:
    found = {None if one is None else one.id for one in graph.people.find_by_identifier([key(text) for text in keys])}
    return len(found) == 1 and None not in found


def test_cookies_of_one_browser_at_one_address_are_one_person_and_others_there_are_not() -> None:
    with told(reset()) as graph:
        assert not together(graph, *COOKIES)
    with told(reset(), POLICY) as graph:
        assert together(graph, ANN, *COOKIES)
        assert not together(graph, "cookie:other", ANN)


def test_a_similar_link_is_shown_with_what_both_were_seen_with() -> None:
    with told(reset(), POLICY) as graph:
        found = graph.people.explain(key("cookie:new"), key(ANN))
        kinds = [(link.kind, link.count) for link in found.path]
        assert found.same_person and kinds == [(LinkKind.SIMILAR, 0), (LinkKind.OBSERVED, 1)]
        assert found.path[0].shared == (key(HOME), key(PHONE))
        assert found.path[0].weight == 0.5 and found.confidence == found.path[1].weight
        assert found.path[0].last_seen == found.path[0].first_seen == event("", 1).time
        direct = graph.people.explain(*map(key, COOKIES))
        assert f"both seen with {HOME} and {PHONE}" in direct.message
        ann = person(graph, ANN)
        (links,) = graph.people.links([ann])
        assert [(one.a.key, one.b.key) for one in links if one.kind is LinkKind.SIMILAR] == [tuple(sorted(COOKIES))]
        (members,) = graph.people.members([ann])
        assert {one.confidence for one in members} == {1.0, found.confidence}
        at_once = graph.people.at_once(Remembering(graph.store, events=True))
        at_once.find([ann])
        assert at_once.links([ann]) == [links] and at_once.members([ann]) == [members]


def test_what_was_seen_together_is_never_weaker_for_it() -> None:
    weak = Policy.parse(RULE + "[namespaces.cookie]\ntrust = 0.5\n")
    with told([*reset(), event("e5", 50, *COOKIES)], weak) as graph:
        (link,) = graph.people.explain(*map(key, COOKIES)).path
        assert (link.kind, link.count, link.weight) == (LinkKind.SIMILAR, 1, 0.5)
        assert link.last_seen == event("", 50).time
    with told([*reset(), event("e5", 50, *COOKIES)], Policy.parse(RULE + "trust = 0.3\n")) as graph:
        (link,) = graph.people.explain(*map(key, COOKIES)).path
        assert (link.kind, link.shared) == (LinkKind.OBSERVED, (key(HOME), key(PHONE))) and link.weight > 0.3


def test_limits_keep_similar_links_from_joining_and_say_so() -> None:
    two = [*reset(), event("e5", 31, "cookie:new", "user_id:u2"), event("e6", 3, "cookie:old", "user_id:u1")]
    with told(two, POLICY) as graph:
        found = graph.people.explain(*map(key, COOKIES))
        assert not found.same_person and [reason.code for reason in found.obstacles] == ["LIMIT"]
        assert found.path[0].kind is LinkKind.SIMILAR and found.path[0].suppressed
    with told(reset(), Policy.parse("min_weight = 0.6\n" + RULE)) as graph:
        found = graph.people.explain(*map(key, COOKIES))
        assert [reason.code for reason in found.obstacles] == ["WEAK"] and found.path[0].weight == 0.5


def crowd() -> list[Event]:
    """People whose browsers forget; at the end so many at one address that it says nothing any more."""
    events = []
    for n in range(6):
        for visit, cookie in enumerate((f"cookie:{n}a", f"cookie:{n}b")):
            events.append(
                event(f"v{n}{visit}", 10 * n + visit, cookie, f"ip:192.0.2.{n // 2}", f"user_agent:Firefox/{n % 2}")
            )
    return events


def test_what_arrives_bit_by_bit_ends_as_what_is_told_at_once() -> None:
    events = [
        *crowd(),
        *(event(f"c{n}", 100 + n, f"cookie:c{n}", "ip:192.0.2.0", "user_agent:Firefox/0") for n in range(101)),
    ]
    with told(events, POLICY) as graph:
        whole = persons(graph)
        pair = {"cookie:0a", "cookie:0b"}
        assert all(not pair & group or len(group) == 1 for group in whole)
        assert frozenset({"cookie:3a", "cookie:3b"}) in whole
    with new_graph(POLICY) as graph:
        for few, many in pairwise([0, 5, 12, len(events)]):
            tell(graph, events[few:many])
            if many == 12:
                assert frozenset(pair) in persons(graph)
        assert persons(graph) == whole


def test_who_is_erased_leaves_no_similar_link_and_no_reason_for_one() -> None:
    with told(reset(), POLICY) as graph:
        preview = graph.forget.preview(person(graph, "cookie:old"))
        assert preview is not None
        graph.forget.erase(preview.token)
        numbers = _numbers(graph, ["cookie:other", HOME])
        assert graph.store.persons.similar(numbers) == [[], []]
        assert graph.people.find_by_identifier([key("cookie:new")]) == [None]


def _numbers(graph: IdentityGraph, keys: Sequence[str]) -> list[int]:
    rows = graph.store.evidence.identifiers([Identifier.parse(text) for text in keys])
    return [row.number for row in rows if row]


def test_a_policy_without_similarity_takes_the_links_back() -> None:
    url = place.fresh() if place.server else None
    with told(reset(), POLICY, url=url) as graph:
        numbers = _numbers(graph, COOKIES)
        assert [len(rows) for rows in graph.store.persons.similar(numbers)] == [1, 1]
        plain = IdentityGraph(graph.store, Policy.default(), clock=lambda: 0, new_id=lambda: "new")
        plain.resolver.resolve()
        assert graph.store.persons.similar(numbers) == [[], []] and not together(plain, *COOKIES)
