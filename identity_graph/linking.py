"""The links of persons, weighed: which there are, which were suppressed, how sure a membership is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

import numpy as np

from identity_graph.model import Identifier, Link, LinkKind, Reason
from identity_graph.neighbourhood import Neighbourhood, around
from identity_graph.policy import Policy
from identity_graph.reasons import cannot_reason, suppressed_reason
from identity_graph.resolve import Resolution
from identity_graph.store.protocols import IdentifierRow, Store, SuppressedRow
from identity_graph.tables import Int64


class Linking:
    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def confidences(self, members: Sequence[Sequence[IdentifierRow]]) -> list[dict[int, float]]:
        """Of each person's identifiers, by number: the weakest link on the strongest path to its best identifier (of
        the highest priority, then the smaller key). 1 for that one itself, but 0 for one that is alone because nothing
        told the parts of too large a component from each other."""
        several = {row.number for rows in members if len(rows) > 1 for row in rows}
        weights: dict[int, list[tuple[float, int]]] = {number: [] for number in several}
        if several:
            for a, b, weight in self._joining(around(self._store, self._policy, _sorted(several), as_published=True)):
                weights[a].append((weight, b))
                weights[b].append((weight, a))
        lost = self._quarantined([rows[0].number for rows in members if len(rows) == 1])
        return [
            {row.number: 0.0 for row in rows if row.number in lost} or self._from_best(rows, weights)
            for rows in members
        ]

    def _quarantined(self, alone: Sequence[int]) -> set[int]:
        found = zip(alone, self._store.persons.suppressed(alone), strict=True)
        return {number for number, rows in found if any(row.reason.code == "QUARANTINED" for row in rows)}

    def _joining(self, here: Neighbourhood) -> list[tuple[int, int, float]]:
        links, groups, number = here.resolution.links, here.resolution.groups, here.resolution.identifiers.number
        rows = np.flatnonzero(groups.kept & here.inside[links.a] & here.inside[links.b])
        a, b = number[links.a[rows]], number[links.b[rows]]
        return list(zip(a.tolist(), b.tolist(), links.weight[rows].tolist(), strict=True))

    def _from_best(
        self, rows: Sequence[IdentifierRow], weights: dict[int, list[tuple[float, int]]]
    ) -> dict[int, float]:
        """Prim's algorithm from the best identifier, within the person: k log k for k links."""
        if not rows:
            return {}
        best = min(rows, key=lambda row: (self._policy.rule(row.identifier.namespace).priority, row.identifier.key))
        mine = {row.number for row in rows}
        sure: dict[int, float] = {}
        heap = [(-1.0, best.number)]
        while heap:
            weight, number = heappop(heap)
            if number not in sure:
                sure[number] = -weight
                for other_weight, other in weights.get(number, ()):
                    if other in mine and other not in sure:
                        heappush(heap, (max(weight, -other_weight), other))
        return {row.number: sure.get(row.number, 0.0) for row in rows}

    def links(self, members: Sequence[Sequence[IdentifierRow]]) -> list[tuple[Link, ...]]:
        """Of each person: links between its identifiers, and those that end in one of them and were suppressed or are
        kept apart by what was said."""
        numbers = {row.number for rows in members for row in rows}
        if not numbers:
            return [() for _ in members]
        owner = {row.number: row.person for rows in members for row in rows}
        found: dict[int | None, list[Link]] = {person: [] for person in owner.values()}
        here = around(self._store, self._policy, _sorted(numbers), as_published=True)
        suppressed = suppressed_of(self._store, sorted(numbers))
        apart = {pair for pair in here.kept_apart() if not _together(*pair, owner)}
        number = here.resolution.identifiers.number
        links = here.resolution.links
        seen: dict[tuple[int, int], Link] = {}
        for row, pair in enumerate(zip(number[links.a].tolist(), number[links.b].tolist(), strict=True)):
            joined = here.resolution.groups.kept[row] and _together(*pair, owner)
            if joined or pair in suppressed or pair in apart:
                told = suppressed.get(pair) or (_cannot(here, pair) if pair in apart else None)
                seen[pair] = link_of(here, row, told)
        seen |= {pair: _only_stated(here, pair) for pair in apart - seen.keys()}
        for pair, link in seen.items():
            for person in {owner[end] for end in pair if end in owner}:
                found[person].append(link)
        ordered = {person: tuple(sorted(of, key=lambda link: (link.a.key, link.b.key))) for person, of in found.items()}
        return [ordered[rows[0].person] if rows else () for rows in members]


def _together(a: int, b: int, owner: Mapping[int, int | None]) -> bool:
    return a in owner and b in owner and owner[a] == owner[b]


def suppressed_of(store: Store, numbers: Sequence[int]) -> dict[tuple[int, int], Reason]:
    """Reasons by the two identifier numbers, of the suppressed links that end in any of these."""
    return {(row.a, row.b): row.reason for rows in store.persons.suppressed(numbers) for row in rows}


def suppressed_rows(here: Neighbourhood, policy: Policy) -> list[SuppressedRow]:
    """Of the links that a resolution suppressed, those between identifiers that were asked for."""
    resolution = here.resolution
    links, table, number = resolution.links, resolution.groups.suppressed, resolution.identifiers.number
    columns = (table.link, table.code, table.step, table.value_a, table.value_b)
    rows = []
    for link, code, step, *values in zip(*(column.tolist() for column in columns), strict=True):
        a, b = links.a[link], links.b[link]
        if here.inside[a] and here.inside[b]:
            one, other = (identifier_at(resolution, value) if value >= 0 else None for value in values)
            reason = suppressed_reason(code, step, one, other, policy)
            rows.append(SuppressedRow(int(number[a]), int(number[b]), reason))
    return rows


def link_of(here: Neighbourhood, row: int, suppressed: Reason | None) -> Link:
    """A row of the link table as a `Link`, `a` being the smaller key."""
    resolution = here.resolution
    links, evidence = resolution.links, resolution.evidence
    a, b = links.a[row], links.b[row]
    low, high = np.searchsorted(evidence.a, a), np.searchsorted(evidence.a, a, side="right")
    seen = slice(
        low + np.searchsorted(evidence.b[low:high], b), low + np.searchsorted(evidence.b[low:high], b, side="right")
    )
    names, alike = resolution.sources, resolution.similar
    place = alike.find(int(a), int(b))
    said = here.said(int(resolution.identifiers.number[a]), int(resolution.identifiers.number[b]))
    count, last = int(evidence.count[seen].sum()), int(links.last_seen[row])
    if not count and said is not None and links.must[row]:
        last = said[0]
    shared = [identifier_at(resolution, other) for other in alike.shared_by(place)] if place is not None else []
    first, second = sorted((identifier_at(resolution, a), identifier_at(resolution, b)), key=lambda one: one.key)
    return Link(
        a=first,
        b=second,
        kind=LinkKind.CANNOT if suppressed and said and said[1] else _kind(resolution, row, place),
        weight=float(links.weight[row]),
        count=count,
        first_seen=int(evidence.first_seen[seen].min(initial=last)),
        last_seen=last,
        sources=tuple(names[source] for source in evidence.source[seen].tolist()),
        suppressed=suppressed,
        shared=tuple(sorted(shared, key=lambda one: one.key)),
    )


def _only_stated(here: Neighbourhood, pair: tuple[int, int]) -> Link:
    """Of two that were never seen together and are said not to be one person."""
    time, _ = here.said(*pair) or (0, True)
    a, b = _ends(here, pair)
    return Link(a, b, LinkKind.CANNOT, 0.0, 0, time, time, (), cannot_reason(a, b))


def _cannot(here: Neighbourhood, pair: tuple[int, int]) -> Reason:
    return cannot_reason(*_ends(here, pair))


def _ends(here: Neighbourhood, pair: tuple[int, int]) -> tuple[Identifier, Identifier]:
    places = np.searchsorted(here.resolution.identifiers.number, pair).tolist()
    a, b = sorted((identifier_at(here.resolution, place) for place in places), key=lambda one: one.key)
    return a, b


def _kind(resolution: Resolution, row: int, similar: int | None) -> LinkKind:
    if resolution.links.must[row]:
        return LinkKind.MUST
    strongest = similar is not None and resolution.similar.weight[similar] == resolution.links.weight[row]
    return LinkKind.SIMILAR if strongest else LinkKind.OBSERVED


def identifier_at(resolution: Resolution, position: int) -> Identifier:
    space = resolution.identifiers.namespaces[resolution.identifiers.namespace[position]]
    return Identifier(space, resolution.values[position])


def _sorted(numbers: Iterable[int]) -> Int64:
    return np.array(sorted(numbers), dtype=np.int64)
