"""A store of events as a dictionary: what the real ones must agree with."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from identity_graph.model import Event, Identifier


def content(event: Event) -> tuple[Any, ...]:
    pairs = {(frozenset(pair), False) for pair in event.same_person if pair[0] != pair[1]}
    pairs |= {(frozenset(pair), True) for pair in event.apart if pair[0] != pair[1]}
    ends = {end for pair in (*event.same_person, *event.apart) for end in pair}
    seen = frozenset(event.identifiers) | ends
    return event.time, event.source, event.name, seen, pairs, repr_of(event.traits), repr_of(event.properties)


def repr_of(value: Any) -> Any:
    """Equal for equal JSON, and for nothing else: 1, 1.0 and true are three values."""
    if hasattr(value, "items"):
        return "object", frozenset((key, repr_of(each)) for key, each in value.items())
    if isinstance(value, list):
        return "list", tuple(map(repr_of, value))
    return type(value).__name__, repr(value)


class NaiveEvidence:
    def __init__(self) -> None:
        self.stored: dict[str, Event] = {}
        self.counts: Counter[str] = Counter()

    def append(self, event: Event) -> None:
        first = self.stored.setdefault(event.id, event)
        if first is event:
            self.counts["accepted"] += 1
        else:
            self.counts["duplicate" if content(first) == content(event) else "quarantined"] += 1

    def seen(self) -> dict[Identifier, set[str]]:
        """Of each identifier: the ids of the events that saw it."""
        found: dict[Identifier, set[str]] = defaultdict(set)
        for event in self.stored.values():
            for identifier in content(event)[3]:
                found[identifier].add(event.id)
        return found
