"""What a store can do, as small protocols by noun. The docstrings are the contract; `tests/store/` tests it.

One law: a read by keys takes a sequence and returns a list of the same length and order, with None or an
empty sequence for the unknown. *Numbers* are a store's own names for identifiers, persons and events; they
never leave the services.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from identity_graph.store.deliveries import DeliveryStore as DeliveryStore
from identity_graph.store.erasures import ErasureStore as ErasureStore
from identity_graph.store.evidence import Batch as Batch
from identity_graph.store.evidence import EvidenceStore as EvidenceStore
from identity_graph.store.evidence import Upcoming as Upcoming
from identity_graph.store.evidence import nothing as nothing
from identity_graph.store.operations import OperationStore as OperationStore
from identity_graph.store.persons import PersonStore as PersonStore
from identity_graph.store.persons import Publication as Publication
from identity_graph.store.privacy import Erasure as Erasure
from identity_graph.store.privacy import PrivacyStore as PrivacyStore
from identity_graph.store.rows import AgedEvent as AgedEvent
from identity_graph.store.rows import EventRow as EventRow
from identity_graph.store.rows import IdentifierRow as IdentifierRow
from identity_graph.store.rows import Marks as Marks
from identity_graph.store.rows import PersonRow as PersonRow
from identity_graph.store.rows import Sighting as Sighting
from identity_graph.store.rows import SimilarRow as SimilarRow
from identity_graph.store.rows import Subgraph as Subgraph
from identity_graph.store.rows import SuppressedRow as SuppressedRow
from identity_graph.store.segments import SegmentStore as SegmentStore
from identity_graph.store.subject_requests import SubjectRequestStore as SubjectRequestStore
from identity_graph.store.transfer import PIECE_CHARACTERS as PIECE_CHARACTERS
from identity_graph.store.transfer import EventColumns as EventColumns
from identity_graph.store.transfer import Piece as Piece
from identity_graph.store.transfer import Standing as Standing
from identity_graph.store.transfer import TransferStore as TransferStore
from identity_graph.store.transfer import alike as alike

T = TypeVar("T")


class Store(Protocol):
    """Everything, and the transaction that holds it together. `kind` is the scheme of its URL."""

    kind: str
    evidence: EvidenceStore
    persons: PersonStore
    segments: SegmentStore
    privacy: PrivacyStore
    erasures: ErasureStore
    subject_requests: SubjectRequestStore
    operations: OperationStore
    deliveries: DeliveryStore
    transfer: TransferStore

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Any]:
        """All or nothing, one writer at a time; nests. What is not `durable` is seen at once and outlives the process,
        but perhaps not a cut of the power before the next that is, or before the files are scrubbed. Raises STORE_BUSY,
        STORE_FULL, STORE_FAILED."""

    def moment(self, read: Callable[[], T]) -> T:
        """What `read` answers when all that it reads is of one moment, whoever writes meanwhile; nests.

        Where a store cannot hold a moment still, it calls `read` again after a publication or an erasure came between.
        """

    def beside(self, read: Callable[[], T]) -> AbstractContextManager[Callable[[], T]]:
        """What is entered answers `read`, once asked; where waiting for another machine is most of that, it is read
        while the body goes on, which writes nothing until it has asked."""

    def version(self) -> object:
        """Differs from an earlier one when anybody has committed anything since, this process or another; never waits
        for anybody. None where it cannot be told at once."""

    def trace(self, hear: Any) -> AbstractContextManager[Any]:
        """Calls `hear(statement)` for each statement: for logs and for counting in tests."""

    def close(self) -> None: ...
