"""What the resolvers of one request share: the services, and one batch for each of their reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any

import strawberry

from identity_graph.api.batches import Batch, Waves
from identity_graph.computed import Computed
from identity_graph.errors import InputError
from identity_graph.listing import Listing
from identity_graph.model import (
    Change,
    Consent,
    Event,
    Identifier,
    IdentifierFacts,
    JourneyEvent,
    Link,
    Membership,
    Person,
    Profile,
    Quarantined,
    Run,
    Segment,
    Session,
    Suggestion,
)
from identity_graph.remembering import Remembering
from identity_graph.segments import Segments

if TYPE_CHECKING:
    from identity_graph.api.feed import Feed
    from identity_graph.audit import Ending
    from identity_graph.people import People
    from identity_graph.service import IdentityGraph
    from identity_graph.store.protocols import Store
    from identity_graph.view import View


EVENTLESS = frozenset(
    {"__typename", "person", "people", "node", "id", "createdAt", "updatedAt", "requestedId", "segments", "name"}
    | {"description", "size", "segment", "members", "contains", "persons", "nodes", "edges", "cursor", "totalCount"}
    | {"pageInfo", "hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}
)
"""Fields of a person, and on the way to one, that are answered without its events."""


MOST_VIEWS = 10


class Reads:
    """A batch for each service method that takes keys, made when it is first used."""

    def __init__(
        self,
        graph: IdentityGraph,
        store: Store,
        people: People,
        segments: Segments,
        as_of: int | None = None,
        purpose: str | None = None,
    ) -> None:
        self._graph = graph
        self._store = store
        self._as_of = as_of
        self.purpose = purpose
        self.people = people
        self._segments = segments
        self.waves = Waves()

    def _batch(self, method: Callable[[Sequence[Any]], Sequence[Any]]) -> Batch[Any, Any]:
        return Batch(self.waves, method)

    @cached_property
    def persons(self) -> Batch[str, Person | None]:
        return self._batch(self.people.find)

    @cached_property
    def persons_by_identifier(self) -> Batch[Identifier, Person | None]:
        return self._batch(self.people.find_by_identifier)

    @cached_property
    def identifiers(self) -> Batch[Identifier, IdentifierFacts | None]:
        return self._batch(self.people.identifiers)

    @cached_property
    def members(self) -> Batch[str, tuple[Membership, ...]]:
        return self._batch(self.people.members)

    @cached_property
    def confidences(self) -> Batch[str, float]:
        return self._batch(self.people.confidences)

    @cached_property
    def profiles(self) -> Batch[str, Profile]:
        return self._batch(self.people.profiles)

    @cached_property
    def consents(self) -> Batch[str, tuple[Consent, ...]]:
        return self._batch(lambda ids: self.people.consents(ids, self._graph.clock()))

    @cached_property
    def journeys(self) -> Batch[str, tuple[JourneyEvent, ...]]:
        return self._batch(self.people.journeys)

    @cached_property
    def sessions(self) -> Batch[str, tuple[Session, ...]]:
        return self._batch(self.people.sessions)

    @cached_property
    def links(self) -> Batch[str, tuple[Link, ...]]:
        return self._batch(self.people.links)

    @cached_property
    def suggestions(self) -> Batch[str, tuple[Suggestion, ...]]:
        return self._batch(self.people.suggestions)

    @cached_property
    def evidence(self) -> Batch[tuple[Identifier, Identifier], tuple[Event, ...]]:
        return self._batch(self.people.evidence)

    @cached_property
    def events(self) -> Batch[str, JourneyEvent | None]:
        return self._batch(self.people.events)

    @cached_property
    def computed(self) -> Batch[str, dict[str, Any]]:
        clock = self._graph.clock if self._as_of is None else lambda: self._as_of or 0
        return self._batch(Computed(self._store, self.people, self._segments, clock).of_persons)

    @cached_property
    def overlap(self) -> Batch[tuple[str, str], int]:
        """Keys: the names of two segments."""
        overlap = self._graph.store.segments.overlap
        return self._batch(lambda keys: [overlap(*key) for key in keys])

    @cached_property
    def segments_of(self) -> Batch[str, tuple[str, ...]]:
        return self._batch(self.people.segments)

    @cached_property
    def segments(self) -> Batch[str, Segment | None]:
        return self._batch(self._segments.get)

    @cached_property
    def members_of(self) -> Batch[tuple[str, str, int], Sequence[str]]:
        """Keys: the segment's name, the person id to go on after, how many."""
        members = self._segments.members
        return self._batch(lambda keys: [members(*key) for key in keys])

    @cached_property
    def contains(self) -> Batch[tuple[str, str], bool]:
        """Keys: the segment's name and a person id."""
        return self._batch(self._contains)

    def _contains(self, keys: Sequence[tuple[str, str]]) -> list[bool]:
        by_name: dict[str, list[str]] = {}
        for name, person_id in keys:
            by_name.setdefault(name, []).append(person_id)
        inside = {
            (name, person_id)
            for name, ids in by_name.items()
            for person_id, found in zip(ids, self._segments.contains(name, ids), strict=True)
            if found
        }
        return [key in inside for key in keys]

    @cached_property
    def changes(self) -> Batch[str, Sequence[Change]]:
        return self._batch(self._store.persons.changes_of)

    @cached_property
    def runs(self) -> Batch[str, Run | None]:
        return self._batch(self._graph.store.operations.find_runs)

    @cached_property
    def quarantined(self) -> Batch[int, Quarantined | None]:
        return self._batch(self._quarantined)

    def _quarantined(self, numbers: Sequence[int]) -> list[Quarantined | None]:
        read = self._graph.store.operations.quarantined
        found = [next(iter(read(after=number - 1, limit=1)), None) for number in numbers]
        return [
            record if record is not None and record.number == number else None
            for number, record in zip(numbers, found, strict=True)
        ]


class Context:
    """`fields` are the names of all fields that the document holds; `veiled`: who asks must not name anybody;
    `restricted`: who asks sees restricted persons, too; `user` is the name of who asks, empty where nobody is known;
    `ending` is what is recorded of the request in the end."""

    def __init__(
        self,
        graph: IdentityGraph,
        fields: Set[str],
        feed: Feed | None = None,
        *,
        veiled: bool = False,
        restricted: bool = False,
        user: str = "",
        ending: Ending | None = None,
    ) -> None:
        self.graph = graph
        self.ending = ending
        self.feed = feed
        self.veiled = veiled
        self._restricted = restricted
        self.user = user
        self.fields = fields
        self._events = not fields <= EVENTLESS
        self._views: dict[View, Reads] = {}
        self.viewed: dict[str | int, Reads] = {}
        self.changed()

    @property
    def listing(self) -> Listing:
        return Listing(self.store, self.graph.segments, restricted=self._restricted)

    def changed(self) -> None:
        """A mutation has run: forget what was read before it."""
        self.store: Store = self.graph.store if self._restricted else self.graph.visible.at_once()
        store = Remembering(self.store, events=self._events)
        people = self.graph.people.at_once(store)
        segments = Segments(store, people, self.graph.census, self.graph.clock)
        self.reads = Reads(self.graph, self.store, people, segments)

    def under(self, view: View) -> Reads:
        """One for all fields with that view. Raises VIEW_INVALID: each is a resolution of its own."""
        if view not in self._views:
            if len(self._views) == MOST_VIEWS:
                message = f"the request looks in more than {MOST_VIEWS} ways"
                raise InputError("VIEW_INVALID", message, help="Ask in several requests.")
            people = self.graph.suppose(view, restricted=self._restricted)
            segments = Segments(self.store, people, self.graph.census, self.graph.clock)
            self._views[view] = Reads(self.graph, self.store, people, segments, view.as_of, view.purpose)
        return self._views[view]


Info = strawberry.Info[Context, None]


def reads_of(info: Info) -> Reads:
    """As the field at the root of the query, by the name that it has in the answer, wants to look at persons."""
    context = info.context
    if not context.viewed:
        return context.reads
    path = info.path
    while path.prev is not None:
        path = path.prev
    return context.viewed.get(path.key, context.reads)
