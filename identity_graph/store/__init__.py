"""Where evidence and persons are kept: `open_store(url)` gives a `Store` (see `protocols`)."""

from __future__ import annotations

from identity_graph.errors import StoreError
from identity_graph.store.protocols import Store

_HELP = "Write sqlite:///people.db, sqlite:////absolute/path.db or sqlite:///:memory:"


def open_store(url: str) -> Store:
    """Open the store, and create it where there is none.

    Three slashes and a path from the working directory, four and a path from the root, or `:memory:`.
    Raises STORE_URL, STORE_OPEN, STORE_VERSION and STORE_BUSY.

    >>> store = open_store("sqlite:///:memory:")
    >>> store.operations.counts()["events"]
    0
    >>> store.close()
    """
    scheme, slashes, path = url.partition(":///")
    if scheme != "sqlite" or not slashes or not path:
        raise StoreError("STORE_URL", f"{url!r} is not the URL of a store", help=_HELP)
    from identity_graph.store.sqlite import SqliteStore

    return SqliteStore(path)
