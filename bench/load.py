"""Loading JSON Lines into SQLite beside a bare `executemany` of the same rows: `python -m bench.load [EVENTS]`.

Events of 400 bytes with three identifiers and five traits each, ten a person, in a random order of persons. The bare
side is given the finished rows and does nothing but write them, as rows: the same tables and settings, transactions of
as many events, and what the store puts into parts into the trees of its recent layer. Best of five, interleaved; both
files must hold the same state, line by line.

The same file once more is all duplicates; in another one, each twentieth event has an e-mail address that is none. Rows
of two identifiers and nothing else come as CSV and as Parquet.

Memory is that of a loading process of its own (and of its largest helper) for one and for ten times as many events.
"""

from __future__ import annotations

import gc
import hashlib
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import orjson
import polars as pl

from identity_graph.ingest import Ingest
from identity_graph.ingest.ingest import Progress
from identity_graph.ingest.steps import BLOCK
from identity_graph.loaders import Loader, parse_loader, read_loader
from identity_graph.store import open_store
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.entries import stored
from identity_graph.store.sqlite.tree import EVENT_ID, IDENTIFIER_VALUE, OBSERVATION, SOURCE_BITS, Tree
from identity_graph.times import now
from identity_graph.uuid7 import uuid7

EVENTS = 300_000
ROUNDS = 5
BATCH = 5_000
GOAL = 0.7
BAR = 70_000
AGAIN = 2.0  # times as fast as the first load
BAD, SLOWER = 20, 1.15  # one record in so many, and how much longer that may take
NARROW = 200_000  # rows a second
NARROW_LOADER = """
source = "narrow"
[event]
time = { value = "2025-01-01" }
name = { value = "Seen" }
[identifiers]
user_id = "user"
cookie = "cookie"
"""
# What a process of its own reports: its own peak memory and that of its largest helper, in KiB.
ALONE = """
import sys
from pathlib import Path
from bench.load import load, peak_of
helpers = {0}
def look(*_):
    for children in Path("/proc/self/task").glob("*/children"):
        helpers.update(peak_of(pid) for pid in children.read_text().split())
load(Path(sys.argv[1]), Path(sys.argv[2]), look)
print(peak_of("self"), max(helpers))
"""


def write(path: Path, events: int, bad: int | None = None) -> None:
    """Where there is `bad`, one event in so many is."""
    dice = random.Random(7)
    people = max(1, events // 10)
    cities = ("Amsterdam", "Berlin", "Chicago", "Denver", "Edinburgh")
    with path.open("wb") as file:
        for number in range(events):
            person = dice.randrange(people)
            cookie = uuid.UUID(int=(2 * person + dice.randrange(2) + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)
            traits = {
                "email": f"ann.smith{person}@example.org",
                "firstName": "Ann",
                "plan": dice.choice(("free", "gold")),
                "age": 18 + person % 60,
                "city": cities[person % 5],
            }
            if bad and number % bad == 0:
                traits["email"] = "no at sign"
            event = {
                "type": "track",
                "messageId": str(uuid.UUID(int=dice.getrandbits(128))),
                "anonymousId": str(cookie),
                "userId": f"u-{person}",
                "timestamp": f"2025-{1 + number * 12 // events:02}-11T10:{number % 60:02}:{person % 60:02}.123Z",
                "event": "Product Viewed",
                "context": {"traits": traits},
                "properties": {"sku": f"SKU-{dice.randrange(10_000):05}", "price": 12.5, "category": "lighting"},
            }
            file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))


def load(path: Path, target: Path, progress: Progress | None = None, loader: Loader | None = None) -> float:
    """Seconds; of a store that has the file's events already, it adds nothing."""
    store = open_store(f"sqlite:///{target}")
    start = time.perf_counter()
    run = Ingest(store, now, uuid7).load(loader or read_loader("segment"), path, progress=progress)
    taken = time.perf_counter() - start
    assert run.read in (run.accepted, run.duplicate, run.accepted + run.read // BAD), run
    store.close()
    return taken


def peak_of(process: str) -> int:
    """The high-water mark of memory in KiB, as Linux keeps it."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def finished_rows(path: Path, batch: int = BATCH) -> list[dict[str, list[tuple[Any, ...]]]]:
    """What a loaded store holds, by transaction of so many events, then by table."""
    database = Connection(str(path))

    def rows(table: str, order: str) -> list[tuple[Any, ...]]:
        return database.rows(f"SELECT * FROM {table} ORDER BY {order}")

    def entries(tree: Tree) -> list[tuple[int, ...]]:
        with database.snapshot():
            found = np.concatenate(list(stored(database, tree)))
        ordered = found[np.argsort(found[:, -1], kind="stable")]
        if tree is OBSERVATION:
            seen, time, event = ordered.T
            ordered = np.column_stack((seen >> SOURCE_BITS, time, event, seen & ((1 << SOURCE_BITS) - 1)))
        return list(map(tuple, ordered.tolist()))

    def by_batch(rows: list[tuple[Any, ...]], event: int) -> dict[int, list[tuple[Any, ...]]]:
        return {number: list(found) for number, found in groupby(rows, lambda row: (row[event] - 1) // batch)}

    events = by_batch(rows("event", "number"), 0)
    hashes = by_batch(entries(EVENT_ID), 1)
    observations = by_batch(entries(OBSERVATION), 2)
    identifiers = rows("identifier", "number")
    values = entries(IDENTIFIER_VALUE)
    batches = []
    known = 0
    for number, found in events.items():
        newest = max(known, *(row[0] for row in observations[number]))
        batches.append(
            {
                "identifier": identifiers[known:newest],
                "recent_identifier_value": values[known:newest],
                "event": found,
                "recent_event_id": hashes[number],
                "recent_observation": observations[number],
            }
        )
        known = newest
    batches[0] |= {"namespace": rows("namespace", "number"), "source": rows("source", "number")}
    database.close()
    assert known == len(identifiers)
    return batches


def write_bare(batches: list[dict[str, list[tuple[Any, ...]]]], target: Path) -> float:
    """Seconds."""
    Connection(str(target)).close()  # the store's tables and settings
    database = apsw.Connection(str(target))
    for statement in settings_of(target):
        database.execute(statement)
    gc.disable()
    start = time.perf_counter()
    for tables in batches:
        with database:
            for table, rows in tables.items():
                places = ", ".join("?" * len(rows[0])) if rows else ""
                database.executemany(f"INSERT INTO {table} VALUES ({places})", rows) if rows else None
    taken = time.perf_counter() - start
    gc.enable()
    database.close()
    return taken


def settings_of(target: Path) -> list[str]:
    """The settings of a store's own connection, as statements for another one."""
    names = ("synchronous", "secure_delete", "temp_store", "cache_size", "wal_autocheckpoint")
    writer = Connection(str(target))
    found = [f"PRAGMA {name} = {writer._writer.pragma(name)}" for name in names]
    writer.close()
    return found


def digest(path: Path) -> str:
    store = open_store(f"sqlite:///{path}")
    found = hashlib.sha256(b"\n".join(store.operations.canonical_lines())).hexdigest()
    store.close()
    return found


def remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def peak(path: Path, target: Path) -> tuple[int, int]:
    """MiB of a process that loads the file, and of its largest helper."""
    remove(target)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(path), str(target)], check=True, capture_output=True, text=True
    )
    own, helper = map(int, done.stdout.split())
    return own >> 10, helper >> 10


def others(folder: Path, events: int, source: Path, target: Path) -> None:
    """Loads that are not the first of a flawless file of JSON; best of three, interleaved with such a one."""
    bad, csv, parquet = folder / "bad.jsonl", folder / "narrow.csv", folder / "narrow.parquet"
    write(bad, events, BAD)
    dice = random.Random(7)
    users = [dice.randrange(events) for _ in range(3 * events)]
    rows = pl.DataFrame(
        {"user": [f"u-{user}" for user in users], "cookie": [f"c-{user}-{n % 3}" for n, user in enumerate(users)]}
    ).unique()
    rows.write_csv(csv)
    rows.write_parquet(parquet)
    narrow = parse_loader(NARROW_LOADER)
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(3):
        remove(target)
        taken["first"].append(load(source, target))
        taken["again"].append(load(source, target))
        remove(target)
        taken["bad"].append(load(bad, target))
        for path in (parquet, csv):
            remove(target)
            taken[path.suffix].append(load(path, target, loader=narrow))
    best = {name: min(found) for name, found in taken.items()}
    print(f"load: the same file again {best['first'] / best['again']:.2f} times as fast (bar {AGAIN})")
    print(f"load: with one bad record in {BAD} {best['bad'] / best['first']:.2f} of the time (bar {SLOWER})")
    batches, bare = finished_rows(target, len(rows) * BLOCK // csv.stat().st_size), folder / "bare.db"
    for _ in range(3):
        remove(bare)
        taken["bare"].append(write_bare(batches, bare))
    floor = min(taken["bare"])
    for name in (".csv", ".parquet"):
        print(
            f"load: {len(rows) / best[name]:,.0f} rows/s of two identifiers from {name} (bar {NARROW:,}),"
            f" {floor / best[name]:.2f} of a bare executemany in transactions as large as those of CSV"
        )


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        source, target, bare = (Path(folder) / name for name in ("events.jsonl", "load.db", "bare.db"))
        write(source, events)
        size = source.stat().st_size
        print(f"load: {events:,} events of {size // events} bytes, three identifiers and five traits each")
        load(source, target)
        batches = finished_rows(target)
        loads, bares = [], []
        for _ in range(ROUNDS):
            remove(target)
            loads.append(load(source, target))
            remove(bare)
            bares.append(write_bare(batches, bare))
        assert digest(target) == digest(bare)
        rate, floor = events / min(loads), events / min(bares)
        print(f"load: {rate:,.0f} events/s (bar {BAR:,}), {rate / floor:.2f} of a bare executemany (goal {GOAL})")
        batches.clear()
        others(Path(folder), events, source, target)

        for what, bad in (("", None), (f", one in {BAD} of them bad", BAD)):
            peaks = []
            for many in (events, 10 * events):
                write(source, many, bad)
                peaks.append(peak(source, target))
            for who, least, most in zip(("loading process", "largest helper"), *peaks, strict=True):
                ratio = most / max(1, least)
                print(f"load: peak memory of the {who} {least} MiB, {ratio:.2f} of that for ten times as many{what}")


if __name__ == "__main__":
    main()
