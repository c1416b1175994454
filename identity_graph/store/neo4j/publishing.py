"""Writing the difference that one resolution made, as lists in order of number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from identity_graph.model import Change, ChangeKind
from identity_graph.store.entering import RETIRED, SEGMENT
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.protocols import PersonRow, Publication, SimilarRow, SuppressedRow
from identity_graph.store.survivors import numbered_persons, survivors


def publish(database: Connection, publication: Publication) -> None:
    with database.transaction():
        edition = database.ledger.next_edition()
        first = _create(database, publication, edition)
        _move(database, publication, first)
        _prune(database, publication)
        _suppress(database, publication)
        if publication.similar is not None:
            database.write("persons/publish_similar_anew")
            add_similar(database, publication.similar)
        for chunk in in_chunks(np.unique(numbered_persons(publication.updated, first)).tolist()):
            database.write("persons/publish_updated", numbers=chunk, time=publication.time, edition=edition)
        _retire(database, publication, first, edition)
        add_changes(database, publication.changes)
        database.write("persons/publish", event=publication.resolved, policy=publication.policy)
        database.ledger.publish()


def add_changes(database: Connection, changes: Iterable[Change]) -> None:
    """New ones, which get the next numbers."""
    found = list(changes)
    first = database.ledger.take("change", len(found))
    keep_changes(database, [replace(change, number=number) for number, change in enumerate(found, first)])


def keep_changes(database: Connection, changes: Iterable[Change]) -> None:
    rows = [
        {
            "number": change.number,
            "time": change.time,
            "kind": change.kind.value,
            "person_id": change.person_id,
            "from_ids": list(change.from_ids) or None,
            "to_ids": list(change.to_ids) or None,
            "cause": change.cause,
            "message": change.message,
            "policy": change.policy,
            "segment": change.segment,
        }
        for change in changes
    ]
    for chunk in in_chunks(rows):
        database.write("persons/publish_changes", changes=chunk)


def _create(database: Connection, publication: Publication, edition: int) -> int:
    """The number of the first new person; the others follow it."""
    first = database.ledger.take("person", len(publication.created))
    now = publication.time
    rows = [PersonRow(number, id, now, now, None) for number, id in enumerate(publication.created, first)]
    add_persons(database, rows, edition)
    return first


def add_persons(database: Connection, persons: Iterable[PersonRow], edition: int) -> None:
    """Live ones."""
    for chunk in in_chunks([[one.number, one.id, one.created, one.updated] for one in persons]):
        database.write("persons/publish_created", rows=chunk, edition=edition)


def _move(database: Connection, publication: Publication, first: int) -> None:
    identifiers, places = np.unique(publication.members[0], return_index=True)
    persons = numbered_persons(publication.members[1][places], first)
    add_members(database, np.stack((identifiers, persons, np.full_like(persons, publication.time)), axis=1).tolist())


def add_members(database: Connection, rows: Sequence[Sequence[int]]) -> None:
    """Number of the identifier, number of the person, time; by the first."""
    for chunk in in_chunks(rows):
        database.write("persons/publish_members", rows=chunk)


def _prune(database: Connection, publication: Publication) -> None:
    for chunk in in_chunks(np.unique(publication.joined).tolist()):
        database.write("persons/publish_joined", numbers=chunk)
    add_pruned(database, publication.pruned)


def add_pruned(database: Connection, pruned: Iterable[tuple[int, str]]) -> None:
    for rows in in_chunks([[number, code] for number, code in sorted(pruned)]):
        database.write("persons/publish_pruned", rows=rows)


def _suppress(database: Connection, publication: Publication) -> None:
    if publication.scope is None:
        database.write("persons/publish_anew")
    else:
        for chunk in in_chunks(np.unique(publication.scope).tolist()):
            database.write("persons/publish_anew_of", numbers=chunk)
    add_suppressed(database, publication.suppressed)


def add_suppressed(database: Connection, links: Iterable[SuppressedRow]) -> None:
    rows = [
        [a, b, reason.code, reason.message, reason.namespace, list(reason.values) or None]
        for a, b, reason in sorted(links, key=lambda row: (row.a, row.b))
    ]
    for chunk in in_chunks(rows):
        database.write("persons/publish_suppressed", rows=chunk)


def add_similar(database: Connection, links: Iterable[SimilarRow]) -> None:
    for chunk in in_chunks([[*row[:4], list(row.shared)] for row in sorted(links)]):
        database.write("persons/publish_similar", rows=chunk)


def _retire(database: Connection, publication: Publication, first: int, edition: int) -> None:
    merged, gone = survivors(publication.retired, first)
    told = _leave_segments(database, [person for person, _ in publication.retired])
    add_changes(
        database,
        [
            Change(0, publication.time, ChangeKind.LEFT, id, (), (), SEGMENT, RETIRED, publication.policy, name)
            for id, name in sorted(told)
        ],
    )
    retire(database, merged, edition)
    if gone:
        remove_persons(database, gone)


def retire(database: Connection, merged: Iterable[tuple[int, int]], edition: int) -> None:
    """Pairs of a person and the survivor, a live one."""
    for chunk in in_chunks([list(pair) for pair in sorted(merged)]):
        database.write("persons/publish_retired", rows=chunk, edition=edition)


def _leave_segments(database: Connection, persons: Iterable[int]) -> list[tuple[str, str]]:
    """Who left which."""
    return [
        (id, name)
        for chunk in in_chunks(sorted(persons))
        for name, ids in database.write("persons/publish_left", numbers=chunk)
        for id in ids
    ]


def forget_segments(database: Connection, persons: Iterable[int]) -> None:
    """Delete what tells that persons, and those merged into them, entered or left segments."""
    for chunk in in_chunks(sorted(set(persons))):
        database.write("privacy/erase_entering", numbers=chunk)


def remove_persons(database: Connection, persons: Iterable[int]) -> None:
    """Delete persons, those that were merged into them, and what is left of their memberships."""
    numbers = sorted(set(persons))
    _leave_segments(database, numbers)
    for chunk in in_chunks(numbers):
        database.write("persons/publish_gone", numbers=chunk)
    database.ledger.set("gone", database.ledger.next_edition())
    database.ledger.publish()
