"""Erasing people out of a large store: `python -m bench.erasure [IDENTIFIERS]`.

Into a file of SQLite, each step durable: typical people (four identifiers, fifty events) one by one, with receipt and
scrub; as many by a batch; and one person of 50 identifiers and 10,000 events, until it is invisible, gone and scrubbed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.load import write
from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier, Scope
from identity_graph.service import IdentityGraph
from identity_graph.times import DAY, now

IDENTIFIERS = 1_000_000
ONE_BY_ONE, IN_A_BATCH = 200, 500
TYPICAL, INVISIBLE, GONE = 20.0, 100.0, 1_000.0  # milliseconds
ROW = "{:<44}{:>12}{:>12}"


def typical(number: int) -> list[Event]:
    keys = [Identifier(space, f"v{number}@example.org") for space in ("user_id", "email", "cookie", "device_id")]
    start = now() - DAY
    return [
        Event(f"v{number}-{n}", start + n, "app", "Viewed", (keys[0], keys[1 + n % 3]), {"n": n}, {"page": f"/{n}"})
        for n in range(50)
    ]


def large() -> list[Event]:
    own = [Identifier("cookie", f"large-{n}") for n in range(49)]
    user, start = Identifier("user_id", "large"), now() - DAY
    return [Event(f"l{n}", start + n, "app", "Viewed", (user, own[n % 49]), {}, {"n": n}) for n in range(10_000)]


def prepare(graph: IdentityGraph, folder: Path, identifiers: int) -> None:
    """Four identifiers a person."""
    write(folder / "events.jsonl", 10 * (identifiers // 4))
    graph.ingest.load(read_loader("segment"), folder / "events.jsonl")
    for number in range(ONE_BY_ONE + IN_A_BATCH):
        graph.ingest.events(typical(number))
    graph.ingest.events(large())
    graph.resolver.resolve()


def one_by_one(graph: IdentityGraph) -> list[float]:
    """Milliseconds each."""
    found = []
    for number in range(ONE_BY_ONE):
        (person,) = graph.people.find_by_identifier([Identifier("email", f"v{number}@example.org")])
        assert person
        preview = graph.forget.preview(person.id)
        assert preview and preview.events == 50
        start = time.perf_counter()
        receipt = graph.forget.erase(preview.token)
        found.append(1000 * (time.perf_counter() - start))
        assert receipt.document["scrubbed"] and receipt.document["verified"]
    return found


def in_a_batch(graph: IdentityGraph, folder: Path) -> float:
    """People a second."""
    people = range(ONE_BY_ONE, ONE_BY_ONE + IN_A_BATCH)
    (folder / "people.txt").write_text("".join(f"email:v{number}@example.org\n" for number in people))
    start = time.perf_counter()
    done = graph.forget_batch.run(folder / "people.txt", Scope.CONNECTED)
    assert done.erased == IN_A_BATCH
    return IN_A_BATCH / (time.perf_counter() - start)


def of_many_events(graph: IdentityGraph) -> tuple[float, float]:
    """Milliseconds until it is invisible, and until it is gone and scrubbed."""
    user = Identifier("user_id", "large")
    (person,) = graph.people.find_by_identifier([user])
    assert person
    start = time.perf_counter()
    graph.restrictions.restrict(person.id)
    assert graph.people.find_by_identifier([user]) == [None]
    invisible = 1000 * (time.perf_counter() - start)
    preview = graph.forget.preview(person.id)
    assert preview and preview.events == 10_000
    start = time.perf_counter()
    assert graph.forget.erase(preview.token).document["scrubbed"]
    return invisible, 1000 * (time.perf_counter() - start)


def main(identifiers: int = IDENTIFIERS) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", signing_key=folder / "signing.pem") as graph:
            prepare(graph, folder, identifiers)
            stored = graph.store.operations.counts()["identifiers"]
            invisible, gone = of_many_events(graph)
            each = one_by_one(graph)
            rate = in_a_batch(graph, folder)
    print(f"\nErasure, SQLite, {stored:,} identifiers stored, durable")
    print(ROW.format("milliseconds", "found", "aim"))
    print(ROW.format("a typical person, median", f"{np.median(each):.1f}", ""))
    print(ROW.format("a typical person, 99th percentile", f"{np.percentile(each, 99):.1f}", f"{TYPICAL:.0f}"))
    print(ROW.format("10,000 events: invisible", f"{invisible:.1f}", f"{INVISIBLE:.0f}"))
    print(ROW.format("10,000 events: gone and scrubbed", f"{gone:.0f}", f"{GONE:.0f}"))
    print(ROW.format("a batch, people an hour", f"{3600 * rate:,.0f}", "110,000"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else IDENTIFIERS)
