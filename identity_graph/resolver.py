"""Publishes persons: reads what was touched, resolves it, and writes the difference in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from identity_graph.collector import collector_paused
from identity_graph.engines import Engine
from identity_graph.errors import PolicyError
from identity_graph.linking import suppressed_rows
from identity_graph.model import Change, ChangeKind, Run, RunState
from identity_graph.neighbourhood import Neighbourhood, around, component, everything
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.policy import Policy
from identity_graph.resolve.persons import PersonChange, Persons, assign
from identity_graph.resolve.prune import CODES, HUB, JOINS
from identity_graph.segments import Segments
from identity_graph.similar_rows import to_rows
from identity_graph.store.protocols import Publication, Store
from identity_graph.tables import Bool, Int64

_MESSAGES = {
    ChangeKind.CREATED: "a new person",
    ChangeKind.ABSORBED: "identifiers that were nobody's joined",
    ChangeKind.MERGED: "evidence joined what were several persons",
    ChangeKind.SPLIT: "evidence no longer holds the person together",
}


class _Published(NamedTuple):
    """What changed, and what the engine has to do once that is committed."""

    message: str
    afterwards: Callable[[], None] = lambda: None


class Resolver:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        engine: Engine,
        segments: Segments,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._policy = policy
        self._engine = engine
        self._segments = segments
        self._clock = clock
        self._new_id = new_id

    def resolve(self, full: bool = False) -> Run:
        """Publish persons for everything, or for what arrived since the last time: the answer is the same.

        Everything is resolved when the policy differs from the one in force, when evidence ages under it, and when it
        compares what identifiers share: how rare that is depends on everything. The run's message counts the changes.
        Segments follow, and the run ends with them. Raises StoreError; nothing is then published or, where it was only
        the segments that failed, they follow with the next publication.
        """
        run = self._store.operations.begin_run(
            Run(
                id=self._new_id(),
                kind="resolve",
                state=RunState.RUNNING,
                started=self._clock(),
                policy=self._policy.digest,
                normaliser=NORMALISER_VERSION,
            )
        )

        def end(state: RunState, message: str) -> None:
            nonlocal run
            run = replace(run, state=state, ended=self._clock(), message=message)
            self._store.operations.end_run(run)

        try:
            with self._store.transaction():
                published = self.publish(full=full) or _Published(_summary([]))
            published.afterwards()
            message = published.message
            self._segments.settle(lambda: end(RunState.DONE, message), compare=True)
        except BaseException as error:
            end(RunState.FAILED, str(error)[:500])
            raise
        return run

    def follow(self) -> bool:
        """Publish what arrived since the last time, and let segments follow. False, and nothing is done, where nothing
        was published before. Raises POLICY_DIFFERS."""
        with self._store.transaction():
            resolved, in_force = self._standing()
            published = self._publish(resolved, in_force) if in_force is not None else None
        if published is not None:
            published.afterwards()
        if in_force is not None:
            self.settle()
        return in_force is not None

    def settle(self) -> None:
        """Let segments follow what was published; outside of the transaction that published it."""
        self._segments.settle()

    def catch_up(self, cause: str = "evidence") -> bool:
        """Publish what arrived since the last time, within the caller's transaction, for who is about to look; whether
        there was any. Where it touches many persons, segments do not follow by this alone.

        Only `resolve` sets the policy in force: raises POLICY_DIFFERS under another one, and does nothing where there
        is none yet.
        """
        resolved, in_force = self._standing()
        return in_force is not None and self._publish(resolved, in_force, cause=cause) is not None

    def check_policy(self) -> None:
        """Raises POLICY_DIFFERS where the persons are of another policy, under which nothing that arrives is
        published until `resolve` is called."""
        self._standing()

    def _standing(self) -> tuple[int, str | None]:
        resolved, in_force = self._store.persons.resolved()
        if in_force not in (None, self._policy.digest):
            raise PolicyError(
                "POLICY_DIFFERS",
                f"the persons are of the policy {in_force[:12]}, and the one given is {self._policy.digest[:12]}",
            )
        return resolved, in_force

    def publish(
        self,
        *,
        full: bool = False,
        weakened: Iterable[int] | None = None,
        reach: Iterable[int] = (),
        cause: str = "evidence",
    ) -> _Published | None:
        """Within the caller's transaction; None where there was nothing to resolve. `weakened` are identifiers that
        lost evidence, None where none was taken away; `reach` those whose component that was."""
        resolved, in_force = self._store.persons.resolved()
        if in_force is not None and in_force != self._policy.digest:
            cause = "policy"
        return self._publish(resolved, in_force, full=full, weakened=weakened, reach=reach, cause=cause)

    @collector_paused()
    def _publish(
        self,
        resolved: int,
        in_force: str | None,
        *,
        full: bool = False,
        weakened: Iterable[int] | None = None,
        reach: Iterable[int] = (),
        cause: str = "evidence",
    ) -> _Published | None:
        """The first two are what the store says of the last publication."""
        persons = self._store.persons
        arrived, newest = self._store.evidence.arrived_since(resolved)
        lost = np.array(sorted(weakened or ()), dtype=np.int64)
        older = self._policy.decays and (newest != resolved or weakened is not None)  # as its newest evidence may be
        if (
            full
            or older
            or in_force != self._policy.digest
            or (self._policy.similarity and (len(arrived) or len(lost)))
        ):
            with self._store.beside(persons.membership) as membership:
                here, scope = everything(self._store, self._policy, self._engine), None
                members = membership()
        elif len(arrived) or len(lost):
            scope = component(self._store, {*self._start(arrived, lost, resolved), *reach})
            here, members = around(self._store, self._policy, scope), persons.membership(scope)
        else:
            return None
        message = self._write(here, scope, members, np.union1d(arrived, lost), newest, cause)
        if scope is not None:
            if weakened is None:  # or else whoever takes evidence away is not done yet
                self._segments.accompany()
            return _Published(message)
        return _Published(message, self._engine.afterwards(here.resolution))

    def _start(self, arrived: Int64, weakened: Int64, resolved: int) -> list[int]:
        """Where to look from. What is pruned stays so as evidence grows, and its history is not read; a hub that lost
        evidence, or of which an event after `resolved` says whom it is not, may be one no more, and then speaks for all
        that were seen with it."""
        numbers = np.union1d(arrived, weakened)
        pruned, codes = self._store.persons.pruned(numbers)
        start = set(numbers.tolist()) - set(pruned.tolist())
        hubs = np.array([n for n, code in zip(pruned.tolist(), codes, strict=True) if code == CODES[HUB]], np.int64)
        parted = self._store.evidence.kept_apart_since(resolved) if len(hubs) else hubs
        lost = np.intersect1d(hubs, np.concatenate((weakened, parted)))
        if len(lost):
            here = around(self._store, self._policy, lost)
            freed = here.resolution.identifiers.number[here.inside & (here.resolution.pruned == JOINS)]
            beside = np.unique(self._store.evidence.observation_table(freed).identifier)
            others, _ = self._store.persons.pruned(beside)
            start |= set(freed.tolist()) | (set(beside.tolist()) - set(others.tolist()))
        return sorted(start)

    def _write(
        self,
        here: Neighbourhood,
        scope: Int64 | None,
        membership: tuple[Int64, Int64],
        touched: Int64,
        resolved: int,
        cause: str,
    ) -> str:
        resolution, store = here.resolution, self._store
        inside = np.flatnonzero(here.inside)
        numbers = resolution.identifiers.number[inside]
        namespace = resolution.identifiers.namespace
        members, owners = membership
        previous = np.zeros(len(numbers), dtype=np.int64)
        previous[np.searchsorted(numbers, members)] = owners

        def key(position: int) -> tuple[str, str]:
            row = inside[position]
            return resolution.rules.namespaces[namespace[row]], resolution.values[row]

        found = assign(resolution.groups.label[inside], previous, resolution.rules.carries[namespace[inside]], key)
        moved = np.flatnonzero((found.person != previous) & (found.person != 0))
        codes, known = resolution.pruned[inside], here.known[inside]
        newly = np.flatnonzero((codes != JOINS) & (codes != known))
        created = [self._new_id() for _ in range(found.created)]
        now = self._clock()
        ids = self._ids(found, created)
        changes = self._changes(found, ids, now, cause)
        affected = found.person[np.isin(numbers, touched)]
        shifted = (found.person != previous) & ((previous != 0) | (known != JOINS))
        updated = np.unique(np.concatenate([found.touched, affected, self._beside(numbers, shifted, found)]))
        updated = updated[updated != 0]
        store.persons.publish(
            Publication(
                time=now,
                policy=self._policy.digest,
                created=created,
                members=(numbers[moved], found.person[moved]),
                pruned=[(int(numbers[i]), CODES[codes[i]]) for i in newly.tolist()],
                joined=numbers[(codes == JOINS) & (known != JOINS)],
                suppressed=suppressed_rows(here, self._policy),
                scope=scope,
                retired=list(found.retired.items()),
                updated=updated,
                changes=changes,
                resolved=resolved,
                similar=to_rows(resolution.similar, numbers) if scope is None else None,
            )
        )
        return _summary(changes)

    def _beside(self, numbers: Int64, shifted: Bool, found: Persons) -> Int64:
        """Persons to whom events may have passed because an identifier in them changed hands."""
        if not shifted.any():
            return np.empty(0, dtype=np.int64)
        seen = np.unique(self._store.evidence.observation_table(numbers[shifted]).identifier)
        _, outside = self._store.persons.membership(np.setdiff1d(seen, numbers))
        return np.concatenate([found.person[np.isin(numbers, seen)], outside])

    def _ids(self, found: Persons, created: list[str]) -> dict[int, str]:
        """Ids of new persons and of those that changed."""
        numbers = {
            number
            for change in found.changes
            for number in (change.person, *change.from_persons, *change.to_persons)
            if number > 0
        }
        rows = self._store.persons.persons_by_number(sorted(numbers))
        ids = {row.number: row.id for row in rows if row}
        return ids | {-1 - position: id for position, id in enumerate(created)}

    def _changes(self, found: Persons, ids: dict[int, str], now: int, cause: str) -> list[Change]:
        digest = self._policy.digest

        def change(one: PersonChange) -> Change:
            from_ids = tuple(ids[n] for n in one.from_persons)
            to_ids = tuple(ids[n] for n in one.to_persons)
            return Change(0, now, one.kind, ids[one.person], from_ids, to_ids, cause, _MESSAGES[one.kind], digest)

        return [change(one) for one in found.changes]


def _summary(changes: list[Change]) -> str:
    counts = Counter(change.kind for change in changes)
    said = [f"{counts[kind]:,} {kind.lower()}" for kind in ChangeKind if counts[kind]]
    return ", ".join(said) or "nothing changed"
