"""One event to a changed published person, with many stored: `python -m bench.increment [IDENTIFIERS]`.

Into a file of SQLite, each step durable. What is stored comes in bulk, from Parquet: four events for each person, of a
user id, an address and one of two cookies, which is a minute or two for a million identifiers. Every other event then
brings a known person a new cookie, the others join two persons. Timed is what an app waits for: the event given, and
the person as published afterwards found by it. Beside it, in the same run, as many bare durable commits of one row:
what the disk alone costs.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import apsw
import numpy as np
import polars as pl

from identity_graph.loaders import parse_loader
from identity_graph.model import Event, Identifier
from identity_graph.service import IdentityGraph
from identity_graph.times import now

IDENTIFIERS = 1_000_000
EVENTS = 1_000
BAR = 10.0  # milliseconds


LOADER = """
source = "shop"
[event]
time = "at"
name = { value = "Seen" }
[identifiers]
user_id = "user"
email = "email"
cookie = "cookie"
"""


def prepare(graph: IdentityGraph, folder: Path, identifiers: int) -> int:
    """How many people there are, of four identifiers each."""
    people = identifiers // 4
    person, visit = np.tile(np.arange(people), 4), np.repeat(np.arange(4), people)
    seen = pl.DataFrame({"person": person, "visit": visit}).select(
        user=pl.format("u-{}", "person"),
        email=pl.format("ann.smith{}@example.org", "person"),
        cookie=pl.format("{}-{}", "person", pl.col("visit") % 2),
        at=pl.lit("2025-0") + (1 + pl.col("visit")).cast(pl.String) + "-11",
    )
    seen.write_parquet(folder / "events.parquet")
    graph.ingest.load(parse_loader(LOADER), folder / "events.parquet")
    graph.resolver.resolve()
    return people


def events(people: int) -> list[Event]:
    dice = random.Random(3)
    found = []
    for number in range(EVENTS):
        one, other = (f"ann.smith{dice.randrange(people)}@example.org" for _ in range(2))
        own = [("email", one), ("cookie", f"new-{number}")] if number % 2 else [("email", one), ("email", other)]
        identifiers = tuple(Identifier(*name) for name in own)
        found.append(Event(f"one-{number}", now(), "app", "Product Viewed", identifiers, {}, {}))
    return found


def taken(graph: IdentityGraph, event: Event) -> float:
    start = time.perf_counter()
    graph.ingest.events([event])
    graph.resolver.resolve()
    (person,) = graph.people.find_by_identifier(event.identifiers[:1])
    seconds = time.perf_counter() - start
    assert person is not None
    return seconds


def bare(folder: Path) -> list[float]:
    database = apsw.Connection(str(folder / "bare.db"))
    database.pragma("journal_mode", "wal")
    database.pragma("synchronous", "full")
    database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    found = []
    for number in range(EVENTS):
        start = time.perf_counter()
        database.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 400))
        found.append(time.perf_counter() - start)
    return found


def main() -> None:
    identifiers = int(sys.argv[1]) if len(sys.argv) > 1 else IDENTIFIERS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
            people = prepare(graph, folder, identifiers)
            counts = graph.store.operations.counts()
            happened = events(people)
            taken(graph, happened[0])  # the first one reads what is then remembered
            found = [taken(graph, event) for event in happened[1:]]
        half, most = (1000 * float(one) for one in np.percentile(found, [50, 99]))
        commit = 1000 * float(np.percentile(bare(folder), 50))
    print(f"increment: {counts['identifiers']:,} identifiers of {counts['events']:,} events are stored")
    print(
        f"increment: one event to a published person: p50 {half:.1f}, p99 {most:.1f} ms (bar {BAR:.0f} ms);"
        f" a bare durable commit {commit:.2f} ms"
    )


if __name__ == "__main__":
    main()
