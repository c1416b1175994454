"""Which identifiers mean nobody, and which links do not count: blocked values, namespaces that do not join, hubs;
expired and weak evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.policy import FEW, Policy
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int8 as Int8
from identity_graph.tables import Int16, Int32, LinkTable, in_parts, read_only

JOINS, BLOCKED, NOT_JOINING, HUB, EXPIRED, WEAK = range(6)
CODES = ("", "BLOCKED", "NOT_JOINING", "HUB", "EXPIRED", "WEAK")


def prune_values(namespace: Int16, values: Sequence[str], policy: Policy, rules: Rules) -> Int8:
    """One of JOINS, BLOCKED, NOT_JOINING for each identifier, by its own value alone.

    O(n + text), a column for each namespace that blocks values of its own, and one for all others."""
    pruned = np.where(rules.joins[namespace], JOINS, NOT_JOINING).astype(np.int8)
    if len(values) <= FEW:
        of_space: dict[int, list[int]] = {}
        for row, space in enumerate(namespace.tolist()):
            of_space.setdefault(space, []).append(row)
        for space, few in of_space.items():
            judged = policy.blocked_few(rules.namespaces[space], [values[row] for row in few])
            pruned[[row for row, blocked in zip(few, judged, strict=True) if blocked]] = BLOCKED
        return pruned
    import polars as pl

    own = ["", *(name for name in rules.namespaces if name in policy.blocked.by_namespace)]
    kinds = np.array([own.index(name) if name in own else 0 for name in rules.namespaces], dtype=np.int16)
    for rows in in_parts(len(values)):
        column, kind = pl.Series("value", values[rows], dtype=pl.String), kinds[namespace[rows]]
        for position, name in enumerate(own):
            chosen = np.flatnonzero(kind == position)
            if len(chosen):
                blocked = policy.blocked_among(name, column.gather(chosen)).to_numpy()
                pruned[rows][chosen[blocked]] = BLOCKED
    return pruned


def prune_links(links: LinkTable, namespace: Int16, rules: Rules, min_weight: float, now: int) -> Int8:
    """EXPIRED where all evidence of a link is older at `now` than the shorter `expires` of its two namespaces, WEAK
    where it weighs too little; JOINS for the others and for all that are stated."""
    dropped: Int8 = np.empty(len(links), np.int8)
    for rows in in_parts(len(links)):
        age = rules.shorter(rules.expires, namespace[links.a[rows]], namespace[links.b[rows]])
        expired = (age >= 0) & (links.last_seen[rows] < now - age)
        code = np.where(expired, EXPIRED, np.where(links.weight[rows] < min_weight, WEAK, JOINS))
        dropped[rows] = np.where(links.must[rows], JOINS, code)
    return dropped


def prune_hubs(
    links: LinkTable,
    dropped: Int8,
    namespace: Int16,
    pruned: Int8,
    rules: Rules,
    cap: int,
    known: Int8 | None = None,
) -> Int8:
    """`pruned` with HUB where an identifier was seen with too many others to mean one person.

    One seen with 12 e-mails of which a person may have 5 needs at least 3 persons: the largest of
    ceil(neighbours / limit) over the limited namespaces, which is over the `hub_cap` of its own in a hub. Neighbours of
    all time count, whatever the window of the limit. And one that more than `cap` others would join, each by a link
    that counts, would alone be too large a person; but not where a person has one of its namespace only, as a user id:
    that may own what joins it.

    Neighbours that are pruned, and expired links, do not count. So a hub stays one as evidence grows. `dropped` int8[m]
    is of `prune_links`. `known` gives the answer for identifiers whose links are not all here: a code, or -1 where it
    is to be found. O(links).
    """
    seen = read_only(links.a), read_only(links.b), read_only(dropped), read_only(pruned), read_only(namespace)
    needed = np.zeros(len(pruned), np.int32)
    for space in rules.limited():
        limit = rules.limit[space]
        needed = np.maximum(needed, (_neighbours(*seen, space) + (limit - 1)) // limit)
    joining = _neighbours(*seen, -1)
    unique = (rules.limit == 1) & (rules.window < 0)
    hub = (needed > rules.hub_cap[namespace]) | ((joining > cap) & ~unique[namespace])
    result = np.where((pruned == JOINS) & hub, HUB, pruned).astype(np.int8)
    return result if known is None else np.where(known >= 0, known, result).astype(np.int8)


@kernel()
def _neighbours(
    a: Int32, b: Int32, dropped: Int8, pruned: Int8, namespace: Int16, space: int
) -> Int32:  # pragma: no cover - compiled
    """How many neighbours of the namespace each identifier has, int32[n]; where it is -1, how many would join it."""
    found = np.zeros(len(pruned), np.int32)
    for i in range(len(a)):
        x, y = a[i], b[i]
        if pruned[x] == JOINS and pruned[y] == JOINS and dropped[i] != EXPIRED and (space >= 0 or dropped[i] == JOINS):
            found[x] += space < 0 or namespace[y] == space
            found[y] += space < 0 or namespace[x] == space
    return found


def prune_ends(links: LinkTable, dropped: Int8, pruned: Int8) -> Int8:
    """`dropped` with the code of a pruned end, of two the later code, where a link has one."""
    found: Int8 = np.empty(len(links), np.int8)
    for rows in in_parts(len(links)):
        end = np.maximum(pruned[links.a[rows]], pruned[links.b[rows]])
        found[rows] = np.where(end != JOINS, end, dropped[rows])
    return found
