"""Where evidence and persons are kept: `open_store(url)` gives a `Store` (see `protocols`)."""

from __future__ import annotations

from pathlib import Path

from identity_graph.errors import StoreError
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.protocols import Store

_HELP = "Write sqlite:///people.db, sqlite:////absolute/path.db, sqlite:///:memory: or neo4j://user:password@host:7687/neo4j"


def open_store(url: str, *, key_variable: str | None = None, key_place: Path | None = None) -> Store:
    """Open the store, and create it where there is none. The key of its tombstones may be in this variable of the
    environment, or of a file in another place.

    SQLite: three slashes and a path from the working directory, four and a path from the root, or `:memory:`. A Neo4j
    server: neo4j:// or bolt://, with TLS neo4j+s:// or bolt+s://; the user's rights must allow making constraints.
    Raises STORE_URL, STORE_OPEN, STORE_VERSION and STORE_BUSY; of a server STORE_UNREACHABLE and STORE_DENIED too.

    >>> store = open_store("sqlite:///:memory:")
    >>> store.operations.counts()["events"]
    0
    >>> store.close()
    """
    scheme, _, rest = url.partition("://")
    key_variable = VARIABLE if key_variable is None else key_variable
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from identity_graph.store.sqlite import SqliteStore

        return SqliteStore(rest[1:], key_variable=key_variable, key_place=key_place)
    if scheme.partition("+")[0] in ("neo4j", "bolt"):
        from identity_graph.store.neo4j import Neo4jStore

        return Neo4jStore(url, key_variable=key_variable)
    # A URL may hold a password: it is never repeated.
    raise StoreError("STORE_URL", f"{scheme if rest else url!r} is not the URL of a store", help=_HELP)


def file_of(url: str) -> Path | None:
    """Of a store that is one; None of one in memory or on a server."""
    scheme, _, rest = url.partition("://")
    return Path(rest[1:]) if scheme == "sqlite" and rest.startswith("/") and rest[1:] not in ("", ":memory:") else None
