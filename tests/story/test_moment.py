"""Reading while others write: every answer is of one moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from identity_graph import IdentityGraph
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.rehearsal import rehearse
from tests.conftest import Clock
from tests.story.worlds import cookie_reset, event, key, new_graph, numbered, person, save_segments, tell

EVE = "email:eve@example.org"
NEWER = event("zed", 9000, "user_id:zed", EVE, "cookie:k-one", "cookie:zed", "loyalty_id:Z", traits={"plan": "max"})

QUESTIONS: dict[str, Callable[[People, str], object]] = {
    "find_by_identifier": lambda people, id: people.find_by_identifier([key("cookie:k-one")]),
    "identifiers": lambda people, id: people.identifiers([key(EVE), key("cookie:k-two")]),
    "memberships": lambda people, id: people.memberships().rows(),
    "members": lambda people, id: people.members([id]),
    "profiles": lambda people, id: people.profiles([id]),
    "journeys": lambda people, id: people.journeys([id]),
    "facts": lambda people, id: people.facts([id]),
    "segments": lambda people, id: people.segments([id]),
    "links": lambda people, id: people.links([id]),
    "events": lambda people, id: people.events(["k2", "k5"]),
    "evidence": lambda people, id: people.evidence([(key(EVE), key("cookie:k-one"))]),
    "explain": lambda people, id: people.explain(key(EVE), key("cookie:k-one")),
}


def forgotten(graph: IdentityGraph) -> None:
    preview = graph.forget.preview(person(graph, EVE))
    assert preview
    graph.store.privacy.scrub = lambda: None  # type: ignore[method-assign]  # it would wait for the reader under test
    graph.forget.erase(preview.token)


def joined_by_others(graph: IdentityGraph) -> None:
    tell(graph, [NEWER])


@pytest.mark.parametrize("happens", [forgotten, joined_by_others])
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_happens_between_two_reads_is_not_seen(
    question: str, happens: Callable[[IdentityGraph], None], tmp_path: Path
) -> None:
    """Another connection erases or extends the person before the n-th statement of a question, for every n."""
    ask, place = QUESTIONS[question], 0
    while happened_before(
        place, lambda graph, id: ask(graph.people, id), happens, f"sqlite:///{tmp_path / str(place)}.db"
    ):
        place += 1
    assert place > 1


@pytest.mark.parametrize("happens", [forgotten, joined_by_others])
def test_what_happens_during_a_rehearsal_is_not_seen(happens: Callable[[IdentityGraph], None], tmp_path: Path) -> None:
    strict, place = Policy.parse("min_weight = 0.5"), 0
    while happened_before(
        place,
        lambda graph, _: rehearse(graph.store, strict, graph.engine),
        happens,
        f"sqlite:///{tmp_path / str(place)}.db",
    ):
        place += 1
    assert place > 1


def happened_before(
    place: int, ask: Callable[[IdentityGraph, str], object], happens: Callable[[IdentityGraph], None], url: str
) -> bool:
    """Whether the question has a statement of that number; what happens before it must be seen whole or not at all."""
    heard = 0
    with new_graph(url=url) as graph, IdentityGraph.open(url, clock=Clock(), new_id=numbered("q")) as other:
        tell(graph, cookie_reset())
        save_segments(graph)
        id = person(graph, EVE)

        def hear(_: str) -> None:
            nonlocal heard
            if heard == place:
                writer = Thread(target=happens, args=(other,))
                writer.start()
                writer.join()
            heard += 1

        before = ask(graph, id)
        with graph.store.trace(hear):
            found = ask(graph, id)
        assert found in (before, ask(graph, id))
    return heard > place
