"""Reads by id that the API pages and batches with."""

from __future__ import annotations

import numpy as np

from identity_graph.model import Change, ChangeKind, Run, RunState
from identity_graph.store.protocols import Publication, Store

NOTHING = np.empty(0, np.int64)


def change(person_id: str, kind: ChangeKind, time: int) -> Change:
    return Change(0, time, kind, person_id, (), (), "resolution", "", "digest")


def publish(store: Store, *changes: Change) -> None:
    store.persons.publish(
        Publication(
            time=changes[0].time,
            policy="digest",
            created=(),
            members=(NOTHING, NOTHING),
            pruned=(),
            joined=NOTHING,
            suppressed=(),
            scope=NOTHING,
            retired=(),
            updated=NOTHING,
            changes=changes,
            resolved=0,
        )
    )


def test_changes_of_persons_are_aligned_and_in_order(store: Store) -> None:
    publish(store, change("p1", ChangeKind.CREATED, 1), change("p2", ChangeKind.CREATED, 1))
    publish(store, change("p1", ChangeKind.ABSORBED, 2))
    found = store.persons.changes_of(["p2", "nobody", "p1", "p2"])
    assert [[(each.person_id, each.kind.value) for each in changes] for changes in found] == [
        [("p2", "CREATED")],
        [],
        [("p1", "CREATED"), ("p1", "ABSORBED")],
        [("p2", "CREATED")],
    ]
    assert found[2] == store.persons.changes(person_id="p1")
    assert store.persons.changes_of([]) == []


def test_runs_are_found_by_id(store: Store) -> None:
    first = store.operations.begin_run(Run("r1", "load", RunState.RUNNING, 5, source="crm"))
    assert store.operations.find_runs(["unknown", "r1", "r1"]) == [None, first, first]
    assert store.operations.find_runs([]) == []
