"""One state for one body of evidence: whatever the order of arrival, the cuts into batches and the repeats."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.loaders import read_loader
from identity_graph.world import NAMES, World
from tests.conftest import law
from tests.story.picture import picture
from tests.story.places import some
from tests.story.worlds import fading, new_graph, policies, save_segments, told, town, world_ends, worlds

pytestmark = pytest.mark.usefixtures("each_store")


@law(15)
@given(worlds(most=15), policies | st.builds(fading), st.randoms(use_true_random=False))
def test_any_order_any_batches_any_repeats(events, policy, random):  # type: ignore[no-untyped-def]
    keys = {one for event in events for one in event.identifiers}
    arrivals = events + random.choices(events, k=len(events) // 2)
    random.shuffle(arrivals)
    with told(events, policy) as plain:
        save_segments(plain)
        expected = picture(plain, keys)
    with new_graph(policy) as mixed:
        save_segments(mixed)
        accepted = duplicate = start = 0
        while start < len(arrivals):
            end = start + random.randrange(1, 7)
            run = mixed.ingest.events(arrivals[start:end])
            accepted, duplicate, start = accepted + run.accepted, duplicate + run.duplicate, end
            assert run.read == run.accepted + run.duplicate
            if random.random() < 0.4:
                mixed.resolver.resolve()
        mixed.resolver.resolve()
        assert (accepted, duplicate) == (len(events), len(arrivals) - len(events))
        assert picture(mixed, keys) == expected


def test_whatever_differs_differs_in_the_digest() -> None:
    events = town()
    with told(events) as graph:
        whole = graph.digest()
    digests, places = {whole}, some(range(len(events)))
    for place in places:
        with told(events[:place] + events[place + 1 :]) as graph:
            digests.add(graph.digest())
    assert len(digests) == 1 + len(places)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("world")
    World(people=25, seed=3).write(folder)
    yield folder


def test_the_files_of_a_world_in_any_order(folder: Path) -> None:
    orders = random.Random(5).sample(list(permutations(NAMES)), 4)
    digests = []
    for number, order in enumerate(some(orders)):
        with new_graph(clock=world_ends) as graph:
            dice = random.Random(number)
            for name in (*order, order[0]):  # the first once more: all of it is known
                run = graph.ingest.load(read_loader(name), folder / NAMES[name], batch=dice.choice([7, 100, 5000]))
                assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed > 0
                if dice.random() < 0.5:
                    graph.resolver.resolve()
            assert (run.accepted, run.suppressed) == (0, 0)
            graph.resolver.resolve()
            digests.append(graph.digest())
    assert len(set(digests)) == 1
