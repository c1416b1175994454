"""Moving a store: the transfer protocol on Neo4j."""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import accumulate
from pathlib import Path
from typing import Any

from identity_graph.model import Run
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.deliveries import Neo4jDeliveries
from identity_graph.store.neo4j.erasures import Neo4jErasures
from identity_graph.store.neo4j.event_rows import EventRows, record_of
from identity_graph.store.neo4j.operations import insert_run, runs_by_id
from identity_graph.store.neo4j.privacy import BuriedNodes
from identity_graph.store.neo4j.publishing import (
    add_members,
    add_persons,
    add_pruned,
    add_similar,
    add_suppressed,
    keep_changes,
    retire,
)
from identity_graph.store.neo4j.segments import Neo4jSegments
from identity_graph.store.neo4j.subject_requests import Neo4jSubjectRequests
from identity_graph.store.protocols import (
    PIECE_CHARACTERS,
    EventColumns,
    EvidenceStore,
    Piece,
    Standing,
)
from identity_graph.store.stored_events import StoredEvent, event_columns
from identity_graph.store.tombstones import Tombstones, keep_newer_check

COUNTERS = ("event", "identifier", "person", "change", "quarantined")


class Neo4jTransfer:
    def __init__(
        self,
        database: Connection,
        evidence: EvidenceStore,
        segments: Neo4jSegments,
        deliveries: Neo4jDeliveries,
        erasures: Neo4jErasures,
        subject_requests: Neo4jSubjectRequests,
        tombstones: Tombstones,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._segments = segments
        self._deliveries = deliveries
        self._erasures = erasures
        self._subject_requests = subject_requests
        self._tombstones = tombstones
        self._buried = BuriedNodes(database)
        self._events = EventRows(database)

    def hold(self) -> AbstractContextManager[Any]:
        """Keeps writers out, as it is a transaction."""
        return self._database.transaction()

    def standing(self) -> Standing:
        known = self._database.property
        numbers = {counter: known(counter, 0) for counter in COUNTERS}
        return Standing(resolved=known("resolved", 0), policy=known("policy"), **numbers)

    def key_check(self) -> bytes | None:
        return self._buried.key_check()

    def has_key(self, check: bytes) -> bool:
        return self._tombstones.has_keys(check)

    def key_place(self) -> Path | None:
        return self._tombstones.keys.place

    def events(self, after: int, limit: int) -> EventColumns:
        numbers, characters = self._database.one("transfer/events_sizes", after=after, limit=limit)
        fitting = [
            number for number, sum in zip(numbers, accumulate(characters), strict=True) if sum <= PIECE_CHARACTERS
        ]
        upto = max(fitting or numbers[:1], default=after)
        (rows,) = self._database.one("transfer/events", after=after, upto=upto)
        return event_columns([StoredEvent._make(row) for row in rows], self._evidence)

    def runs(self, after: str, limit: int) -> list[Run]:
        return runs_by_id(self._database, after, limit)

    def tombstones(self, after: bytes, limit: int) -> list[bytes]:
        return self._buried.page(after, limit)

    def mark(self) -> str | None:
        found: str | None = self._database.property("copied")
        return found

    def restore(self, piece: Piece, mark: str) -> None:
        self._database.attempt(lambda: self._restore(piece, mark))

    def _restore(self, piece: Piece, mark: str) -> None:
        database = self._database
        if piece.key_check is not None:
            keep_newer_check(self._buried, piece.key_check)
        self._buried.add(piece.tombstones)
        edition = database.ledger.next_edition()
        add_persons(database, piece.persons, edition)
        merged = [(one.number, one.survivor) for one in piece.persons if one.survivor is not None]
        retire(database, merged, edition)
        self._identifiers(piece)
        for rows in in_chunks([list(row) for row in piece.restricted]):
            database.write("privacy/restrict", rows=rows)
        add_suppressed(database, piece.suppressed)
        add_similar(database, piece.similar)
        if piece.events is not None and len(piece.events.numbers):
            self._events.restore(piece.events)
        keep_changes(database, piece.changes)
        for run in piece.runs:
            insert_run(database, run)
        if piece.quarantined:
            database.write("evidence/append_quarantined", records=list(map(record_of, piece.quarantined)))
        if piece.computed:
            self._segments.declare(piece.computed)
        for segment in piece.segments:
            self._segments.save(segment, None)
        for segment, ids in piece.members:
            self._segments.place(segment.name, ids, segment.evaluated)
        for delivery in piece.deliveries:
            self._deliveries.keep(delivery)
        self._deliveries.set_aside(piece.dead_letters)
        self._erasures.keep(piece.erasures)
        self._subject_requests.keep(piece.subject_requests)
        if piece.standing is not None:
            for name, value in piece.standing._asdict().items():
                database.ledger.set(name, value)
        database.ledger.set("copied", mark)
        database.ledger.publish()

    def _identifiers(self, piece: Piece) -> None:
        rows = piece.identifiers
        self._events.add_identifiers([(row.number, *row.identifier) for row in rows])
        add_members(self._database, [[row.number, row.person, row.since] for row in rows if row.person is not None])
        add_pruned(self._database, [(row.number, row.pruned) for row in rows if row.pruned is not None])
