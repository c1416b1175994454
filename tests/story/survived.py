"""What was told to a graph and not erased since: the evidence that a machine of random steps keeps beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from identity_graph.journey import attribute
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy


@dataclass(frozen=True)
class Farewell:
    """What goes with a person: its events; its identifiers that others do not hold, and such ones of nobody or of
    others; and what stays."""

    events: list[str]
    exclusive: set[Identifier]
    beside: set[Identifier]
    shared: set[Identifier]


class Survived:
    def __init__(self) -> None:
        self.told: list[Event] = []  # all that ever came, as it came
        self.events: dict[str, Event] = {}  # by id: what is left, with the ends of statements among the identifiers
        self.buried: set[Identifier] = set()
        self._buried_events: set[str] = set()

    def tell(self, events: Iterable[Event]) -> Counter[str]:
        """How many are accepted, duplicates and suppressed."""
        counts: Counter[str] = Counter()
        for event in events:
            self.told.append(event)
            whole = event._replace(identifiers=_named(event))
            if event.id in self._buried_events or self.buried.intersection(whole.identifiers):
                counts["suppressed"] += 1
            elif event.id in self.events:
                counts["duplicate"] += 1
            else:
                counts["accepted"] += 1
                self.events[event.id] = whole
        return counts

    def everyone(self) -> set[Identifier]:
        return {one for event in self.events.values() for one in event.identifiers}

    def farewell(self, person: str, owner: Mapping[Identifier, str], policy: Policy) -> Farewell:
        """`owner` is the person of each identifier that is published."""
        members = {one for one, id in owner.items() if id == person}
        mine: list[Event] = []
        others: list[Event] = []
        for event in self.events.values():
            by = attribute((one for one in event.identifiers if one in owner), policy)
            (mine if by in members else others).append(event)
        held = {one for event in others for one in event.identifiers}
        named = members.union(*(event.identifiers for event in mine))
        return Farewell([event.id for event in mine], members - held, named - members - held, named & held)

    def erase(self, gone: Farewell) -> None:
        for id in gone.events:
            del self.events[id]
        self._buried_events.update(gone.events)
        self.buried |= gone.exclusive


def _named(event: Event) -> tuple[Identifier, ...]:
    stated = (one for pairs in (event.same_person, event.apart) for pair in pairs for one in pair)
    return tuple(dict.fromkeys((*event.identifiers, *stated)))
