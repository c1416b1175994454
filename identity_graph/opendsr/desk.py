"""Takes requests of controllers, says how far they came, and carries them out step by step.

Each step is one transaction, and begins by reading the request again: so whoever is killed, wherever, another goes on,
and of two that do the same step one finds it done. An erasure is those of `Forget`, of each person that was found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from identity_graph.disclosure import Disclosures
from identity_graph.erasing import ErasureRequest, ErasureState
from identity_graph.errors import IdentityGraphError, InputError, NotFound
from identity_graph.forget import Forget
from identity_graph.model import ErasurePreview, Identifier, Scope, SharedRule
from identity_graph.opendsr.agreement import Agreement
from identity_graph.opendsr.asked import Asked
from identity_graph.resolver import Resolver
from identity_graph.restricting import Restrictions
from identity_graph.store.protocols import Store
from identity_graph.subject_request import Call, Identity, RequestKind, RequestStatus, SubjectRequest
from identity_graph.times import LATEST, SECOND

AGAIN = 5 * SECOND  # after a step that did not succeed
SHARED = "IDENTIFIERS_SHARED"
_ALL = 1 << 31
Hear = Callable[[SubjectRequest], None]
Digests = Mapping[Identity, Sequence[Identifier]]
"""Which identifiers have a digest that was sent."""


class Desk:
    def __init__(
        self,
        store: Store,
        agreement: Agreement,
        resolver: Resolver,
        restrictions: Restrictions,
        forget: Forget,
        disclosures: Disclosures,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self.agreement = agreement
        self._resolver = resolver
        self._restrictions = restrictions
        self._forget = forget
        self._disclosures = disclosures
        self.clock = clock
        self._new_id = new_id

    # ---- what controllers ask for

    def receive(self, asked: Asked, body: bytes, controller: str) -> SubjectRequest:
        """Durable when it returns, and who is to be erased is seen by nobody any more. The same body again is the same
        request, as it then is. Raises SUBJECT_REQUEST_DIFFERS and POLICY_DIFFERS."""
        digest = self._store.privacy.keyed_hash(hashlib.sha256(body).hexdigest()).hex()
        with self._store.transaction():
            (known,) = self._store.subject_requests.find([asked.id])
            if known is not None:
                if known.digest != digest:
                    raise InputError("SUBJECT_REQUEST_DIFFERS", "another request with this subject_request_id was sent")
                return known
            now = self.clock()
            begins = now + self.agreement.pending
            sought = not any(one.form for one in asked.identities)
            request = SubjectRequest(
                asked.id,
                controller,
                asked.kind,
                RequestStatus.PENDING,
                received=now,
                expected=now + self.agreement.expected,
                begins=begins,
                digest=digest,
                due=begins if sought else now,
                identities=asked.identities,
                sought=sought,
                calls=tuple(Call(url).with_(RequestStatus.PENDING, now) for url in asked.callbacks),
            )
            self._resolver.catch_up()  # an event that just came in may be of the person
            request = self._hide(request, {})
            self._store.subject_requests.keep([request])
        return request

    def find(self, id: str) -> SubjectRequest:
        """Raises SUBJECT_REQUEST_UNKNOWN."""
        (found,) = self._store.subject_requests.find([id])
        if found is None:
            raise NotFound("SUBJECT_REQUEST_UNKNOWN", "no request has this subject_request_id")
        return found

    def cancel(self, id: str) -> SubjectRequest:
        """While it is pending; again is no error. Raises SUBJECT_REQUEST_UNKNOWN and SUBJECT_REQUEST_BEGUN."""
        with self._store.transaction():
            request = self.find(id)
            if request.status is RequestStatus.CANCELLED:
                return request
            if request.status is not RequestStatus.PENDING:
                raise InputError("SUBJECT_REQUEST_BEGUN", f"the request is {request.status}, and not pending any more")
            cancelled = self._call_off(request)
        self._restrictions.lift(request.hidden)
        return cancelled

    def decide(self, id: str, shared: SharedRule) -> SubjectRequest:
        """Of an erasure that waits because of contested identifiers: DETACH them, and go on, or REFUSE it, which is as
        if it had never been asked. Raises SUBJECT_REQUEST_UNKNOWN and DECISION_UNDUE."""
        with self._store.transaction():
            request = self.find(id)
            if request.trouble != SHARED:
                raise InputError("DECISION_UNDUE", f"the request is {request.status}, and waits for no decision")
            if shared is SharedRule.DETACH:
                decided = replace(request, shared=shared, trouble="", due=self.clock())
                self._store.subject_requests.keep([decided])
                return decided
            called_off = self._call_off(request)
        self._restrictions.lift(request.hidden)
        return called_off

    def _call_off(self, request: SubjectRequest) -> SubjectRequest:
        """As if it had never been asked. Within a transaction."""
        now = self.clock()
        cancelled = request.moved(
            RequestStatus.CANCELLED, now, ended=now, due=now, identities=(), hidden=(), trouble=""
        )
        waiting: list[SubjectRequest] = []
        if request.hidden:
            self._restrictions.show(request.hidden)
            # Others may have asked for the same person, when it was hidden already.
            due = self._store.subject_requests.due(LATEST, _ALL)
            others = [one for one in due if one.id != request.id and one.identities]
            digests = self._with_digests(others)
            waiting = [self._hide(one, digests) for one in others]
        self._store.subject_requests.keep([*waiting, cancelled])
        return cancelled

    def previews(self, id: str) -> list[ErasurePreview]:
        """What an erasure that is not done yet would take of each person that it names. Raises
        SUBJECT_REQUEST_UNKNOWN, also of another kind."""
        request = self.find(id)
        if request.kind is not RequestKind.ERASURE:
            raise NotFound("SUBJECT_REQUEST_UNKNOWN", "the request is of another kind than erasure")
        named = _named(request.identities, self._with_digests([request]))
        ids = dict.fromkeys(found.id for one in named if (found := self._restrictions.find(one)))
        return [one for id in ids if (one := self._forget.preview(id))]

    def results(self, id: str) -> list[dict[str, Any]]:
        """What was disclosed, as it is now; of an erasure its receipts. Raises SUBJECT_REQUEST_UNKNOWN, also where it
        is not done, or too long ago."""
        request = self.find(id)
        if not self.shown(request):
            raise NotFound("SUBJECT_REQUEST_UNKNOWN", "there are no results of it, or none any more")
        if request.kind is RequestKind.ERASURE:
            return [dict(one.document) for one in self._store.erasures.find(request.erasures) if one]
        found = [self._disclosures.of(id) for id in request.persons]
        return [one.model_dump(mode="json", by_alias=True) for one in found if one]

    def shown(self, request: SubjectRequest) -> bool:
        """Whether there are results to be had."""
        if request.status is not RequestStatus.COMPLETED or request.ended is None:
            return False
        found = bool(request.persons or request.erasures)
        return found and self.clock() <= request.ended + self.agreement.results

    # ---- what is done for them

    def round(self, hear: Hear = lambda _request: None) -> str:
        """Take the next steps for requests that are due. `hear` is told of each that begins, before anything is done
        for it, of each that comes to wait for a decision, and of each that has ended. Answers the code of what kept the
        last of those from it that could not be carried out."""
        found = self._store.subject_requests.due(self.clock())
        digests = self._with_digests(found)
        ending, trouble = [], ""
        for request in found:
            try:
                request = self._advance(request, digests, hear)
            except Exception as error:
                code = error.code if isinstance(error, IdentityGraphError) else f"INTERNAL, {type(error).__name__}"
                request = self._postpone(request, code)
                if code != SHARED:
                    trouble = code
                elif request.trouble:
                    hear(request)
                continue
            if request.status is not RequestStatus.PENDING:
                ending.append(request)
        for request in self._end(ending):
            hear(request)
        return trouble

    def _advance(self, request: SubjectRequest, digests: Digests, hear: Hear) -> SubjectRequest:
        if request.status is RequestStatus.PENDING:
            request = self._begin(request, digests)
        if request.status is RequestStatus.IN_PROGRESS and request.identities:
            if not request.trouble:  # else it began before
                hear(request)
            request = self._carry_out(request, digests)
        return request

    def _postpone(self, request: SubjectRequest, trouble: str) -> SubjectRequest:
        """As it then is; who waits for a decision, until there is one."""
        with self._store.transaction():
            current = self.find(request.id)
            if current.identities:
                later = replace(current, due=LATEST) if trouble == SHARED else self._later(current)
                current = replace(later, trouble=trouble)
                self._store.subject_requests.keep([current])
        return current

    def _later(self, request: SubjectRequest) -> SubjectRequest:
        due = self.clock() + AGAIN
        return replace(request, due=due, expected=max(request.expected, due))

    def _begin(self, request: SubjectRequest, digests: Digests) -> SubjectRequest:
        """From here on it cannot be cancelled; unless its time has not come, and only its digests were to be sought."""
        with self._store.transaction():
            request = self.find(request.id)
            if request.status is not RequestStatus.PENDING:
                return request
            request, now = self._hide(request, digests), self.clock()
            if now < request.begins:
                request = replace(request, sought=True, due=request.begins)
            else:
                request = request.moved(RequestStatus.IN_PROGRESS, now, due=now)
            self._store.subject_requests.keep([request])
        return request

    def _hide(self, request: SubjectRequest, digests: Digests) -> SubjectRequest:
        """Nobody sees any more who is to be erased. Within a transaction."""
        if request.kind is not RequestKind.ERASURE:
            return request
        hidden = list(request.hidden)
        for identifier in _named(request.identities, digests):
            held = self._restrictions.find(identifier)
            if held and (numbers := self._restrictions.hide(held.id)):
                hidden += numbers[1]
                self._restrictions.restrict(held.id)
        return replace(request, hidden=tuple(hidden))

    def _carry_out(self, request: SubjectRequest, digests: Digests) -> SubjectRequest:
        """In one transaction with that which names whom it was about. Raises POLICY_DIFFERS and IDENTIFIERS_SHARED."""
        with self._store.transaction():
            request = self.find(request.id)
            if not request.identities:
                return request
            self._resolver.catch_up()
            named = list(_named(request.identities, digests))
            if request.kind is RequestKind.ERASURE:
                request = self._erase(request, named)
            else:
                request = self._look_up(request, named)
            request = replace(request, identities=(), hidden=(), trouble="")
            self._store.subject_requests.keep([request])
        return request

    def _erase(self, request: SubjectRequest, named: Sequence[Identifier]) -> SubjectRequest:
        # Found before any is erased: an identifier that others hold, too, then leads to them.
        owners = {identifier: found.id for identifier in named if (found := self._restrictions.find(identifier))}
        contested: list[Identifier] = []
        if (request.shared or self.agreement.shared_rule) is SharedRule.REFUSE:
            contested = [one for id in set(owners.values()) for one in self._forget.contested(id)]
        gone: dict[str, ErasureRequest] = {}
        for identifier, person_id in owners.items():
            if person_id not in gone:
                asked = ErasureRequest(self._new_id(), ErasureState.RESTRICTED, self.clock())
                gone[person_id] = self._forget.erase_within([identifier], Scope.CONNECTED, asked)
        if any(self._store.evidence.identifiers(contested)):  # others than who were named hold it
            raise InputError(SHARED, "the request waits for a decision about identifiers of other people")
        erased = [one for one in gone.values() if one.state is ErasureState.DELETED]
        self._store.privacy.unrestrict(request.hidden)
        self._store.erasures.keep(erased)
        events = sum(one.document["events"] for one in erased)
        return replace(request, erasures=tuple(one.id for one in erased), results=events)

    def _look_up(self, request: SubjectRequest, named: Sequence[Identifier]) -> SubjectRequest:
        people = (self._restrictions.find(identifier) for identifier in named)
        ids = tuple(dict.fromkeys(one.id for one in people if one))
        found = [one for id in ids if (one := self._disclosures.within(id))]
        return replace(request, persons=ids, results=sum(len(one.events) for one in found))

    def _end(self, requests: Sequence[SubjectRequest]) -> Iterator[SubjectRequest]:
        """When no file holds any more whom they named. Once for all of them: a scrub costs as much for one."""
        if not requests:
            return
        ids = [id for request in requests for id in request.erasures]
        deleted = [one for one in self._store.erasures.find(ids) if one and one.state is ErasureState.DELETED]
        self._forget.finish(deleted)
        # What a server keeps in files of its own stays there, whoever asks again.
        scrubbed = bool(deleted) or self._forget.scrub() or self._store.kind != "sqlite"
        left = {one.id for one in self._store.erasures.find([one.id for one in deleted]) if one and one.open}
        for request in requests:
            with self._store.transaction():
                current, now = self.find(request.id), self.clock()
                if current.due is None or current.status is RequestStatus.PENDING or current.identities:
                    continue
                if not scrubbed or left:
                    self._store.subject_requests.keep([self._later(current)])
                    continue
                if current.status is RequestStatus.IN_PROGRESS:
                    current = current.moved(RequestStatus.COMPLETED, now, ended=now)
                self._store.subject_requests.keep([replace(current, due=None)])
            yield current

    def _with_digests(self, requests: Sequence[SubjectRequest]) -> Digests:
        """By looking at every identifier: no digest is stored, because a plain one can be guessed."""
        wanted = [one for request in requests for one in request.identities if one.form]
        if not wanted:
            return {}
        found: dict[Identity, list[Identifier]] = {}
        sought = {(one.namespace, one.form) for one in wanted}
        table, values = self._store.evidence.identifier_table()
        known = set(wanted)
        for space, value in zip(table.namespace.tolist(), values, strict=True):
            namespace = table.namespaces[space]
            for name, form in sought:
                if name == namespace:
                    digest = hashlib.new(form, value.encode(), usedforsecurity=False).hexdigest()
                    if (one := Identity(namespace, digest, form)) in known:
                        found.setdefault(one, []).append(Identifier(namespace, value))
        return found


def _named(identities: Iterable[Identity], digests: Digests) -> Iterator[Identifier]:
    for one in identities:
        if one.form:
            yield from digests.get(one, ())
        else:
            yield Identifier(one.namespace, one.value)
