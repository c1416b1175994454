"""A load is ended, or its disk fails, at chosen calls to the operating system: the same command then ends as if nothing
had been."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph.store import open_store
from tests.conftest import NIGHTLY
from tests.durability.calls import SEED, Ended, one_in, some, traced
from tests.durability.test_kill import DRIVER, record
from tests.story.ingesting import jsonl, write

RECORDS, BATCH = 10_000, 1_000


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("orders") / "orders.jsonl", jsonl(*map(record, range(RECORDS))))


def loaded(folder: Path, orders: Path, inject: str = "") -> Ended:
    command: list[str | Path] = [
        "-c",
        DRIVER.replace("batch=250", f"batch={BATCH}"),
        folder / "people.db",
        "orders",
        orders,
        "0",
    ]
    return traced(command, folder / "trace", inject)


def state(folder: Path) -> list[bytes]:
    store = open_store(f"sqlite:///{folder / 'people.db'}")
    try:
        run = store.operations.runs()[-1]  # a kill after its end makes the next load another one
        assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed
        return [*store.operations.canonical_lines(), f"{run.read} {run.accepted} {run.quarantined}".encode()]
    finally:
        store.close()


def read_so_far(folder: Path) -> int:
    store = open_store(f"sqlite:///{folder / 'people.db'}")
    try:
        return sum(run.read for run in store.operations.runs())
    finally:
        store.close()


@pytest.fixture(scope="module")
def calm(orders: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, list[bytes]]:
    folder = tmp_path_factory.mktemp("calm")
    ended = loaded(folder, orders)
    assert (ended.status, ended.calls["fdatasync"] > RECORDS // BATCH) == (0, True), ended
    assert ended.calls["pwrite64"] > 1_000, ended
    return ended, state(folder)


@pytest.mark.parametrize(("call", "many"), [("fdatasync", 1), ("pwrite64", 50)])
def test_killed_at_a_call(call: str, many: int, orders: Path, calm: tuple[Ended, list[bytes]], tmp_path: Path) -> None:
    for number in one_in(many, calm[0].calls[call]):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        killed = loaded(folder, orders, f"{call}:signal=SIGKILL:when={number}")
        assert killed.status != 0
        assert read_so_far(folder) >= BATCH * killed.output.count("step"), (number, SEED)
        again = loaded(folder, orders)
        assert again.status == 0, (number, SEED, again.errors)
        assert state(folder) == calm[1], (number, SEED)


@pytest.mark.parametrize(
    ("call", "error", "codes"),
    [
        ("fdatasync", "EIO", {"STORE_FAILED", "STORE_OPEN"}),
        ("pwrite64", "EIO", {"STORE_FAILED", "STORE_OPEN"}),
        # Of the file by which processes share memory SQLite does not say why it could not grow.
        ("pwrite64", "ENOSPC", {"STORE_FULL", "STORE_OPEN", "STORE_FAILED"}),
    ],
)
def test_a_disk_that_fails_is_said_and_nothing_is_lost(
    call: str, error: str, codes: set[str], orders: Path, calm: tuple[Ended, list[bytes]], tmp_path: Path
) -> None:
    load: list[str | Path] = ["-m", "identity_graph", "load", "--loader", "orders", orders, "--store"]
    usual = traced([*load, f"sqlite:///{tmp_path / 'usual.db'}"], tmp_path / "trace")
    calls = usual.calls[call]
    assert usual.status == 0 and calls > 1, usual
    for number in one_in(1 if call == "fdatasync" else 20, calls) if NIGHTLY else some(2, calls):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        url = f"sqlite:///{folder / 'people.db'}"
        failed = traced([*load, url], folder / "trace", f"{call}:error={error}:when={number}+")
        if failed.status:
            told = [line.partition(":")[0] for line in failed.errors.splitlines()]
            assert failed.status > 1 and codes & set(told), (number, SEED, failed.errors)
        else:  # it was closing a store in which everything is
            assert state(folder) == calm[1], (number, SEED)
        assert "Traceback" not in failed.errors
        again = loaded(folder, orders)
        assert again.status == 0, (number, SEED, again.errors)
        assert state(folder)[:-1] == calm[1][:-1], (number, SEED)
