"""How far destinations were told: the deliveries protocol on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from identity_graph.delivery import Delivery, Parcel
from identity_graph.store.sqlite.columns import text_set
from identity_graph.store.sqlite.connection import Connection


class SqliteDeliveries:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def deliveries(self) -> list[Delivery]:
        return [
            Delivery.unpack(text) for (text,) in self._database.rows("SELECT state FROM delivery ORDER BY destination")
        ]

    def keep(self, delivery: Delivery) -> None:
        with self._database.transaction():
            self._database.write(
                "INSERT INTO delivery (destination, state) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET state = excluded.state",
                (delivery.destination, delivery.pack()),
            )

    def dead_letters(self, *, after: str = "", limit: int = 100) -> list[Parcel]:
        rows = self._database.rows("SELECT parcel FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [Parcel.unpack(text) for (text,) in rows]

    def find_dead_letters(self, ids: Sequence[str]) -> list[Parcel | None]:
        if not ids:
            return []
        rows = self._database.rows(
            "SELECT d.id, d.parcel FROM carray(?) k CROSS JOIN dead_letter d ON d.id = k.value", (text_set(set(ids)),)
        )
        found = {id: Parcel.unpack(text) for id, text in rows}
        return [found.get(id) for id in ids]

    def set_aside(self, parcels: Sequence[Parcel]) -> None:
        with self._database.transaction():
            self._database.write_many(
                "INSERT INTO dead_letter (id, parcel) VALUES (?, ?) ON CONFLICT DO UPDATE SET parcel = excluded.parcel",
                [(parcel.id, parcel.pack()) for parcel in parcels],
            )

    def discard(self, ids: Sequence[str]) -> None:
        if ids:
            with self._database.transaction():
                self._database.write(
                    "DELETE FROM dead_letter WHERE id IN (SELECT value FROM carray(?))", (text_set(set(ids)),)
                )
