"""Links that nobody observed: between identifiers that were seen with the same neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.incidence import Incidence, distinct, positions
from identity_graph.resolve.similarity import SimilarTable, similar
from identity_graph.tables import Bool, Float64, Int16, Int32, Int64, LinkTable

MOST = 100
"""A neighbour of more identifiers, or an identifier of more neighbours in a namespace, means nobody in particular."""

_EXPANDED = 2**22  # combinations that are looked at together


@dataclass(frozen=True, slots=True)
class SimilarLinks:
    """r links, sorted by (a, b), no pair twice: `a`, `b` int32 with a < b; `weight` float64, trust times similarity;
    `last_seen` int64, when both had been seen with the same neighbour for the last time.

    The evidence of row i are the identifiers `shared[start[i] : start[i + 1]]`, int32, ascending: the neighbours that
    both ends were seen with.
    """

    a: Int32
    b: Int32
    weight: Float64
    last_seen: Int64
    start: Int64
    shared: Int32

    def __len__(self) -> int:
        return len(self.a)

    def find(self, a: int, b: int) -> int | None:
        """The row of a pair."""
        low, high = np.searchsorted(self.a, [a, a + 1])
        row = int(low + np.searchsorted(self.b[low:high], b))
        return row if row < high and self.b[row] == b else None

    def shared_by(self, row: int) -> list[int]:
        found: list[int] = self.shared[self.start[row] : self.start[row + 1]].tolist()
        return found


def similar_links(
    links: LinkTable,
    namespace: Int16,
    namespaces: Sequence[str],
    values: Sequence[str],
    *,
    between: Sequence[str],
    by: Sequence[str],
    measure: str,
    least: float,
    top_k: int,
    trust: float,
    counts: Bool | None = None,
    most: int = MOST,
) -> SimilarLinks:
    """The links that one rule finds in observed ones: among identifiers of `between`, by neighbours of `by`.

    With one namespace in `by` a neighbour is an identifier of it that was seen with the one compared. With several it
    is one identifier of each, all of which were seen with it and with each other: the same address *and* the same user
    agent. So a common user agent is nothing that two cookies share by itself, and nothing that is too common to look at
    beside one address either.

    `counts` bool[m] says which of the links say that two were seen together; None: all do. Identifiers with more
    than `most` neighbours in one of the namespaces are not compared, and neighbours of more than `most` are not looked
    at. Ties are decided by key: namespace, then value. Pairs that were observed too are among the answer. Costs sorts
    of the links and of the combinations, and what `similarity.similar` says.

    >>> links = LinkTable(*(np.array(column, dtype) for column, dtype in (
    ...     ([0, 1], np.int32), ([2, 2], np.int32), ([0.3, 0.3], np.float64), ([5, 6], np.int64), ([0, 0], np.bool_))))
    >>> found = similar_links(
    ...     links, np.array([0, 0, 1], np.int16), ["cookie", "ip"], ["c1", "c2", "192.0.2.7"],
    ...     between=["cookie"], by=["ip"], measure="jaccard", least=0.8, top_k=10, trust=0.5)
    >>> found.a.tolist(), found.b.tolist(), found.weight.tolist(), found.last_seen.tolist(), found.shared.tolist()
    ([0], [1], [0.5], [5], [2])
    """
    low, high = (column if counts is None else column[counts] for column in (links.a, links.b))
    seen = links.last_seen if counts is None else links.last_seen[counts]
    pairs = low.astype(np.int64) << 32 | high
    end, other = np.r_[low, high], np.r_[high, low]
    compared = np.isin(namespace[end], [code for code, name in enumerate(namespaces) if name in between])
    end, other = end[compared], other[compared]
    beside = []
    for name in by:
        own = np.array([names == name for names in namespaces], np.bool_)[namespace[other]]
        beside.append(_few(end[own], other[own], most))
    found = Alike.of(
        *_combined(beside, pairs), namespace, namespaces, values, measure=measure, least=least, top_k=top_k, most=most
    )
    return found.links(pairs, seen, trust)


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of similar identifiers, and of each the identifiers that both were seen with, as of `SimilarLinks`."""

    found: SimilarTable
    start: Int64
    shared: Int32

    @classmethod
    def of(
        cls,
        identifier: Int32,
        neighbour: Int32,
        members: Int32,
        namespace: Int16,
        namespaces: Sequence[str],
        values: Sequence[str],
        *,
        measure: str,
        least: float,
        top_k: int,
        most: int = MOST,
        shared_by: Int32 | None = None,
    ) -> Self:
        """From pairs of identifiers and neighbours, int32 each; neighbour f consists of the identifiers `members[f]`.
        `shared_by` as of `Incidence.of`."""
        rank = _by_key(identifier, namespace, namespaces, values)
        incidence = Incidence.of(identifier, neighbour, most=most, rank=rank, shared_by=shared_by)
        found = similar(incidence, measure=measure, least=least, top_k=top_k)
        return cls(found, *_members(*incidence.shared(found.a, found.b), members))

    def seen(self) -> tuple[Int64, Int64]:
        """By shared identifier: its pair with the one end, and with the other."""
        size = np.diff(self.start)
        one, other = (pair(np.repeat(end, size), self.shared) for end in (self.found.a, self.found.b))
        return one, other

    def links(self, pairs: Int64, last_seen: Int64, trust: float) -> SimilarLinks:
        """Dated by links, among which are those of `seen`: `pairs` of them, sorted."""
        one, other = (last_seen[np.searchsorted(pairs, seen)] for seen in self.seen())
        both = np.minimum(one, other)
        last = np.maximum.reduceat(both, self.start[:-1]) if len(self.found) else np.empty(0, np.int64)
        weight = np.round(trust * self.found.score, 12)
        return SimilarLinks(self.found.a, self.found.b, weight, last, self.start, self.shared)


def _few(identifier: Int32, neighbour: Int32, most: int) -> tuple[Int32, Int32]:
    """Pairs sorted by identifier, without the identifiers that have too many."""
    order = np.argsort(identifier, kind="stable")
    identifier, neighbour = identifier[order], neighbour[order]
    few = (np.bincount(identifier) <= most)[identifier] if len(identifier) else np.empty(0, np.bool_)
    return identifier[few], neighbour[few]


def _combined(beside: list[tuple[Int32, Int32]], pairs: Int64) -> tuple[Int32, Int32, Int32]:
    """Identifiers and the numbers of their combinations of one neighbour of each kind, which are int32[f, kinds]."""
    identifier, first = beside[0]
    columns = [first]
    for others, neighbour in beside[1:]:
        begin = np.searchsorted(others, identifier)
        count = np.searchsorted(others, identifier, side="right") - begin
        ends = np.cumsum(count)
        rows, added = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        for part in np.split(np.arange(len(ends)), np.searchsorted(ends, range(_EXPANDED, count.sum(), _EXPANDED))):
            row = np.repeat(part, count[part])
            new = neighbour[begin[row] + _within(row)]
            met = np.all([_linked(pairs, column[row], new) for column in columns], axis=0)
            rows.append(row[met])
            added.append(new[met])
        row = np.concatenate(rows)
        identifier, columns = identifier[row], [*(column[row] for column in columns), np.concatenate(added)]
    made = distinct(columns[0])
    number = positions(made, columns[0])
    if len(columns) == 1:
        return identifier, number, made[:, None]
    for column in columns[1:]:
        _, where, number = np.unique(number.astype(np.int64) << 32 | column, return_index=True, return_inverse=True)
    return identifier, number.astype(np.int32), np.stack([column[where] for column in columns], axis=1)


def _within(row: Int64) -> Int64:
    """0, 1, ... within each run of equal numbers."""
    new = np.flatnonzero(np.diff(row, prepend=-1))
    return np.arange(len(row)) - np.repeat(new, np.diff(new, append=len(row)))


def pair(one: Int32, other: Int32) -> Int64:
    """Two identifiers, of which the smaller comes first, as one integer."""
    return np.minimum(one, other).astype(np.int64) << 32 | np.maximum(one, other)


def _linked(pairs: Int64, one: Int32, other: Int32) -> Bool:
    key = pair(one, other)
    return pairs[np.searchsorted(pairs[:-1], key)] == key if len(pairs) else np.zeros(len(key), np.bool_)


def _by_key(identifier: Int32, namespace: Int16, namespaces: Sequence[str], values: Sequence[str]) -> Int32:
    """The rank of identifiers by namespace and value, int32[n], of those given."""
    import polars as pl

    own = distinct(identifier)
    by_name = np.argsort(np.argsort(np.array(namespaces, dtype=object))) if len(namespaces) else np.empty(0, np.int64)
    keys = pl.DataFrame({"space": by_name[namespace[own]], "value": [values[one] for one in own.tolist()]})
    rank = np.zeros(len(namespace), np.int32)
    rank[own[keys.select(pl.arg_sort_by("space", "value")).to_series().to_numpy()]] = np.arange(len(own))
    return rank


def _members(start: Int64, number: Int32, made: Int32) -> tuple[Int64, Int32]:
    """The identifiers of combinations, row by row, each once and ascending."""
    return _ascending(start * made.shape[1], made[number].ravel())


@kernel()
def _ascending(start: Int64, members: Int32) -> tuple[Int64, Int32]:  # pragma: no cover - compiled
    """Rows sorted where they lie, each value once: by insertion, for most have one or two."""
    begin = np.zeros(len(start), np.int64)
    kept = 0
    for row in range(len(start) - 1):
        first = kept
        for one in members[start[row] : start[row + 1]]:
            place = kept
            while place > first and members[place - 1] > one:
                place -= 1
            if place > first and members[place - 1] == one:
                continue
            for later in range(kept, place, -1):
                members[later] = members[later - 1]
            members[place] = one
            kept += 1
        begin[row + 1] = kept
    return begin, members[:kept]
