"""Who was erased does not come back, whatever is sent again, in whatever order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier
from identity_graph.tracking.tracking import Tracking
from identity_graph.tracking.write_keys import WriteKeys
from identity_graph.world import NAMES, World
from tests.story.worlds import new_graph, world_ends

pytestmark = pytest.mark.usefixtures("each_store")
PEOPLE, ERASED, ROUNDS = 12, 4, 3


def by_tracking(graph: IdentityGraph, messages: list[dict[str, object]]) -> tuple[int, int]:
    """What sites and apps send over HTTP: how many were accepted, and how many suppressed."""
    service = Tracking(graph.store, graph.resolver, WriteKeys(), graph.clock, graph.new_id)
    before = {run.id for run in graph.store.operations.runs(limit=1_000)}
    for start in range(0, len(messages), 50):
        body = json.dumps({"batch": messages[start : start + 50]}).encode()
        service.store(body, "batch", "key").result(60)
    service.close()
    runs = [run for run in graph.store.operations.runs(limit=1_000) if run.id not in before and run.kind == "track"]
    assert sum(run.read for run in runs) == len(messages)
    return sum(run.accepted for run in runs), sum(run.suppressed for run in runs)


def test_all_sources_three_times_in_any_order(tmp_path: Path) -> None:
    World(PEOPLE, seed=3).write(tmp_path)
    lines = (tmp_path / NAMES["app"]).read_bytes().splitlines()
    messages = [sent | {"messageId": f"sent-{sent['messageId']}"} for sent in map(json.loads, lines)]
    dice = random.Random(17)
    with new_graph(clock=world_ends) as graph:

        def load(source: str) -> Callable[[], tuple[int, int]]:
            def once() -> tuple[int, int]:
                run = graph.ingest.load(
                    read_loader(source), tmp_path / NAMES[source], batch=dice.choice([7, 100, 5_000])
                )
                assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed > 0
                return run.accepted, run.suppressed

            return once

        sources = {source: load(source) for source in NAMES} | {"tracking": lambda: by_tracking(graph, messages)}
        assert all(accepted > 0 for accepted, _ in (sources[source]() for source in sources))
        graph.resolver.resolve()
        known: list[Identifier] = []
        for person in dice.sample(graph.store.persons.page(limit=1_000), ERASED):
            preview = graph.forget.preview(person.id)
            assert preview
            graph.forget.erase(preview.token)
            known += preview.exclusive
        people, digest = graph.people.count(), graph.digest()
        suppressed: dict[str, set[int]] = {source: set() for source in sources}
        for _ in range(ROUNDS):
            for source in dice.sample(sorted(sources), len(sources)):
                accepted, held = sources[source]()
                assert accepted == 0, source
                suppressed[source].add(held)
                if dice.random() < 0.5:
                    graph.resolver.resolve()
            graph.resolver.resolve()
            assert graph.digest() == digest and graph.people.count() == people
            assert not any(graph.people.find_by_identifier(known))
        assert all(len(counts) == 1 for counts in suppressed.values()), suppressed
        assert {0} not in suppressed.values()
