"""The events of a batch as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import numpy as np

from identity_graph.event_table import EventTable
from identity_graph.hashed import hashes
from identity_graph.model import Refused, Run, RunState
from identity_graph.repeated import Repeated
from identity_graph.store.appending import ADVANCED
from identity_graph.store.marks import mark_of
from identity_graph.store.numbered import LARGEST_NUMBER, NUMBER_BITS, distinct
from identity_graph.store.protocols import EventColumns
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import Columns, Content, Cut
from identity_graph.store.sqlite.entries import Select, fetch
from identity_graph.store.sqlite.event_sums import count_in
from identity_graph.store.sqlite.interning import Interning
from identity_graph.store.sqlite.layers import begin_part, mark, part_for, settle
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import last_number
from identity_graph.store.sqlite.parts import write, write_hashed
from identity_graph.store.sqlite.sieve import Sieve
from identity_graph.store.sqlite.tree import EVENT_ID, OBSERVATION, SOURCE_BITS
from identity_graph.tables import Int64

# An observation names its event by the place in the batch, so that one column of numbers carries both; time and source
# are cut from one text of fixed width, unless all have the same. No values are bound row by row, and no row is looked
# up: four times as fast.
_WIDTH = 26
_OBSERVE = (
    "INSERT INTO recent_observation (identifier, time, event, source) SELECT value >> "
    f"{NUMBER_BITS}, coalesce(?4, CAST(substr(?2, 1 + {_WIDTH} * (value & {LARGEST_NUMBER}), 20) AS INTEGER)),"
    f" ?3 + (value & {LARGEST_NUMBER}),"
    f" coalesce(?5, CAST(substr(?2, 21 + {_WIDTH} * (value & {LARGEST_NUMBER}), 6) AS INTEGER)) FROM carray(?1)"
)

_COLUMNS = "time, source, identifiers, stated, name, traits, properties, received, id"
_PUT = f"INSERT INTO event ({_COLUMNS}, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_ALIKE = (
    f"INSERT INTO event ({_COLUMNS}) SELECT ?1, ?2, substr(?3, 1 + ?10 * rowid, ?10), ?4, ?5, ?6, ?7, ?8, value"
    " FROM carray(?9)"
)
"""All but the first of events that differ in nothing but their ids and identifiers. They get the numbers that follow
the highest one: SQLite need not look for these, which takes a quarter of the time."""

_STORED = Select(
    ("e.number", "e.id", "e.time", "e.source", "e.identifiers", "e.stated", "e.name", "e.traits", "e.properties"),
    "event e ON e.number = {}",
)


class EventRows:
    """Events, observations and what is set aside; for use inside a transaction only."""

    def __init__(self, database: Connection, namespaces: Names, sources: Names) -> None:
        self._database = database
        self._sources = sources
        self._interning = Interning(database, namespaces)
        self._sieve = Sieve(database, EVENT_ID, "event")
        self._version = -1
        database.forgetting.append(self.forget)

    def forget(self) -> None:
        self._interning.forget()
        self._sieve.forget()

    def begin(self) -> None:
        version = self._database.foreign_version()
        if version != self._version:
            self.forget()
            self._version = version

    def known(self, events: EventTable) -> tuple[dict[str, Content], Int64]:
        if not len(events):
            return {}, np.empty(0, np.int64)
        found = events.hashed.ids if events.hashed else hashes(events.ids)
        passed = distinct(found[self._sieve.passed(found)])
        rows = list(fetch(self._database, EVENT_ID, passed, _STORED))
        ids = set(events.ids) if rows else ()
        return {id: Content(*content) for _, id, *content in rows if id in ids}, found

    def insert(self, events: EventTable, fresh: Sequence[int], found: Int64) -> None:
        """Column by column, because row by row the interpreter would take longer than the database."""
        if not fresh:
            return
        all_new = len(fresh) == len(events)
        events, found = (events, found) if all_new else (events.take(fresh), found[fresh])
        last = last_number(self._database, "event")
        part = part_for(self._database, len(events))
        named = self._interning.intern(events, part)
        first = 1 + last
        columns = self._put(np.arange(first, first + len(events)), events, named)
        mark(self._database, part, EVENT_ID, found, first)
        self._sieve.add(found)
        if part is None:
            self._observe(columns, first)
        else:
            write(self._database, OBSERVATION, part, [_observed(columns, np.arange(first, first + len(events)))])
        settle(self._database, last + len(events))

    def _observe(self, columns: Columns, first: int) -> None:
        """Into the recent layer, of events that are numbered from there on."""
        times, sources = columns.content.time, columns.content.source
        time = times.value if isinstance(times, Repeated) else None
        source = sources.value if isinstance(sources, Repeated) else None
        rows = 0 if time is not None and source is not None else len(times)
        facts = np.zeros(rows, dtype=[("time", "S20"), ("source", "S6")])
        if time is None:
            facts["time"] = times
        if source is None:
            facts["source"] = sources
        observed = columns.by_identifier()
        if len(observed):
            self._database.write(_OBSERVE, (number_set(observed), facts.tobytes(), first, time, source))

    def restore(self, stored: EventColumns) -> None:
        """Under the numbers that they have."""
        numbers, events, named = stored
        columns = self._put(numbers, events, named)
        part = begin_part(self._database, len(events))
        write_hashed(self._database, EVENT_ID, part, hashes(events.ids), numbers)
        write(self._database, OBSERVATION, part, [_observed(columns, numbers)])
        settle(self._database, last_number(self._database, "event"))

    def _put(self, numbers: Int64, events: EventTable, named: Int64) -> Columns:
        """All but observations and hashes of ids. `named` are the numbers of `events.named`."""
        columns = Columns.of(events, named, self._sources.intern(events.sources))
        count_in(self._database, events)
        rows = (*columns.content, events.received, events.ids)
        if not self._put_alike(numbers, rows):
            self._database.write_many(_PUT, zip(*rows, numbers.tolist(), strict=True))
        self._database.write_many(
            "INSERT INTO stated (a, b, event, apart) VALUES (?, ?, ?, ?)",
            ((a, b, int(numbers[place]), apart) for place, stated in columns.stated.items() for a, b, apart in stated),
        )
        return columns

    def _put_alike(self, numbers: Int64, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether it could be done by two statements, in a quarter of the time."""
        *content, ids = rows
        (cut,) = (column for column in content if isinstance(column, Cut))
        same = [column.value for column in content if isinstance(column, Repeated)]
        first, last = int(numbers[0]), int(numbers[-1])
        if len(same) < len(content) - 1 or not cut.width or last - first != len(numbers) - 1 or last == first:
            return False
        if (self._database.one("SELECT max(number) FROM event") or 0) >= first:
            return False
        try:
            column = apsw.carray(tuple(ids[1:]))
        except ValueError:  # what no loader lets pass
            return False
        self._database.write(_PUT, (*(column[0] for column in rows), first))
        self._database.write(_PUT_ALIKE, (*same[:2], cut.whole, *same[2:], column, cut.width))
        return True

    def contents(self, events: EventTable) -> Iterable[Content]:
        """As they would be stored; an identifier that was never stored has the number 0, which none has."""
        numbers = self._interning.find(events)
        sources = {name: self._sources.number(name) for name in set(events.sources)}
        columns = Columns.of(events, numbers, {name: -1 if n is None else n for name, n in sources.items()})
        return map(Content._make, zip(*columns.content, strict=True))

    def aside(self, marks: Sequence[int]) -> set[int]:
        rows = self._database.rows(
            "SELECT q.mark FROM carray(?) k CROSS JOIN quarantine q ON q.mark = k.value", (number_set(marks),)
        )
        return {mark for (mark,) in rows}

    def set_aside(self, run: Run, refused: Sequence[Refused], time: int) -> None:
        self._database.write_many(
            "INSERT INTO quarantine (run_id, line, offset, code, message, record, time, mark)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (run.id, origin.line, origin.offset, code, message, origin.raw, time, mark_of(run.source, origin))
                for origin, code, message in refused
            ),
        )

    def advance(self, before: Run, after: Run) -> bool:
        moved = self._database.write(
            f"UPDATE run SET {', '.join(f'{name} = ?' for name in ADVANCED)}"
            " WHERE id = ? AND state = ? AND position = ? AND read = ?",
            (
                *(getattr(after, name) for name in ADVANCED),
                before.id,
                RunState.RUNNING,
                before.position,
                before.read,
            ),
        )
        return moved > 0


def _observed(columns: Columns, numbers: Int64) -> Int64:
    """Entries of observations, of events of these numbers."""
    turned = columns.by_identifier()
    places = turned & LARGEST_NUMBER
    entries = np.empty((len(turned), len(OBSERVATION.fields)), dtype=np.int64)
    entries[:, 0] = (turned >> NUMBER_BITS << SOURCE_BITS) | _at(columns.content.source, places)
    entries[:, 1] = _at(columns.content.time, places)
    entries[:, 2] = numbers[places]
    return entries


def _at(column: Sequence[int], places: Int64) -> int | Int64:
    return column.value if isinstance(column, Repeated) else np.array(column, dtype=np.int64)[places]
