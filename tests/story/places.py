"""Where the graphs of a story are: in memory, as many at once as wanted, or in the one database of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from identity_graph import IdentityGraph
from tests.neo4j.database import emptied

MEMORY = "sqlite:///:memory:"
EVERY, FEW = 5, 3  # of a law's examples, or of many cases, what is tried on a server: there each takes a second

T = TypeVar("T")


class Told(IdentityGraph):
    """Knows when it was closed."""

    closed = False

    def close(self) -> None:
        super().close()
        self.closed = True


class Place:
    """Community has one database: there the graph before must be closed, and goes, when there is to be another."""

    def __init__(self) -> None:
        self.server: str | None = None
        self._last: Told | None = None

    def fresh(self) -> str:
        """The URL of an empty store."""
        if self.server is None:
            return MEMORY
        assert self._last is None or self._last.closed, "the server has room for one graph at a time"
        return emptied(self.server)

    def take(self, graph: Told) -> Told:
        self._last = graph
        return graph

    @contextmanager
    def on(self, server: str) -> Iterator[None]:
        self.server, self._last = server, None
        try:
            yield
        finally:
            self.server = None


place = Place()


def some(cases: Sequence[T]) -> Sequence[T]:
    """All of them; on a server a few, spread over all."""
    return cases if place.server is None else cases[:: max(1, len(cases) // FEW)][:FEW]


def few(law: Callable[..., Any]) -> Callable[..., Any]:
    """A law for some of its examples, not its first ones, which are the smallest. When one fails it is tried for all,
    so that the smallest that fails is found."""
    tried, failed = 0, False

    @wraps(law)
    def tried_for_few(*args: Any, **kwargs: Any) -> None:
        nonlocal tried, failed
        tried += 1
        if failed or (tried % EVERY == 0 and tried <= EVERY * FEW):
            try:
                law(*args, **kwargs)
            except Exception:
                failed = True
                raise

    return tried_for_few
