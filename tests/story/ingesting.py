"""What the tests of ingestion share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from identity_graph.ingest import Ingest
from identity_graph.loaders import read_loader
from identity_graph.model import Quarantined, Run
from identity_graph.store.protocols import Store
from tests.conftest import Clock

EVENTS = read_loader("events")


def ingest_into(store: Store, clock: Clock) -> Ingest:
    numbers = iter(range(len(store.operations.runs(limit=10**6)), 10**6))
    return Ingest(store, clock, lambda: f"run-{next(numbers):06}")


def native(number: int, **more: Any) -> dict[str, Any]:
    """An event in the project's own form."""
    identifiers = {"email": f"p{number % 7}@example.org", "cookie": [f"c{number}", f"c{number % 3}"]}
    traits, time = {"n": number}, f"2025-06-01T00:00:{number % 60:02}Z"
    return {"id": f"e{number}", "time": time, "name": "Seen", "identifiers": identifiers, "traits": traits} | more


def jsonl(*records: Any) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def state(store: Store) -> list[bytes]:
    return list(store.operations.canonical_lines())


def counts(run: Run) -> tuple[int, int, int, int, int]:
    """Read, accepted, duplicate, quarantined, suppressed; the law of every run is checked on the way."""
    assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed
    return run.read, run.accepted, run.duplicate, run.quarantined, run.suppressed


def quarantine(store: Store) -> list[Quarantined]:
    return store.operations.quarantined(limit=10_000)
