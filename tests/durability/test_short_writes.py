"""Files may not grow past a size that ends in the middle of a page: the kernel writes less than it was given, and then
nothing. The same command, once they may grow, ends as if nothing had been."""

from __future__ import annotations

import subprocess
from pathlib import Path

import apsw
import pytest

from identity_graph.store import open_store
from tests import nursery
from tests.durability.test_kill import record
from tests.story.ingesting import jsonl, write

LOAD = """
import resource, sys
if sys.argv[1] != "-":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from identity_graph.cli import main
sys.argv[1:] = ["load", "--loader", "orders", sys.argv[2], "--store", sys.argv[3]]
main()
"""
RECORDS = 3_000


def loaded(file: Path, store: Path, most: int | None) -> subprocess.CompletedProcess[str]:
    return nursery.run(["-c", LOAD, str(most or "-"), file, f"sqlite:///{store}"])


def state(path: Path) -> list[bytes]:
    store = open_store(f"sqlite:///{path}")
    try:
        (run,) = store.operations.runs()
        assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed == RECORDS
        return list(store.operations.canonical_lines())
    finally:
        store.close()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, list[bytes]]:
    folder = tmp_path_factory.mktemp("calm")
    file = write(folder / "orders.jsonl", jsonl(*map(record, range(RECORDS))))
    assert loaded(file, folder / "people.db", None).returncode == 0
    return file, (folder / "people.db").stat().st_size, state(folder / "people.db")


@pytest.mark.parametrize("part", [0.35, 0.6, 0.9])
def test_a_write_that_is_cut_short_loses_and_halves_nothing(
    part: float, calm: tuple[Path, int, list[bytes]], tmp_path: Path
) -> None:
    file, size, expected = calm
    path = tmp_path / "people.db"
    failed = loaded(file, path, int(size * part) | 1)
    assert failed.returncode == 6 and "Traceback" not in failed.stderr, failed.stderr
    assert {line.partition(":")[0] for line in failed.stderr.splitlines()} & {"STORE_FULL", "STORE_FAILED"}
    assert apsw.Connection(str(path)).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again = loaded(file, path, None)
    assert again.returncode == 0, again.stderr
    assert state(path) == expected
