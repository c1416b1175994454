"""How many clients may wait for changes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from identity_graph.errors import QueryError


class Seats:
    """`closing` is set when the server ends, which would wait for them otherwise."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0
        self.closing = asyncio.Event()

    def check(self) -> None:
        """Raises CONNECTION_LIMIT."""
        if self.taken >= self._most:
            raise QueryError("CONNECTION_LIMIT", f"{self._most:,} clients are connected already")

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises CONNECTION_LIMIT."""
        self.check()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
