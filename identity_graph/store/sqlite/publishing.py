"""Writing the difference that one resolution made, as sets and not row by row."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import orjson

from identity_graph.model import Change, ChangeKind
from identity_graph.store.entering import RETIRED, SEGMENT
from identity_graph.store.numbered import LARGEST_NUMBER, NUMBER_BITS, paired
from identity_graph.store.protocols import Publication, SimilarRow, SuppressedRow
from identity_graph.store.sqlite.columns import number_set, pack, text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.numbering import keep, keep_numbers, last_number, next_edition
from identity_graph.store.survivors import numbered_persons, survivors


def publish(database: Connection, publication: Publication) -> None:
    with database.transaction():
        edition = next_edition(database)
        first = _create(database, publication, edition)
        _move(database, publication, first)
        _prune(database, publication)
        _suppress(database, publication)
        if publication.similar is not None:
            database.write("DELETE FROM similar")
            add_similar(database, publication.similar)
        _retire(database, publication, first, edition)
        if len(publication.updated):
            database.write(
                "UPDATE person SET updated = ?, edition = ? WHERE number IN (SELECT value FROM carray(?))",
                (publication.time, edition, number_set(numbered_persons(publication.updated, first))),
            )
        add_changes(database, publication.changes)
        keep(database, resolved=publication.resolved, policy=publication.policy)


def add_changes(database: Connection, changes: Iterable[Change]) -> None:
    """One of number 0 gets the next."""
    database.write_many(
        "INSERT INTO change (number, time, kind, person_id, from_ids, to_ids, cause, message, policy, segment)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                change.number or None,
                change.time,
                change.kind.value,
                change.person_id,
                orjson.dumps(change.from_ids).decode() if change.from_ids else None,
                orjson.dumps(change.to_ids).decode() if change.to_ids else None,
                change.cause,
                change.message,
                change.policy,
                change.segment,
            )
            for change in changes
        ),
    )


_IDS = (
    "SELECT p.id FROM carray(?1) k CROSS JOIN person p ON p.number = k.value"
    " UNION ALL SELECT p.id FROM carray(?1) k CROSS JOIN person p ON p.survivor = k.value"
)
"""Of persons, and of those merged into them."""


def _leave_segments(database: Connection, persons: apsw.CArrayBinding, publication: Publication | None = None) -> None:
    """Take persons, and those merged into them, out of every segment, and count again those that they left. Without a
    publication nothing tells of it."""
    left = database.rows(f"SELECT DISTINCT segment FROM segment_member WHERE person_id IN ({_IDS})", (persons,))
    if left:
        if publication is not None:
            database.write(
                "INSERT INTO change (time, kind, person_id, cause, message, policy, segment)"
                " SELECT ?2, ?3, m.person_id, ?4, ?5, ?6, s.name FROM segment_member m"
                f" CROSS JOIN segment s ON s.number = m.segment WHERE m.person_id IN ({_IDS})"
                " ORDER BY m.person_id, s.name",
                (persons, publication.time, ChangeKind.LEFT.value, SEGMENT, RETIRED, publication.policy),
            )
        database.write(f"DELETE FROM segment_member WHERE person_id IN ({_IDS})", (persons,))
        database.write_many(
            "UPDATE segment SET size = (SELECT count(*) FROM segment_member WHERE segment = number) WHERE number = ?",
            left,
        )


def _create(database: Connection, publication: Publication, edition: int) -> int:
    """The number of the first new person; the others follow it."""
    first = 1 + last_number(database, "person")
    if publication.created:
        database.write(
            "INSERT INTO person (number, id, created, updated, edition)"
            " SELECT ?1 + rowid - 1, value, ?2, ?2, ?4 FROM carray(?3) WHERE true",
            (first, publication.time, text_set(publication.created), edition),
        )
    return first


def _move(database: Connection, publication: Publication, first: int) -> None:
    identifiers, persons = publication.members
    if not len(identifiers):
        return
    pairs = paired(identifiers, numbered_persons(persons, first))
    pairs.sort()
    database.write(
        f"INSERT INTO member (identifier, person, since) SELECT value >> {NUMBER_BITS}, value & {LARGEST_NUMBER}, ?"
        " FROM carray(?) WHERE true ON CONFLICT DO UPDATE SET person = excluded.person, since = excluded.since"
        " WHERE person <> excluded.person",
        (publication.time, number_set(pairs)),
    )


def _prune(database: Connection, publication: Publication) -> None:
    if len(publication.joined):
        database.write(
            "DELETE FROM pruned WHERE identifier IN (SELECT value FROM carray(?))", (number_set(publication.joined),)
        )
    if publication.pruned:
        database.write_many(
            "INSERT INTO pruned (identifier, code) VALUES (?, ?) ON CONFLICT DO UPDATE SET code = excluded.code",
            publication.pruned,
        )
        database.write(
            "DELETE FROM member WHERE identifier IN (SELECT value FROM carray(?))",
            (number_set([number for number, _ in publication.pruned]),),
        )


def _suppress(database: Connection, publication: Publication) -> None:
    if publication.scope is None:
        database.write("DELETE FROM suppressed")
    elif len(publication.scope):
        keys = number_set(publication.scope)
        database.write("DELETE FROM suppressed WHERE a IN (SELECT value FROM carray(?))", (keys,))
        database.write("DELETE FROM suppressed WHERE b IN (SELECT value FROM carray(?))", (keys,))
    add_suppressed(database, publication.suppressed)


def add_suppressed(database: Connection, links: Iterable[SuppressedRow]) -> None:
    database.write_many(
        'INSERT INTO suppressed (a, b, code, message, namespace, "values") VALUES (?, ?, ?, ?, ?, ?)'
        " ON CONFLICT DO UPDATE SET code = excluded.code, message = excluded.message,"
        ' namespace = excluded.namespace, "values" = excluded."values"',
        (
            (a, b, reason.code, reason.message, reason.namespace, orjson.dumps(reason.values).decode())
            for a, b, reason in links
        ),
    )


def add_similar(database: Connection, links: Iterable[SimilarRow]) -> None:
    database.write_many(
        "INSERT INTO similar (a, b, weight, last_seen, shared) VALUES (?, ?, ?, ?, ?)",
        ((*row[:4], pack(row.shared)) for row in links),
    )


def _retire(database: Connection, publication: Publication, first: int, edition: int) -> None:
    if not publication.retired:
        return
    merged, gone = survivors(publication.retired, first)
    _leave_segments(database, number_set([person for person, _ in publication.retired]), publication)
    database.write_many("UPDATE person SET survivor = ?2 WHERE number = ?1 OR survivor = ?1", merged)
    if merged:
        keys = number_set(sorted({number for pair in merged for number in pair}))
        database.write("UPDATE person SET edition = ? WHERE number IN (SELECT value FROM carray(?))", (edition, keys))
    if gone:
        remove_persons(database, gone)


def forget_segments(database: Connection, persons: Iterable[int]) -> None:
    """Delete what tells that persons, and those merged into them, entered or left segments."""
    database.write(
        f"DELETE FROM change WHERE segment IS NOT NULL AND person_id IN ({_IDS})", (number_set(list(persons)),)
    )


def remove_persons(database: Connection, persons: Iterable[int]) -> None:
    """Delete persons, those that were merged into them, and what is left of their memberships."""
    keys = number_set(list(persons))
    keep_numbers(database, "person")
    keep(database, gone=next_edition(database))
    _leave_segments(database, keys)
    database.write("DELETE FROM member WHERE person IN (SELECT value FROM carray(?))", (keys,))
    database.write(
        "DELETE FROM person WHERE number IN (SELECT value FROM carray(?1))"
        " OR survivor IN (SELECT value FROM carray(?1))",
        (keys,),
    )
