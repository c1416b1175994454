"""Deletes events, with what nothing else holds, and resolves what remains: as if they had never been."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from identity_graph.model import Change, ChangeKind
from identity_graph.neighbourhood import component
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Erasure, Store
from identity_graph.subject import held_by_others

AT_ONCE = 5_000
"""Events of one transaction: others wait as long as that takes."""


class Deleted(NamedTuple):
    """How many events went, identifiers that nothing else held, and persons of whom nothing is left."""

    events: int = 0
    identifiers: int = 0
    persons: int = 0

    def plus(self, other: Deleted) -> Deleted:
        return Deleted(*(a + b for a, b in zip(self, other, strict=True)))


class Deletion:
    """`cause` and `message` are told of persons that are no more."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        resolver: Resolver,
        clock: Callable[[], int],
        cause: str,
        message: str,
    ) -> None:
        self._store = store
        self._policy = policy
        self._resolver = resolver
        self.clock = clock
        self._cause = cause
        self._message = message

    def delete(self, ids: Sequence[str]) -> Deleted:
        """In one transaction, and without tombstones; what another process deleted meanwhile is not counted. Raises
        POLICY_DIFFERS and StoreError."""
        with self._store.transaction():
            self._resolver.catch_up()  # what arrived before is a cause of its own
            events = [row for row in self._store.evidence.events(ids) if row]
            if not events:
                return Deleted()
            touched = {number for row in events for number in row.identifiers}
            gone = touched - held_by_others(self._store, sorted(touched), events)
            ended, lessened = self._owners(touched, gone)
            rows = [row for row in self._store.evidence.identifiers_by_number(sorted(touched)) if row]
            # Found before the suppressed links go that show the way. What is pruned leads nowhere.
            reach = set(component(self._store, [row.number for row in rows if not row.pruned]).tolist())
            names = [row.id for row in self._store.persons.persons_by_number(ended) if row]
            now, digest = self.clock(), self._policy.digest
            self._store.privacy.erase(
                Erasure(
                    persons=ended,
                    events=[row.number for row in events],
                    event_ids=(),
                    identifiers=sorted(gone),
                    tombstones=(),
                    near=sorted(reach),
                    changes=[
                        Change(0, now, ChangeKind.ERASED, name, (), (), self._cause, self._message, digest)
                        for name in names
                    ],
                )
            )
            if self._store.persons.resolved()[1] is not None:
                self._resolver.publish(weakened=(touched | lessened) - gone, reach=reach - gone, cause=self._cause)
        return Deleted(len(events), len(gone), len(ended))

    def settle(self) -> None:
        """Segments follow, once all is deleted; outside of a transaction."""
        self._resolver.settle()

    def _owners(self, touched: set[int], gone: set[int]) -> tuple[list[int], set[int]]:
        """Persons of which nothing is left; and what the others have, whose profiles and segments follow from less."""
        rows = self._store.evidence.identifiers_by_number(sorted(touched))
        owners = sorted({row.person for row in rows if row and row.person is not None})
        held = [{row.number for row in members} for members in self._store.persons.members(owners)]
        ended = [owner for owner, numbers in zip(owners, held, strict=True) if numbers <= gone]
        return ended, {number for numbers in held for number in numbers}
