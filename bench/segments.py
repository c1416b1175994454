"""Who meets a condition, of many profiles: `python -m bench.segments [PROFILES]`.

Into a file of SQLite, loaded and resolved as any other. Counted is what a preview counts, a truth and a range, beside
the same count as a scan of the same three columns in DuckDB, in the same run: both must give the same number, again
after profiles have changed. Timed apart is what the first question costs, which reads everybody, and the first one
after a publication.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier
from identity_graph.service import IdentityGraph
from identity_graph.times import now

PROFILES = 1_000_000
BAR = 20.0
ROUNDS = 300
CHANGED = 500
LOADER = """
source = "crm"
[event]
id = "id"
time = { value = "2026-01-01T00:00:00Z" }
name = { value = "Profile Updated" }
[identifiers]
user_id = "user"
[traits]
vip = "vip"
age = "age"
spent = "spent"
"""
VIP = {"trait": {"name": "vip", "is": {"equals": True}}}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    (
        "vip AND age BETWEEN 25 AND 44",
        {"all": [VIP, {"trait": {"name": "age", "is": {"range": {"from": 25, "to": 44}}}}]},
    ),
    (
        "vip AND spent BETWEEN 33.3 AND 141.7",
        {"all": [VIP, {"trait": {"name": "spent", "is": {"range": {"from": 33.3, "to": 141.7}}}}]},
    ),
]


def profiles(many: int) -> pl.DataFrame:
    dice = np.random.default_rng(5)
    return pl.DataFrame(
        {
            "id": [f"e{n}" for n in range(many)],
            "user": [f"u{n}" for n in range(many)],
            "vip": dice.random(many) < 0.3,
            "age": dice.integers(18, 99, many),
            "spent": np.round(dice.gamma(2, 50, many), 2),
        }
    )


def middle(act: Callable[[], Any]) -> float:
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return sorted(found)[ROUNDS // 2]


def seconds(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def change(graph: IdentityGraph, database: duckdb.DuckDBPyConnection) -> None:
    """Some are VIPs of thirty from now on, in both."""
    traits = {"vip": True, "age": 30, "spent": 100.25}
    graph.ingest.events(
        [
            Event(f"c{n}", now(), "crm", "Profile Updated", (Identifier("user_id", f"u{7 * n}"),), traits, {})
            for n in range(CHANGED)
        ]
    )
    graph.resolver.resolve()
    names = [f"u{7 * n}" for n in range(CHANGED)]
    database.execute("UPDATE p SET vip = true, age = 30, spent = 100.25 WHERE list_contains(?, user)", [names])


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else PROFILES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame = profiles(many)
        frame.write_parquet(folder / "profiles.parquet")
        (folder / "crm.toml").write_text(LOADER)
        database = duckdb.connect()
        database.register("frame", frame.to_arrow())
        database.execute("CREATE TABLE p AS SELECT user, vip, age, spent FROM frame")
        with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
            graph.ingest.load(read_loader(str(folder / "crm.toml")), folder / "profiles.parquet")
            resolved = seconds(graph.resolver.resolve)
            first = seconds(lambda: graph.segments.count({"all": [tree for _, tree in QUESTIONS]}))
            print(f"segments: {many:,} profiles, resolved in {resolved:.1f} s; the first question took {first:.1f} s")
            for after in (False, True):
                if after:
                    change(graph, database)
                    fresh = seconds(lambda: graph.segments.count(QUESTIONS[0][1]))
                    print(f"segments: the first question after {CHANGED} profiles changed took {1000 * fresh:.0f} ms")
                for sql, tree in QUESTIONS:
                    text = f"SELECT count(*) FROM p WHERE {sql}"
                    mine = graph.segments.count(tree)
                    assert [(mine,)] == database.execute(text).fetchall()
                    ours = middle(lambda tree=tree: graph.segments.count(tree))  # type: ignore[misc]
                    theirs = middle(lambda text=text: database.execute(text).fetchall())  # type: ignore[misc]
                    print(
                        f"segments: {sql}: {mine:,} persons in {1e6 * ours:.0f} us, DuckDB {1e6 * theirs:.0f} us:"
                        f" {theirs / ours:.1f} x (bar {BAR:.0f} x)"
                    )


if __name__ == "__main__":
    main()
