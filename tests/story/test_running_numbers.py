"""Ids that are numbers of a table: each table has a 1, and none of them is another one's."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from identity_graph.ingest import Ingest
from identity_graph.loaders import Loader, known_loaders, read_loader
from identity_graph.loaders.guess import guess
from identity_graph.store.protocols import Store
from tests.conftest import Clock
from tests.loader_samples import sample_file
from tests.story.ingesting import counts, ingest_into, quarantine

NUMBERED = [name for name in known_loaders() if read_loader(name).file.id_within_source]


@pytest.fixture
def ingest(store: Store, clock: Clock) -> Ingest:
    clock.now += 10**14  # the samples are of that year
    return ingest_into(store, clock)


def renumbered(loader: Loader, folder: Path) -> Path:
    """The sample with ids from 1."""
    (column,) = (path.text for path in loader.file.id)
    path = sample_file(loader.name)
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    table = table.with_columns(pl.int_range(1, len(table) + 1).alias(column))
    if path.suffix == ".parquet":
        table.write_parquet(folder / path.name)
    else:
        table.write_csv(folder / path.name)
    return folder / path.name


def test_shipped_loaders_whose_ids_are_numbers_go_into_one_store(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    assert NUMBERED == ["crm", "loyalty", "orders"]
    for name in known_loaders():
        loader = read_loader(name)
        ingest.load(loader, renumbered(loader, tmp_path) if name in NUMBERED else sample_file(name))
    aside = [(record.source, record.line) for record in quarantine(store) if record.code == "ID_REUSE"]
    assert aside == []
    rows = store.evidence.events([f"{name}:1" for name in NUMBERED])
    assert [row and row.event.source for row in rows] == NUMBERED


@pytest.mark.parametrize("records", [3, 40])
def test_shops_that_count_their_orders(store: Store, ingest: Ingest, tmp_path: Path, records: int) -> None:
    """One loader for several sources, where a record says which one it is of and where the command does; row by row and
    by columns."""
    own = tmp_path / "shops.toml"
    own.write_text(
        'source = "shops"\n[event]\nid = { path = "n", within = "source" }\nsource = "shop"\n'
        'name = { value = "Ordered" }\n[identifiers]\nemail = "email"\n'
    )
    path = tmp_path / "shops.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["n", "shop", "email"])
        writer.writerows([n, shop, f"{shop}{n}@example.org"] for n in range(records) for shop in ("a", "b", ""))
    loader = read_loader(own)
    assert counts(ingest.load(loader, path)) == (3 * records, 3 * records, 0, 0, 0)
    path.write_text(path.read_text() + "\n")
    assert counts(ingest.load(loader, path)) == (3 * records, 0, 3 * records, 0, 0)
    rows = store.evidence.events(["a:1", "b:1", "shops:1"])
    assert [row and row.event.source for row in rows] == ["a", "b", "shops"]
    orders = tmp_path / "orders.jsonl"
    made = [{"order_id": n, "email": f"p{n}@example.org", "ordered_at": "2025-06-01"} for n in range(records)]
    orders.write_text("".join(f"{json.dumps(one)}\n" for one in made))
    for shop in ("orders:north", "orders:south"):
        assert counts(ingest.load(read_loader(shop), orders)) == (records, records, 0, 0, 0)


def test_guessed_loaders_of_two_tables(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    for name in ("visits", "calls"):
        path = tmp_path / f"{name}.csv"
        path.write_text(
            "id,email,type,created_at\n" + "".join(f"{n},{n}@{name}.example,x,2025-06-01 10:00\n" for n in "123")
        )
        own = tmp_path / f"{name}.toml"
        own.write_text(guess(path))
        assert counts(ingest.load(read_loader(own), path)) == (3, 3, 0, 0, 0)
