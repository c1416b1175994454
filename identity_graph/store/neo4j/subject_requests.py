"""Requests of controllers: the subject requests protocol on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.numbered import is_plain
from identity_graph.subject_request import SubjectRequest


class Neo4jSubjectRequests:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def keep(self, requests: Sequence[SubjectRequest]) -> None:
        rows = [[one.id, one.due, one.call_due, one.pack()] for one in requests]
        with self._database.transaction():
            for chunk in in_chunks(rows):
                self._database.write("subject_requests/keep", rows=chunk)

    def find(self, ids: Sequence[str]) -> list[SubjectRequest | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        found = {one.id: one for one in self._found("subject_requests/find", ids=wanted)} if wanted else {}
        return [found.get(id) for id in ids]

    def due(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        return self._found("subject_requests/due", until=until, limit=limit)

    def calling(self, until: int, limit: int = 100) -> list[SubjectRequest]:
        return self._found("subject_requests/calling", until=until, limit=limit)

    def requests(self, *, after: str = "", limit: int = 100) -> list[SubjectRequest]:
        return self._found("subject_requests/requests", after=after, limit=limit)

    def _found(self, name: str, **parameters: Any) -> list[SubjectRequest]:
        return [SubjectRequest.unpack(text) for (text,) in self._database.read(name, **parameters)]
