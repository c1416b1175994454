"""Storing a batch of events: what is new, what is known, what must not come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Event, Origin, Refused, Run, RunState
from identity_graph.store.protocols import Batch
from identity_graph.store.sqlite.columns import LARGEST_NUMBER, NUMBER_BITS, number_set, pack, paired
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import Content, canonical_pairs, content, id_hash, pack_pairs
from identity_graph.store.sqlite.interning import Interning
from identity_graph.store.sqlite.layers import both, settle
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.tombstones import Tombstones

# An observation names its event by the place in the batch, so that one column of numbers carries both; time and source
# are cut from one text of fixed width. No values are bound row by row, and no row is looked up: four times as fast.
_WIDTH = 26
_OBSERVE = (
    "INSERT INTO recent_observation (identifier, time, event, source)"
    f" SELECT value >> {NUMBER_BITS}, CAST(substr(?2, 1 + {_WIDTH} * (value & {LARGEST_NUMBER}), 20) AS INTEGER),"
    f" ?3 + (value & {LARGEST_NUMBER}), CAST(substr(?2, 21 + {_WIDTH} * (value & {LARGEST_NUMBER}), 6) AS INTEGER)"
    " FROM carray(?1)"
)


_STORED = both(
    "SELECT e.id, e.time, e.source, e.identifiers, e.stated, e.name, e.traits, e.properties FROM carray(?1) k"
    " CROSS JOIN {recent}event_id x ON x.hash = k.value CROSS JOIN event e ON e.number = x.event"
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
            table = EventTable.of(events)
            fresh, again, known = self._sorted_out(table, origins)
            self._insert(fresh)
            reused = self._reused(again, known) if again else []
            self._set_aside(run, refused + reused)
            after = replace(
                run,
                read=run.read + len(batch.events) + len(batch.refused),
                accepted=run.accepted + len(fresh),
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

    def _sorted_out(
        self, events: EventTable, origins: Sequence[Origin]
    ) -> tuple[EventTable, list[tuple[Event, Origin]], dict[str, Content | Event]]:
        """The first event of each new id; the others, beside what is stored or came first under their ids."""
        if not len(events):
            return events, [], {}
        first: dict[str, int] = {}
        for place, id in enumerate(events.ids):
            first.setdefault(id, place)
        rows = self._database.rows(_STORED, (number_set(sorted(map(id_hash, first))),))
        known: dict[str, Content | Event] = {row[0]: Content(*row[1:]) for row in rows if row[0] in first}
        fresh = [place for id, place in first.items() if id not in known]
        if len(fresh) == len(events):
            return events, [], {}
        kept = set(fresh)
        others = [place for place in range(len(events)) if place not in kept]
        again = list(zip(events.take(others), (origins[place] for place in others), strict=True))
        twice = sorted({first[event.id] for event, _ in again if event.id not in known})
        known.update((event.id, event) for event in events.take(twice))
        return events.take(fresh), again, known

    def _insert(self, events: EventTable) -> None:
        """Column by column, because row by row the interpreter would take longer than the database."""
        if not len(events):
            return
        numbers = np.array(self._interning.intern(events.named), dtype=np.int64)
        stating = np.array(events.stated, dtype=np.int64).reshape(-1, 3)
        ends = numbers[stating[:, 1:]]
        places = np.concatenate((np.repeat(np.arange(len(events)), events.lengths), np.repeat(stating[:, 0], 2)))
        # One number for event and identifier: sorted and without repeats in one step, by event first ...
        seen = np.unique(paired(places, np.concatenate((numbers[events.seen], ends.ravel()))))
        cuts = (8 * np.searchsorted(seen, np.arange(len(events) + 1) << NUMBER_BITS)).tolist()
        packed = pack(seen & LARGEST_NUMBER)
        stated: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for place, (a, b) in zip(stating[:, 0].tolist(), ends.tolist(), strict=True):
            stated[place].append((a, b))
        pairs = {place: canonical_pairs(found) for place, found in stated.items()}
        sources = self._sources.intern(events.sources)
        source = [sources[name] for name in events.sources]
        first = 1 + last_number(self._database, "event")
        self._database.write_many(
            "INSERT INTO event (number, time, source, identifiers, stated, received, id, name, traits, properties)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            zip(
                range(first, first + len(events)),
                events.times,
                source,
                [packed[start:end] for start, end in pairwise(cuts)],
                [pack_pairs(pairs.get(place)) for place in range(len(events))],
                events.received,
                events.ids,
                events.names,
                events.traits,
                events.properties,
                strict=True,
            ),
        )
        self._database.write_many(
            "INSERT INTO recent_event_id (hash, event) VALUES (?, ?)",
            sorted(zip(map(id_hash, events.ids), range(first, first + len(events)), strict=True)),
        )
        # ... and turned round, by identifier first, as the observations lie.
        observed = paired(seen & LARGEST_NUMBER, seen >> NUMBER_BITS)
        observed.sort()
        facts = np.empty(len(events), dtype=[("time", "S20"), ("source", "S6")])
        facts["time"], facts["source"] = events.times, source
        if len(observed):
            self._database.write(_OBSERVE, (number_set(observed), facts.tobytes(), first))
        self._database.write_many(
            "INSERT INTO stated (a, b, event) VALUES (?, ?, ?)",
            ((a, b, first + place) for place, found in pairs.items() for a, b in found),
        )
        settle(self._database)

    def _reused(self, again: Sequence[tuple[Event, Origin]], known: dict[str, Content | Event]) -> list[Refused]:
        """Those whose content is not that of the event that has their id."""
        events = [event for event, _ in again]
        events += [first for first in known.values() if isinstance(first, Event)]
        numbers = self._interning.find(
            {identifier for event in events for identifier in event.identifiers}
            | {end for event in events for pair in event.same_person for end in pair}
        )

        def stored(event: Event) -> Content | None:
            number = self._sources.number(event.source)
            try:
                return None if number is None else content(event, number, numbers)
            except KeyError:  # an identifier that was never stored
                return None

        found = []
        for event, origin in again:
            first = known[event.id]
            if stored(event) != (stored(first) if isinstance(first, Event) else first):
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
