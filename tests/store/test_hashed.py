"""Events that come as columns, with hashes of their texts: the same is stored as of plain ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from identity_graph.event_table import EventTable
from identity_graph.model import Event
from identity_graph.store import open_store
from identity_graph.store.protocols import Batch, Erasure, Store
from tests.store.building import batch, begin, event

ALIKE = [event(f"a{n}", f"user_id:{n // 2}", f"cookie:{n}") for n in range(6)]
BATCHES: dict[str, list[list[Event]]] = {
    "alike": [ALIKE, [event(f"b{n}", f"user_id:{n}", f"cookie:b{n}") for n in range(6)]],
    "again": [ALIKE[:4], ALIKE],
    "twice in one batch": [[*ALIKE, ALIKE[2], event("a3", "cookie:other")]],
    "one value of two namespaces": [[event("x", "user_id:1", "cookie:1")], [event("y", "cookie:1", "device_id:1")]],
    "a NUL": [[event("n\0", "cookie:z"), event("m", "cookie:a\0b", "user_id:c\0")], [event("o", "cookie:a\0b")]],
}


def hashed(one: Batch) -> Batch:
    return replace(one, events=EventTable.unpack(EventTable.of(one.events).pack()).with_hashes())


def stored(path: Path, batches: list[list[Event]], *, prepared: bool) -> Any:
    store = open_store(f"sqlite:///{path}")
    run = begin(store, id="run")
    for position, events in enumerate(batches, 1):
        one = batch(events, position=position)
        run = store.evidence.append(run, hashed(one) if prepared else one)
    table, values = store.evidence.identifier_table()
    found = (
        (run.read, run.accepted, run.duplicate, run.quarantined),
        (table.number.tolist(), [table.namespaces[space] for space in table.namespace.tolist()], list(values)),
        [row and (row.number, row.event, row.identifiers) for row in store.evidence.events(ids_of(batches))],
        store.evidence.event_sum(),
        store.operations.counts(),
    )
    store.close()
    return found


def ids_of(batches: list[list[Event]]) -> list[str]:
    return sorted({one.id for events in batches for one in events})


@pytest.mark.parametrize("case", BATCHES)
def test_hashes_never_change_what_is_stored(tmp_path: Path, case: str) -> None:
    plain, known = (stored(tmp_path / f"{way}.db", BATCHES[case], prepared=way) for way in (False, True))
    assert known == plain


def rows_of(store: Store, ids: list[str]) -> list[int]:
    return [row.number for row in store.evidence.events(ids) if row]


def test_rows_behind_deleted_ones_get_numbers_that_nobody_had(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'people.db'}")
    run = store.evidence.append(begin(store), batch(ALIKE, position=1))
    events = rows_of(store, ["a4", "a5"])
    identifiers = store.evidence.identifier_table()[0].number.tolist()[-3:]
    with store.transaction():
        store.privacy.erase(Erasure([], events, [], identifiers, []))
    new = [event(f"c{n}", f"user_id:c{n}", f"cookie:c{n}") for n in range(4)]
    store.evidence.append(run, batch(new, position=2))
    assert rows_of(store, [one.id for one in new]) == [7, 8, 9, 10]
    assert store.evidence.identifier_table()[0].number.tolist()[-8:] == list(range(10, 18))
    store.close()
