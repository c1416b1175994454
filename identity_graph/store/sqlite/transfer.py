"""Moving a store: the transfer protocol on SQLite."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from identity_graph.model import Run
from identity_graph.store.protocols import (
    PIECE_CHARACTERS,
    EventColumns,
    EvidenceStore,
    Piece,
    Standing,
)
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import numbers_of
from identity_graph.store.sqlite.deliveries import SqliteDeliveries
from identity_graph.store.sqlite.erasures import SqliteErasures
from identity_graph.store.sqlite.event_rows import EventRows
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import keep, last_number, last_sequence
from identity_graph.store.sqlite.operations import runs_by_id
from identity_graph.store.sqlite.restoring import restore
from identity_graph.store.sqlite.segments import SqliteSegments
from identity_graph.store.sqlite.subject_requests import SqliteSubjectRequests
from identity_graph.store.sqlite.tombstones import BuriedRows
from identity_graph.store.stored_events import StoredEvent, event_columns
from identity_graph.store.tombstones import Tombstones, keep_newer_check

_EVENTS = (
    "SELECT number, id, time, source, name, received, identifiers, stated, traits, properties FROM event"
    " WHERE number > ? ORDER BY number LIMIT ?"
)


class SqliteTransfer:
    def __init__(
        self,
        database: Connection,
        namespaces: Names,
        sources: Names,
        evidence: EvidenceStore,
        segments: SqliteSegments,
        deliveries: SqliteDeliveries,
        erasures: SqliteErasures,
        subject_requests: SqliteSubjectRequests,
        tombstones: Tombstones,
    ) -> None:
        self._database = database
        self._namespaces = namespaces
        self._sources = sources
        self._evidence = evidence
        self._segments = segments
        self._deliveries = deliveries
        self._erasures = erasures
        self._subject_requests = subject_requests
        self._tombstones = tombstones
        self._buried = BuriedRows(database)
        self._events = EventRows(database, namespaces, sources)

    def hold(self) -> AbstractContextManager[Any]:
        return self._database.snapshot()

    def standing(self) -> Standing:
        known = dict(self._database.rows("SELECT key, value FROM meta WHERE key IN ('resolved', 'policy')"))
        return Standing(
            resolved=known.get("resolved", 0),
            policy=known.get("policy"),
            event=last_number(self._database, "event"),
            identifier=last_number(self._database, "identifier"),
            person=last_number(self._database, "person"),
            change=last_sequence(self._database, "change"),
            quarantined=last_sequence(self._database, "quarantine"),
        )

    def key_check(self) -> bytes | None:
        return self._buried.key_check()

    def has_key(self, check: bytes) -> bool:
        return self._tombstones.has_keys(check)

    def key_place(self) -> Path | None:
        return self._tombstones.keys.place

    def events(self, after: int, limit: int) -> EventColumns:
        with self._database.snapshot():
            return event_columns(self._rows(after, limit), self._evidence)

    def _rows(self, after: int, limit: int) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        characters = 0
        for number, id, time, source, name, received, seen, stated, traits, properties in self._database.stream(
            _EVENTS, (after, limit)
        ):
            characters += len(traits or "") + len(properties or "")
            if found and characters > PIECE_CHARACTERS:
                break
            named, told = numbers_of(seen), numbers_of(stated) if stated else ()
            where = self._sources.name(source)
            found.append(StoredEvent(number, id, time, where, name, received, named, told, traits, properties))
        return found

    def runs(self, after: str, limit: int) -> list[Run]:
        return runs_by_id(self._database, after, limit)

    def tombstones(self, after: bytes, limit: int) -> list[bytes]:
        return self._buried.page(after, limit)

    def mark(self) -> str | None:
        found: str | None = self._database.one("SELECT value FROM meta WHERE key = 'copied'")
        return found

    def restore(self, piece: Piece, mark: str) -> None:
        with self._database.transaction():
            restore(self._database, piece, self._namespaces, self._events, self._segments, self._deliveries)
            self._erasures.keep(piece.erasures)
            self._subject_requests.keep(piece.subject_requests)
            if piece.key_check is not None:
                keep_newer_check(self._buried, piece.key_check)
            self._buried.add(piece.tombstones)
            keep(self._database, copied=mark)
            self._database.forget()
