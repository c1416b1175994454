"""The same events in any order, in batches of any size, by one writer or several, some of them twice: one state."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from tests.conftest import NIGHTLY
from tests.story.ingesting import counts
from tests.story.places import place, some
from tests.story.worlds import new_graph

WORLDS = 5
PERMUTATIONS = 1_000 if NIGHTLY else 100  # of each
SIZES, WRITERS = (1, 7, 1_000), (1, 4)
SEED = random.SystemRandom().randrange(10**6) if NIGHTLY else 7
EVENTS = read_loader("events")


def world(dice: random.Random, people: int = 5, count: int = 30) -> list[dict[str, Any]]:
    """People who share devices and cookies, so that limits cut."""
    records: list[dict[str, Any]] = []
    for number in range(count):
        who = dice.randrange(people)
        known = {
            "user_id": f"u{who}",
            "email": f"p{who}@example.org",
            "device_id": f"d{dice.randrange(3)}",
            "anonymous_id": f"a{dice.randrange(2 * people)}",
        }
        named = dict(dice.sample(sorted(known.items()), dice.randint(1, 3)))
        time = f"2025-{dice.randint(1, 12):02}-01T00:00:{number:02}Z"
        record = {"id": f"e{number}", "time": time, "source": dice.choice(["web", "crm"]), "name": "Seen"}
        records.append(record | {"identifiers": named, "traits": {"n": number, "plan": dice.choice("ab")}})
    return records


def ways(records: Sequence[dict[str, Any]], number: int) -> Iterator[list[list[dict[str, Any]]]]:
    """For one or several writers: the batches of each. Every tenth record is there twice."""
    dice = random.Random(f"{SEED} {number}")
    order = [*records, *dice.sample(records, len(records) // 10)]
    dice.shuffle(order)
    size, writers = SIZES[number % len(SIZES)], WRITERS[number // len(SIZES) % len(WRITERS)]
    for writer in range(writers):
        own = order[writer::writers]
        yield [own[start : start + size] for start in range(0, len(own), size)]


def arrived(records: Sequence[dict[str, Any]], number: int) -> str:
    """The digest, after checking that every record is accounted for."""
    batches = list(ways(records, number))
    with new_graph() as graph:

        def write(own: list[list[dict[str, Any]]]) -> None:
            for batch in own:
                graph.ingest.records(EVENTS, batch)
                if number % 5 == 0 and len(batch) > 1:  # some are resolved as they come
                    graph.resolver.resolve()

        with ThreadPoolExecutor(len(batches)) as writers:
            list(writers.map(write, batches))
        graph.resolver.resolve()
        check(graph, records)
        assert list(graph.store.operations.canonical_lines())[-1].startswith(b'["suppressed"')
        return graph.digest()


def check(graph: IdentityGraph, records: Sequence[dict[str, Any]]) -> None:
    found = [counts(run) for run in graph.store.operations.runs(limit=10**6) if run.kind == "ingest"]
    read, accepted, duplicate, quarantined, suppressed = map(sum, zip(*found, strict=True))
    twice = len(records) // 10
    assert (read, accepted, duplicate, quarantined, suppressed) == (len(records) + twice, len(records), twice, 0, 0)


def test_one_state_whatever_the_order(each_store: None) -> None:
    for world_of in range(1 if place.server else WORLDS):
        records = world(random.Random(world_of))
        numbers = range(world_of * PERMUTATIONS, (world_of + 1) * PERMUTATIONS)
        assert len({arrived(records, number) for number in some(numbers)}) == 1, (SEED, world_of)
