"""The part of a graph that breaks a limit: what the constrained forest works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Bool, Float64, Int16, Int32, Int64, LinkTable

Pairs = tuple[Int32, Int32]
NO_PAIRS: Pairs = (np.empty(0, np.int32), np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a group must keep: of each of `spaces`, namespaces by name, at most `most` int32 values whose newest links
    are less than `window` int64 apart (-1: of all time); at most `cap` identifiers."""

    spaces: Sequence[int]
    most: Int32
    window: Int64
    cap: int

    @classmethod
    def of(cls, policy: Policy, rules: Rules) -> Limits:
        spaces = rules.limited()
        return cls(spaces, rules.limit[spaces], rules.window[spaces], policy.max_identifiers)

    def only(self, used: Sequence[bool]) -> Limits:
        """Those of the namespaces for which `used` holds."""
        at = np.flatnonzero(np.array(used, dtype=np.bool_))
        return Limits([self.spaces[n] for n in at.tolist()], self.most[at], self.window[at], self.cap)


@dataclass(frozen=True, slots=True)
class Part:
    """n identifiers numbered in order of their keys, and the m links between them, a < b, in order of (a, b).

    `namespace` int16[n]; `seen` int64[n], the time of an identifier's newest link; `a`, `b` int32, `weight` float64,
    `last_seen` int64, `priority` int32 (the sum of both ends') and `must` bool, each [m]; `cannot` are pairs that must
    not be in one group.
    """

    namespace: Int16
    seen: Int64
    a: Int32
    b: Int32
    weight: Float64
    last_seen: Int64
    priority: Int32
    must: Bool
    cannot: Pairs

    def __len__(self) -> int:
        return len(self.namespace)


def newest_link(links: LinkTable, n: int) -> Int64:
    """When each identifier was last seen together with another, int64[n]; without links, at the beginning of time."""
    seen = np.full(n, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(seen, links.a, links.last_seen)
    np.maximum.at(seen, links.b, links.last_seen)
    return seen


def broken_limits(label: Int32, namespace: Int16, seen: Int64, limits: Limits, cannot: Pairs) -> list[Bool]:
    """Which labels stand for a component that breaks a limit: bool[n] for each of `limits.spaces`, for the size, and
    for pairs that must not be in one group."""
    n = len(label)
    found: list[Bool] = []
    for space, most, window in zip(limits.spaces, limits.most.tolist(), limits.window.tolist(), strict=True):
        rows = np.flatnonzero(namespace == space)
        broken: Bool = np.bincount(label[rows], minlength=n) > most
        if window >= 0 and broken.any():
            rows = rows[broken[label[rows]]]
            rows = rows[np.lexsort((seen[rows], label[rows]))]
            first, last = rows[: len(rows) - most], rows[most:]
            close = (label[first] == label[last]) & (seen[last] - seen[first] < window)
            broken = np.zeros(n, dtype=np.bool_)
            broken[label[first[close]]] = True
        found.append(broken)
    found.append(np.bincount(label, minlength=n) > limits.cap)
    apart = np.zeros(n, dtype=np.bool_)
    apart[label[cannot[0][label[cannot[0]] == label[cannot[1]]]]] = True
    return [*found, apart]
