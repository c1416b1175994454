"""What the driver's failures are called, which of them may pass, and how long that is waited for."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

from identity_graph import deadline
from identity_graph.errors import StoreError
from identity_graph.store.neo4j.address import Address

LOST = (ServiceUnavailable, SessionExpired)
"""The connection is gone; what was not committed is undone."""

PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds between the attempts at what may be done again
PATIENCE = 8.0  # seconds after which no attempt is begun any more: a single one may take long to fail

_HELP = {
    "STORE_OPEN": "Name a database of that server: the Community edition has one, called neo4j.",
    "STORE_BUSY": "Another process is writing; try again when it is done.",
    "STORE_FULL": "Make room on the server's disk or in its memory; nothing of this step is stored.",
}
_TLS = (
    "neo4j+s:// asks for TLS and a certificate that this machine trusts, neo4j+ssc:// for TLS with any, "
    "neo4j:// for none."
)

T = TypeVar("T")


def patiently(work: Callable[[], T]) -> T:
    """Once more while its StoreError may pass. For what may be done twice, or is undone where it fails."""
    begun = time.monotonic()
    for pause in PAUSES:
        try:
            return work()
        except StoreError as error:
            if not _may_pass(error) or deadline.passed() or time.monotonic() - begun > PATIENCE:
                raise
        time.sleep(pause * random.uniform(0.8, 1.2))
    return work()


def _may_pass(error: StoreError) -> bool:
    cause = error.__cause__
    # IF NOT EXISTS looks before it makes an index: of two processes at once, one is told that it exists.
    made = isinstance(cause, Neo4jError) and (cause.code or "").endswith("SchemaRuleAlreadyExists")
    # What needs more memory than a transaction may have is called transient, and needs it the next time too.
    return made or (isinstance(cause, (*LOST, TransientError)) and error.code != "STORE_FULL")


@contextmanager
def named(address: Address) -> Iterator[None]:
    """Raises StoreError for whatever the driver raises."""
    try:
        yield
    except (DriverError, Neo4jError) as error:
        raise _failure(address, error) from error


def _failure(address: Address, error: DriverError | Neo4jError) -> StoreError:
    code, help = _code(error), ""
    if code == "STORE_TIMEOUT" and deadline.passed():
        return deadline.too_late()
    text = (error.message if isinstance(error, Neo4jError) else str(error)) or type(error).__name__
    if code == "STORE_UNREACHABLE":
        root = _root(error)
        text = f"no connection: {root}"
        help = _TLS if isinstance(root, ssl.SSLError) else ""
    return StoreError(code, f"{address}: {text.splitlines()[0]}", help=help or _HELP.get(code, ""))


def _root(error: BaseException) -> BaseException:
    """What the driver met at the end: it wraps that in others, and in a group of all servers that it asked."""
    while True:
        below = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__
        if below is None:
            return error
        error = below


def _code(error: DriverError | Neo4jError) -> str:
    if isinstance(error, AuthError):
        return "STORE_DENIED"
    if isinstance(error, LOST):
        return "STORE_UNREACHABLE"
    if isinstance(error, ConfigurationError):
        return "STORE_URL"
    status = error.code or "" if isinstance(error, Neo4jError) else ""
    if status.endswith(("DatabaseNotFound", "DatabaseUnavailable", "DatabaseError.General")):
        return "STORE_OPEN"
    if "LockAcquisitionTimeout" in status or "LockClient" in status or "DeadlockDetected" in status:
        return "STORE_BUSY"
    if "TransactionTimedOut" in status or status.endswith("Terminated"):
        return "STORE_TIMEOUT"
    if "OutOfMemory" in status or "MemoryPool" in status or "OutOfDisk" in status:
        return "STORE_FULL"
    return "STORE_FAILED"
