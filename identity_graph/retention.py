"""Deletes evidence that is older than the policy keeps it, and resolves what remains.

What is left is as if the deleted events had never been. Nothing keeps them from coming back: a source that is loaded
again brings them again, until the next sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from identity_graph.model import Change, ChangeKind
from identity_graph.neighbourhood import component
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import AgedEvent, Erasure, Store
from identity_graph.subject import held_by_others

AT_ONCE = 5_000
"""Events of one transaction: others wait as long as that takes."""
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
        self._resolver = resolver
        self._clock = clock

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
        now, events, identifiers, persons = self._clock(), 0, 0, 0
        aged = self._aged(now)
        while batch := [one.id for one in islice(aged, AT_ONCE)]:
            gone = self._delete(batch, now)
            events, identifiers, persons = events + gone[0], identifiers + gone[1], persons + gone[2]
        if not events:
            return Swept()
        self._resolver.settle()
        return Swept(events, identifiers, persons, self._scrub())

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

    def _delete(self, ids: Sequence[str], now: int) -> tuple[int, int, int]:
        """How many events, identifiers and persons: what another process deleted meanwhile is not counted."""
        with self._store.transaction():
            self._resolver.catch_up()  # what arrived before is a cause of its own
            events = [row for row in self._store.evidence.events(ids) if row]
            if not events:
                return 0, 0, 0
            touched = {number for row in events for number in row.identifiers}
            gone = touched - held_by_others(self._store, sorted(touched), events)
            ended, lessened = self._owners(touched, gone)
            rows = [row for row in self._store.evidence.identifiers_by_number(sorted(touched)) if row]
            # Found before the suppressed links go that show the way. What is pruned leads nowhere.
            reach = set(component(self._store, [row.number for row in rows if not row.pruned]).tolist())
            names = [row.id for row in self._store.persons.persons_by_number(ended) if row]
            digest = self._policy.digest
            self._store.privacy.erase(
                Erasure(
                    persons=ended,
                    events=[row.number for row in events],
                    event_ids=(),
                    identifiers=sorted(gone),
                    tombstones=(),
                    near=sorted(reach),
                    changes=[
                        Change(0, now, ChangeKind.ERASED, name, (), (), "retention", "kept no longer", digest)
                        for name in names
                    ],
                )
            )
            if self._store.persons.resolved()[1] is not None:
                self._resolver.publish(weakened=(touched | lessened) - gone, reach=reach - gone, cause="retention")
        return len(events), len(gone), len(ended)

    def _owners(self, touched: set[int], gone: set[int]) -> tuple[list[int], set[int]]:
        """Persons of which nothing is left; and what the others have, whose profiles and segments follow from less."""
        rows = self._store.evidence.identifiers_by_number(sorted(touched))
        owners = sorted({row.person for row in rows if row and row.person is not None})
        held = [{row.number for row in members} for members in self._store.persons.members(owners)]
        ended = [owner for owner, numbers in zip(owners, held, strict=True) if numbers <= gone]
        return ended, {number for numbers in held for number in numbers}
