"""Graphs in the catalogue of Graph Data Science: dropped whatever happens, and no algorithm takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer
from typing import TYPE_CHECKING
from uuid import uuid4

from identity_graph.errors import StoreError
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.failures import named

if TYPE_CHECKING:
    from graphdatascience import GraphDataScience

TIMEOUT = 3600.0
"""Seconds that an algorithm may take: its connection is then closed, which ends it on the server too."""


class Catalogue:
    def __init__(self, database: Connection, timeout: float = TIMEOUT) -> None:
        self.database = database
        self._timeout = timeout

    @contextmanager
    def graph(self) -> Iterator[tuple[str, GraphDataScience]]:
        """The name of a graph to project, and the client whose algorithms may run on it."""
        name = f"identity-graph-{uuid4()}"
        try:
            with self._client() as gds:
                yield name, gds
        finally:
            self.database.alone("engine/drop", graph=name)

    @contextmanager
    def _client(self) -> Iterator[GraphDataScience]:
        from graphdatascience import GraphDataScience
        from graphdatascience.error.unable_to_connect import UnableToConnectError

        address, driver, late = self.database.address, self.database.new_driver(), Event()

        too_long = StoreError("STORE_TIMEOUT", f"{address}: the graph took longer than {self._timeout:.0f} seconds")

        def end() -> None:
            late.set()
            driver.close()

        # The client would ask 600 times, a second apart, whether a server is there that is not: the driver finds out.
        driver.verify_connectivity = lambda **_: None  # type: ignore[method-assign]
        ended = Timer(self._timeout, end)
        ended.daemon = True
        ended.start()
        try:
            with named(address):
                try:
                    client = GraphDataScience(driver, database=address.database, arrow=False, show_progress=False)
                except UnableToConnectError as error:
                    raise error.__cause__ or error.args[0] from None  # what the driver said
                yield client
        except Exception as error:
            if not late.is_set():
                raise
            raise too_long from error
        else:
            if late.is_set():
                raise too_long
        finally:
            ended.cancel()
            driver.close()
