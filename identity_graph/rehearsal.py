"""What another policy would publish: a resolution of everything that is computed and not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest

import numpy as np

from identity_graph.engines import Engine
from identity_graph.linking import identifier_at
from identity_graph.model import ChangeKind
from identity_graph.neighbourhood import everything
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution
from identity_graph.resolve.persons import PersonChange, Persons, assign
from identity_graph.resolve.prune import JOINS
from identity_graph.store.protocols import Store
from identity_graph.tables import Bool, Int64

EXAMPLES = 5
"""Of each kind of change, the largest."""

KEYS = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Identifiers that are one person before or after: how many, and the best of them, by the priority of their
    namespace, then by key. `id` is None of a new person."""

    id: str | None
    size: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A merge of several persons into one, or a split of one into several; the largest groups first."""

    kind: ChangeKind
    before: tuple[Group, ...]
    after: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Persons as published and as they would be; how many of each change, and identifiers that would join nobody.

    `published` is the digest of the policy that the persons are of, None before any. `retired` counts the ids that
    would lead to another person, or to nobody. `examples` are the merges and splits of the most identifiers.
    """

    published: str | None
    persons: int
    persons_then: int
    created: int
    absorbed: int
    merged: int
    split: int
    retired: int
    pruned: int
    pruned_then: int
    examples: Sequence[Example]


def rehearse(store: Store, policy: Policy, engine: Engine) -> Rehearsal:
    """Of one moment, whoever writes meanwhile. Costs what a full resolution costs, less the writing."""
    return store.moment(lambda: _rehearse(store, policy, engine))


def _rehearse(store: Store, policy: Policy, engine: Engine) -> Rehearsal:
    here, (members, owners) = everything(store, policy, engine), store.persons.membership()
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
        published=store.persons.resolved()[1],
        persons=store.persons.count(),
        persons_then=len(np.unique(found.person[found.person != 0])),
        created=counts[ChangeKind.CREATED],
        absorbed=counts[ChangeKind.ABSORBED],
        merged=counts[ChangeKind.MERGED],
        split=counts[ChangeKind.SPLIT],
        retired=len(found.retired),
        pruned=int(np.count_nonzero(here.known != JOINS)),
        pruned_then=int(np.count_nonzero(resolution.pruned != JOINS)),
        examples=_examples(store, found, previous, resolution),
    )


def _examples(store: Store, found: Persons, previous: Int64, resolution: Resolution) -> list[Example]:
    sizes = dict(zip(*(column.tolist() for column in np.unique(previous, return_counts=True)), strict=True))
    chosen: list[PersonChange] = []
    for kind in (ChangeKind.MERGED, ChangeKind.SPLIT):
        own = [change for change in found.changes if change.kind is kind]
        own.sort(key=lambda change: -sum(sizes.get(person, 0) for person in change.from_persons))
        chosen += own[:EXAMPLES]
    numbers = {number for one in chosen for number in (*one.from_persons, *one.to_persons, one.person) if number > 0}
    rows = store.persons.persons_by_number(sorted(numbers))
    ids = {row.number: row.id for row in rows if row}

    def groups(owners: Int64, persons: Iterable[int], within: Bool) -> tuple[Group, ...]:
        members = [np.flatnonzero(within & (owners == person)) for person in persons if person]
        named = [
            Group(ids.get(int(owners[own[0]])), len(own), _best_keys(resolution, own)) for own in members if len(own)
        ]
        return tuple(sorted(named, key=lambda group: (-group.size, group.keys)))

    examples = []
    for one in chosen:
        inside = np.isin(previous, one.from_persons)
        if one.kind is ChangeKind.MERGED:
            inside |= previous == one.person
        before = groups(previous, np.unique(previous[inside]).tolist(), inside)
        after = groups(found.person, np.unique(found.person[inside]).tolist(), inside)
        examples.append(Example(one.kind, before, after))
    return examples


def _best_keys(resolution: Resolution, own: Int64) -> tuple[str, ...]:
    priority = resolution.rules.priority[resolution.identifiers.namespace[own]].tolist()
    keys = [identifier_at(resolution, row).key for row in own.tolist()]
    return tuple(key for _, key in nsmallest(KEYS, zip(priority, keys, strict=True)))
