"""Erasing people out of a large store: `python -m bench.erasure [IDENTIFIERS]`.

Into a file of SQLite, each step durable: typical people (four identifiers, fifty events) one by one, with receipt and
scrub; as many by a batch; and one person of 50 identifiers and 10,000 events, until it is invisible, gone and scrubbed.
Beside them lie what an erasure has to look through: records that were set aside, and suppressed links with reasons.
Then how fast is found, of identifiers that come in, which were erased.
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
ASIDE, SUPPRESSED = 10_000, 10_000
LOOKED_UP, LOOK_UPS = 400_000, 200_000
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


def in_conflict(number: int) -> list[Event]:
    """Two who log in on one device: the second does not join it."""
    device, start = Identifier("device_id", f"shared-{number}"), now() - DAY
    users = [Identifier("user_id", f"{who}-{number}") for who in ("first", "first", "second")]
    return [Event(f"s{number}-{n}", start + n, "app", "Opened", (user, device), {}, {}) for n, user in enumerate(users)]


def prepare(graph: IdentityGraph, folder: Path, identifiers: int) -> None:
    """Four identifiers a person."""
    events = 10 * (identifiers // 4)
    write(folder / "events.jsonl", events, bad=max(2, events // ASIDE))
    graph.ingest.load(read_loader("segment"), folder / "events.jsonl")
    graph.ingest.events([event for number in range(SUPPRESSED) for event in in_conflict(number)])
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


def look_ups(graph: IdentityGraph) -> float:
    """Identifiers a second, of which one in fifty was erased."""
    erased = [Identifier("email", f"v{number}@example.org") for number in range(ONE_BY_ONE)]
    asked = [Identifier("email", f"n{number}@example.org") for number in range(LOOKED_UP)]
    asked[::50] = [erased[place % ONE_BY_ONE] for place in range(len(asked[::50]))]
    start = time.perf_counter()
    found = [
        gone
        for place in range(0, LOOKED_UP, 5_000)
        for gone in graph.store.privacy.tombstoned(asked[place : place + 5_000])
    ]
    seconds = time.perf_counter() - start
    assert sum(found) == len(asked[::50]) and all(found[::50])
    return LOOKED_UP / seconds


def main(identifiers: int = IDENTIFIERS) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", signing_key=folder / "signing.pem") as graph:
            prepare(graph, folder, identifiers)
            counts = graph.store.operations.counts()
            assert counts["quarantined"] >= ASIDE // 2 and counts["suppressed_links"] >= SUPPRESSED
            invisible, gone = of_many_events(graph)
            each = one_by_one(graph)
            rate = in_a_batch(graph, folder)
            known = look_ups(graph)
    print(f"\nErasure, SQLite, {counts['identifiers']:,} identifiers stored, durable")
    print(ROW.format("milliseconds", "found", "aim"))
    print(ROW.format("a typical person, median", f"{np.median(each):.1f}", ""))
    print(ROW.format("a typical person, 99th percentile", f"{np.percentile(each, 99):.1f}", f"{TYPICAL:.0f}"))
    print(ROW.format("10,000 events: invisible", f"{invisible:.1f}", f"{INVISIBLE:.0f}"))
    print(ROW.format("10,000 events: gone and scrubbed", f"{gone:.0f}", f"{GONE:.0f}"))
    print(ROW.format("a batch, people an hour", f"{3600 * rate:,.0f}", "110,000"))
    print(ROW.format("suppressed or not, look-ups a second", f"{known:,.0f}", f"{LOOK_UPS:,}"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else IDENTIFIERS)
