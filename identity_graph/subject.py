"""What the store holds of one person, or of one identifier of it: what an erasure takes, and what may be disclosed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from identity_graph.errors import InputError
from identity_graph.model import Identifier, Person, Quarantined, Scope
from identity_graph.people import People
from identity_graph.set_aside import SetAside
from identity_graph.store.protocols import EventRow, IdentifierRow, Store


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, the events of its journey, and every identifier that it has or that they saw, in order of key.

    `exclusive` are its own that no other event holds, `shared` those that another event holds too, whosever they are,
    and `beside` the rest: of another person or of nobody, but seen by these events alone.

    With the place of one identifier among the person's, that is what it is about: that one, and those events of the
    journey that saw it. Others of the person may then be `shared` or `beside`.

    The `contested` are those of the shared ones that an event of another journey holds, and that are not pruned: what
    joins nobody, as an address of a whole network, is nobody's to be asked for.
    """

    number: int
    person: Person
    place: int | None
    members: frozenset[int]
    events: list[EventRow]
    exclusive: list[IdentifierRow]
    shared: list[IdentifierRow]
    beside: list[IdentifierRow]
    contested: list[IdentifierRow]

    @property
    def scope(self) -> Scope:
        return Scope.CONNECTED if self.place is None else Scope.EXACT

    def token(self, kept: bool) -> str:
        """A digest of all that would be erased: another event or identifier gives another token. `kept`: what was
        asked for stays, which the receipt then says."""
        digest = hashlib.sha256(self.person.id.encode())
        for number in sorted(row.number for row in self.events):
            digest.update(b"e%d" % number)
        for number in sorted(row.number for row in self.exclusive):
            digest.update(b"i%d" % number)
        if kept:
            digest.update(b"k")
        place = "" if self.place is None else f"{self.place}."
        return f"{self.person.id}.{place}{digest.hexdigest()[:32]}"


class Subjects:
    def __init__(self, store: Store, people: People) -> None:
        self._store = store
        self._people = people
        self._set_aside = SetAside(store.operations)

    def find(self, person_id: str, only: Identifier | None = None) -> Subject | None:
        """None where nobody has the id, or has not the identifier that it is `only` about; a retired id is its
        survivor's. Of one moment inside a transaction."""
        return self._find(person_id, only)

    def of_token(self, token: str) -> Subject | None:
        """Of the person, and the identifier, that a token is about; None where it is not of what is there now."""
        person_id, *rest = token.split(".")
        place = int(rest[0]) if len(rest) == 2 and rest[0].isdecimal() and len(rest[0]) < 10 else None
        subject = self._find(person_id, place)
        return subject if subject and token in (subject.token(False), subject.token(True)) else None

    def _find(self, person_id: str, only: Identifier | int | None) -> Subject | None:
        (person,) = self._people.find([person_id])
        if person is None:
            return None
        (row,) = self._store.persons.persons([person.id])
        assert row is not None
        (members,) = self._store.persons.members([row.number])
        place = None
        if only is not None:
            places = [n for n, member in enumerate(members) if only in (n, member.identifier)]
            if not places:
                return None
            (place,) = places
        (journey,) = self._people.journeys([person.id])
        events = [event for event in self._store.evidence.events([one.event.id for one in journey]) if event]
        asked = {member.number for member in (members if place is None else members[place : place + 1])}
        every = events
        if place is not None:
            events = [event for event in events if not asked.isdisjoint(event.identifiers)]
        numbers = sorted({number for event in events for number in event.identifiers} | asked)
        held = held_by_others(self._store, numbers, events)
        elsewhere = held if place is None else held_by_others(self._store, sorted(held), every)
        rows = [one for one in self._store.evidence.identifiers_by_number(numbers) if one]
        rows.sort(key=lambda one: one.identifier.key)
        alone = [one for one in rows if one.number not in held]
        return Subject(
            number=row.number,
            person=person,
            place=place,
            members=frozenset(member.number for member in members),
            events=events,
            exclusive=[one for one in alone if one.number in asked],
            shared=[one for one in rows if one.number in held],
            beside=[one for one in alone if one.number not in asked],
            contested=[one for one in rows if one.number in elsewhere and not one.pruned],
        )

    def quarantined(self, subject: Subject) -> Iterator[Quarantined]:
        """Records set aside that name the person, in order of number."""
        return self._set_aside.naming([row.identifier for row in subject.exclusive])


def held_by_others(store: Store, numbers: Sequence[int], mine: Sequence[EventRow]) -> set[int]:
    """Which identifiers an event outside `mine` holds."""
    own = Counter(number for event in mine for number in event.identifiers)
    counts = store.evidence.sightings(numbers)
    return {n for n, seen in zip(numbers, counts, strict=True) if seen and seen.observations > own[n]}


def exactly(asked: Identifier | None, scope: Scope) -> Identifier | None:
    """What a question is only about; None: the whole person. Raises SCOPE_INVALID."""
    if scope is Scope.CONNECTED:
        return None
    if asked is None:
        raise InputError("SCOPE_INVALID", "a person id was asked for with the scope EXACT, which is of an identifier")
    return asked
