"""Erasure and what it leaves: the privacy protocol on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import combinations

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Identifier
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.event_rows import PAIRWISE
from identity_graph.store.neo4j.evidence import Neo4jEvidence
from identity_graph.store.neo4j.publishing import add_changes, forget_segments, remove_persons
from identity_graph.store.numbered import unflat
from identity_graph.store.protocols import Erasure, PersonRow
from identity_graph.store.tombstones import Tombstones
from identity_graph.tables import Bool


class Neo4jPrivacy:
    def __init__(self, database: Connection, evidence: Neo4jEvidence, tombstones: Tombstones) -> None:
        self._database = database
        self._evidence = evidence
        self._tombstones = tombstones

    def erase(self, erasure: Erasure) -> None:
        """Records in quarantine are buried by their bytes, so that loading their file again leaves them out."""
        with self._database.transaction():
            if erasure.events:
                self._erase_events(sorted(set(erasure.events)), set(erasure.identifiers))
            if erasure.identifiers:
                self._erase_identifiers(sorted(set(erasure.identifiers)), sorted(set(erasure.near)))
            forget_segments(self._database, erasure.persons)
            remove_persons(self._database, erasure.persons)
            records = self._erase_records(sorted(set(erasure.quarantined))) if erasure.quarantined else []
            add_changes(self._database, erasure.changes)
            self._tombstones.bury(event_ids=erasure.event_ids, identifiers=erasure.tombstones, records=records)
            ledger = self._database.ledger
            ledger.set("erased", ledger.get("erased", 0) + 1)
            ledger.publish()
            self._evidence.forget()

    def _erase_events(self, numbers: Sequence[int], gone: Set[int]) -> None:
        """Links to `gone` identifiers are left to go with them."""
        links: set[tuple[int, int, str]] = set()
        for chunk in in_chunks(numbers):
            ((ids, found, identifiers, sources, stated),) = self._database.write("privacy/erase_events", numbers=chunk)
            self._database.ledger.count_out(ids)
            pairs = [[a, b, number] for number, flat in zip(found, stated, strict=True) for a, b, _ in unflat(flat)]
            if pairs:
                self._database.write("privacy/erase_stated", rows=pairs)
            for seen, source in zip(identifiers, sources, strict=True):
                if len(seen) <= PAIRWISE:
                    stays = [number for number in seen if number not in gone]
                    links.update((a, b, source) for a, b in combinations(stays, 2))
        for rows in in_chunks([list(link) for link in sorted(links)]):
            self._database.write("privacy/erase_links", rows=rows)

    def _erase_identifiers(self, numbers: Sequence[int], near: Sequence[int]) -> None:
        keys: list[str] = []
        for chunk in in_chunks(numbers):
            keys += self._database.write("privacy/erase_identifiers", numbers=chunk)[0][0]
        # A reason may quote a value beside a link that stays; the next resolution of that component writes it anew.
        for chunk in in_chunks(near):
            self._database.write("privacy/erase_reasons", keys=keys, near=chunk)

    def _erase_records(self, numbers: Sequence[int]) -> list[bytes]:
        ((records,),) = self._database.write("privacy/erase_records", numbers=numbers)
        return [bytes(record) for record in records]

    def scrub(self) -> None:
        """Raises STORE_KEEPS, always: what is deleted is gone for whoever asks, but not from the server's own files."""
        raise StoreError(
            "STORE_KEEPS",
            f"{self._database.address}: a Neo4j server keeps what was deleted in its transaction logs, and in its files"
            " until it needs the room",
        )

    def gone(self) -> tuple[int, int]:
        tombstones, events = self._database.one("privacy/there")
        return tombstones, self._database.property("event", 0) - events

    def tombstoned(self, identifiers: Sequence[Identifier]) -> list[bool]:
        return self._tombstones.of_identifiers(identifiers)

    def buried_events(self, events: EventTable) -> Bool:
        return self._tombstones.of_events(events)

    def buried_records(self, records: Sequence[bytes]) -> list[bool]:
        return self._tombstones.of_records(records)

    def freshly_buried(self) -> tuple[list[bytes], list[bytes]]:
        return self._tombstones.take_fresh()

    def release(self, identifiers: Sequence[Identifier]) -> list[bool]:
        with self._database.transaction():
            return self._tombstones.release(identifiers)

    def marks(self, identifiers: Sequence[Identifier]) -> list[list[bytes]]:
        return self._tombstones.marks(identifiers)

    def restrict(self, identifiers: Sequence[tuple[int, int]]) -> None:
        with self._database.transaction():
            for rows in in_chunks([list(row) for row in sorted(identifiers)]):
                self._database.write("privacy/restrict", rows=rows)
            self._database.ledger.publish()

    def unrestrict(self, numbers: Sequence[int]) -> None:
        with self._database.transaction():
            for chunk in in_chunks(sorted(set(numbers))):
                self._database.write("privacy/unrestrict", numbers=chunk)
            self._database.ledger.publish()

    def restricted(self) -> list[tuple[int, int]]:
        return [(number, since) for number, since in self._database.read("privacy/restricted")]

    def restricted_persons(self) -> list[PersonRow]:
        return sorted(PersonRow(*row) for row in self._database.one("privacy/restricted_persons")[0])

    def new_key(self) -> None:
        with self._database.transaction():
            self._tombstones.new_key()

    def keyed_hash(self, text: str) -> bytes:
        return self._tombstones.keyed_hash(text.encode("utf-8", "surrogatepass"))


class BuriedNodes:
    """Hashes of what was erased, as nodes."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def any(self) -> bool:
        return self.key_check() is not None

    def found(self, hashes: Sequence[bytes]) -> list[bool]:
        texts = [one.hex() for one in hashes]
        stored: set[str] = set()
        for chunk in in_chunks(texts):
            stored.update(self._database.one("privacy/tombstoned", hashes=chunk)[0])
        return [text in stored for text in texts]

    def add(self, hashes: Sequence[bytes]) -> None:
        for chunk in in_chunks(sorted({one.hex() for one in hashes})):
            self._database.write("privacy/bury", hashes=chunk)

    def remove(self, hashes: Sequence[bytes]) -> None:
        for chunk in in_chunks(sorted({one.hex() for one in hashes})):
            self._database.write("privacy/unbury", hashes=chunk)

    def page(self, after: bytes, limit: int) -> list[bytes]:
        """In order."""
        rows = self._database.read("transfer/tombstones", after=after.hex(), limit=limit)
        return [bytes.fromhex(one) for (one,) in rows]

    def key_check(self) -> bytes | None:
        """Written with the first tombstone: without it there is none."""
        text = self._database.property("key_check")
        return None if text is None else bytes.fromhex(text)

    def keep_key_check(self, check: bytes) -> None:
        self._database.ledger.set("key_check", check.hex())
