"""What the store holds of one person: what an erasure takes, and what the person may ask to see."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from identity_graph.mentions import Mentions
from identity_graph.model import Person, Quarantined
from identity_graph.people import People
from identity_graph.store.protocols import EventRow, IdentifierRow, Store

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, the events of its journey, and every identifier that it has or that they saw, in order of key.

    `exclusive` are its own that no event of anybody else holds, `shared` those that such an event holds too, whosever
    they are, and `beside` the others: of another person or of nobody, but seen by its events alone.
    """

    number: int
    person: Person
    events: list[EventRow]
    exclusive: list[IdentifierRow]
    shared: list[IdentifierRow]
    beside: list[IdentifierRow]

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
        return f"{self.person.id}.{digest.hexdigest()[:32]}"


class Subjects:
    def __init__(self, store: Store, people: People) -> None:
        self._store = store
        self._people = people

    def find(self, person_id: str) -> Subject | None:
        """None where nobody has the id; a retired one is its survivor's. Of one moment inside a transaction."""
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
        return Subject(
            number=row.number,
            person=person,
            events=events,
            exclusive=[one for one in own if one.number not in held],
            shared=[one for one in rows if one.number in held],
            beside=[one for one in rows if one.person != row.number and one.number not in held],
        )

    def quarantined(self, subject: Subject) -> Iterator[Quarantined]:
        """Records set aside that name the person, in order of number. Looks at all that were set aside."""
        mentions = Mentions([row.identifier for row in subject.exclusive])
        return (record for record in self._set_aside() if mentions.found_in(record.record))

    def _set_aside(self) -> Iterable[Quarantined]:
        after = 0
        while records := self._store.operations.quarantined(after=after, limit=PAGE):
            yield from records
            after = records[-1].number

    def _held_by_others(self, numbers: list[int], mine: Sequence[EventRow]) -> set[int]:
        """Which identifiers an event outside `mine` holds."""
        own = Counter(number for event in mine for number in event.identifiers)
        counts = self._store.evidence.sightings(numbers)
        return {n for n, seen in zip(numbers, counts, strict=True) if seen and seen.observations > own[n]}
