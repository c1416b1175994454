"""A small world, loaded once by the command line; and a copy of the store for tests that change it."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from identity_graph.world import NAMES, World
from tests.cli.calling import run


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("IDENTITY_GRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    World(40, 3).write(folder).write(folder / "truth.json")
    return folder


@pytest.fixture(scope="module")
def loaded(events: Path) -> str:
    """The URL of a store with all of it, resolved. For tests that only read."""
    url = f"sqlite:///{events / 'people.db'}"
    for source, name in NAMES.items():
        run("load", "--store", url, "--loader", source, events / name)
    run("resolve", "--store", url)
    return url


@pytest.fixture
def copied(loaded: str, tmp_path: Path) -> str:
    """A copy of that store, to change."""
    source = Path(loaded.removeprefix("sqlite:///"))
    for path in source.parent.glob("people.db*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(path.stat().st_mode)
    return f"sqlite:///{tmp_path / 'people.db'}"


@pytest.fixture
def member(loaded: str) -> tuple[str, str, str]:
    """A person of several identifiers: its id and two keys, the same each time, whatever ids were given."""
    table = pl.read_ndjson(run("persons", "--store", loaded, "--format", "jsonl").stdout.encode())
    table = table.filter(pl.len().over("person_id") > 5).sort("namespace", "value", descending=True)
    person_id = table["person_id"][0]
    (_, *first), (_, *second) = table.filter(pl.col("person_id") == person_id).head(2).rows()
    return person_id, ":".join(first), ":".join(second)
