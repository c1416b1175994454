"""The part of a graph that breaks a limit: what the constrained forest works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Float64, Int16, Int32, Int64, LinkTable

Pairs = tuple[Int32, Int32]
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

    def by_key(self, identifiers: Int64) -> Int64:
        """The same in order of the name of their namespace, then of their value. O(k log k) comparisons of texts: ask
        for few."""
        spaces, values = self.namespace[identifiers].tolist(), self.values
        keys = [
            (self.rules.namespaces[space], values[x]) for space, x in zip(spaces, identifiers.tolist(), strict=True)
        ]
        return identifiers[sorted(range(len(keys)), key=keys.__getitem__)]

    def larger(self, one: Int64, other: Int64) -> Bool:
        """Whether the key of each one is larger than that of the other."""
        names, values = self.rules.namespaces, self.values
        place = np.argsort(sorted(range(len(names)), key=names.__getitem__))[self.namespace]
        found: Bool = place[one] > place[other]
        same = np.flatnonzero(place[one] == place[other])
        pairs = zip(one[same].tolist(), other[same].tolist(), strict=True)
        found[same] = [values[x] > values[y] for x, y in pairs]
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """n identifiers and the m links between them, in numbers of its own.

    `inside` int64[n] are their dense numbers in the resolution, ascending, or in order of their keys where `ordered`;
    `rows` int64[m] are row numbers of the link table. `namespace` int16[n] and `seen` int64[n] are of identifiers; `a`,
    `b` int32, `weight` float64, `last_seen` int64, `priority` int32 (the sum of both ends') and `must` bool of links.
    Where the part is `ordered` so are the links: a < b, by (a, b).
    """

    inside: Int64
    rows: Int64
    namespace: Int16
    seen: Int64
    a: Int32
    b: Int32
    weight: Float64
    last_seen: Int64
    priority: Int32
    must: Bool
    cannot: Pairs
    facts: Facts
    ordered: bool

    def __len__(self) -> int:
        return len(self.inside)

    @classmethod
    def of(cls, links: LinkTable, kept: Bool, chosen: Bool, facts: Facts, *, ordered: bool = False) -> Self:
        """The identifiers of `chosen` bool[n], and those of the `kept` links that are between them. With one end of a
        kept link the other is to be chosen too."""
        inside = np.flatnonzero(chosen)
        rows = np.flatnonzero(kept & chosen[links.a])
        if ordered:
            inside = facts.by_key(inside)
        number = np.full(len(chosen), -1, dtype=np.int32)
        number[inside] = np.arange(len(inside), dtype=np.int32)
        a, b = number[links.a[rows]], number[links.b[rows]]
        if ordered:
            a, b = np.minimum(a, b), np.maximum(a, b)
            order = np.lexsort((b, a))
            rows, a, b = rows[order], a[order], b[order]
        spaces, priority = facts.namespace, facts.rules.priority
        held = chosen[facts.cannot[0]] & chosen[facts.cannot[1]]
        return cls(
            inside=inside,
            rows=rows,
            namespace=spaces[inside],
            seen=facts.seen[inside],
            a=a,
            b=b,
            weight=links.weight[rows],
            last_seen=links.last_seen[rows],
            priority=priority[spaces[links.a[rows]]] + priority[spaces[links.b[rows]]],
            must=links.must[rows],
            cannot=(number[facts.cannot[0][held]], number[facts.cannot[1][held]]),
            facts=facts,
            ordered=ordered,
        )

    def ranked(self, identifiers: Int64) -> Int32:
        """The places of the given identifiers, own numbers, among each other in order of their keys, int32[n]; -1 for
        all others."""
        rank = np.full(len(self), -1, dtype=np.int32)
        if self.ordered:
            rank[identifiers] = identifiers
        else:
            number = np.searchsorted(self.inside, self.facts.by_key(self.inside[identifiers]))
            rank[number] = np.arange(len(number), dtype=np.int32)
        return rank


def newest_link(links: LinkTable, n: int) -> Int64:
    """When each identifier was last seen together with another, int64[n]; without links, at the beginning of time."""
    seen = np.full(n, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(seen, links.a, links.last_seen)
    np.maximum.at(seen, links.b, links.last_seen)
    return seen


def broken_limits(label: Int32, facts: Facts, limits: Limits) -> list[Bool]:
    """Which labels stand for a component that breaks a limit: bool[n] for each of `limits.spaces`, and for pairs that
    must not be in one group."""
    n, seen = len(label), facts.seen
    found: list[Bool] = []
    for space, most, window in zip(limits.spaces, limits.most.tolist(), limits.window.tolist(), strict=True):
        rows = np.flatnonzero(facts.namespace == space)
        broken: Bool = np.bincount(label[rows], minlength=n) > most
        if window >= 0 and broken.any():
            rows = rows[broken[label[rows]]]
            rows = rows[np.lexsort((seen[rows], label[rows]))]
            first, last = rows[: len(rows) - most], rows[most:]
            close = (label[first] == label[last]) & (seen[last] - seen[first] < window)
            broken = np.zeros(n, dtype=np.bool_)
            broken[label[first[close]]] = True
        found.append(broken)
    one, other = facts.cannot
    apart = np.zeros(n, dtype=np.bool_)
    apart[label[one[label[one] == label[other]]]] = True
    return [*found, apart]


def runs(column: Int32) -> list[Int64]:
    """The rows of each value, ascending; values in order."""
    order = np.argsort(column, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(column[order])) + 1) if len(column) else []
