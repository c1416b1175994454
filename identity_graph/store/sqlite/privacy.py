"""Erasure and what it leaves: the privacy protocol on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.hashed import hashes
from identity_graph.model import Identifier
from identity_graph.store.protocols import Erasure, PersonRow
from identity_graph.store.sqlite.columns import number_set, unpack
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import stated_of
from identity_graph.store.sqlite.event_sums import count_out
from identity_graph.store.sqlite.evidence import SqliteEvidence
from identity_graph.store.sqlite.numbering import keep_numbers, last_number
from identity_graph.store.sqlite.parts import remove
from identity_graph.store.sqlite.publishing import add_changes, forget_segments, remove_persons
from identity_graph.store.sqlite.restrictions import RestrictedRows
from identity_graph.store.sqlite.tree import EVENT_ID, IDENTIFIER_VALUE, OBSERVATION
from identity_graph.store.tombstones import Tombstones
from identity_graph.tables import Bool


class SqlitePrivacy:
    def __init__(self, database: Connection, evidence: SqliteEvidence, tombstones: Tombstones) -> None:
        self._database = database
        self._evidence = evidence
        self._tombstones = tombstones
        self._restricted = RestrictedRows(database)

    def erase(self, erasure: Erasure) -> None:
        """Records in quarantine are buried by their bytes, so that loading their file again leaves them out."""
        with self._database.transaction():
            if erasure.events:
                self._erase_events(erasure.events)
            if erasure.identifiers:
                if erasure.near:
                    self._erase_reasons(erasure.identifiers, erasure.near)
                self._erase_identifiers(erasure.identifiers)
            if erasure.persons:
                forget_segments(self._database, erasure.persons)
                remove_persons(self._database, erasure.persons)
            records = self._erase_records(erasure.quarantined) if erasure.quarantined else []
            add_changes(self._database, erasure.changes)
            self._tombstones.bury(event_ids=erasure.event_ids, identifiers=erasure.tombstones, records=records)
            self._evidence.forget()

    def _erase_events(self, events: Sequence[int]) -> None:
        keep_numbers(self._database, "event")
        keys = number_set(sorted(set(events)))
        rows = self._database.rows(
            "SELECT e.number, e.id, e.identifiers, e.stated FROM carray(?) k CROSS JOIN event e ON e.number = k.value",
            (keys,),
        )
        count_out(self._database, (row[1] for row in rows))
        gone = np.array([row[0] for row in rows], dtype=np.int64)
        remove(self._database, EVENT_ID, np.unique(hashes(row[1] for row in rows)), gone)
        remove(self._database, OBSERVATION, np.unique(unpack(b"".join(row[2] for row in rows))), gone)
        self._database.write_many(
            "DELETE FROM stated WHERE a = ? AND b = ? AND event = ?",
            ((a, b, number) for number, _, _, stated in rows for a, b, _ in stated_of(stated)),
        )
        self._database.write("DELETE FROM event WHERE number IN (SELECT value FROM carray(?))", (keys,))

    def _erase_reasons(self, identifiers: Sequence[int], near: Sequence[int]) -> None:
        """A reason may quote a value beside a link that stays; the next resolution of that component writes it anew.
        The same value in another namespace is another identifier, and its component is not resolved."""
        self._database.write(
            "DELETE FROM suppressed WHERE a IN (SELECT value FROM carray(?2))"
            ' AND EXISTS (SELECT 1 FROM json_each(suppressed."values") v'
            " WHERE (coalesce(suppressed.namespace, ''), v.value) IN"
            " (SELECT n.name, i.value FROM carray(?1) k CROSS JOIN identifier i ON i.number = k.value"
            " CROSS JOIN namespace n ON n.number = i.namespace"
            " UNION ALL SELECT '', n.name || ':' || i.value FROM carray(?1) k"
            " CROSS JOIN identifier i ON i.number = k.value CROSS JOIN namespace n ON n.number = i.namespace"
            " UNION ALL SELECT n.name, n.name || ':' || i.value FROM carray(?1) k"
            " CROSS JOIN identifier i ON i.number = k.value CROSS JOIN namespace n ON n.number = i.namespace))",
            (number_set(sorted(set(identifiers))), number_set(sorted(set(near)))),
        )

    def _erase_identifiers(self, identifiers: Sequence[int]) -> None:
        keep_numbers(self._database, "identifier")
        keys = number_set(sorted(set(identifiers)))
        values = self._database.rows(
            "SELECT i.value, i.number FROM carray(?) k CROSS JOIN identifier i ON i.number = k.value", (keys,)
        )
        gone = np.array([row[1] for row in values], dtype=np.int64)
        remove(self._database, IDENTIFIER_VALUE, np.unique(hashes(row[0] for row in values)), gone)
        for statement in (
            "DELETE FROM suppressed WHERE a IN (SELECT value FROM carray(?))",
            "DELETE FROM suppressed WHERE b IN (SELECT value FROM carray(?))",
            "DELETE FROM similar WHERE a IN (SELECT value FROM carray(?))",
            "DELETE FROM similar WHERE b IN (SELECT value FROM carray(?))",
            "DELETE FROM member WHERE identifier IN (SELECT value FROM carray(?))",
            "DELETE FROM pruned WHERE identifier IN (SELECT value FROM carray(?))",
            "DELETE FROM restricted WHERE identifier IN (SELECT value FROM carray(?))",
            "DELETE FROM identifier WHERE number IN (SELECT value FROM carray(?))",
        ):
            self._database.write(statement, (keys,))

    def _erase_records(self, numbers: Sequence[int]) -> list[bytes]:
        keys = number_set(sorted(set(numbers)))
        records = self._database.rows(
            "SELECT q.record FROM carray(?) k CROSS JOIN quarantine q ON q.number = k.value", (keys,)
        )
        self._database.write("DELETE FROM quarantine WHERE number IN (SELECT value FROM carray(?))", (keys,))
        return [record for (record,) in records]

    def scrub(self) -> None:
        self._database.truncate_log()

    def gone(self) -> tuple[int, int]:
        with self._database.snapshot():
            tombstones = self._database.one("SELECT count(*) FROM tombstone")
            return tombstones, last_number(self._database, "event") - self._database.one("SELECT count(*) FROM event")

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
        self._restricted.add(identifiers)

    def unrestrict(self, numbers: Sequence[int]) -> None:
        self._restricted.remove(numbers)

    def restricted(self) -> list[tuple[int, int]]:
        return self._restricted.all()

    def restricted_persons(self) -> list[PersonRow]:
        return self._restricted.persons()

    def new_key(self) -> None:
        with self._database.transaction():
            self._tombstones.new_key()

    def keyed_hash(self, text: str) -> bytes:
        return self._tombstones.keyed_hash(text.encode("utf-8", "surrogatepass"))
