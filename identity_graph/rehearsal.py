"""What another policy would publish: a resolution of everything that is computed and not written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from identity_graph.engines import Engine
from identity_graph.model import ChangeKind
from identity_graph.neighbourhood import everything
from identity_graph.policy import Policy
from identity_graph.resolve.persons import assign
from identity_graph.resolve.prune import JOINS
from identity_graph.store.protocols import Store


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Persons as published and as they would be; how many of each change, and identifiers that would join nobody."""

    persons: int
    persons_then: int
    created: int
    absorbed: int
    merged: int
    split: int
    pruned: int
    pruned_then: int


def rehearse(store: Store, policy: Policy, engine: Engine) -> Rehearsal:
    """Of one moment, whoever writes meanwhile. Costs what a full resolution costs, less the writing."""
    here, (members, owners), persons = store.moment(
        lambda: (everything(store, policy, engine), store.persons.membership(), store.persons.count())
    )
    resolution = here.resolution
    namespace, names = resolution.identifiers.namespace, resolution.rules.namespaces
    previous = np.zeros(len(resolution.identifiers), dtype=np.int64)
    previous[np.searchsorted(resolution.identifiers.number, members)] = owners
    found = assign(
        resolution.groups.label,
        previous,
        resolution.rules.carries[namespace],
        lambda position: (names[namespace[position]], resolution.values[position]),
    )
    counts = Counter(change.kind for change in found.changes)
    return Rehearsal(
        persons=persons,
        persons_then=len(np.unique(found.person[found.person != 0])),
        created=counts[ChangeKind.CREATED],
        absorbed=counts[ChangeKind.ABSORBED],
        merged=counts[ChangeKind.MERGED],
        split=counts[ChangeKind.SPLIT],
        pruned=int(np.count_nonzero(here.known != JOINS)),
        pruned_then=int(np.count_nonzero(resolution.pruned != JOINS)),
    )
