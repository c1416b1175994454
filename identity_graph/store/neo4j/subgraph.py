"""Persons with all that is around them, by one statement."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from identity_graph.model import Event, Identifier, Reason, Segment
from identity_graph.store.neo4j.connection import GLANCES, Connection
from identity_graph.store.numbered import is_plain, told_apart, unflat
from identity_graph.store.protocols import EventRow, IdentifierRow, PersonRow, SimilarRow, Subgraph, SuppressedRow


def read_subgraph(
    database: Connection, identifiers: Sequence[Identifier], ids: Sequence[str], events: bool
) -> Subgraph:
    """A statement that a publication fell into is run again; in the end, writers are kept out while it runs."""
    keys = sorted({one.key for one in identifiers if is_plain(one.key)})
    parameters = {"keys": keys, "ids": sorted({id for id in ids if is_plain(id)}), "events": events}
    for pause in GLANCES:
        row = database.one("persons/subgraph", **parameters)
        if row[0] == row[-1] >= 0:
            break
        time.sleep(pause)
    else:
        with database.quiet():
            row = database.one("persons/subgraph", **parameters)
    return _subgraph(row, identifiers, ids, events)


def _subgraph(row: Sequence[Any], identifiers: Sequence[Identifier], ids: Sequence[str], events: bool) -> Subgraph:
    before, asked, persons, retired, members, suppressed, similar, segments, seen, beside, owners, hidden, _ = row
    rows = {found.number: found for found in map(identifier_row, [*beside, *asked, *members])}
    by_key = {found.identifier: found for found in rows.values()}
    known = {person[0]: PersonRow(*person) for person in [*owners, *retired, *persons] if person[0] is not None}
    by_id = {person.id: person for person in known.values()}
    inside: dict[int, list[IdentifierRow]] = {person[0]: [] for person in persons}
    for member in members:
        inside[member[3]].append(rows[member[0]])
    for found in inside.values():
        found.sort(key=lambda one: one.identifier.key)
    refused: dict[int, list[SuppressedRow]] = {member[0]: [] for member in members}
    for number, a, b, code, message, namespace, values in suppressed:
        refused[number].append(SuppressedRow(a, b, Reason(code, message, namespace, tuple(values))))
    for links in refused.values():
        links.sort(key=lambda link: (link.a, link.b))
    alike: dict[int, list[SimilarRow]] = {member[0]: [] for member in members}
    for number, a, b, weight, last_seen, shared in similar:
        alike[number].append(SimilarRow(a, b, weight, last_seen, tuple(shared)))
    for found_alike in alike.values():
        found_alike.sort()
    journeys: dict[int, list[EventRow]] = {member[0]: [] for member in members}
    for by, event in seen:
        one = event_row(event, rows)
        for number in by:
            journeys[number].append(one)
    for journey in journeys.values():
        journey.sort(key=lambda one: (one.event.time, one.event.id))
    return Subgraph(
        moment=before,
        asked={**{one: by_key.get(one) for one in identifiers}, **{id: by_id.get(id) for id in ids}},
        persons=known,
        identifiers=rows,
        members=inside,
        suppressed=refused,
        similar=alike,
        segments={person: sorted(map(segment, of), key=lambda one: one.name) for person, of in segments},
        events=journeys if events else None,
        restricted=frozenset(hidden),
    )


def identifier_row(row: Sequence[Any]) -> IdentifierRow:
    number, namespace, value, person, since, pruned = row
    return IdentifierRow(number, Identifier(namespace, value), person, since, pruned)


def event_row(event: dict[str, Any], rows: dict[int, IdentifierRow]) -> EventRow:
    """Of the event's properties, with the identifiers that it saw among `rows`."""
    stated = unflat(event.get("stated", ()))
    same, apart = told_apart((rows[a].identifier, rows[b].identifier, kept_apart) for a, b, kept_apart in stated)
    found = Event(
        event["id"],
        event["time"],
        event["source"],
        event["name"],
        _by_key(rows[number] for number in event.get("identifiers", ())),
        orjson.loads(event.get("traits", "{}")),
        orjson.loads(event.get("properties", "{}")),
        same,
        event["received"],
        apart,
    )
    return EventRow(event["number"], found, tuple(event.get("identifiers", ())))


def segment(properties: dict[str, Any]) -> Segment:
    return Segment(
        properties["name"],
        properties["description"],
        orjson.loads(properties["condition"]),
        properties["created"],
        properties["evaluated"],
        properties["size"],
    )


def _by_key(rows: Iterable[IdentifierRow]) -> tuple[Identifier, ...]:
    return tuple(sorted((row.identifier for row in rows), key=lambda identifier: identifier.key))
