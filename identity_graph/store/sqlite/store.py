"""All protocols over one file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from identity_graph.store.keyring import VARIABLE, Keyring
from identity_graph.store.protocols import (
    DeliveryStore,
    ErasureStore,
    EvidenceStore,
    OperationStore,
    PersonStore,
    PrivacyStore,
    SegmentStore,
    SubjectRequestStore,
    TransferStore,
)
from identity_graph.store.sqlite.connection import MEMORY, Connection
from identity_graph.store.sqlite.deliveries import SqliteDeliveries
from identity_graph.store.sqlite.erasures import SqliteErasures
from identity_graph.store.sqlite.evidence import SqliteEvidence
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.operations import SqliteOperations
from identity_graph.store.sqlite.persons import SqlitePersons
from identity_graph.store.sqlite.privacy import SqlitePrivacy
from identity_graph.store.sqlite.segments import SqliteSegments
from identity_graph.store.sqlite.subject_requests import SqliteSubjectRequests
from identity_graph.store.sqlite.tombstones import BuriedRows
from identity_graph.store.sqlite.transfer import SqliteTransfer
from identity_graph.store.tombstones import Tombstones

T = TypeVar("T")


class SqliteStore:
    """`path` is a file, created where there is none, or `:memory:`. Safe to use from many threads.

    The key of its tombstones is in `<path>.key` or `key_place`, unless `key_variable` of the environment has it.

    Raises STORE_OPEN and STORE_VERSION. A statement waits `busy_timeout` seconds for another process's write.
    """

    kind = "sqlite"

    def __init__(
        self, path: str, *, busy_timeout: float = 10.0, key_place: Path | None = None, key_variable: str = VARIABLE
    ) -> None:
        database = Connection(path, busy_timeout=busy_timeout)
        namespaces, sources = Names(database, "namespace"), Names(database, "source")
        place = key_place or (None if path == MEMORY else Path(f"{path}.key"))
        tombstones = Tombstones(BuriedRows(database), Keyring(path, place, key_variable))
        evidence = SqliteEvidence(database, namespaces, sources, tombstones)
        self._database = database
        self.evidence: EvidenceStore = evidence
        segments = SqliteSegments(database)
        self.segments: SegmentStore = segments
        self.persons: PersonStore = SqlitePersons(database, namespaces, evidence, self.segments)
        self.privacy: PrivacyStore = SqlitePrivacy(database, evidence, tombstones)
        erasures = SqliteErasures(database)
        self.erasures: ErasureStore = erasures
        asked = SqliteSubjectRequests(database)
        self.subject_requests: SubjectRequestStore = asked
        self.operations: OperationStore = SqliteOperations(database)
        deliveries = SqliteDeliveries(database)
        self.deliveries: DeliveryStore = deliveries
        self.transfer: TransferStore = SqliteTransfer(
            database, namespaces, sources, evidence, segments, deliveries, erasures, asked, tombstones
        )

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Any]:
        return self._database.transaction(durable=durable)

    def moment(self, read: Callable[[], T]) -> T:
        with self._database.snapshot():
            return read()

    def beside(self, read: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        return nullcontext(read)

    def version(self) -> object:
        return self._database.version()

    def trace(self, hear: Callable[[str], Any]) -> AbstractContextManager[Any]:
        return self._database.trace(hear)

    def close(self) -> None:
        self._database.close()
