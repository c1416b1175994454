"""Thousands of random graphs beside each other, and in each one person goes, or one identifier of it: all else is the
world without it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from identity_graph import IdentityGraph
from identity_graph.events_digest import counted_anew, events_digest
from identity_graph.model import ErasurePreview, Event, Identifier, Profile, Scope
from identity_graph.store.keyring import VARIABLE
from tests.conftest import NIGHTLY
from tests.story.places import place
from tests.story.worlds import event, new_graph, save_segments, tell

GRAPHS = 10_000 if NIGHTLY else 2_000
ON_A_SERVER = 500 if NIGHTLY else 60
AT_ONCE = 100
SCOPES = (Scope.CONNECTED, Scope.CONNECTED, Scope.CONNECTED, Scope.EXACT)  # one of them, by chance


def household(number: int, dice: random.Random) -> list[Event]:
    """Two to four people with identifiers of their own, who share a tablet, a telephone, a mailbox and an address."""
    people = [
        [f"{space}:g{number}-{who}{end}" for space, end in (("user_id", ""), ("email", "@x.org"), ("cookie", "-a"))]
        + [f"cookie:g{number}-{who}-{n}" for n in range(dice.randrange(3))]
        for who in range(dice.randint(2, 4))
    ]
    shared = [
        f"device_id:g{number}-tablet",
        f"phone:+1555{number:07}",
        f"email:g{number}@x.org",
        f"ip:10.0.{number // 256}.{number % 256}",
    ]
    found = []
    for n in range(dice.randint(5, 12)):
        own = dice.choice(people)
        keys = dice.sample(own, dice.randint(1, min(3, len(own))))
        if dice.random() < 0.4:
            keys.append(dice.choice(shared))
        if dice.random() < 0.1:
            keys.append(dice.choice(dice.choice(people)))
        if dice.random() < 0.1:
            keys = [dice.choice(shared)]
        stated = [(own[0], dice.choice(own[1:]))] if dice.random() < 0.1 else []
        traits = {dice.choice(["plan", "city"]): dice.choice(["pro", "free", "Ghent"])} if dice.random() < 0.5 else {}
        name = dice.choice(["Page Viewed", "Order Completed", "Signed Up"])
        when, source = dice.randrange(50_000), dice.choice(["web", "app", "crm"])
        found.append(
            event(f"g{number}-{n}", when, *dict.fromkeys(keys), source=source, name=name, traits=traits, same=stated)
        )
    return found


@pytest.mark.usefixtures("each_store")
def test_everybody_else_is_as_if_they_had_never_been(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    dice, count = random.Random(20_260_101), ON_A_SERVER if place.server else GRAPHS
    graphs = [household(number, dice) for number in range(count)]
    arrivals = [one for events in graphs for one in events]
    dice.shuffle(arrivals)
    with new_graph() as graph:
        save_segments(graph)
        tell(graph, arrivals)
        chosen = dict(victims(graph, graphs, dice))
        assert len(chosen) > 0.99 * count and {scope for _, _, scope in chosen.values()} == {*Scope}
        journeys = graph.people.journeys([id for id, _, _ in chosen.values()])
        gone = {
            one.event.id
            for journey, (_, asked, scope) in zip(journeys, chosen.values(), strict=True)
            for one in journey
            if scope is Scope.CONNECTED or asked in seen_by(one.event)
        }
        previews = {}
        for number, (id, asked, scope) in chosen.items():
            preview = graph.forget.preview(id, asked, scope)
            assert preview and preview.scope is scope
            previews[number] = preview
            members = {row.identifier for row in graph.people.members([id])[0]}
            assert_right(preview, graphs[number], gone, members if scope is Scope.CONNECTED else {asked})
        tokens = [one.token for one in previews.values()]
        receipts = [
            one.document
            for start in range(0, len(tokens), AT_ONCE)
            for one in graph.forget.erase_all(tokens[start : start + AT_ONCE])
        ]
        assert [one["events"] for one in receipts] == [one.events for one in previews.values()]
        assert all(one["verified"] for one in receipts)
        kept = [one for one in arrivals if one.id not in gone]
        digest, found = graph.digest(), told(graph, kept)
        for _ in range(3):
            dice.shuffle(arrivals)
            run = graph.ingest.events(arrivals)
            assert (run.accepted, run.suppressed, run.duplicate) == (0, len(gone), len(kept))
        graph.resolver.resolve(full=True)
        assert graph.digest() == digest
    with new_graph() as without:
        save_segments(without)
        tell(without, kept)
        assert without.digest() == digest
        assert told(without, kept) == found
        assert events_digest(without.store, counted_anew(without.store)) == receipts[-1]["othersAfter"]


def victims(
    graph: IdentityGraph, graphs: list[list[Event]], dice: random.Random
) -> Iterator[tuple[int, tuple[str, Identifier, Scope]]]:
    """Of each graph who has some identifier, that one, and what is erased of it."""
    for number, events in enumerate(graphs):
        known = sorted({one for event in events for one in event.identifiers})
        owned = [
            (asked, one.id) for asked, one in zip(known, graph.people.find_by_identifier(known), strict=True) if one
        ]
        if owned:
            asked, id = dice.choice(owned)
            yield number, (id, asked, dice.choice(SCOPES))


def assert_right(preview: ErasurePreview, events: list[Event], gone: set[str], own: set[Identifier]) -> None:
    """Exclusive is what no event that stays holds; shared is what such an event holds; beside is the rest."""
    held = {one for event in events if event.id not in gone for one in seen_by(event)}
    named = own | {one for event in events if event.id in gone for one in seen_by(event)}
    assert preview.events == sum(event.id in gone for event in events)
    assert (set(preview.exclusive), set(preview.shared)) == (own - held, named & held)
    assert set(preview.beside) == named - own - held


def seen_by(event: Event) -> set[Identifier]:
    """What it states to be one person it has seen, too."""
    return {*event.identifiers, *(end for pair in event.same_person for end in pair)}


def told(
    graph: IdentityGraph, events: list[Event]
) -> dict[Identifier, tuple[Profile, tuple[str, ...], list[str]] | None]:
    """Of each identifier: the profile, segments and journey of whose it is."""
    keys = sorted({one for event in events for one in event.identifiers})
    persons = graph.people.find_by_identifier(keys)
    ids = list(dict.fromkeys(one.id for one in persons if one))
    known = zip(graph.people.profiles(ids), graph.people.segments(ids), graph.people.journeys(ids), strict=True)
    of = {
        id: (profile, names, [one.event.id for one in journey])
        for id, (profile, names, journey) in zip(ids, known, strict=True)
    }
    return {asked: of[one.id] if one else None for asked, one in zip(keys, persons, strict=True)}
