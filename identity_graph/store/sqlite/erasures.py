"""Requests to erase: the erasures protocol on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity_graph.erasing import ErasureRequest
from identity_graph.store.sqlite.columns import text_set
from identity_graph.store.sqlite.connection import Connection


class SqliteErasures:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def keep(self, requests: Sequence[ErasureRequest], *, durable: bool = True) -> None:
        with self._database.transaction(durable=durable):
            self._database.write_many(
                "INSERT INTO erasure (id, open, batch, line, request) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET open = excluded.open, request = excluded.request",
                [(one.id, int(one.open), one.batch, one.line, one.pack()) for one in requests],
            )

    def open(self) -> list[ErasureRequest]:
        return self._found("SELECT request FROM erasure WHERE open = 1 ORDER BY id")

    def requests(self, *, after: str = "", limit: int = 100) -> list[ErasureRequest]:
        return self._found("SELECT request FROM erasure WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    def find(self, ids: Sequence[str]) -> list[ErasureRequest | None]:
        if not ids:
            return []
        rows = "SELECT e.request FROM carray(?) k CROSS JOIN erasure e ON e.id = k.value"
        found = {one.id: one for one in self._found(rows, text_set(set(ids)))}
        return [found.get(id) for id in ids]

    def of_batch(self, batch: str, *, after: int = 0, limit: int = 100) -> list[ErasureRequest]:
        return self._found(
            "SELECT request FROM erasure WHERE batch <> '' AND batch = ? AND line > ? ORDER BY line LIMIT ?",
            batch,
            after,
            limit,
        )

    def _found(self, sql: str, *bindings: Any) -> list[ErasureRequest]:
        return [ErasureRequest.unpack(text) for (text,) in self._database.rows(sql, bindings)]
