"""Storing a batch of events: what is new, what is known, what must not come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from identity_graph.errors import StoreError
from identity_graph.model import Event, Origin, Refused, Run, RunState
from identity_graph.store.protocols import Batch
from identity_graph.store.sqlite.columns import NUMBER_BITS, number_set, paired, text_set, unpack
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import Content, content, pairs_of
from identity_graph.store.sqlite.interning import Interning
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.tombstones import Tombstones

# The event of an observation is named by its place in the batch, so that one column of numbers carries both and
# SQLite fetches time and source from the rows just written: many times faster than binding four values a row.
_OBSERVE = (
    "INSERT INTO observation (identifier, time, event, source)"
    f" SELECT k.value >> {NUMBER_BITS}, e.time, e.number, e.source"
    f" FROM carray(?) k CROSS JOIN event e ON e.number = ? + (k.value & {2**NUMBER_BITS - 1})"
)


class Appending:
    def __init__(self, database: Connection, namespaces: Names, sources: Names, tombstones: Tombstones) -> None:
        self._database = database
        self._sources = sources
        self._tombstones = tombstones
        self._interning = Interning(database, namespaces)

    def forget(self) -> None:
        self._interning.forget()

    def append(self, run: Run, batch: Batch) -> Run:
        with self._database.transaction():
            self._interning.refresh()
            events, origins, refused = batch.events, batch.origins, list(batch.refused)
            suppressed = 0
            if self._tombstones.any():
                events, origins, refused = self._admitted(events, origins, refused)
                suppressed = len(batch.events) + len(batch.refused) - len(events) - len(refused)
            known = self._stored([event.id for event in events])
            fresh: dict[str, Event] = {}
            again: list[tuple[Event, Origin]] = []
            for event, origin in zip(events, origins, strict=True):
                if event.id in known or event.id in fresh:
                    again.append((event, origin))
                else:
                    fresh[event.id] = event
            new = list(fresh.values())
            written = self._insert(new)
            reused: list[Refused] = []
            if again:
                known.update(zip(fresh, written, strict=True))
                reused = self._reused(again, known)
            self._set_aside(run, refused + reused)
            after = replace(
                run,
                read=run.read + len(batch.events) + len(batch.refused),
                accepted=run.accepted + len(new),
                duplicate=run.duplicate + len(again) - len(reused),
                quarantined=run.quarantined + len(refused) + len(reused),
                suppressed=run.suppressed + suppressed,
                position=batch.position,
                offset=batch.offset,
            )
            self._advance(run, after)
        return after

    def _admitted(
        self, events: Sequence[Event], origins: Sequence[Origin], refused: Sequence[Refused]
    ) -> tuple[list[Event], list[Origin], list[Refused]]:
        """Without what was erased: events by id or identifier, refused records by their bytes."""
        gone = self._tombstones.of_events(events)
        kept = [place for place, buried in enumerate(gone) if not buried]
        records = self._tombstones.of_records([record.origin.raw for record in refused])
        return (
            [events[place] for place in kept],
            [origins[place] for place in kept],
            [record for record, buried in zip(refused, records, strict=True) if not buried],
        )

    def _stored(self, ids: Sequence[str]) -> dict[str, Content]:
        if not ids:
            return {}
        rows = self._database.rows(
            "SELECT e.id, e.time, e.source, e.identifiers, e.stated, e.name, e.traits, e.properties"
            " FROM carray(?) k CROSS JOIN event e ON e.id = k.value",
            (text_set(ids),),
        )
        return {row[0]: Content(*row[1:]) for row in rows}

    def _insert(self, events: Sequence[Event]) -> list[Content]:
        if not events:
            return []
        seen = dict.fromkeys(identifier for event in events for identifier in event.identifiers)
        for event in events:
            for pair in event.same_person:
                seen.update(dict.fromkeys(pair))
        numbers = self._interning.intern(list(seen))
        sources = self._sources.intern(event.source for event in events)
        rows = [content(event, sources[event.source], numbers) for event in events]
        first = 1 + last_number(self._database, "event")
        self._database.write_many(
            "INSERT INTO event (number, time, source, identifiers, stated, name, traits, properties, received, id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (number, *row, event.received, event.id)
                for number, (row, event) in enumerate(zip(rows, events, strict=True), first)
            ),
        )
        blobs = [row.identifiers for row in rows]
        lengths = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) >> 3
        places = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)
        observed = paired(unpack(b"".join(blobs)), places)
        observed.sort()
        if len(observed):
            self._database.write(_OBSERVE, (number_set(observed), first))
        stated = [
            (a, b, number) for number, row in enumerate(rows, first) if row.stated for a, b in pairs_of(row.stated)
        ]
        if stated:
            self._database.write_many("INSERT INTO stated (a, b, event) VALUES (?, ?, ?)", stated)
        return rows

    def _reused(self, again: Sequence[tuple[Event, Origin]], known: dict[str, Content]) -> list[Refused]:
        """Those whose content is not that of the stored event of their id."""
        numbers = self._interning.find(
            {identifier for event, _ in again for identifier in event.identifiers}
            | {end for event, _ in again for pair in event.same_person for end in pair}
        )
        found = []
        for event, origin in again:
            source = self._sources.number(event.source)
            try:
                same = source is not None and content(event, source, numbers) == known[event.id]
            except KeyError:  # an identifier that was never stored
                same = False
            if not same:
                message = f"an event with the id {event.id!r} and another content is stored already"
                found.append(Refused(origin, "ID_REUSE", message))
        return found

    def _set_aside(self, run: Run, refused: Sequence[Refused]) -> None:
        if refused:
            self._database.write_many(
                "INSERT INTO quarantine (run_id, line, offset, code, message, record) VALUES (?, ?, ?, ?, ?, ?)",
                ((run.id, origin.line, origin.offset, code, message, origin.raw) for origin, code, message in refused),
            )

    def _advance(self, before: Run, after: Run) -> None:
        moved = self._database.write(
            "UPDATE run SET read = ?, accepted = ?, duplicate = ?, quarantined = ?, suppressed = ?, position = ?,"
            " offset = ? WHERE id = ? AND state = ? AND position = ? AND read = ?",
            (
                after.read,
                after.accepted,
                after.duplicate,
                after.quarantined,
                after.suppressed,
                after.position,
                after.offset,
                before.id,
                RunState.RUNNING,
                before.position,
                before.read,
            ),
        )
        if not moved:
            raise StoreError(
                "SOURCE_CHANGED",
                f"run {before.id} is not where this process left it",
                help="Another process loads the same file; let it finish. Nothing of this batch was stored.",
            )
