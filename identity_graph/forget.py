"""Erases a person, or one identifier of it, and keeps it from coming back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from identity_graph import __version__
from identity_graph.erased_register import ErasedRegister
from identity_graph.erasing import ErasureRequest, ErasureState
from identity_graph.errors import InputError, PolicyError, StoreError
from identity_graph.event_sum import event_sum, without
from identity_graph.events_digest import events_digest
from identity_graph.model import Change, ChangeKind, ErasurePreview, Identifier, Receipt, Scope, SharedRule
from identity_graph.neighbourhood import component
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.restricting import Restrictions
from identity_graph.signing import Signer
from identity_graph.store.protocols import Erasure, IdentifierRow, Store
from identity_graph.subject import Subject, Subjects, exactly
from identity_graph.times import format_time

_SIGNED_LATER = {"scrubbed", "key", "signature"}


class Forget:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        people: People,
        subjects: Subjects,
        resolver: Resolver,
        restrictions: Restrictions,
        signer: Signer,
        register: ErasedRegister,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._policy = policy
        self._people = people
        self._subjects = subjects
        self._resolver = resolver
        self._restrictions = restrictions
        self._signer = signer
        self._register = register
        self._clock = clock
        self._new_id = new_id
        self._lifted: list[IdentifierRow] = []

    def preview(
        self, person_id: str, asked: Identifier | None = None, scope: Scope = Scope.CONNECTED
    ) -> ErasurePreview | None:
        """What erasing the person takes and what stays; None where nobody has the id. A retired id is its survivor's.

        *Exclusive* identifiers go: those that no event of anybody else holds. *Shared* ones stay, with the others'
        evidence alone, and an identifier by which the person was `asked` for may be one. An `EXACT` erasure takes that
        identifier, with those events of the person that saw it, and the person keeps the rest. Raises POLICY_DIFFERS,
        and SCOPE_INVALID where one is exact of no identifier.
        """
        only = exactly(asked, scope)
        with self._store.transaction():
            published = self._resolver.catch_up()  # an event that just came in may be the person's
            subject = self._subjects.find(person_id, only)
        if published:
            self._resolver.settle()
        if subject is None:
            return None
        segments: tuple[str, ...] = ()
        if self._ends(subject):
            (segments,) = self._people.segments([subject.person.id])
        shared = tuple(row.identifier for row in subject.shared)
        kept = asked if asked in shared else None
        return ErasurePreview(
            token=subject.token(kept is not None),
            person_id=subject.person.id,
            scope=scope,
            exclusive=tuple(row.identifier for row in subject.exclusive),
            beside=tuple(row.identifier for row in subject.beside),
            shared=shared,
            events=len(subject.events),
            quarantined=sum(1 for _ in self._subjects.quarantined(subject)),
            segments=segments,
            kept=kept,
            contested=tuple(row.identifier for row in subject.contested),
        )

    def contested(self, person_id: str) -> list[Identifier]:
        """Of the person, as in its preview, but within the caller's transaction, which has caught up."""
        subject = self._subjects.find(person_id)
        return [row.identifier for row in subject.contested] if subject else []

    def erase(self, token: str, shared: SharedRule = SharedRule.DETACH) -> Receipt:
        """Delete what the preview of this token showed, resolve what remains, and scrub the files.

        The request is noted first, and the person restricted: what is interrupted then, `resume` finishes. Deletion is
        one transaction: events of the person, its exclusive identifiers, every identifier left without events, and
        quarantined records that hold its values; keyed hashes of the exclusive identifiers and of the event ids stay as
        tombstones. The receipt is signed. Raises TOKEN_INVALID when the person changed since the preview, and
        IDENTIFIERS_SHARED where an identifier is contested and the rule for such is REFUSE; POLICY_DIFFERS, and
        SIGNING_KEY before anything is erased.

        The receipt says `scrubbed: false` where a long reader held on to the files: what was deleted is gone for
        everybody who asks, but bytes of it are left until `scrub` succeeds.
        """
        self._signer.public()  # a receipt that cannot be signed must be known now
        return self._finish(self._asked(token, shared))

    def erase_all(self, tokens: Sequence[str], shared: SharedRule = SharedRule.DETACH) -> list[ErasureRequest]:
        """As `erase`, of several previews, with one scrub. Each is answered on its own: REFUSED, with the code, where
        the person changed since, or shares an identifier that it must not; else with its receipt."""
        self._signer.public()
        found = [self._tried(token, shared) for token in tokens]
        finished = {one.id: one for one in self.finish(found)}
        return [finished.get(one.id, one) for one in found]

    def _tried(self, token: str, shared: SharedRule) -> ErasureRequest:
        try:
            return self._asked(token, shared)
        except (InputError, PolicyError) as error:
            return ErasureRequest(self._new_id(), ErasureState.REFUSED, self._clock(), code=error.code)

    def resume(self) -> list[ErasureRequest]:
        """Finish what was interrupted; answers each request as it then is. One is still open where its person changed
        since (TOKEN_INVALID: it stays restricted until somebody looks again), where the key of the tombstones is
        missing (STORE_KEY) and where the files are read."""
        found = []
        for request in self._store.erasures.open():
            try:
                request = self._delete(request)
            except StoreError as error:
                if error.code != "STORE_KEY":
                    raise
                found.append(replace(request, code=error.code))  # what is deleted already needs none
                continue
            except (InputError, PolicyError) as error:
                if error.code == "IDENTIFIERS_SHARED":
                    found.append(self._refuse(request, error.code))
                    continue
                self._restrictions.restrict(request.person_id)
                found.append(replace(request, code=error.code))
                continue
            self._finish(request)
            found += [one for one in self._store.erasures.find([request.id]) if one]
        return found

    # ---- several at once

    def erase_within(self, forms: Sequence[Identifier], scope: Scope, request: ErasureRequest) -> ErasureRequest:
        """Erase who has the identifier, in the first of its forms that is known, unseen, within the caller's
        transaction, which has caught up; what was asked is then DELETED, or REFUSED with the code."""
        identifier, person = self._restrictions.find_any(forms)
        subject = self._subjects.find(person.id, exactly(identifier, scope)) if person else None
        if subject is None:
            return replace(request, state=ErasureState.REFUSED, code="PERSON_UNKNOWN")
        if _refuses(subject, request):
            return replace(request, state=ErasureState.REFUSED, code="IDENTIFIERS_SHARED")
        shared = identifier in {row.identifier for row in subject.shared}
        request = replace(request, person_id=subject.person.id, token=subject.token(shared))
        document = self._delete_subject(subject, request)
        return replace(request, state=ErasureState.DELETED, token="", document=document)

    def finish(self, requests: Sequence[ErasureRequest]) -> list[ErasureRequest]:
        """Scrub the files once for all that are deleted, and sign their receipts; answers these as they then are."""
        deleted = [one for one in requests if one.state is ErasureState.DELETED]
        if not deleted:
            return []
        scrubbed = self._follow()
        signed = [self._signed(one, scrubbed) for one in deleted]
        # Where the power is cut after a scrub, they are scrubbed and signed once more, to the same receipts.
        self._store.erasures.keep([done for done, _ in signed], durable=not scrubbed)
        return [replace(done, document=document) for done, document in signed]

    # ---- the way of one request

    def _request(self, token: str, shared: SharedRule = SharedRule.DETACH) -> ErasureRequest:
        """It is noted, and nobody sees the person any more."""
        person_id = token.partition(".")[0]
        with self._store.transaction():
            held = self._restrictions.hide(person_id)
            if held is None:
                raise _changed()
            request = ErasureRequest(
                id=self._new_id(),
                state=ErasureState.RESTRICTED,
                requested=self._clock(),
                person_id=held[0],
                token=token,
                hidden=tuple(held[1]),
                shared=shared,
            )
            self._store.erasures.keep([request])
        return request

    def _asked(self, token: str, shared: SharedRule) -> ErasureRequest:
        """Noted and deleted, or noted and refused, which is raised."""
        request = self._request(token, shared)
        try:
            done = self._delete(request)
        except (InputError, PolicyError) as error:
            self._refuse(request, error.code)
            raise
        if done.state is ErasureState.REFUSED:  # by who erased the person meanwhile
            raise _changed()
        return done

    def _refuse(self, request: ErasureRequest, code: str) -> ErasureRequest:
        """Nothing is erased, and the person is as it was before the request."""
        refused = replace(request, state=ErasureState.REFUSED, code=code)
        with self._store.transaction():
            self._restrictions.show(request.hidden)
            self._store.erasures.keep([refused])
        return refused

    def _delete(self, request: ErasureRequest) -> ErasureRequest:
        """In one transaction, if nobody else has; durable with the scrub, or with what is kept after it: before that
        the request is, and it would be deleted once more. Raises TOKEN_INVALID, IDENTIFIERS_SHARED and
        POLICY_DIFFERS."""
        with self._store.transaction(durable=False):
            (known,) = self._store.erasures.find([request.id])
            if known is not None and known.state is not ErasureState.RESTRICTED:
                return known
            self._resolver.catch_up()
            subject = self._subjects.of_token(request.token)
            if subject is None:
                raise _changed()
            if _refuses(subject, request):
                count = len(subject.contested)
                raise InputError("IDENTIFIERS_SHARED", f"events of other people hold {count:,} of the identifiers too")
            document = self._delete_subject(subject, request)
            # Others that asked for the same person have nothing left to do.
            others = [one for one in self._store.erasures.open() if one.person_id == subject.person.id]
            ended = [
                replace(one, state=ErasureState.REFUSED, code="TOKEN_INVALID")
                for one in others
                if one.id != request.id and one.state is ErasureState.RESTRICTED
            ]
            done = replace(request, state=ErasureState.DELETED, document=document)
            self._store.erasures.keep([*ended, done])
        return done

    def _finish(self, request: ErasureRequest) -> Receipt:
        """As `finish`; what is finished has its receipt."""
        (done,) = self.finish([request]) or [request]
        return Receipt(done.id, done.document)

    def _follow(self) -> bool:
        """Segments follow, or will later: the person is erased, and that is to be known. Answers as `scrub` does."""
        with suppress(StoreError):
            self._resolver.settle()
        return self.scrub()

    def _signed(self, request: ErasureRequest, scrubbed: bool) -> tuple[ErasureRequest, dict[str, Any]]:
        """How the request then stands, and its receipt."""
        document = self._signer.sign({**request.document, "scrubbed": scrubbed})
        # What a server keeps in files of its own stays there, whoever asks again.
        over = scrubbed or self._store.kind != "sqlite"
        done = replace(request, state=ErasureState.SCRUBBED, document=document) if over else request
        return done, document

    def _delete_subject(self, subject: Subject, request: ErasureRequest) -> dict[str, Any]:
        """Within a transaction; answers the receipt as far as it can be written."""
        if self._ends(subject):
            held = dict(self._store.privacy.restricted()).keys() & subject.members - set(request.hidden)
            self._lifted += [row for row in subject.shared if row.number in held]
        # What stays is somebody else's from now on, or the person's, who is seen again.
        self._store.privacy.unrestrict([*request.hidden, *(subject.members if self._ends(subject) else ())])
        others = without(self._store.evidence.event_sum(), event_sum(row.event.id for row in subject.events))
        erased, weakened = self._erase(subject, request.requested)
        before, after = (events_digest(self._store, one) for one in (others, self._store.evidence.event_sum()))
        left = any(self._store.evidence.identifiers([row.identifier for row in subject.exclusive]))
        return {
            "receipt": request.id,
            "software": f"identity-graph {__version__}",
            "requestedAt": format_time(request.requested),
            "completedAt": format_time(self._clock()),
            "scope": subject.scope,
            "personId": subject.person.id,
            "events": len(erased.events),
            "identifiersErased": len(erased.identifiers),
            "identifiersKept": len(weakened),
            "requestedIdentifierKept": request.token == subject.token(True),
            "quarantinedRecords": len(erased.quarantined),
            "tombstones": len(erased.tombstones) + len(erased.event_ids),
            "policy": self._policy.digest,
            "normaliser": NORMALISER_VERSION,
            "othersBefore": before,
            "othersAfter": after,
            "verified": not left and before == after,
        }

    def gave_out(self, receipt: Mapping[str, Any]) -> bool:
        """Whether it is of an erasure of this store; one that was signed before the scrub, too."""
        (known,) = self._store.erasures.find([str(receipt.get("receipt"))])
        said = {name: value for name, value in known.document.items() if name not in _SIGNED_LATER} if known else {}
        return bool(said) and said.items() <= receipt.items()

    def unsuppress(self, identifier: Identifier, formerly: Sequence[Identifier] = ()) -> bool:
        """Let an erased identifier come back in new events, also where it was erased in a former form; whether it was
        one. What was erased stays erased."""
        with self._store.transaction():
            released = self._store.privacy.release([identifier, *formerly])
            self._register.follow(self._store)
        return any(released)

    def scrub(self) -> bool:
        """Leave no deleted byte in the store's files, and tell the register. False while another process reads what was
        deleted, and where a server keeps files of its own. Raises ERASED_REGISTER."""
        self._register.follow(self._store)
        self._lift()
        try:
            self._store.privacy.scrub()
        except StoreError as error:
            if error.code not in ("STORE_BUSY", "STORE_KEEPS"):
                raise
            return False
        return True

    def _lift(self) -> None:
        """Nobody restricted what others have of whom was erased: unless what took it back was undone."""
        if self._lifted:
            lifted, self._lifted = self._lifted, []
            held = dict(self._store.privacy.restricted())
            self._register.lift(self._store, [row.identifier for row in lifted if row.number not in held])

    def _erase(self, subject: Subject, now: int) -> tuple[Erasure, set[int]]:
        gone = _gone(subject)
        ended = sorted({*self._emptied(subject, gone), *([subject.number] if self._ends(subject) else [])})
        ids = [row.id for row in self._store.persons.persons_by_number(ended) if row]
        digest = self._policy.digest
        # Found before the suppressed links go that show the way. What is pruned leads nowhere, and its history is long.
        known = (*subject.exclusive, *subject.shared, *subject.beside)
        reach = set(component(self._store, [row.number for row in known if not row.pruned]).tolist())
        erasure = Erasure(
            events=[row.number for row in subject.events],
            event_ids=[row.event.id for row in subject.events],
            identifiers=sorted(gone),
            tombstones=[row.identifier for row in subject.exclusive],
            quarantined=[record.number for record in self._subjects.quarantined(subject)],
            persons=ended,
            near=sorted(reach),
            changes=[
                Change(0, now, ChangeKind.ERASED, id, (), (), "erasure", "erased on request", digest) for id in ids
            ],
        )
        self._store.privacy.erase(erasure)
        kept = {row.number for row in subject.shared}
        # Of a person that stays, the rest has lost events, if not in itself: its traits and segments follow them.
        left = subject.members - gone if subject.scope is Scope.EXACT else frozenset()
        self._resolver.publish(weakened=kept | left, reach=reach - gone, cause="erasure")
        return erasure, kept

    def _ends(self, subject: Subject) -> bool:
        """Whether the person is no more: always, unless it is about one identifier, and others are left."""
        return subject.scope is Scope.CONNECTED or subject.members <= _gone(subject)

    def _emptied(self, subject: Subject, gone: set[int]) -> list[int]:
        """Other persons of which every identifier goes: nothing but these events spoke of them."""
        owners = sorted({row.person for row in subject.beside if row.person not in (None, subject.number)})
        members = self._store.persons.members(owners)
        return [owner for owner, rows in zip(owners, members, strict=True) if {row.number for row in rows} <= gone]


def _gone(subject: Subject) -> set[int]:
    return {row.number for row in (*subject.exclusive, *subject.beside)}


def _refuses(subject: Subject, request: ErasureRequest) -> bool:
    return request.shared is SharedRule.REFUSE and bool(subject.contested)


def _changed() -> InputError:
    return InputError("TOKEN_INVALID", "the person is gone or changed since", help="Look again: preview.")
