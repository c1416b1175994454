"""A load is killed at random moments, and the same command run again: nothing is lost, doubled or half done."""

from __future__ import annotations

import gzip
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson
import polars as pl
import pytest

from identity_graph.model import Run, RunState
from identity_graph.store import open_store
from tests.conftest import soon
from tests.nursery import Forked

ROOT = Path(__file__).parents[2]
RECORDS = 12_000
KILLS = 5
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it

# The loading process: it says when a transaction is done and waits for a word, while there is somebody to say one: the
# kill falls into any part of the next.
DRIVER = """
import sys
from identity_graph import open_store
from identity_graph.ingest import Ingest, steps
from identity_graph.loaders import read_loader
from identity_graph.records import parquet
from identity_graph.times import now
from identity_graph.uuid7 import uuid7
steps.BLOCK, parquet.SLICE = (5_000, 300) if sys.argv[3].endswith("parquet") else (50_000, parquet.SLICE)
store = open_store("sqlite:///" + sys.argv[1])
ingest = Ingest(store, now, uuid7)
print("ready", flush=True)
say = lambda *_: (print("step", flush=True), sys.stdin.readline())
run = ingest.load(read_loader(sys.argv[2]), sys.argv[3], batch=250, processes=int(sys.argv[4]), progress=say)
print("done", run.id, flush=True)
store.close()
"""


def record(number: int) -> dict[str, object]:
    """Every seventh is refused, every ninth is an earlier one again, every fiftieth is that with another body."""
    if number % 9 == 8:
        return record(number - 5) | ({"amount": -1.0} if number % 50 == 44 else {})
    email = "nobody at home" if number % 7 == 3 else f"p{number % 997}@example.org"
    return {
        "order_id": f"o{number}",
        "customer_id": f"u{number % 1009}",
        "email": email,
        "device_id": f"d{number * 7919 % 4001}",
        "amount": number / 4,
        "ordered_at": f"2025-{1 + number % 12:02}-01T00:{number % 60:02}:00Z",
    }


def jsonl(path: Path) -> Path:
    path = path.with_suffix(".jsonl")
    path.write_bytes(b"\n\n".join(orjson.dumps(record(number)) for number in range(RECORDS)))
    return path


def csv_gz(path: Path) -> Path:
    rows = pl.DataFrame([record(number) for number in range(RECORDS)]).write_csv()
    path = path.with_suffix(".csv.gz")
    path.write_bytes(gzip.compress(rows.encode(), 1))
    return path


def parquet(path: Path) -> Path:
    path = path.with_suffix(".parquet")
    pl.DataFrame([record(number) for number in range(RECORDS)]).write_parquet(path)
    return path


def start(store: Path, file: Path, processes: int = 0) -> Forked:
    process = Forked(["-c", DRIVER, store, "orders", file, str(processes)])
    assert heard(process) == "ready"
    return process


def heard(process: Forked) -> str:
    return process.stdout.readline().strip().partition(" ")[0]


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:  # it has just ended
        return []


def gone(processes: list[int]) -> bool:
    """Whether they end, of whom nobody asks anything any more."""
    with suppress(AssertionError):
        soon(lambda: not any(is_worker(pid) for pid in processes))
    return not any(is_worker(pid) for pid in processes)


def is_worker(pid: int) -> bool:
    try:
        return b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def finish(process: Forked) -> None:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "done" in output


def outcome(path: Path) -> tuple[Run, list[bytes], list[tuple[int, int, str, str, bytes]]]:
    """The only run, the state, and what was set aside."""
    store = open_store(f"sqlite:///{path}")
    (run,) = store.operations.runs()
    lines = list(store.operations.canonical_lines())
    aside = [(q.line, q.offset, q.code, q.message, q.record) for q in store.operations.quarantined(limit=10**6)]
    store.close()
    return run, lines, aside


def is_done(path: Path) -> bool:
    store = open_store(f"sqlite:///{path}")
    runs = store.operations.runs()
    store.close()
    return any(run.state == RunState.DONE for run in runs)


@pytest.mark.parametrize(
    ("write", "processes"), [(jsonl, 0), (jsonl, 2), (csv_gz, 0), (csv_gz, 2), (parquet, 0), (parquet, 2)]
)
def test_killed_and_run_again(tmp_path: Path, write: Callable[[Path], Path], processes: int) -> None:
    dice = random.Random(SEED)
    file = write(tmp_path / "orders")
    finish(start(tmp_path / "calm.db", file))
    calm = outcome(tmp_path / "calm.db")

    killed = 0
    for _ in range(KILLS):
        process = start(tmp_path / "rough.db", file, processes)
        begun, word = time.monotonic(), "step"
        count = dice.randrange(RECORDS // 250 // KILLS)
        for _ in range(count):
            word = heard(process)
            if word != "step":
                break
            print("go", file=process.stdin, flush=True)
        if word == "step":
            # The next kill falls anywhere into the reading, the writing or the commit of the next transaction.
            time.sleep(dice.random() * 2 * max(0.005, (time.monotonic() - begun) / max(1, count)))
            helpers = children(process.pid)
            assert processes or not helpers
            process.send_signal(signal.SIGKILL)
            assert gone(helpers)
        process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL)
        if is_done(tmp_path / "rough.db"):  # the kill may have come after that, too
            break
        killed += 1
    else:
        finish(start(tmp_path / "rough.db", file, processes))
    print(f"seed {SEED}: killed {killed} times")
    assert killed

    rough = outcome(tmp_path / "rough.db")
    run = rough[0]
    assert run.state == RunState.DONE
    assert run.read == RECORDS == run.accepted + run.duplicate + run.quarantined + run.suppressed
    fields = ("read", "accepted", "duplicate", "quarantined", "suppressed", "position", "offset", "source", "message")
    assert [getattr(run, name) for name in fields] == [getattr(calm[0], name) for name in fields]
    assert (run.duplicate > 0, run.quarantined > 0) == (True, True)
    assert rough[1] == calm[1]
    assert sorted(rough[2]) == sorted(calm[2])


@pytest.mark.parametrize("processes", [0, 2])
def test_an_interrupted_load_ends_at_once_and_goes_on(tmp_path: Path, processes: int) -> None:
    """Ctrl-C: the process ends by the interrupt, and the run stays as it is."""
    file = jsonl(tmp_path / "orders")
    process = start(tmp_path / "people.db", file, processes)
    assert heard(process) == "step"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode != 0
    store = open_store(f"sqlite:///{tmp_path / 'people.db'}")
    (run,) = store.operations.runs()
    assert (run.state, 0 < run.position < RECORDS) == (RunState.RUNNING, True)
    store.close()
    finish(start(tmp_path / "people.db", file, processes))
    assert outcome(tmp_path / "people.db")[0].read == RECORDS
