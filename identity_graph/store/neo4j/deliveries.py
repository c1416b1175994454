"""How far destinations were told: the deliveries protocol on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from identity_graph.delivery import Delivery, Parcel
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.numbered import is_plain


class Neo4jDeliveries:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def deliveries(self) -> list[Delivery]:
        return [Delivery.unpack(text) for (text,) in self._database.read("deliveries/deliveries")]

    def keep(self, delivery: Delivery) -> None:
        self._database.write("deliveries/keep", destination=delivery.destination, state=delivery.pack())

    def dead_letters(self, *, after: str = "", limit: int = 100) -> list[Parcel]:
        rows = self._database.read("deliveries/dead_letters", after=after, limit=limit)
        return [Parcel.unpack(text) for (text,) in rows]

    def find_dead_letters(self, ids: Sequence[str]) -> list[Parcel | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        rows = self._database.read("deliveries/find_dead_letters", ids=wanted) if wanted else []
        found = {parcel.id: parcel for parcel in (Parcel.unpack(text) for (text,) in rows)}
        return [found.get(id) for id in ids]

    def set_aside(self, parcels: Sequence[Parcel]) -> None:
        if parcels:
            rows = [[parcel.id, parcel.pack()] for parcel in parcels]
            self._database.write("deliveries/set_aside", rows=rows)

    def discard(self, ids: Sequence[str]) -> None:
        wanted = sorted({id for id in ids if is_plain(id)})
        if wanted:
            self._database.write("deliveries/discard", ids=wanted)
