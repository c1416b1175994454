"""What a person may ask to see (GDPR articles 15 and 20): all that an erasure would take, and what it would weaken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from identity_graph.consent import standing, stated
from identity_graph.model import Event, Identifier, Scope, Trait
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.stitch import stitch
from identity_graph.store.protocols import Store
from identity_graph.subject import Subjects, exactly
from identity_graph.times import format_time


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")


class DisclosedIdentifier(_Part):
    """`shared`: events of somebody else hold it too. `member`: it is one of the person's own, not merely seen."""

    namespace: str
    value: str
    member: bool
    shared: bool
    first_seen: str
    last_seen: str
    sources: list[str]


class DisclosedStatement(_Part):
    value: Any
    source: str
    time: str


class DisclosedTrait(_Part):
    """The value that holds, and the others that were stated, newest first."""

    name: str
    value: Any
    source: str
    time: str
    alternatives: list[DisclosedStatement]


class DisclosedEvent(_Part):
    """In order of time. `same_person` and `apart` are pairs of keys that it states."""

    id: str
    time: str
    received: str
    source: str
    name: str
    identifiers: list[str]
    same_person: list[list[str]]
    apart: list[list[str]]
    traits: dict[str, Any]
    properties: dict[str, Any]


class DisclosedRecord(_Part):
    """A record that was set aside, not understood, and names the person."""

    source: str
    line: int
    code: str
    record: str


class DisclosedConsent(_Part):
    """What stands of the statements of one purpose; the statements themselves are among the events."""

    purpose: str
    status: str
    source: str
    time: str
    expires: str | None


class Disclosure(_Part):
    """Times are ISO 8601, UTC."""

    id: str
    made: str
    scope: Scope
    person_id: str
    created: str
    updated: str
    identifiers: list[DisclosedIdentifier]
    traits: list[DisclosedTrait]
    consents: list[DisclosedConsent]
    segments: list[str]
    events: list[DisclosedEvent]
    quarantined: list[DisclosedRecord]


class Disclosures:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        people: People,
        subjects: Subjects,
        resolver: Resolver,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._policy = policy
        self._people = people
        self._resolver = resolver
        self._subjects = subjects
        self._clock = clock
        self._new_id = new_id

    def of(self, person_id: str, asked: Identifier | None = None, scope: Scope = Scope.CONNECTED) -> Disclosure | None:
        """Of one moment; None where nobody has the id. `EXACT`: of the identifier that was `asked` for, and of the
        person's events that saw it. Raises POLICY_DIFFERS and SCOPE_INVALID."""
        self._resolver.follow()  # an event that just came in may be the person's
        with self._store.transaction():
            self._resolver.catch_up()
            return self.within(person_id, asked, scope)

    def within(
        self, person_id: str, asked: Identifier | None = None, scope: Scope = Scope.CONNECTED
    ) -> Disclosure | None:
        """As `of`, in the caller's transaction, which has caught up."""
        only = exactly(asked, scope)
        subject = self._subjects.find(person_id, only)
        if subject is None:
            return None
        id = subject.person.id
        rows = sorted((*subject.exclusive, *subject.shared, *subject.beside), key=lambda row: row.identifier.key)
        facts = self._people.identifiers([row.identifier for row in rows])
        shared = {row.number for row in subject.shared}
        events = sorted((row.event for row in subject.events), key=lambda event: (event.time, event.id))
        profile = stitch(events, self._policy)
        consents = standing((word for event in events for word in stated(event)), self._clock()).values()
        # Who is in a segment is so by all events, and others may have seen what was asked for.
        segments = self._people.segments([id])[0] if scope is Scope.CONNECTED else ()
        return Disclosure(
            id=self._new_id(),
            made=format_time(self._clock()),
            scope=scope,
            person_id=id,
            created=format_time(subject.person.created),
            updated=format_time(subject.person.updated),
            identifiers=[
                DisclosedIdentifier(
                    namespace=row.identifier.namespace,
                    value=row.identifier.value,
                    member=row.person == subject.number,
                    shared=row.number in shared,
                    first_seen=format_time(fact.first_seen),
                    last_seen=format_time(fact.last_seen),
                    sources=list(fact.sources),
                )
                for row, fact in zip(rows, facts, strict=True)
                if fact
            ],
            traits=[_trait(trait) for trait in profile.traits],
            consents=[
                DisclosedConsent(
                    purpose=one.purpose,
                    status=one.status.value,
                    source=one.source,
                    time=format_time(one.time),
                    expires=None if one.expires is None else format_time(one.expires),
                )
                for one in consents
            ],
            segments=list(segments),
            events=[_event(event) for event in events],
            quarantined=[
                DisclosedRecord(
                    source=record.source,
                    line=record.line,
                    code=record.code,
                    record=record.record.decode("utf-8", "backslashreplace"),
                )
                for record in self._subjects.quarantined(subject)
            ],
        )


def _trait(trait: Trait) -> DisclosedTrait:
    return DisclosedTrait(
        name=trait.name,
        value=trait.value,
        source=trait.source,
        time=format_time(trait.time),
        alternatives=[
            DisclosedStatement(value=one.value, source=one.source, time=format_time(one.time))
            for one in trait.alternatives
        ],
    )


def _event(event: Event) -> DisclosedEvent:
    return DisclosedEvent(
        id=event.id,
        time=format_time(event.time),
        received=format_time(event.received),
        source=event.source,
        name=event.name,
        identifiers=[identifier.key for identifier in event.identifiers],
        same_person=[[a.key, b.key] for a, b in event.same_person],
        apart=[[a.key, b.key] for a, b in event.apart],
        traits=dict(event.traits),
        properties=dict(event.properties),
    )
