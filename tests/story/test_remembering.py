"""What a request remembers of persons answers as the store does, whatever was looked at before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import ChangeKind, Identifier
from identity_graph.people import People
from identity_graph.remembering import Remembering
from tests.story.worlds import event, key, person, save_segments, tell, told, town

pytestmark = pytest.mark.usefixtures("each_store")

SOME = [key(text) for text in ("user_id:ann", "device_id:tablet", "email:kim@example.org", "user_id:q03", "cookie:no")]
# What is looked at, one after the other: so many of the identifiers, and of the ids.
LOOKS = [[], [(5, 9)], [(5, 0), (0, 9)], [(0, 1), (1, 2), (5, 9)], [(0, 9), (5, 9)]]


@pytest.fixture
def graph() -> Iterator[IdentityGraph]:
    """Of the town, where Ann and Eve turned out to be one."""
    with told(town()) as graph:
        save_segments(graph)
        tell(graph, [event("join", 90, "user_id:ann", "email:eve@example.org")])
        yield graph


def everything(people: People, ids: list[str], keys: list[Identifier]) -> dict[str, Any]:
    events = [one.event.id for journey in people.journeys(ids) for one in journey]
    links = people.links(ids)
    return {
        "find": people.find(ids),
        "find_by_identifier": people.find_by_identifier(keys),
        "identifiers": people.identifiers(keys),
        "members": people.members(ids),
        "confidences": people.confidences(ids),
        "profiles": people.profiles(ids),
        "journeys": people.journeys(ids),
        "sessions": people.sessions(ids),
        "segments": people.segments(ids),
        "facts": people.facts(ids),
        "events": people.events([*events, "unknown"]),
        "own events": people.events(events),
        "links": links,
        "evidence": people.evidence([(link.a, link.b) for found in links for link in found]),
    }


@pytest.mark.parametrize("events", [True, False])
def test_memory_and_store_say_the_same(graph: IdentityGraph, events: bool) -> None:
    (merged,) = graph.store.persons.changes(kinds=[ChangeKind.MERGED])
    ids = [
        *merged.from_ids,
        person(graph, "user_id:bob"),
        person(graph, "user_id:q03"),
        "unknown",
        "\0",
        *merged.from_ids,
    ]
    expected = everything(graph.people, ids, SOME)
    assert any(one and one.requested_id for one in expected["find"]), "one is retired"
    for looks in LOOKS:
        store = Remembering(graph.store, events=events)
        for keys, persons in looks:
            store.look(SOME[:keys], ids[:persons])
        assert everything(graph.people.at_once(store), ids, SOME) == expected, looks
    store = Remembering(graph.store, events=events)
    store.expect(ids)
    assert everything(graph.people.at_once(store), ids, SOME) == expected


def test_who_was_looked_at_is_not_looked_at_again(graph: IdentityGraph) -> None:
    store = Remembering(graph.store, events=True)
    ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
    store.look(SOME, [ann, "unknown"])
    heard: list[str] = []
    with graph.store.trace(heard.append):
        store.look(SOME[1:], ["unknown", ann])
        store.look(ids=[ann])
    assert heard == []
    # Bob used the tablet, too: of him there is a row, and no more.
    with graph.store.trace(heard.append):
        store.look(ids=[bob])
    assert heard
    assert graph.people.at_once(store).members([ann, bob]) == graph.people.members([ann, bob])


def test_a_publication_between_two_looks_is_seen_as_a_whole(graph: IdentityGraph) -> None:
    store = Remembering(graph.store, events=True)
    people = graph.people.at_once(store)
    ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
    store.look(ids=[ann])
    tell(graph, [event("later", 95, "user_id:ann", "cookie:new"), event("his", 96, "user_id:bob", "cookie:his")])
    people.find([bob])
    assert people.members([ann, bob]) == graph.people.members([ann, bob])
    assert people.find([ann, bob]) == graph.people.find([ann, bob])
