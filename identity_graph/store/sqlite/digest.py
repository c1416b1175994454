"""The state as lines that do not depend on how it came about: no numbers, no person ids, no order of arrival."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, groupby

import orjson

from identity_graph.store.canonical import event_line, person_lines, suppressed_lines
from identity_graph.store.sqlite.columns import number_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.contents import numbers_of, stated_of

CHUNK = 5_000


def canonical_lines(database: Connection) -> Iterator[bytes]:
    """Events by id, then each person's keys, then suppressed links with their reasons.

    Holds the numbers of all events and the keys of all persons.
    """
    with database.snapshot():
        names = dict(database.rows("SELECT number, name FROM namespace"))
        sources = dict(database.rows("SELECT number, name FROM source"))
        yield from _events(database, names, sources)
        yield from _groups(database, names)
        yield from _suppressed(database, names)


def _keys(database: Connection, names: dict[int, str], numbers: Sequence[int]) -> dict[int, str]:
    rows = database.rows(
        "SELECT i.number, i.namespace, i.value FROM carray(?) k CROSS JOIN identifier i ON i.number = k.value",
        (number_set(numbers),),
    )
    return {number: f"{names[space]}:{value}" for number, space, value in rows}


def _events(database: Connection, names: dict[int, str], sources: dict[int, str]) -> Iterator[bytes]:
    order = array("q", (number for (number,) in database.stream("SELECT number FROM event ORDER BY id")))
    for start in range(0, len(order), CHUNK):
        chunk = database.rows(
            "SELECT e.id, e.time, e.source, e.name, e.identifiers, e.stated, e.traits, e.properties"
            " FROM carray(?) k CROSS JOIN event e ON e.number = k.value",
            (number_set(order[start : start + CHUNK]),),
        )
        seen = sorted({number for row in chunk for number in numbers_of(row[4])})
        keys = _keys(database, names, seen) if seen else {}
        for id, time, source, name, identifiers, stated, traits, properties in chunk:
            own = [keys[number] for number in numbers_of(identifiers)]
            pairs = [(keys[a], keys[b], apart) for a, b, apart in stated_of(stated)]
            yield event_line(id, time, sources[source], name, own, pairs, traits, properties)


def _groups(database: Connection, names: dict[int, str]) -> Iterator[bytes]:
    rows = database.stream(
        "SELECT m.person, i.namespace, i.value FROM member m INDEXED BY member_person"
        " CROSS JOIN identifier i ON i.number = m.identifier ORDER BY m.person"
    )
    yield from person_lines(
        [f"{names[space]}:{value}" for _, space, value in group] for _, group in groupby(rows, key=lambda row: row[0])
    )


def _suppressed(database: Connection, names: dict[int, str]) -> Iterator[bytes]:
    rows = database.rows('SELECT a, b, code, namespace, "values" FROM suppressed')
    if not rows:
        return
    keys = _keys(database, names, sorted(set(chain.from_iterable(row[:2] for row in rows))))
    yield from suppressed_lines(
        (keys[a], keys[b], code, namespace, orjson.loads(values)) for a, b, code, namespace, values in rows
    )
