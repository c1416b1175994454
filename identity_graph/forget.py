"""Erases a person, and keeps it from coming back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from identity_graph import __version__
from identity_graph.errors import InputError, StoreError
from identity_graph.model import Change, ChangeKind, ErasurePreview, Identifier, Receipt
from identity_graph.neighbourhood import component
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.signing import Signer
from identity_graph.store.protocols import Erasure, Store
from identity_graph.subject import Subject, Subjects
from identity_graph.times import format_time


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
        self._subjects = Subjects(store, people)
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
            subject = self._subjects.find(person_id)
        self._resolver.settle()
        if subject is None:
            return None
        (segments,) = self._people.segments([subject.person.id])
        shared = tuple(row.identifier for row in subject.shared)
        kept = asked if asked in shared else None
        return ErasurePreview(
            token=subject.token(kept is not None),
            person_id=subject.person.id,
            exclusive=tuple(row.identifier for row in subject.exclusive),
            beside=tuple(row.identifier for row in subject.beside),
            shared=shared,
            events=len(subject.events),
            quarantined=sum(1 for _ in self._subjects.quarantined(subject)),
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
            subject = self._subjects.find(token.partition(".")[0])
            if subject is None or token not in (subject.token(False), subject.token(True)):
                raise InputError("TOKEN_INVALID", "the person is gone or changed since", help="Look again: preview.")
            erased, weakened = self._erase(subject, started)
        with suppress(StoreError):  # the person is erased, and that is to be known; segments follow later
            self._resolver.settle()
        document = {
            "receipt": self._new_id(),
            "software": f"identity-graph {__version__}",
            "requestedAt": format_time(started),
            "completedAt": format_time(self._clock()),
            "personId": subject.person.id,
            "events": len(erased.events),
            "identifiersErased": len(erased.identifiers),
            "identifiersKept": len(weakened),
            "requestedIdentifierKept": token == subject.token(True),
            "quarantinedRecords": len(erased.quarantined),
            "tombstones": len(erased.tombstones) + len(erased.event_ids),
            "policy": self._policy.digest,
            "normaliser": NORMALISER_VERSION,
            "verified": not any(self._store.evidence.identifiers([row.identifier for row in subject.exclusive])),
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

    def _erase(self, subject: Subject, now: int) -> tuple[Erasure, set[int]]:
        gone = {row.number for row in (*subject.exclusive, *subject.beside)}
        emptied = self._emptied(subject, gone)
        ids = [subject.person.id, *(row.id for row in self._store.persons.persons_by_number(emptied) if row)]
        digest = self._policy.digest
        # Found before the suppressed links go that show the way. What is pruned leads nowhere, and its history is long.
        known = (*subject.exclusive, *subject.shared, *subject.beside)
        reach = set(component(self._store, [row.number for row in known if not row.pruned]).tolist())
        erasure = Erasure(
            person=subject.number,
            person_id=subject.person.id,
            events=[row.number for row in subject.events],
            event_ids=[row.event.id for row in subject.events],
            identifiers=sorted(gone),
            tombstones=[row.identifier for row in subject.exclusive],
            quarantined=[record.number for record in self._subjects.quarantined(subject)],
            emptied=emptied,
            changes=[
                Change(0, now, ChangeKind.ERASED, id, (), (), "erasure", "erased on request", digest) for id in ids
            ],
        )
        self._store.privacy.erase(erasure)
        weakened = {row.number for row in subject.shared}
        self._resolver.publish(weakened=weakened, reach=reach - gone, cause="erasure")
        return erasure, weakened

    def _emptied(self, subject: Subject, gone: set[int]) -> list[int]:
        """Other persons of which every identifier goes: nothing but events of this person spoke of them."""
        owners = sorted({row.person for row in subject.beside if row.person is not None})
        members = self._store.persons.members(owners)
        return [owner for owner, rows in zip(owners, members, strict=True) if {row.number for row in rows} <= gone]
