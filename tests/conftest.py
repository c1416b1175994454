"""The store under test, one parameter per implementation, and a clock that only tests move."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from identity_graph.store import open_store
from identity_graph.store.protocols import Store

# One line per store: how a test gets the URL of an empty one.
STORES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'people.db'}",
    "sqlite-memory": lambda folder: "sqlite:///:memory:",
}

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
settings.register_profile(
    "nightly", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
if NIGHTLY:
    settings.load_profile("nightly")


def law(examples: int) -> settings:
    """For a law over whole worlds: as many examples, the same each time; with HYPOTHESIS_PROFILE=nightly fifty times as
    many, and others each time."""
    return settings(max_examples=examples * (50 if NIGHTLY else 1), deadline=None, derandomize=not NIGHTLY)


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
