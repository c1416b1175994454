"""Short ways to say what a store is given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from identity_graph.model import Change, ChangeKind, Event, Identifier, Origin, Refused, Run, RunState
from identity_graph.store.protocols import Batch, Publication, SimilarRow, Store, SuppressedRow
from identity_graph.tables import Int64

NOW = 1_767_225_600_000_000
_runs = count(1)


def event(
    id: str,
    *keys: str,
    time: int = NOW,
    source: str = "web",
    name: str = "Page Viewed",
    traits: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    same_person: Sequence[tuple[str, str]] = (),
    received: int = NOW,
    apart: Sequence[tuple[str, str]] = (),
) -> Event:
    same, other = (
        tuple((Identifier.parse(a), Identifier.parse(b)) for a, b in pairs) for pairs in (same_person, apart)
    )
    identifiers = tuple(Identifier.parse(key) for key in keys)
    return Event(id, time, source, name, identifiers, traits or {}, properties or {}, same, received, other)


def batch(events: Iterable[Event], *, position: int = 0, offset: int = 0, refused: Sequence[Refused] = ()) -> Batch:
    found = list(events)
    origins = [Origin(line, 100 * line, f"{event.id} in line {line}".encode()) for line, event in enumerate(found, 1)]
    return Batch(found, origins, refused, position, offset)


def begin(store: Store, **more: Any) -> Run:
    run = Run(id=f"run-{os.getpid()}-{next(_runs):06}", kind="load", state=RunState.RUNNING, started=NOW, source="crm")
    return store.operations.begin_run(replace(run, **more))


def load(store: Store, *events: Event) -> Run:
    return store.evidence.append(begin(store), batch(events))


def numbers(store: Store, *keys: str) -> list[int]:
    rows = store.evidence.identifiers([Identifier.parse(key) for key in keys])
    return [row.number for row in rows if row is not None]


def array(values: Iterable[int] = ()) -> Int64:
    return np.array(list(values), dtype=np.int64)


def publication(
    *,
    created: Sequence[str] = (),
    members: Sequence[tuple[int, int]] = (),
    pruned: Sequence[tuple[int, str]] = (),
    joined: Sequence[int] = (),
    suppressed: Sequence[SuppressedRow] = (),
    similar: Sequence[SimilarRow] | None = None,
    scope: Sequence[int] | None = (),
    retired: Sequence[tuple[int, int | None]] = (),
    updated: Sequence[int] = (),
    changes: Sequence[Change] = (),
    resolved: int = 0,
    time: int = NOW,
    policy: str = "rules",
) -> Publication:
    return Publication(
        time,
        policy,
        created,
        (array(identifier for identifier, _ in members), array(person for _, person in members)),
        pruned,
        array(joined),
        suppressed,
        None if scope is None else array(scope),
        retired,
        array(updated),
        changes,
        resolved,
        similar,
    )


def change(kind: ChangeKind, person_id: str, came: Sequence[str] = (), went: Sequence[str] = ()) -> Change:
    return Change(0, NOW, kind, person_id, tuple(came), tuple(went), "ingestion", "because", "rules")


def publish_persons(store: Store, persons: Mapping[str, Sequence[str]], *, time: int = NOW) -> dict[str, int]:
    """New persons of these ids with the identifiers of these keys; answers their numbers."""
    members = [(number, -place) for place, keys in enumerate(persons.values(), 1) for number in numbers(store, *keys)]
    store.persons.publish(publication(created=list(persons), members=members, time=time))
    return {row.id: row.number for row in store.persons.persons(list(persons)) if row is not None}
