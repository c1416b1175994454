"""What the ladder does to a component that is too large, beside communities by Graph Data Science."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

from identity_graph.model import Event
from identity_graph.policy import Policy
from tests.neo4j.database import asked, connected, emptied
from tests.story.test_explore import ask
from tests.story.worlds import event, persons, told

GROUPS = ("abcde", "fghij", "klmno")
POLICY = replace(Policy.default().without_limits(), max_identifiers=6)


def crowd() -> list[Event]:
    """Three dense groups; what leads from one to the next was seen as often as what is inside."""
    inside = [pair for group in GROUPS for pair in combinations(group, 2)]
    between = [ends for one, other in pairwise(GROUPS) for ends in zip(one[:2], other[:2], strict=True)]
    return [event(f"{a}{b}", 0, f"cookie:c{a}", f"cookie:c{b}") for a, b in [*inside, *between]]


def test_communities_stand_beside_the_persons_of_a_component_that_was_too_large(neo4j_url: str) -> None:
    others = [event("other", 0, "cookie:other", "email:ann@example.org")]
    with told([*crowd(), *others], POLICY, url=emptied(neo4j_url)) as graph:
        ours = persons(graph) - {frozenset({"cookie:other", "email:ann@example.org"})}
    assert ours == {frozenset(f"cookie:c{one}" for one in group) for group in GROUPS}
    with connected(neo4j_url) as driver, driver.session() as session:
        for key in ("cookie:ca", "cookie:co"):
            rows = ask(session, "communities", key=key)
            assert {frozenset(row["keys"]) for row in rows} == ours
            assert len({row["community"] for row in rows}) == len({row["person"] for row in rows}) == len(GROUPS)
            assert {row["identifiers"] for row in rows} == {5}
        assert len(ask(session, "communities", key="cookie:other")) == 1
        assert ask(session, "communities", key="cookie:nobody") == []
    assert asked(neo4j_url, "CALL gds.graph.list() YIELD graphName RETURN graphName") == []
