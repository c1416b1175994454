"""A world of people end to end: five files in, persons out, measured against the truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier
from identity_graph.quality import Quality, measure
from identity_graph.world import NAMES, Truth, World
from tests.story.worlds import numbered, world_ends


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IdentityGraph, Truth]]:
    """About 400 people's 20,000 events, resolved when three files are loaded and at the end."""
    folder = tmp_path_factory.mktemp("world")
    truth = World(people=400, seed=11).write(folder / "files")
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", clock=world_ends, new_id=numbered()) as graph:
        runs = []
        for number, (name, file) in enumerate(NAMES.items()):
            runs.append(graph.ingest.load(read_loader(name), folder / "files" / file))
            if number in (2, 4):
                graph.resolver.resolve()
        assert [run.read for run in runs] == [truth.records[name] for name in NAMES]
        assert sum(run.accepted for run in runs) == sum(truth.records.values()) - truth.repeated - len(truth.refused)
        assert sum(run.quarantined for run in runs) == len(truth.refused)
        yield graph, truth


def quality(graph: IdentityGraph, truth: Truth) -> Quality:
    rows = graph.people.memberships().rows()
    return measure({Identifier(namespace, value): id for id, namespace, value in rows}, truth.identifiers)


def test_persons_are_the_people(told: tuple[IdentityGraph, Truth]) -> None:
    found = quality(*told)
    assert found.precision >= 0.99
    assert found.recall >= 0.9
    assert found.b_cubed_precision >= 0.99 and found.b_cubed_recall >= 0.9
    assert found.purity >= 0.99
    assert found.largest_person <= 60


def test_events_are_whose_they_were(told: tuple[IdentityGraph, Truth]) -> None:
    """Of the events that a person of the truth made, nearly all are in the journey that holds most of theirs."""
    graph, truth = told
    events = [id for id, actor in truth.events.items() if actor is not None and id not in truth.refused]
    owners: dict[str, dict[str | None, int]] = {}
    for id, one in zip(events, graph.people.events(events), strict=True):
        actor = truth.events[id]
        assert one and actor
        counts = owners.setdefault(actor, {})
        counts[one.person_id] = counts.get(one.person_id, 0) + 1
    assert sum(max(counts.values()) for counts in owners.values()) >= 0.9 * len(events)


def test_whatever_is_shared_joins_few(told: tuple[IdentityGraph, Truth]) -> None:
    """Around every shared identifier at most one person of the truth is with it."""
    graph, truth = told
    shared = [one for one, owner in truth.identifiers.items() if owner is None]
    persons = [one for one in graph.people.find_by_identifier(shared) if one]
    assert len(shared) > 20
    pure = 0
    for members in graph.people.members([one.id for one in persons]):
        owners = {truth.identifiers.get(one.identifier) for one in members} - {None}
        pure += len(owners) <= 1
    assert pure >= 0.95 * len(persons)


def test_full_is_incremental_here_too(told: tuple[IdentityGraph, Truth]) -> None:
    graph, _ = told
    digest, changes = graph.digest(), len(graph.store.persons.changes(limit=100_000))
    graph.resolver.resolve(full=True)
    assert (graph.digest(), len(graph.store.persons.changes(limit=100_000))) == (digest, changes)
