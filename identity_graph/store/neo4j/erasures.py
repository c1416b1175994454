"""Requests to erase: the erasures protocol on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity_graph.erasing import ErasureRequest
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.numbered import is_plain


class Neo4jErasures:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def keep(self, requests: Sequence[ErasureRequest], *, durable: bool = True) -> None:
        rows = [[one.id, one.open or None, one.batch or None, one.line, one.pack()] for one in requests]
        with self._database.transaction():
            for chunk in in_chunks(rows):
                self._database.write("erasures/keep", rows=chunk)

    def open(self) -> list[ErasureRequest]:
        return self._found("erasures/open")

    def requests(self, *, after: str = "", limit: int = 100) -> list[ErasureRequest]:
        return self._found("erasures/requests", after=after, limit=limit)

    def find(self, ids: Sequence[str]) -> list[ErasureRequest | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        found = {one.id: one for one in self._found("erasures/find", ids=wanted)} if wanted else {}
        return [found.get(id) for id in ids]

    def of_batch(self, batch: str, *, after: int = 0, limit: int = 100) -> list[ErasureRequest]:
        return self._found("erasures/of_batch", batch=batch, after=after, limit=limit)

    def _found(self, name: str, **parameters: Any) -> list[ErasureRequest]:
        return [ErasureRequest.unpack(text) for (text,) in self._database.read(name, **parameters)]
