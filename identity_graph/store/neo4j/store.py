"""All protocols over one database of a Neo4j server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from identity_graph.secret_file import user_folder
from identity_graph.store.keyring import VARIABLE, Keyring
from identity_graph.store.neo4j.address import Address
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.deliveries import Neo4jDeliveries
from identity_graph.store.neo4j.erasures import Neo4jErasures
from identity_graph.store.neo4j.evidence import Neo4jEvidence
from identity_graph.store.neo4j.operations import Neo4jOperations
from identity_graph.store.neo4j.persons import Neo4jPersons
from identity_graph.store.neo4j.privacy import BuriedNodes, Neo4jPrivacy
from identity_graph.store.neo4j.segments import Neo4jSegments
from identity_graph.store.neo4j.subject_requests import Neo4jSubjectRequests
from identity_graph.store.neo4j.transfer import Neo4jTransfer
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
from identity_graph.store.tombstones import Tombstones

T = TypeVar("T")


class Neo4jStore:
    """Safe to use from many threads, and by many processes at once.

    Raises STORE_URL, STORE_UNREACHABLE, STORE_DENIED, STORE_OPEN and STORE_VERSION.
    """

    kind = "neo4j"

    def __init__(self, url: str, *, key_variable: str = VARIABLE) -> None:
        database = Connection(Address.parse(url))
        keys = Keyring(str(database.address), key_place(database.property("id")), key_variable)
        tombstones = Tombstones(BuriedNodes(database), keys)
        evidence = Neo4jEvidence(database, tombstones)
        self.database = database
        self.evidence: EvidenceStore = evidence
        self.persons: PersonStore = Neo4jPersons(database)
        segments = Neo4jSegments(database)
        self.segments: SegmentStore = segments
        self.privacy: PrivacyStore = Neo4jPrivacy(database, evidence, tombstones)
        erasures = Neo4jErasures(database)
        self.erasures: ErasureStore = erasures
        asked = Neo4jSubjectRequests(database)
        self.subject_requests: SubjectRequestStore = asked
        self.operations: OperationStore = Neo4jOperations(database)
        deliveries = Neo4jDeliveries(database)
        self.deliveries: DeliveryStore = deliveries
        self.transfer: TransferStore = Neo4jTransfer(
            database, evidence, segments, deliveries, erasures, asked, tombstones
        )

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Any]:
        return self.database.transaction()

    def moment(self, read: Callable[[], T]) -> T:
        return self.database.moment(read)

    def beside(self, read: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        return self.database.beside(read)

    def version(self) -> object:
        return None  # the server would have to be asked

    def trace(self, hear: Callable[[str], Any]) -> AbstractContextManager[Any]:
        return self.database.trace(hear)

    def close(self) -> None:
        self.database.close()


def key_place(id: str) -> Path:
    """There is no file beside a server: the key is the user's, under the id of the store."""
    return user_folder() / f"{id}.key"
