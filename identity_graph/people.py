"""Questions about persons, answered many at a time: every read takes a sequence and gives an aligned list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias, TypeVar

import numpy as np

from identity_graph.consent import standing, stated
from identity_graph.explaining import explain, not_one
from identity_graph.journey import attribute, sessions
from identity_graph.linking import Linking
from identity_graph.model import (
    Consent,
    Event,
    Explanation,
    Identifier,
    IdentifierFacts,
    JourneyEvent,
    Link,
    Membership,
    Person,
    Profile,
    Reason,
    Session,
    Suggestion,
)
from identity_graph.network import network
from identity_graph.policy import Policy
from identity_graph.reasons import pruned_reason
from identity_graph.remembering import Remembering
from identity_graph.segment import Facts
from identity_graph.stitch import stitch
from identity_graph.store.protocols import EventRow, IdentifierRow, PersonRow, Store
from identity_graph.suggesting import suggestions

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl


Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def _of_one_moment(
    method: Callable[Concatenate[People, Given], Answer],
) -> Callable[Concatenate[People, Given], Answer]:
    """All that the method reads is as it was when it began: a resolution may publish meanwhile."""

    @wraps(method)
    def read(self: People, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return self._store.moment(lambda: method(self, *args, **kwargs))

    return read


Hiding: TypeAlias = "tuple[Callable[[], People], Reason]"
"""Persons of whom some are left out, and why these are."""


class People:
    """`ahead`, where there is one, hears first of the persons that are looked for. `hiding` are those of whom these are
    some; `withheld` is why nothing is told of who is nobody here."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        *,
        ahead: Remembering | None = None,
        hiding: Hiding | None = None,
        withheld: Reason | None = None,
    ) -> None:
        self._store = store
        self._hiding, self._withheld = hiding, withheld
        self._policy = policy
        self._linking = Linking(store, policy)
        self._ahead = ahead
        self._remembered: dict[str, tuple[JourneyEvent, ...]] | None = None if ahead is None else {}

    def at_once(self, store: Remembering) -> People:
        """The same, for the many questions of one request: `store` keeps what is read of the persons that it finds."""
        return People(store, self._policy, ahead=store)

    # ---- who

    def find(self, ids: Sequence[str]) -> list[Person | None]:
        """By person id; a retired id finds its survivor, and says so by `requested_id`."""
        if self._ahead:
            self._ahead.look(ids=ids)
        return self._find(ids)

    @_of_one_moment
    def _find(self, ids: Sequence[str]) -> list[Person | None]:
        rows = self._store.persons.persons(ids)
        retired = [row.survivor for row in rows if row and row.survivor is not None]
        survivors = self._by_number(retired)
        found: list[Person | None] = []
        for row in rows:
            if row is None:
                found.append(None)
            elif row.survivor is None:
                found.append(_person(row))
            else:
                found.append(_person(survivors[row.survivor], requested_id=row.id))
        return found

    def find_by_identifier(self, identifiers: Sequence[Identifier]) -> list[Person | None]:
        if self._ahead:
            self._ahead.look(identifiers)
        return self._find_by_identifier(identifiers)

    @_of_one_moment
    def _find_by_identifier(self, identifiers: Sequence[Identifier]) -> list[Person | None]:
        rows = self._store.evidence.identifiers(identifiers)
        persons = self._by_number([row.person for row in rows if row and row.person is not None])
        return [_person(persons[row.person]) if row and row.person is not None else None for row in rows]

    @_of_one_moment
    def identifiers(self, keys: Sequence[Identifier]) -> list[IdentifierFacts | None]:
        rows = self._store.evidence.identifiers(keys)
        known = [row for row in rows if row]
        seen = dict(
            zip(
                [row.number for row in known],
                self._store.evidence.sightings([row.number for row in known]),
                strict=True,
            )
        )
        persons = self._by_number([row.person for row in known if row.person is not None])
        found: list[IdentifierFacts | None] = []
        for row in rows:
            sighting = seen[row.number] if row else None
            if row is None or sighting is None:
                found.append(None)
                continue
            pruned = pruned_reason(row.pruned, row.identifier, self._policy) if row.pruned else None
            owner = persons[row.person].id if row.person is not None else None
            found.append(IdentifierFacts(row.identifier, *sighting, pruned=pruned, person_id=owner))
        return found

    def page(self, after: str = "", limit: int = 100, backward: bool = False) -> list[Person]:
        """Live persons in order of id; see `listing` for other orders."""
        return self._store.persons.page(after=after, limit=limit, backward=backward)

    def expect(self, persons: Sequence[Person]) -> None:
        """Much may be asked of these at once."""
        if self._ahead:
            self._ahead.expect([person.id for person in persons])

    def count(self) -> int:
        return self._store.persons.count()

    @_of_one_moment
    def memberships(self) -> pl.DataFrame:
        """Every membership: person_id, namespace, value, sorted by the three."""
        import polars as pl

        numbers, owners = self._store.persons.membership()
        identifiers, values = self._store.evidence.identifier_table()
        position = np.searchsorted(identifiers.number, numbers)
        persons, inverse = np.unique(owners, return_inverse=True)
        ids = np.array([row.id for row in self._store.persons.persons_by_number(persons.tolist()) if row], dtype=object)
        spaces = np.array(identifiers.namespaces, dtype=object)
        columns = {
            "person_id": ids[inverse] if len(ids) else [],
            "namespace": spaces[identifiers.namespace[position]] if len(spaces) else [],
            "value": [values[row] for row in position.tolist()],
        }
        schema = dict.fromkeys(columns, pl.String)
        return pl.DataFrame(columns, schema=schema).sort("person_id", "namespace", "value")

    # ---- what is known

    @_of_one_moment
    def members(self, person_ids: Sequence[str]) -> list[tuple[Membership, ...]]:
        """By key. The confidence is that of the weakest link on the strongest path to the person's best identifier."""
        found = self._members(person_ids)
        sure = self._linking.confidences(found)
        return [
            tuple(Membership(row.identifier, of[row.number], row.since) for row in rows)
            for rows, of in zip(found, sure, strict=True)
        ]

    @_of_one_moment
    def confidences(self, person_ids: Sequence[str]) -> list[float]:
        """The weakest link that holds each person together; 1 for a single identifier, 0 for nobody."""
        return [min(of.values(), default=0.0) for of in self._linking.confidences(self._members(person_ids))]

    @_of_one_moment
    def profiles(self, person_ids: Sequence[str]) -> list[Profile]:
        return [stitch((one.event for one in journey), self._policy) for journey in self.journeys(person_ids)]

    @_of_one_moment
    def journeys(self, person_ids: Sequence[str]) -> list[tuple[JourneyEvent, ...]]:
        """The events attributed to each person, oldest first, by time, then id."""
        known = self._remembered
        if known is None:
            return self._journeys(person_ids)
        missing = [person_id for person_id in dict.fromkeys(person_ids) if person_id not in known]
        known.update(zip(missing, self._journeys(missing), strict=True))
        return [known[person_id] for person_id in person_ids]

    @_of_one_moment
    def sessions(self, person_ids: Sequence[str]) -> list[tuple[Session, ...]]:
        return [sessions(journey, self._policy.session_gap) for journey in self.journeys(person_ids)]

    @_of_one_moment
    def segments(self, person_ids: Sequence[str]) -> list[tuple[str, ...]]:
        found = self._find(person_ids)
        ids = [person.id for person in found if person]
        names = dict(zip(ids, self._store.segments.of_persons(ids), strict=True))
        return [tuple(names[person.id]) if person else () for person in found]

    @_of_one_moment
    def consents(self, person_ids: Sequence[str], now: int) -> list[tuple[Consent, ...]]:
        """What stands at a time of what each person's events state, by purpose in order."""
        journeys = self.journeys(person_ids)
        said = [standing((word for one in journey for word in stated(one.event)), now) for journey in journeys]
        return [tuple(found.values()) for found in said]

    @_of_one_moment
    def facts(self, person_ids: Sequence[str]) -> list[Facts]:
        """What conditions ask."""
        journeys = self.journeys(person_ids)
        members = self._members(person_ids)
        found = []
        for journey, rows in zip(journeys, members, strict=True):
            events = [one.event for one in journey]
            profile = stitch(events, self._policy)
            stated = {trait.name: trait.time for trait in profile.traits}
            found.append(Facts(profile.values, events, [row.identifier for row in rows], stated))
        return found

    @_of_one_moment
    def events(self, ids: Sequence[str]) -> list[JourneyEvent | None]:
        rows = self._store.evidence.events(ids)
        attributed = {one.event.id: one for one in self._attributed([row for row in rows if row])}
        return [attributed[row.event.id] if row else None for row in rows]

    # ---- why

    @_of_one_moment
    def links(self, person_ids: Sequence[str]) -> list[tuple[Link, ...]]:
        """Links between a person's identifiers, and the suppressed ones that end in them; by keys."""
        return self._linking.links(self._members(person_ids))

    @_of_one_moment
    def suggestions(self, person_ids: Sequence[str]) -> list[tuple[Suggestion, ...]]:
        """Of each person: others that may be the same, the strongest suggestion first; see `suggesting`."""
        links = self.links(person_ids)
        ends = list(dict.fromkeys(end for of in links for link in of for end in (link.a, link.b)))
        rows = [row for row in self._store.evidence.identifiers(ends) if row and row.person is not None]
        persons = self._by_number([row.person for row in rows if row.person is not None])
        owner = {row.identifier: persons[row.person].id for row in rows if row.person in persons}
        ids = [found.id if found else "" for found in self._find(person_ids)]
        return [suggestions(id, of, owner) for id, of in zip(ids, links, strict=True)]

    @_of_one_moment
    def networks(self, person_ids: Sequence[str]) -> list[nx.Graph[str]]:
        """Each person as a networkx graph, suppressed links included; see `network`."""
        found = zip(self.members(person_ids), self.links(person_ids), strict=True)
        return [network(members, links) for members, links in found]

    @_of_one_moment
    def evidence(self, pairs: Sequence[tuple[Identifier, Identifier]]) -> list[tuple[Event, ...]]:
        """The events that saw, or stated, both; oldest first."""
        rows = self._store.evidence.identifiers([one for pair in pairs for one in pair])
        # The events of one end are enough; those of a hub or of an internet address would be by the million.
        ends = [
            sorted((a, b), key=lambda row: row.pruned is not None) if a and b else None
            for a, b in zip(rows[::2], rows[1::2], strict=True)
        ]
        numbers = sorted({pair[0].number for pair in ends if pair})
        events = dict(zip(numbers, self._store.evidence.events_of(numbers), strict=True))
        return [
            tuple(row.event for row in events[pair[0].number] if pair[1].number in row.identifiers) if pair else ()
            for pair in ends
        ]

    @_of_one_moment
    def explain(self, a: Identifier, b: Identifier) -> Explanation:
        """Why, or why not, they are one person; an identifier that was never observed is an obstacle."""
        if self._hiding is None:
            return explain(self._store, self._policy, a, b, self._withheld)
        everybody, reason = self._hiding
        whole = everybody().explain(a, b)
        if not whole.same_person:
            return whole
        found = explain(self._store, self._policy, a, b, self._withheld)
        return found if found.same_person else not_one(a, b, [reason], whole.path)

    # ---- parts

    def _by_number(self, numbers: Iterable[int]) -> dict[int, PersonRow]:
        wanted = list(dict.fromkeys(numbers))
        rows = self._store.persons.persons_by_number(wanted)
        return {row.number: row for row in rows if row}

    def _members(self, person_ids: Sequence[str]) -> list[list[IdentifierRow]]:
        rows = self._store.persons.persons(person_ids)
        numbers = [row.survivor or row.number for row in rows if row]
        members = dict(zip(numbers, self._store.persons.members(numbers), strict=True))
        return [members[row.survivor or row.number] if row else [] for row in rows]

    def _journeys(self, person_ids: Sequence[str]) -> list[tuple[JourneyEvent, ...]]:
        if not person_ids:
            return []
        members = self._members(person_ids)
        numbers = list(dict.fromkeys(row.number for rows in members for row in rows))
        seen = dict(zip(numbers, self._store.evidence.events_of(numbers), strict=True))
        events = {event.number: event for found in seen.values() for event in found}
        attributed = dict(zip(events, self._attributed(list(events.values())), strict=True))
        ids = {row.number: row.id for row in self._by_number(_owners(members)).values()}
        journeys = []
        for rows in members:
            own = {event.number for row in rows for event in seen[row.number]}
            mine = ids[rows[0].person] if rows and rows[0].person is not None else None
            journey = [attributed[number] for number in own if attributed[number].person_id == mine]
            journeys.append(tuple(sorted(journey, key=lambda one: (one.event.time, one.event.id))))
        return journeys

    def _attributed(self, rows: Sequence[EventRow]) -> list[JourneyEvent]:
        numbers = list(dict.fromkeys(number for row in rows for number in row.identifiers))
        found = self._store.evidence.identifiers_by_number(numbers)
        owner = {row.identifier: row.person for row in found if row and row.person is not None}
        persons = self._by_number(owner.values())
        answer = []
        for row in rows:
            by = attribute((one for one in row.event.identifiers if one in owner), self._policy)
            answer.append(JourneyEvent(row.event, by, persons[owner[by]].id if by else None))
        return answer


def _owners(members: Iterable[Iterable[IdentifierRow]]) -> list[int]:
    return [row.person for rows in members for row in rows if row.person is not None]


def _person(row: PersonRow, requested_id: str | None = None) -> Person:
    return Person(row.id, row.created, row.updated, requested_id)
