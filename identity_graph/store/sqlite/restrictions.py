"""Which identifiers are restricted, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from identity_graph.store.protocols import PersonRow
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection

_PERSONS = (
    "SELECT p.number, p.id, p.created, p.updated, p.survivor FROM"
    " (SELECT DISTINCT m.person FROM restricted r CROSS JOIN member m ON m.identifier = r.identifier) h"
)


class RestrictedRows:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def add(self, identifiers: Sequence[tuple[int, int]]) -> None:
        with self._database.transaction():
            self._database.write_many(
                "INSERT INTO restricted (identifier, since) VALUES (?, ?) ON CONFLICT DO NOTHING", identifiers
            )

    def remove(self, numbers: Sequence[int]) -> None:
        if numbers:
            self._database.write(
                "DELETE FROM restricted WHERE identifier IN (SELECT value FROM carray(?))", (number_set(numbers),)
            )

    def all(self) -> list[tuple[int, int]]:
        return self._database.rows("SELECT identifier, since FROM restricted ORDER BY identifier")

    def persons(self) -> list[PersonRow]:
        rows = self._database.rows(
            f"{_PERSONS} CROSS JOIN person p ON p.number = h.person"
            f" UNION ALL {_PERSONS} CROSS JOIN person p ON p.survivor = h.person ORDER BY 1"
        )
        return [PersonRow(*row) for row in rows]
