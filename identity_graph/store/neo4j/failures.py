"""What the driver's failures are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from identity_graph.errors import StoreError
from identity_graph.store.neo4j.address import Address

LOST = (ServiceUnavailable, SessionExpired)
"""The connection is gone; what was not committed is undone."""

PASSING = (*LOST, TransientError)
"""May go well when it is tried again."""

_HELP = {
    "STORE_UNREACHABLE": "Start the server, or correct the address; what was acknowledged is stored.",
    "STORE_DENIED": "Correct the user or the password in the store's URL.",
    "STORE_OPEN": "Name a database of that server: the Community edition has one, called neo4j.",
    "STORE_BUSY": "Another process is writing; try again when it is done.",
    "STORE_TIMEOUT": "Raise db.transaction.timeout of the server; nothing of this step is stored.",
    "STORE_FULL": "Make room on the server's disk or in its memory; nothing of this step is stored.",
}


@contextmanager
def named(address: Address) -> Iterator[None]:
    """Raises StoreError for whatever the driver raises."""
    try:
        yield
    except (DriverError, Neo4jError) as error:
        raise failure(address, error) from error


def failure(address: Address, error: DriverError | Neo4jError) -> StoreError:
    code = _code(error)
    text = (error.message if isinstance(error, Neo4jError) else str(error)) or type(error).__name__
    return StoreError(code, f"{address}: {text.splitlines()[0]}", help=_HELP.get(code, ""))


def _code(error: DriverError | Neo4jError) -> str:
    if isinstance(error, AuthError):
        return "STORE_DENIED"
    if isinstance(error, (IncompleteCommit, *LOST)):
        return "STORE_UNREACHABLE"
    if isinstance(error, ConfigurationError):
        return "STORE_URL"
    status = error.code or "" if isinstance(error, Neo4jError) else ""
    if status.endswith(("DatabaseNotFound", "DatabaseUnavailable", "DatabaseError.General")):
        return "STORE_OPEN"
    if "LockAcquisitionTimeout" in status or "LockClient" in status:
        return "STORE_BUSY"
    if "TransactionTimedOut" in status or status.endswith("Terminated"):
        return "STORE_TIMEOUT"
    if "OutOfMemory" in status or "MemoryPool" in status or "OutOfDisk" in status:
        return "STORE_FULL"
    return "STORE_FAILED"
