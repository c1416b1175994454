"""The part of a graph that breaks a limit: what the constrained forest works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import gt, itemgetter
from typing import Self

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.shares import Pairs, Share, UInt32
from identity_graph.resolve.threads import both, second_thread
from identity_graph.tables import Bool, Float64, Int16, Int32, Int64, LinkTable, read_only

At = Int64 | slice
ALL = slice(None)
EVERY = -1
_TILE = 512  # identifiers that are asked for before any of them is counted
NO_PAIRS: Pairs = (np.empty(0, np.int32), np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a group must keep: of each of `spaces`, namespaces by name, at most `most` int32 values whose newest links
    are less than `window` int64 apart (-1: of all time)."""

    spaces: Sequence[int]
    most: Int32
    window: Int64

    @classmethod
    def of(cls, rules: Rules) -> Self:
        spaces = rules.limited()
        return cls(spaces, rules.limit[spaces], rules.window[spaces])

    def only(self, used: Sequence[bool]) -> Limits:
        """Those of the namespaces for which `used` holds."""
        at = np.flatnonzero(np.array(used, dtype=np.bool_))
        return Limits([self.spaces[n] for n in at.tolist()], self.most[at], self.window[at])


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of all identifiers of a resolution, by dense number: `namespace` int16, `values`; `seen` int64, the
    time of the newest link; `cannot`, pairs that must not be in one group. `rules` are by namespace."""

    namespace: Int16
    values: Sequence[str]
    seen: Int64
    cannot: Pairs
    rules: Rules

    def by_key(self, identifiers: Int32 | Int64) -> Int64:
        """Their positions in order of the name of their namespace, then of their value. O(k log k) comparisons of
        texts: ask for few."""
        spaces, values = self.namespace[identifiers].tolist(), self.values
        keys = [
            (self.rules.namespaces[space], values[x]) for space, x in zip(spaces, identifiers.tolist(), strict=True)
        ]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)

    def larger(self, one: Int32, other: Int32) -> Bool:
        """Whether the key of each one is larger than that of the other."""
        names = self.rules.namespaces
        place = np.argsort(sorted(range(len(names)), key=names.__getitem__))
        here, there = place[self.namespace[one]], place[self.namespace[other]]
        found: Bool = here > there
        same = here == there
        found[same] = self.larger_value(one[same], other[same])
        return found

    def larger_value(self, one: Int32, other: Int32) -> Bool:
        """Whether the value of each one is larger than that of the other."""
        if not len(one):
            return np.empty(0, np.bool_)
        pick = (itemgetter(*ends.tolist(), ends[0]) for ends in (one, other))  # more than one: a tuple
        return np.fromiter(map(gt, *(values(self.values) for values in pick)), np.bool_, len(one))


@dataclass(frozen=True, slots=True)
class Part:
    """Some components: their n identifiers, in numbers of their own, and the m links between them, by position.

    `inside` int32[n] are the identifiers' dense numbers in the resolution, ascending, or by component in order of their
    keys where `ordered`; `namespace` int16[n] theirs. `rows` int64[m] are row numbers of the link table, `a` and `b`
    int32[m] their ends; where the part is `ordered` a < b, and the links are by (a, b). `key` uint32[m]: a smaller one
    is taken first. `cannot` are pairs of one component, which `label` int32 names by dense number.
    """

    inside: Int32
    namespace: Int16
    rows: Int64
    a: Int32
    b: Int32
    key: UInt32
    cannot: Pairs
    label: Int32
    links: LinkTable
    facts: Facts
    ordered: bool
    stated: bool

    def __len__(self) -> int:
        return len(self.inside)

    @classmethod
    def of(
        cls, share: Share, label: Int32, links: LinkTable, facts: Facts, *, stated: bool, ordered: bool = False
    ) -> Self:
        """`stated`: whether any link is."""
        rows, a, b, key = share.links()
        inside, namespace, cannot = share.inside, share.namespace, share.cannot
        if ordered:
            keys = facts.by_key(inside)
            keys = keys[np.argsort(label[inside[keys]], kind="stable")]
            place = np.empty(len(keys), dtype=np.int32)
            place[keys] = np.arange(len(keys), dtype=np.int32)
            inside, namespace, cannot = inside[keys], namespace[keys], (place[cannot[0]], place[cannot[1]])
            one, other = np.minimum(place[a], place[b]), np.maximum(place[a], place[b])
            order = np.lexsort((other, one))
            rows, a, b, key = rows[order], one[order], other[order], key[order]
        return cls(inside, namespace, rows, a, b, key, cannot, label, links, facts, ordered, stated)

    def seen(self, of: At = ALL) -> Int64:
        return self.facts.seen[self.inside[of]]

    def weight(self, at: At = ALL) -> Float64:
        return self.links.weight[self.rows[at]]

    def last_seen(self, at: At = ALL) -> Int64:
        return self.links.last_seen[self.rows[at]]

    def must(self, at: At = ALL) -> Bool:
        return self.links.must[self.rows[at]]

    def component(self, at: At = ALL) -> Int64:
        return self.label[self.inside[self.a[at]]].astype(np.int64)

    def priority(self, at: At = ALL) -> Int64:
        """The sum of the priorities of both ends."""
        rows, of = self.rows[at], self.facts.rules.priority.astype(np.int64)
        return of[self.facts.namespace[self.links.a[rows]]] + of[self.facts.namespace[self.links.b[rows]]]

    def ranked(self, identifiers: Int32 | Int64) -> Int32:
        """The places of the given identifiers, own numbers, among each other in order of their keys, int32[n]; -1 for
        all others. Of an ordered part only places within one component are."""
        rank = np.full(len(self), -1, dtype=np.int32)
        order = np.sort(identifiers) if self.ordered else identifiers[self.facts.by_key(self.inside[identifiers])]
        rank[order] = np.arange(len(order), dtype=np.int32)
        return rank


def newest_link(links: LinkTable, n: int) -> Int64:
    """When each identifier was last seen together with another, int64[n]; without links, at the beginning of time."""
    seen = np.full(n, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(seen, links.a, links.last_seen)
    np.maximum.at(seen, links.b, links.last_seen)
    return seen


def broken_limits(label: Int32, facts: Facts, limits: Limits, largest: int) -> tuple[list[Int32], Int32]:
    """The labels that stand for components that break a limit, int32 in any order, of each of `limits.spaces` and of
    pairs that must not be in one group; and for those of more than `largest` identifiers. 2 threads."""
    n, seen = len(label), facts.seen
    label = read_only(label)
    counted = list(zip(limits.spaces, limits.most.tolist(), strict=True))
    if largest < n:
        counted.append((EVERY, largest))
    whole, found = (label, read_only(facts.namespace)), []
    with second_thread(n) as thread:
        for counts in counted:
            count = np.zeros(n, np.int32)
            found.append(
                np.concatenate(both(thread, _more_than, (*whole, *counts, count, 0), (*whole, *counts, count, 1)))
            )
    large = found.pop() if largest < n else np.empty(0, np.int32)
    for number, (space, most, window) in enumerate(zip(limits.spaces, limits.most, limits.window, strict=True)):
        if window >= 0 and len(found[number]):
            over = np.zeros(n, np.bool_)
            over[found[number]] = True
            rows = np.flatnonzero(facts.namespace == space)
            rows = rows[over[label[rows]]]
            rows = rows[np.lexsort((seen[rows], label[rows]))]
            first, last = rows[: len(rows) - most], rows[most:]
            close = (label[first] == label[last]) & (seen[last] - seen[first] < window)
            found[number] = label[first[close]]
    one, other = facts.cannot
    return [*found, label[one[label[one] == label[other]]]], large


@kernel(nogil=True)
def _more_than(
    label: Int32, namespace: Int16, space: int, most: int, count: Int32, half: int
) -> Int32:  # pragma: no cover - compiled
    """The labels of more than so many identifiers, of the namespace or of EVERY one, each as it comes to be: those of
    every other block of 1024 labels, for hardly a cache line of counts is of both halves."""
    found, end, named = np.empty(len(label) // (most + 1) + 1, np.int32), 0, np.empty(_TILE + 1, np.uint32)
    every, ten, one, mine = space == EVERY, np.uint32(10), np.uint32(1), np.uint32(half)
    for low in range(0, len(label), _TILE):
        own = 0
        for x in range(low, min(low + _TILE, len(label))):
            root = np.uint32(label[x])
            named[own] = root
            # a branch that nobody can predict costs more
            own += (every | (namespace[x] == space)) & (((root >> ten) & one) == mine)
        for i in range(own):
            prefetch(count, np.intp(named[i]))
        for i in range(own):
            root = named[i]
            count[root] += 1
            found[end] = root
            end += count[root] == most + 1
    return found[:end].copy()


def runs(column: Int32) -> list[Int64]:
    """The rows of each value, ascending; values in order."""
    order = np.argsort(column, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(column[order])) + 1) if len(column) else []
