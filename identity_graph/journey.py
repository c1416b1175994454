"""Events to a journey: whose event it is, in which order, in which session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum

from identity_graph.model import Event, Identifier, JourneyEvent, Session, Touchpoint
from identity_graph.policy import Policy
from identity_graph.times import format_time


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


def touchpoints(journey: Sequence[JourneyEvent]) -> list[Touchpoint]:
    """Of a journey (oldest first), by channel, in order of the first touch: first, last, how many."""
    by_channel: dict[str, list[JourneyEvent]] = {}
    for one in journey:
        by_channel.setdefault(one.event.source, []).append(one)
    return [Touchpoint(channel, found[0], found[-1], len(found)) for channel, found in by_channel.items()]


class Bucket(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"
    NAME = "NAME"
    SOURCE = "SOURCE"


_BUCKETS: Mapping[Bucket, Callable[[Event], str]] = {
    Bucket.DAY: lambda event: format_time(event.time)[:10],
    Bucket.WEEK: lambda event: _week(event.time),
    Bucket.MONTH: lambda event: format_time(event.time)[:7],
    Bucket.YEAR: lambda event: format_time(event.time)[:4],
    Bucket.NAME: lambda event: event.name,
    Bucket.SOURCE: lambda event: event.source,
}


def activity(journey: Iterable[JourneyEvent], bucket: Bucket) -> list[tuple[str, int]]:
    """How many events by day, week (ISO 8601), month or year (UTC), name or source; in order of that."""
    return sorted(Counter(_BUCKETS[bucket](one.event) for one in journey).items())


def _week(time: int) -> str:
    year, week, _ = date.fromisoformat(format_time(time)[:10]).isocalendar()
    return f"{year:04}-W{week:02}"
