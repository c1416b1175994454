"""Erases a person, and keeps it from coming back."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from identity_graph import __version__
from identity_graph.errors import InputError, StoreError
from identity_graph.mentions import Mentions
from identity_graph.model import Change, ChangeKind, ErasurePreview, Identifier, Receipt
from identity_graph.neighbourhood import component
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.signing import Signer
from identity_graph.store.protocols import Erasure, EventRow, IdentifierRow, Store
from identity_graph.times import format_time


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes and what stays with one person."""

    number: int
    person_id: str
    events: list[EventRow]
    exclusive: list[IdentifierRow]
    shared: list[IdentifierRow]
    beside: list[IdentifierRow]

    def token(self, kept: bool) -> str:
        """A digest of all that would be erased: another event or identifier gives another token. `kept`: what was
        asked for stays, which the receipt then says."""
        digest = hashlib.sha256(self.person_id.encode())
        for number in sorted(row.number for row in self.events):
            digest.update(b"e%d" % number)
        for number in sorted(row.number for row in self.exclusive):
            digest.update(b"i%d" % number)
        if kept:
            digest.update(b"k")
        return f"{self.person_id}.{digest.hexdigest()[:32]}"


class Forget:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        people: People,
        resolver: Resolver,
        signer: Signer,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._policy = policy
        self._people = people
        self._resolver = resolver
        self._signer = signer
        self._clock = clock
        self._new_id = new_id

    def preview(self, person_id: str, asked: Identifier | None = None) -> ErasurePreview | None:
        """What erasing the person takes and what stays; None where nobody has the id. A retired id is its survivor's.

        *Exclusive* identifiers go: those that no event of anybody else holds. *Shared* ones stay, with the others'
        evidence alone, and an identifier by which the person was `asked` for may be one. Raises POLICY_DIFFERS.
        """
        with self._store.transaction():
            self._resolver.catch_up()  # an event that just came in may be the person's
            plan = self._plan(person_id)
        if plan is None:
            return None
        (segments,) = self._people.segments([plan.person_id])
        shared = tuple(row.identifier for row in plan.shared)
        kept = asked if asked in shared else None
        return ErasurePreview(
            token=plan.token(kept is not None),
            person_id=plan.person_id,
            exclusive=tuple(row.identifier for row in plan.exclusive),
            shared=shared,
            events=len(plan.events),
            segments=segments,
            kept=kept,
        )

    def erase(self, token: str) -> Receipt:
        """Delete what the preview of this token showed, resolve what remains, and scrub the files.

        One transaction: events of the person, its exclusive identifiers, every identifier left without events, and
        quarantined records that hold its values; keyed hashes of the exclusive identifiers and of the event ids stay as
        tombstones. The receipt is signed. Raises TOKEN_INVALID when the person changed since the preview, and
        POLICY_DIFFERS, and SIGNING_KEY before anything is erased.

        The receipt says `scrubbed: false` where a long reader held on to the files: what was deleted is gone for
        everybody who asks, but bytes of it are left until `scrub` succeeds.
        """
        started = self._clock()
        self._signer.public()  # a receipt that cannot be signed must be known now
        with self._store.transaction():
            self._resolver.catch_up()
            plan = self._plan(token.partition(".")[0])
            if plan is None or token not in (plan.token(False), plan.token(True)):
                raise InputError("TOKEN_INVALID", "the person is gone or changed since", help="Look again: preview.")
            erased, weakened = self._erase(plan, started)
        document = {
            "receipt": self._new_id(),
            "software": f"identity-graph {__version__}",
            "requestedAt": format_time(started),
            "completedAt": format_time(self._clock()),
            "personId": plan.person_id,
            "events": len(erased.events),
            "identifiersErased": len(erased.identifiers),
            "identifiersKept": len(weakened),
            "requestedIdentifierKept": token == plan.token(True),
            "quarantinedRecords": len(erased.quarantined),
            "tombstones": len(erased.tombstones) + len(erased.event_ids),
            "policy": self._policy.digest,
            "normaliser": NORMALISER_VERSION,
            "verified": not any(self._store.evidence.identifiers([row.identifier for row in plan.exclusive])),
            "scrubbed": self.scrub(),
        }
        return Receipt(str(document["receipt"]), self._signer.sign(document))

    def scrub(self) -> bool:
        """Leave no deleted byte in the store's files. False while another process reads what was deleted, and where a
        server keeps files of its own."""
        try:
            self._store.privacy.scrub()
        except StoreError as error:
            if error.code not in ("STORE_BUSY", "STORE_KEEPS"):
                raise
            return False
        return True

    def _erase(self, plan: _Plan, now: int) -> tuple[Erasure, set[int]]:
        gone = {row.number for row in (*plan.exclusive, *plan.beside)}
        emptied = self._emptied(plan, gone)
        ids = [plan.person_id, *(row.id for row in self._store.persons.persons_by_number(emptied) if row)]
        digest = self._policy.digest
        # Found before the suppressed links go that show the way. What is pruned leads nowhere, and its history is long.
        known = (*plan.exclusive, *plan.shared, *plan.beside)
        reach = set(component(self._store, [row.number for row in known if not row.pruned]).tolist())
        erasure = Erasure(
            person=plan.number,
            person_id=plan.person_id,
            events=[row.number for row in plan.events],
            event_ids=[row.event.id for row in plan.events],
            identifiers=sorted(gone),
            tombstones=[row.identifier for row in plan.exclusive],
            quarantined=self._quarantined(plan),
            emptied=emptied,
            changes=[
                Change(0, now, ChangeKind.ERASED, id, (), (), "erasure", "erased on request", digest) for id in ids
            ],
        )
        self._store.privacy.erase(erasure)
        weakened = {row.number for row in plan.shared}
        self._resolver.publish(weakened=weakened, reach=reach - gone, cause="erasure")
        return erasure, weakened

    def _emptied(self, plan: _Plan, gone: set[int]) -> list[int]:
        """Other persons of which every identifier goes: nothing but events of this person spoke of them."""
        owners = sorted({row.person for row in plan.beside if row.person is not None})
        members = self._store.persons.members(owners)
        return [owner for owner, rows in zip(owners, members, strict=True) if {row.number for row in rows} <= gone]

    def _quarantined(self, plan: _Plan) -> list[int]:
        """Records set aside that name the person."""
        mentions = Mentions([row.identifier for row in plan.exclusive])
        found: list[int] = []
        after = 0
        while records := self._store.operations.quarantined(after=after, limit=1000):
            found += [record.number for record in records if mentions.found_in(record.record)]
            after = records[-1].number
        return found

    def _plan(self, person_id: str) -> _Plan | None:
        (person,) = self._people.find([person_id])
        if person is None:
            return None
        (row,) = self._store.persons.persons([person.id])
        assert row is not None
        (members,) = self._store.persons.members([row.number])
        (journey,) = self._people.journeys([person.id])
        events = [event for event in self._store.evidence.events([one.event.id for one in journey]) if event]
        numbers = sorted({number for event in events for number in event.identifiers} | {m.number for m in members})
        held = self._held_by_others(numbers, events)
        rows = [one for one in self._store.evidence.identifiers_by_number(numbers) if one]
        rows.sort(key=lambda one: one.identifier.key)
        own = [one for one in rows if one.person == row.number]
        return _Plan(
            number=row.number,
            person_id=person.id,
            events=events,
            exclusive=[one for one in own if one.number not in held],
            shared=[one for one in rows if one.number in held],
            beside=[one for one in rows if one.person != row.number and one.number not in held],
        )

    def _held_by_others(self, numbers: list[int], mine: Sequence[EventRow]) -> set[int]:
        """Which identifiers an event outside `mine` holds."""
        own = Counter(number for event in mine for number in event.identifiers)
        counts = self._store.evidence.sightings(numbers)
        return {n for n, seen in zip(numbers, counts, strict=True) if seen and seen.observations > own[n]}
