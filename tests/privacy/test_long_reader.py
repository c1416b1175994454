"""An erasure while somebody reads: it is done, the receipt says what is left to do, and `scrub` does it."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from identity_graph.cli import app
from identity_graph.errors import StoreError
from identity_graph.model import Event, Identifier
from identity_graph.service import IdentityGraph
from identity_graph.store.sqlite import SqliteStore

ANN = Identifier("email", "ann.longreader@example.org")


def left_in(folder: Path) -> bool:
    return any(ANN.value.encode() in path.read_bytes() for path in folder.iterdir())


def test_a_long_reader_delays_the_scrub_and_not_the_erasure(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    graph = IdentityGraph(SqliteStore(str(path), busy_timeout=0.2))
    graph.ingest.events([Event("e-1", 0, "web", "Seen", (ANN,), {"email": ANN.value}, {})])
    graph.resolver.resolve()
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM event").get == 1

    (person,) = graph.people.find_by_identifier([ANN])
    assert person is not None
    preview = graph.forget.preview(person.id)
    assert preview is not None
    receipt = graph.forget.erase(preview.token)
    assert receipt.document["verified"] is True
    assert receipt.document["scrubbed"] is False
    assert graph.people.find_by_identifier([ANN]) == [None]
    with pytest.raises(StoreError) as refused:
        graph.store.privacy.scrub()
    assert refused.value.code == "STORE_BUSY" and "scrub" in refused.value.help
    assert left_in(tmp_path)

    reader.close()
    result = CliRunner().invoke(app, ["scrub", "--store", f"sqlite:///{path}"])
    assert (result.exit_code, result.stdout.strip()) == (0, "Scrubbed.")
    assert not left_in(tmp_path)
    graph.close()


def test_a_reader_that_ends_in_time_delays_nothing(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    graph = IdentityGraph(SqliteStore(str(path), busy_timeout=120))
    graph.ingest.events([Event("e-1", 0, "web", "Seen", (ANN,), {}, {})])
    graph.resolver.resolve()
    (person,) = graph.people.find_by_identifier([ANN])
    preview = graph.forget.preview(person.id) if person else None
    assert preview is not None
    reader = apsw.Connection(str(path))
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM event").get == 1
    threading.Timer(0.3, reader.close).start()
    assert graph.forget.erase(preview.token).document["scrubbed"] is True
    assert not left_in(tmp_path)
    graph.close()
