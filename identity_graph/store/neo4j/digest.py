"""The state as lines that do not depend on how it came about: no numbers, no person ids, no order of arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from identity_graph.store.canonical import event_line, person_lines, suppressed_lines
from identity_graph.store.neo4j.chunks import COLUMN, in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.numbered import unflat

CHUNK = 5_000


def canonical_lines(database: Connection) -> Iterator[bytes]:
    """Events by id, then each person's keys, then suppressed links with their reasons.

    Keeps writers out until the last line. Holds the ids of all events and the keys of all persons.
    """
    with database.transaction():
        ids: list[tuple[bytes, int]] = []
        for after in range(0, database.ledger.get("event", 0), COLUMN):
            found, numbers = database.one("operations/canonical_ids", after=after, upto=after + COLUMN)
            ids += zip((id.encode() for id in found), numbers, strict=True)
        ids.sort()
        for chunk in in_chunks([number for _, number in ids], CHUNK):
            (events,) = database.one("operations/canonical_events", numbers=chunk)
            for id, time, source, name, seen, stated, traits, properties in events:
                keys = dict(seen)
                told = [(keys[a], keys[b], apart) for a, b, apart in unflat(stated)]
                yield event_line(id, time, source, name, keys.values(), told, traits, properties)
        persons: dict[int, list[str]] = defaultdict(list)
        for after in range(0, database.ledger.get("identifier", 0), COLUMN):
            found, numbers = database.one("operations/canonical_members", after=after, upto=after + COLUMN)
            for key, number in zip(found, numbers, strict=True):
                persons[number].append(key)
        yield from person_lines(persons.values())
        yield from suppressed_lines(database.one("operations/canonical_suppressed")[0])
