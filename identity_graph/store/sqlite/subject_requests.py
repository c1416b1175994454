"""Requests of controllers: the subject requests protocol on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity_graph.store.sqlite.columns import text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.subject_request import SubjectRequest


class SqliteSubjectRequests:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def keep(self, requests: Sequence[SubjectRequest]) -> None:
        with self._database.transaction():
            self._database.write_many(
                "INSERT INTO subject_request (id, due, call_due, request) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " due = excluded.due, call_due = excluded.call_due, request = excluded.request",
                [(one.id, one.due, one.call_due, one.pack()) for one in requests],
            )

    def find(self, ids: Sequence[str]) -> list[SubjectRequest | None]:
        if not ids:
            return []
        rows = "SELECT r.request FROM carray(?) k CROSS JOIN subject_request r ON r.id = k.value"
        found = {one.id: one for one in self._found(rows, text_set(set(ids)))}
        return [found.get(id) for id in ids]

    def due(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        return self._found(
            "SELECT request FROM subject_request WHERE due IS NOT NULL AND due <= ? ORDER BY due, id LIMIT ?",
            until,
            limit,
        )

    def calling(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        return self._found(
            "SELECT request FROM subject_request WHERE call_due IS NOT NULL AND call_due <= ?"
            " ORDER BY call_due, id LIMIT ?",
            until,
            limit,
        )

    def requests(self, *, after: str = "", limit: int = 100) -> list[SubjectRequest]:
        return self._found("SELECT request FROM subject_request WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def _found(self, sql: str, *bindings: Any) -> list[SubjectRequest]:
        return [SubjectRequest.unpack(text) for (text,) in self._database.rows(sql, bindings)]
