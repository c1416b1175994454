"""The part of the graph that a change or a question can reach, read from the store by numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from identity_graph.engines import Engine
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve
from identity_graph.resolve.prune import CODES, Int8
from identity_graph.resolve.statements import settle, standing
from identity_graph.similar_rows import of_rows
from identity_graph.store.protocols import SimilarRow, Store
from identity_graph.tables import Bool, Int64, StatementTable


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A resolution of some identifiers and all that they were seen with. `inside` bool[n]: those asked for, of which
    every link is here; of the others only the links to them. `known` int8[n]: what is published of their pruning.
    `stated` is the last that was said of pairs, by number; None where everything is resolved, and nobody asks."""

    resolution: Resolution
    inside: Bool
    known: Int8
    stated: StatementTable | None = None

    def said(self, a: int, b: int) -> tuple[int, bool] | None:
        """When these two numbers, a < b, were last said to be one person or (True) not to be."""
        if self.stated is None:
            return None
        low, high = np.searchsorted(self.stated.a, a), np.searchsorted(self.stated.a, a, side="right")
        row = low + np.searchsorted(self.stated.b[low:high], b)
        if row < high and self.stated.b[row] == b:
            return int(self.stated.time[row]), bool(self.stated.apart[row])
        return None

    def kept_apart(self) -> list[tuple[int, int]]:
        """Pairs of numbers, a < b, that are said not to be one person."""
        if self.stated is None:
            return []
        apart = self.stated.apart
        return list(zip(self.stated.a[apart].tolist(), self.stated.b[apart].tolist(), strict=True))


def everything(store: Store, policy: Policy, engine: Engine) -> Neighbourhood:
    """All there is; of the links, those that the engine brings."""
    resolution = engine.resolve(store, policy)
    number = resolution.identifiers.number
    return Neighbourhood(resolution, np.ones(len(number), np.bool_), _known(store, number, None))


def around(store: Store, policy: Policy, numbers: Int64, *, as_published: bool = False) -> Neighbourhood:
    """The identifiers of these numbers with everything that was seen beside them.

    `as_published`: who is a member of a person joins, even if what came in since makes a hub of it.
    """
    evidence = store.evidence
    observations = evidence.observation_table(numbers)
    statements = evidence.statements(numbers)
    must, cannot = settle(statements)
    alike = _similar(store, policy, numbers)
    ends = [end for row in alike for end in (row.a, row.b, *row.shared)]
    reached = np.unique(
        np.concatenate([numbers, observations.identifier, statements.a, statements.b, np.array(ends, np.int64)])
    )
    identifiers, values = evidence.identifier_table(reached)
    inside = np.isin(identifiers.number, numbers)
    known = _known(store, identifiers.number, identifiers.number)
    settled = ~inside
    if as_published:
        settled |= np.isin(identifiers.number, store.persons.membership(numbers)[0])
    resolution = resolve(
        identifiers,
        values,
        observations,
        must,
        evidence.sources(),
        policy,
        cannot=cannot,
        said=statements,
        known=np.where(settled, known, -1).astype(np.int8),
        similar=of_rows(alike, identifiers.number),
        now=_now(store, policy),
    )
    return Neighbourhood(resolution, inside, known, standing(statements))


def _similar(store: Store, policy: Policy, numbers: Int64) -> list[SimilarRow]:
    """As published: what a rule finds depends on everything there is."""
    if not policy.similarity:
        return []
    return sorted({row for rows in store.persons.similar(numbers.tolist()) for row in rows})


def _now(store: Store, policy: Policy) -> int:
    """What evidence ages to: its newest time."""
    return store.evidence.newest() if policy.decays else 0


def _known(store: Store, numbers: Int64, asked: Int64 | None) -> Int8:
    found, codes = store.persons.pruned(asked)
    known = np.zeros(len(numbers), dtype=np.int8)
    known[np.searchsorted(numbers, found)] = [CODES.index(code) for code in codes]
    return known


def component(store: Store, start: Iterable[int]) -> Int64:
    """Every identifier whose person could change with these: their persons, and persons that suppressed links reach.

    A link that was kept either joined or was suppressed, so persons and suppressed links together are the component.
    """
    known = set(start)
    frontier, unowned, persons = sorted(known), sorted(known), set[int]()
    while frontier:
        found: set[int] = set()
        _, owners = store.persons.membership(np.array(unowned, dtype=np.int64))
        for members in store.persons.members(sorted({*owners.tolist()} - persons)):
            found.update(row.number for row in members)
        persons.update(owners.tolist())
        reached = {end for rows in store.persons.suppressed(frontier) for row in rows for end in (row.a, row.b)}
        unowned = sorted(reached - known - found)  # a member's person is known
        frontier = sorted((found | reached) - known)
        known |= found | reached
    return np.array(sorted(known), dtype=np.int64)
