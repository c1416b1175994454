"""Groups and earlier persons to persons: ids that stay, and a name for every change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.model import ChangeKind
from identity_graph.tables import Bool, Int32, Int64


@dataclass(frozen=True, slots=True)
class PersonChange:
    """A change by person numbers; a new person is -1, -2, ..."""

    kind: ChangeKind
    person: int
    from_persons: tuple[int, ...] = ()
    to_persons: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Persons:
    """`person` int64[n]: each identifier's person number, new ones -1, -2, ..., 0 for nobody; `created` is how many
    are new; `retired` maps a person that is no more to its survivor (None: nothing is left of it)."""

    person: Int64
    created: int
    retired: Mapping[int, int | None]
    changes: Sequence[PersonChange]
    touched: Int64


def assign(label: Int32, previous: Int64, carries: Int64, key: Callable[[int], tuple[str, str]]) -> Persons:
    """Carry person numbers over by overlap.

    `label` int32[n] is each identifier's group (-1: nobody), `previous` int64[n] its earlier person (0: nobody; a lower
    number is an older person), `carries` int64[n] how much it counts. Groups and persons are paired heaviest overlap
    first, ties to the older person, then to the group with the smaller key; what is left over becomes new. Greedy
    pairing, as in cluster tracking over time (Greene, Doyle, Cunningham 2010): of what identifiers carry at least half
    as much stays with its person as in the best of all pairings (Avis 1983), and assigning what is published already
    changes nothing. O(n log n), and a loop over persons that merge or split only.

    >>> again = assign(np.array([0, 0, 2], np.int32), np.array([7, 7, 9]), np.ones(3, np.int64), lambda i: ("", str(i)))
    >>> again.person.tolist(), again.created, list(again.changes)
    ([7, 7, 9], 0, [])
    """
    grouped = np.flatnonzero(label >= 0)
    groups, group_of = np.unique(label[grouped], return_inverse=True)
    owner: Int64 = np.zeros(len(groups), dtype=np.int64)
    had = previous[grouped] > 0
    pair_group, pair_person, weight = _overlaps(group_of[had], previous[grouped][had], carries[grouped][had])
    alone = (_times(pair_group) == 1) & (_times(pair_person) == 1)
    owner[pair_group[alone]] = pair_person[alone]
    disputed = np.flatnonzero(~alone)
    if len(disputed):
        smallest = _smallest_keys(np.unique(pair_group[disputed]), grouped, group_of, key)
        taken = set()
        for row in sorted(disputed.tolist(), key=lambda r: (-weight[r], pair_person[r], smallest[int(pair_group[r])])):
            one, old = int(pair_group[row]), int(pair_person[row])
            if owner[one] == 0 and old not in taken:
                owner[one] = old
                taken.add(old)
    new = owner == 0
    first_member = np.full(len(groups), len(label), dtype=np.int64)
    np.minimum.at(first_member, group_of, grouped)
    fresh = np.flatnonzero(new)
    fresh = fresh[np.argsort(first_member[fresh], kind="stable")]
    owner[fresh] = -1 - np.arange(len(fresh))
    person = np.zeros(len(label), dtype=np.int64)
    person[grouped] = owner[group_of]
    moved = person != previous
    changes, retired = _name(person, previous, moved, owner, pair_group, pair_person, weight, carries, fresh)
    touched = np.unique(np.r_[person[moved], previous[moved]])
    gone = np.array(list(retired), dtype=np.int64)
    return Persons(person, len(fresh), retired, changes, touched[(touched != 0) & ~np.isin(touched, gone)])


def _overlaps(group: Int64, person: Int64, carries: Int64) -> tuple[Int64, Int64, Int64]:
    """Each group and person that share identifiers, with their summed weight."""
    if not len(group):
        none = np.empty(0, np.int64)
        return none, none, none
    order = np.lexsort((person, group))
    group, person = group[order], person[order]
    starts = np.flatnonzero(np.r_[True, (group[1:] != group[:-1]) | (person[1:] != person[:-1])])
    weight = np.add.reduceat(carries[order], starts)
    return group[starts], person[starts], weight


def _times(column: Int64) -> Int64:
    """How often each row's value is in the column."""
    _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    return counts[inverse]


def _smallest_keys(
    groups: Int64, grouped: Int64, group_of: Int64, key: Callable[[int], tuple[str, str]]
) -> dict[int, tuple[str, str]]:
    inside: Bool = np.isin(group_of, groups)
    smallest: dict[int, tuple[str, str]] = {}
    for one, identifier in zip(group_of[inside].tolist(), grouped[inside].tolist(), strict=True):
        own = key(identifier)
        if one not in smallest or own < smallest[one]:
            smallest[one] = own
    return smallest


def _name(
    person: Int64,
    previous: Int64,
    moved: Bool,
    owner: Int64,
    pair_group: Int64,
    pair_person: Int64,
    weight: Int64,
    carries: Int64,
    fresh: Int64,
) -> tuple[list[PersonChange], dict[int, int | None]]:
    """Name what happened, and find the survivors of persons that no group carries on."""
    kept = set(owner[owner > 0].tolist())
    lost = set(previous[(person == 0) & (previous > 0)].tolist())
    parts: dict[int, dict[int, int]] = {old: {old: 0} if old in kept else {} for old in lost}
    for row in np.flatnonzero((_times(pair_person) > 1) | (owner[pair_group] != pair_person)).tolist():
        parts.setdefault(int(pair_person[row]), {})[int(owner[pair_group[row]])] = int(weight[row])
    retired: dict[int, int | None] = {}
    changes: list[PersonChange] = []
    merged: dict[int, list[int]] = defaultdict(list)
    split_off: set[int] = set()
    for old, shares in sorted(parts.items()):
        if old not in kept:
            survivor = max(shares, key=lambda new: (shares[new], -new), default=None)
            retired[old] = survivor
            if survivor is not None:
                merged[survivor].append(old)
        if len(shares) != 1 or old in lost:
            changes.append(PersonChange(ChangeKind.SPLIT, old, (old,), _order(shares, old)))
            split_off.update(new for new in shares if new < 0)
    changes += [
        PersonChange(ChangeKind.MERGED, survivor, tuple(olds), (survivor,)) for survivor, olds in sorted(merged.items())
    ]
    changes += [PersonChange(ChangeKind.CREATED, new) for new in owner[fresh].tolist() if new not in split_off]
    gained = np.unique(person[moved & (previous == 0) & (person > 0)])
    changes += [PersonChange(ChangeKind.ABSORBED, grown, (), (grown,)) for grown in gained.tolist()]
    return changes, retired


def _order(shares: Mapping[int, int], old: int) -> tuple[int, ...]:
    """The person itself first, then the others heaviest first."""
    return tuple(sorted(shares, key=lambda new: (new != old, -shares[new], abs(new), new)))
