"""Who resolves everything that a store holds: arrays in this process, or the server where the graph is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, Protocol, cast, get_args

from identity_graph.engines.arrays import Arrays
from identity_graph.errors import SettingError
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution
from identity_graph.store.protocols import Store

Name = Literal["auto", "arrays", "gds"]
log = logging.getLogger("identity_graph.engines")


class Engine(Protocol):
    name: str

    def resolve(self, store: Store, policy: Policy) -> Resolution:
        """All of the store's evidence, within the transaction in hand. Every engine gives the same groups; where one
        resolves elsewhere, the links here are those of the components that may break a limit, and similar ones."""
        ...

    def afterwards(self, resolution: Resolution) -> Callable[[], None]:
        """What is to be done when the persons of this resolution are published, for people who look at the graph: it
        fails silently, and nothing depends on it."""
        ...


def choose_engine(store: Store, wanted: str = "auto") -> Engine:
    """By itself the server's Graph Data Science where the store is on a server that has it, else arrays.

    Raises SETTING_INVALID, and ENGINE_MISSING where `gds` is wanted and cannot be had.
    """
    if wanted not in get_args(Name):
        raise SettingError("SETTING_INVALID", f"no engine is called {wanted!r}", help="Write auto, arrays or gds.")
    if wanted == "arrays" or (store.kind != "neo4j" and wanted == "auto"):
        return Arrays()
    if store.kind == "neo4j":
        from identity_graph.engines.gds import Gds
        from identity_graph.store.neo4j import Neo4jStore

        database = cast("Neo4jStore", store).database
        if database.read("engine/found"):
            return Gds(database, similarity=wanted == "gds")
    if wanted == "gds":
        raise SettingError("ENGINE_MISSING", "the store is on no server that has Graph Data Science")
    log.warning("the server has no Graph Data Science: links are read from it, and components found here")
    return Arrays()
