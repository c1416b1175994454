"""Events to a journey: whose event it is, in which order, in which session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from identity_graph.model import Identifier, JourneyEvent, Session
from identity_graph.policy import Policy


def attribute(owned: Iterable[Identifier], policy: Policy) -> Identifier | None:
    """By which of its identifiers that belong to persons an event belongs to one: that of the highest priority, then
    of the smaller key. None where nobody owns any."""
    return min(owned, key=lambda one: (policy.rule(one.namespace).priority, one.key), default=None)


def sessions(journey: Sequence[JourneyEvent], gap: int) -> tuple[Session, ...]:
    """Cut a journey (oldest first) where more than `gap` microseconds pass between two events."""
    found: list[Session] = []
    start = 0
    for position in range(1, len(journey) + 1):
        if position == len(journey) or journey[position].event.time - journey[position - 1].event.time > gap:
            found.append(Session(tuple(journey[start:position])))
            start = position
    return tuple(found)
