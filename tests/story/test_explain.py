"""Why two identifiers are one person, and why not."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import networkx as nx
import pytest
from hypothesis import given

from identity_graph import IdentityGraph
from identity_graph.model import Event, Explanation, Identifier, LinkKind
from identity_graph.policy import Policy
from tests.conftest import law
from tests.story.worlds import (
    alias,
    cookie_reset,
    event,
    household,
    junk,
    key,
    kiosk,
    new_graph,
    person,
    policies,
    shared_tablet,
    spied,
    told,
    worlds,
)
from tests.unit.naive import links as naive_links
from tests.unit.naive import persons as naive
from tests.unit.naive import settled

pytestmark = pytest.mark.usefixtures("each_store")


def why(events: list[Event], a: str, b: str, policy: Policy | None = None) -> Explanation:
    with told(events, policy) as graph:
        found = graph.people.explain(key(a), key(b))
        back = graph.people.explain(key(b), key(a))
        assert (back.same_person, back.confidence, set(back.path)) == (
            found.same_person,
            found.confidence,
            set(found.path),
        )
        return found


def steps(found: Explanation) -> list[set[str]]:
    return [{link.a.key, link.b.key} for link in found.path]


EVE, ONE, THREE = "email:eve@example.org", "cookie:k-one", "cookie:k-three"


def test_one_person_by_the_strongest_path() -> None:
    found = why(cookie_reset(), ONE, THREE)
    assert found.same_person and not found.obstacles
    assert steps(found) == [{ONE, EVE}, {EVE, THREE}]
    assert found.confidence == pytest.approx(0.9 * 0.7 * 0.75)
    direct = why(cookie_reset(), EVE, ONE)
    assert direct.message == f"{EVE} and {ONE} are one person: seen together in 1 event, weight 0.47"
    itself = why(cookie_reset(), EVE, EVE)
    assert (itself.same_person, itself.path, itself.confidence) == (True, (), 1.0)


def test_an_event_that_made_several_links_is_not_counted_as_several() -> None:
    found = why([event("1", 0, EVE, ONE, THREE)], ONE, THREE, replace(Policy.default(), pairwise_up_to=2))
    assert [link.count for link in found.path] == [1, 1]
    assert found.message == f"{ONE} and {THREE} are one person: 2 links join them, the weakest with weight 0.47"


def test_one_person_because_a_program_said_so() -> None:
    found = why(alias(), "user_id:new-tom", "email:tom@example.org")
    assert found.same_person
    assert [link.kind for link in found.path] == [LinkKind.MUST, LinkKind.OBSERVED]
    assert found.path[0].weight == 1.0


def test_two_persons_by_a_limit() -> None:
    found = why(shared_tablet(), "user_id:ann", "user_id:bob")
    assert not found.same_person and found.confidence is None
    assert steps(found) == [{"user_id:ann", "device_id:tablet"}, {"device_id:tablet", "user_id:bob"}]
    (reason,) = found.obstacles
    assert (reason.code, reason.namespace, reason.values) == ("LIMIT", "user_id", ("ann", "bob"))
    assert reason.message in found.message


def test_two_persons_by_size() -> None:
    cookies = [event(f"s{n}", n, f"cookie:s{n}", f"cookie:s{n + 1}") for n in range(5)]
    found = why(cookies, "cookie:s0", "cookie:s5", replace(Policy.default(), max_identifiers=4))
    assert [one.code for one in found.obstacles] == ["OVERSIZED"]


def test_nobody_is_sure_of_who_is_alone_because_nothing_told_a_crowd_apart() -> None:
    friends = [f"cookie:f{n}" for n in range(6)]
    clique = [event(f"{a}{b}", 1, friends[a], friends[b]) for a, b in combinations(range(6), 2)]
    policy = replace(Policy.default(), max_identifiers=5)
    with told(
        [*clique, event("x", 2, "cookie:alone"), event("y", 3, "cookie:two", "email:two@example.org")], policy
    ) as graph:
        ids = [person(graph, one) for one in (*friends, "cookie:alone", "cookie:two")]
        assert len(set(ids)) == 8
        assert graph.people.confidences(ids) == [*[0.0] * 6, 1.0, pytest.approx(0.9 * 0.7 * 0.75)]
        assert [one.confidence for (one,) in graph.people.members(ids[:2])] == [0.0, 0.0]
        found = graph.people.explain(key(friends[0]), key(friends[1]))
        assert [one.code for one in found.obstacles] == ["QUARANTINED"]


@pytest.mark.parametrize(
    ("events", "a", "b", "code", "through"),
    [
        (kiosk(), "user_id:q00", "user_id:q07", "HUB", "device_id:kiosk"),
        (junk(), "cookie:j-one", "cookie:j-two", "BLOCKED", "user_id:anonymous"),
        ([event(one, 0, f"cookie:{one}", "ip:203.0.113.7") for one in ("c1", "c2")], "cookie:c1", "cookie:c2",
         "NOT_JOINING", "ip:203.0.113.7"),
    ],
)  # fmt: skip
def test_two_persons_around_an_identifier_that_joins_nobody(
    events: list[Event], a: str, b: str, code: str, through: str
) -> None:
    found = why(events, a, b)
    assert steps(found) == [{a, through}, {through, b}]
    (reason,) = found.obstacles
    assert (reason.code, reason.values) == (code, (key(through).value,))
    itself = why(events, a, through)
    assert steps(itself) == [{a, through}]
    assert [one.code for one in itself.obstacles] == [code]


def test_two_persons_by_a_weak_link() -> None:
    found = why(cookie_reset(), EVE, ONE, replace(Policy.default(), min_weight=0.5))
    assert [one.code for one in found.obstacles] == ["WEAK"]
    assert steps(found) == [{EVE, ONE}]


def test_a_link_that_is_just_too_weak_is_said_to_be_less_than_the_least() -> None:
    (reason,) = why(cookie_reset(), EVE, ONE, replace(Policy.default(), min_weight=0.47251)).obstacles
    assert reason.message == "a link of weight 0.472 is below the least that joins, 0.473"


def test_two_persons_because_nothing_links_them() -> None:
    found = why([*cookie_reset(), *household()], ONE, "user_id:oli")
    assert (found.path, [one.code for one in found.obstacles]) == ((), ["UNSEEN"])
    never = why(cookie_reset(), ONE, "cookie:never")
    assert [one.message for one in never.obstacles] == ["cookie:never was never observed"]


def test_not_resolved_yet_is_no_reason() -> None:
    with new_graph() as graph:
        graph.ingest.events(cookie_reset())
        found = graph.people.explain(key(EVE), key(ONE))
        assert not found.same_person and steps(found) == [{EVE, ONE}] and "not resolved yet" in found.message


def test_what_came_in_since_does_not_unsay_what_is_published() -> None:
    """New events make a hub of the card in the middle; until they are resolved the person is one."""
    card = "loyalty_id:LC9"
    events = [event("1", 0, EVE, card), event("2", 1, card, ONE)]
    with told(events) as graph:
        graph.ingest.events([event(f"h{n}", n, card, f"user_id:h{n}") for n in range(9)])
        found = graph.people.explain(key(EVE), key(ONE))
        assert found.same_person and steps(found) == [{EVE, card}, {card, ONE}]
        assert found.confidence == pytest.approx(0.9 * 0.7 * 0.75)
        id = person(graph, EVE)
        assert graph.people.confidences([id]) == [pytest.approx(0.9 * 0.7 * 0.75)]
        graph.resolver.resolve()
        assert [one.code for one in graph.people.explain(key(EVE), key(ONE)).obstacles] == ["HUB"]


def test_to_explain_a_hub_does_not_bring_its_history() -> None:
    with told(kiosk(400)) as graph:
        reads = spied(graph.store)
        found = graph.people.explain(key("user_id:q07"), key("device_id:kiosk"))
        assert [one.code for one in found.obstacles] == ["HUB"] and len(found.path) == 1
        assert 0 < sum(reads) <= 4


@law(40)
@given(worlds(most=12), policies)
def test_the_path_holds_or_says_why_not(events, policy):  # type: ignore[no-untyped-def]
    group_of = {one: group for group in naive(events, policy) for one in group}
    known = sorted({one for event in events for one in event.identifiers})
    weights, *_ = naive_links(events, policy, settled(events)[0])
    with told(events, policy) as graph:
        strongest = joining(graph)
        for a, b in list(combinations(known, 2))[:40]:
            found = graph.people.explain(a, b)
            together = a in group_of and b in group_of.get(a, ())
            assert found.same_person == together
            assert bool(found.obstacles) != together
            if found.path:
                assert end_of(found, a) == b
            for link in found.path:  # wherever it lies, all of its evidence counts
                assert link.weight == weights[min(link.a, link.b), max(link.a, link.b)]
            if together:
                tree = nx.shortest_path(strongest, a, b)
                assert found.confidence == min(strongest.edges[pair]["weight"] for pair in pairwise(tree))
                assert found.confidence == min(link.weight for link in found.path)


def test_a_path_leads_over_links_of_which_all_evidence_is_read() -> None:
    """x and y are one person, of whom no more is read than what the others were seen with: once, not three times."""
    rules = Policy.parse("min_weight = 0.5\n[namespaces.aa]\ntrust = 0.3\n[namespaces.zz]\ntrust = 0.5\n")
    x, y, a, z = "email:x@example.org", "cookie:y", "aa:a", "zz:z"
    seen = [event(str(n), n, *keys) for n, keys in enumerate([(a, x, y), (a, x), (x, y), (x, y), (y, z), (y, z)])]
    with told(seen, rules) as graph:
        found = graph.people.explain(key(a), key(z))
        assert [(one.a.key, one.b.key, one.count) for one in found.path] == [(a, y, 1), (y, z, 2)]
        assert [reason.code for reason in found.obstacles] == ["WEAK", "WEAK"]
        assert graph.people.explain(key(x), key(y)).path[0].count == 3


def end_of(found: Explanation, start: Identifier) -> Identifier:
    """Where the links of the path lead."""
    at = start
    for link in found.path:
        assert at in (link.a, link.b)
        at = link.b if link.a == at else link.a
    return at


def joining(graph: IdentityGraph) -> nx.Graph:  # type: ignore[type-arg]
    """A maximum spanning tree of all links that joined."""
    ids = [one.id for one in graph.people.page(limit=1000)]
    edges: nx.Graph = nx.Graph()  # type: ignore[type-arg]
    for links in graph.people.links(ids):
        edges.add_weighted_edges_from((one.a, one.b, one.weight) for one in links if not one.suppressed)
    return nx.maximum_spanning_tree(edges)
