"""Deletes evidence that is older than the policy keeps it, and resolves what remains.

What is left is as if the deleted events had never been. Nothing keeps them from coming back: a source that is loaded
again brings them again, until the next sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from identity_graph.deleting import AT_ONCE, Deleted, Deletion
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import AgedEvent, Store

_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Swept:
    """How many events were deleted, how many identifiers nothing else held, and how many persons are no more.
    `scrubbed`: no byte of them is left in the store's files; False where a reader, or a server, keeps some."""

    events: int = 0
    identifiers: int = 0
    persons: int = 0
    scrubbed: bool = True


class Retention:
    def __init__(
        self, store: Store, policy: Policy, resolver: Resolver, scrub: Callable[[], bool], clock: Callable[[], int]
    ) -> None:
        self._scrub = scrub
        self._store = store
        self._policy = policy
        self._clock = clock
        self._deletion = Deletion(store, policy, resolver, clock, "retention", "kept no longer")

    @property
    def limited(self) -> bool:
        """Whether anything is not kept for ever."""
        return any(one.life is not None for one in self._policy.retention)

    def due(self) -> Counter[tuple[str, str]]:
        """How many events are past their time, by source and name; nothing is deleted."""
        now = self._clock()
        return Counter((one.source, one.name) for one in self._aged(now))

    def sweep(self) -> Swept:
        """Delete what is past its time now, so many events a transaction: whatever ends it, some are gone and resolved
        without, the others as they were, and the next sweep goes on. Raises POLICY_DIFFERS and StoreError."""
        gone = Deleted()
        aged = self._aged(self._clock())
        while batch := [one.id for one in islice(aged, AT_ONCE)]:
            gone = gone.plus(self._deletion.delete(batch))
        if not gone.events:
            return Swept()
        self._deletion.settle()
        return Swept(*gone, scrubbed=self._scrub())

    def _aged(self, now: int) -> Iterator[AgedEvent]:
        lives = [one.life for one in self._policy.retention if one.life is not None]
        if not lives:
            return
        after = 0
        while page := self._store.evidence.aged(now - min(lives), after, _PAGE):
            for one in page:
                life = self._policy.life(one.source, one.name)
                if life is not None and one.time < now - life:
                    yield one
            after = page[-1].number
