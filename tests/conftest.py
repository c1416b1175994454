"""The store under test, one parameter per implementation, and a clock that only tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from identity_graph.store import open_store
from identity_graph.store.protocols import Store

# One line per store: how a test gets the URL of an empty one.
STORES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'people.db'}",
    "sqlite-memory": lambda folder: "sqlite:///:memory:",
}


class Clock:
    """2026-01-01T00:00:00Z, and a second more each time a test says so."""

    def __init__(self) -> None:
        self.now = 1_767_225_600_000_000

    def __call__(self) -> int:
        return self.now

    def tick(self, seconds: float = 1.0) -> int:
        self.now += round(seconds * 1_000_000)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return STORES[request.param](tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()
