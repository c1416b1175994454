"""Writing rows of another store under the numbers and times that they had there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.hashed import hashes
from identity_graph.store.marks import mark_again
from identity_graph.store.protocols import IdentifierRow, Piece, Standing
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.deliveries import SqliteDeliveries
from identity_graph.store.sqlite.event_rows import EventRows
from identity_graph.store.sqlite.layers import begin_part, settle
from identity_graph.store.sqlite.names import Names
from identity_graph.store.sqlite.numbering import keep, keep_number, keep_sequence, last_number, next_edition
from identity_graph.store.sqlite.operations import insert_run
from identity_graph.store.sqlite.parts import write_hashed
from identity_graph.store.sqlite.publishing import add_changes, add_similar, add_suppressed
from identity_graph.store.sqlite.restrictions import RestrictedRows
from identity_graph.store.sqlite.segments import SqliteSegments
from identity_graph.store.sqlite.tree import IDENTIFIER_VALUE

_QUARANTINED = ("number", "run_id", "line", "offset", "code", "message", "record", "time")


def restore(
    database: Connection,
    piece: Piece,
    namespaces: Names,
    events: EventRows,
    segments: SqliteSegments,
    deliveries: SqliteDeliveries,
) -> None:
    """All but tombstones, inside a transaction."""
    edition = next_edition(database)
    database.write_many(
        "INSERT INTO person (number, id, created, updated, survivor, edition) VALUES (?, ?, ?, ?, ?, ?)",
        ((*row, edition) for row in piece.persons),
    )
    _identifiers(database, piece.identifiers, namespaces)
    RestrictedRows(database).add(piece.restricted)
    add_suppressed(database, piece.suppressed)
    add_similar(database, piece.similar)
    if piece.events is not None and len(piece.events.numbers):
        events.restore(piece.events)
    add_changes(database, piece.changes)
    for run in piece.runs:
        insert_run(database, run)
    database.write_many(
        "INSERT INTO quarantine (number, run_id, line, offset, code, message, record, time, mark)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((*(getattr(row, name) for name in _QUARANTINED), mark_again(row)) for row in piece.quarantined),
    )
    if piece.computed:
        segments.declare(piece.computed)
    for segment in piece.segments:
        segments.save(segment, None)
    for segment, ids in piece.members:
        segments.place(segment.name, ids)
    for delivery in piece.deliveries:
        deliveries.keep(delivery)
    deliveries.set_aside(piece.dead_letters)
    if piece.standing is not None:
        _stand(database, piece.standing)


def _identifiers(database: Connection, rows: Sequence[IdentifierRow], namespaces: Names) -> None:
    spaces = namespaces.intern({row.identifier.namespace for row in rows})
    stored = [(row.number, spaces[row.identifier.namespace], row.identifier.value) for row in rows]
    database.write_many("INSERT INTO identifier (number, namespace, value) VALUES (?, ?, ?)", stored)
    if stored:
        numbers = np.array([row[0] for row in stored], dtype=np.int64)
        part = begin_part(database, len(stored))
        write_hashed(database, IDENTIFIER_VALUE, part, hashes(row[2] for row in stored), numbers)
        settle(database, last_number(database, "event"))
    database.write_many(
        "INSERT INTO member (identifier, person, since) VALUES (?, ?, ?)",
        ((row.number, row.person, row.since) for row in rows if row.person is not None),
    )
    database.write_many(
        "INSERT INTO pruned (identifier, code) VALUES (?, ?)",
        ((row.number, row.pruned) for row in rows if row.pruned is not None),
    )


def _stand(database: Connection, standing: Standing) -> None:
    if standing.policy is not None:
        keep(database, resolved=standing.resolved, policy=standing.policy)
    keep_number(database, "event", standing.event)
    keep_number(database, "identifier", standing.identifier)
    keep_number(database, "person", standing.person)
    keep_sequence(database, "change", standing.change)
    keep_sequence(database, "quarantine", standing.quarantined)
