"""Writing the difference that one resolution made, as lists in order of number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from identity_graph.model import Change
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.protocols import Publication
from identity_graph.store.survivors import numbered_persons, survivors


def publish(database: Connection, publication: Publication) -> None:
    with database.transaction():
        first = _create(database, publication)
        _move(database, publication, first)
        _prune(database, publication)
        _suppress(database, publication)
        for chunk in in_chunks(np.unique(numbered_persons(publication.updated, first)).tolist()):
            database.write("persons/publish_updated", numbers=chunk, time=publication.time)
        _retire(database, publication, first)
        add_changes(database, publication.changes)
        database.write("persons/publish", event=publication.resolved, policy=publication.policy)
        database.ledger.publish()


def add_changes(database: Connection, changes: Iterable[Change]) -> None:
    found = list(changes)
    first = database.ledger.take("change", len(found))
    rows = [
        {
            "number": number,
            "time": change.time,
            "kind": change.kind.value,
            "person_id": change.person_id,
            "from_ids": list(change.from_ids) or None,
            "to_ids": list(change.to_ids) or None,
            "cause": change.cause,
            "message": change.message,
            "policy": change.policy,
        }
        for number, change in enumerate(found, first)
    ]
    for chunk in in_chunks(rows):
        database.write("persons/publish_changes", changes=chunk)


def _create(database: Connection, publication: Publication) -> int:
    """The number of the first new person; the others follow it."""
    first = database.ledger.take("person", len(publication.created))
    for chunk in in_chunks([[number, id] for number, id in enumerate(publication.created, first)]):
        database.write("persons/publish_created", rows=chunk, time=publication.time)
    return first


def _move(database: Connection, publication: Publication, first: int) -> None:
    identifiers, places = np.unique(publication.members[0], return_index=True)
    persons = numbered_persons(publication.members[1][places], first)
    for chunk in in_chunks(np.stack((identifiers, persons), axis=1).tolist()):
        database.write("persons/publish_members", rows=chunk, time=publication.time)


def _prune(database: Connection, publication: Publication) -> None:
    for chunk in in_chunks(np.unique(publication.joined).tolist()):
        database.write("persons/publish_joined", numbers=chunk)
    for rows in in_chunks([[number, code] for number, code in sorted(publication.pruned)]):
        database.write("persons/publish_pruned", rows=rows)


def _suppress(database: Connection, publication: Publication) -> None:
    if publication.scope is None:
        database.write("persons/publish_anew")
    else:
        for chunk in in_chunks(np.unique(publication.scope).tolist()):
            database.write("persons/publish_anew_of", numbers=chunk)
    rows = [
        [a, b, reason.code, reason.message, reason.namespace, list(reason.values)]
        for a, b, reason in sorted(publication.suppressed, key=lambda row: (row.a, row.b))
    ]
    for chunk in in_chunks(rows):
        database.write("persons/publish_suppressed", rows=chunk)


def _retire(database: Connection, publication: Publication, first: int) -> None:
    merged, gone = survivors(publication.retired, first)
    _leave_segments(database, [person for person, _ in merged])
    for chunk in in_chunks([list(pair) for pair in sorted(merged)]):
        database.write("persons/publish_retired", rows=chunk)
    if gone:
        remove_persons(database, gone)


def _leave_segments(database: Connection, persons: Iterable[int]) -> None:
    for chunk in in_chunks(sorted(persons)):
        database.write("persons/publish_left", numbers=chunk)


def remove_persons(database: Connection, persons: Iterable[int]) -> None:
    """Delete persons, those that were merged into them, and what is left of their memberships."""
    numbers = sorted(set(persons))
    _leave_segments(database, numbers)
    for chunk in in_chunks(numbers):
        database.write("persons/publish_gone", numbers=chunk)
    database.ledger.publish()
