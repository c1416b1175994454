"""What is wrong with an event's id, name or time, whichever way it came in: a code and a message."""

from __future__ import annotations

from datetime import UTC, datetime

from identity_graph.model import Event
from identity_graph.times import DAY, EARLIEST, EPOCH, LATEST, MICROSECOND, format_time

LONGEST_ID = 256
LONGEST_NAME = 256
DAWN = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
"""Before it are the times that programs write for none: the first days of the years 1, 1601, 1753 and 1899."""

_FAR = 3_653 * DAY

Flaw = tuple[str, str]


def is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and not value.isspace()


def is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def id_flaw(id: object) -> Flaw:
    """Of an id that is not a text of 1 to 256 characters."""
    if isinstance(id, str) and len(id) > LONGEST_ID:
        return "EVENT_ID_TOO_LONG", f"the event id is longer than {LONGEST_ID} characters"
    return "EVENT_ID_INVALID", "the event id is not a text or whole number, or it is blank"


def name_flaw(name: object) -> Flaw:
    """Of a name that is not a text of 1 to 256 characters."""
    if name is None or name == "":
        return "EVENT_NAME_MISSING", "the event has no name"
    if isinstance(name, str):
        return "EVENT_NAME_TOO_LONG", f"the event's name is longer than {LONGEST_NAME} characters"
    return "EVENT_NAME_INVALID", f"the event's name is not a text but {type(name).__name__}"


def untimely(time: int, received: int) -> Flaw:
    """Of a time that is not between `DAWN` and a day after it was received."""
    if not EARLIEST <= time <= LATEST:
        return "TS_RANGE", "the time is outside the years 1 to 9999"
    if time < DAWN:
        return "TS_PAST", f"the time {format_time(time)} is before 1900"
    if time > received + _FAR:
        return "TS_FAR_FUTURE", f"the time {format_time(time)} is more than ten years in the future"
    return "TS_FUTURE", f"the time {format_time(time)} is more than a day in the future"


def event_flaw(event: Event, now: int) -> Flaw | None:
    """What a loader would have refused, of an event that came without one."""
    if not (event.identifiers or event.same_person or event.apart):
        return "NO_IDENTIFIER", "the event has no identifier"
    if not is_id(event.id):
        return id_flaw(event.id)
    if not is_name(event.name):
        return name_flaw(event.name)
    if "\0" in event.id or "\0" in event.name or "\0" in event.source:
        return "TEXT_INVALID", "the event's id, name or source holds a NUL"
    return None if DAWN <= event.time <= now + DAY else untimely(event.time, now)
