"""What is wrong with an event's id, name or time, whichever way it came in: a code and a message. And all that may be
wrong with an event that a program made without a loader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from identity_graph.errors import InputError
from identity_graph.former import normalise_then
from identity_graph.model import Event, Identifier
from identity_graph.normalise import normalise, uncertain
from identity_graph.times import DAY, EARLIEST, EPOCH, LATEST, MICROSECOND, format_time

LONGEST_ID = 256
LONGEST_NAME = 256
LONGEST_SOURCE = 64
DAWN = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
"""Before it are the times that programs write for none: the first days of the years 1, 1601, 1753 and 1899."""

_FAR = 3_653 * DAY

Flaw = tuple[str, str]


def is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and not value.isspace()


def is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME


def is_source(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_SOURCE


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


def event_flaw(event: object, now: int, known: set[Identifier]) -> Flaw | None:
    """What a loader would have refused, or made otherwise, of an event that came without one.

    `known` remembers identifiers that are canonical, of which each takes microseconds once; see `surely_canonical`.
    """
    if not isinstance(event, Event):
        return "TYPE_INVALID", f"it is no Event but {type(event).__name__}"
    return _plain_flaw(event, now) or _lists_flaw(event) or _naming_flaw(event, known)


def _plain_flaw(event: Any, now: int) -> Flaw | None:
    if not is_id(event.id):
        return id_flaw(event.id)
    if not is_name(event.name):
        return name_flaw(event.name)
    if not is_source(event.source):
        return "EVENT_SOURCE_INVALID", f"the source is not a text of at most {LONGEST_SOURCE} characters"
    if "\0" in event.id or "\0" in event.name or "\0" in event.source:
        return "TEXT_INVALID", "the event's id, name or source holds a NUL"
    for name, time in (("time", event.time), ("received", event.received)):
        if time.__class__ is not int:
            return "TS_INVALID", f"{name} is not a whole number of microseconds but {type(time).__name__}"
        if not EARLIEST <= time <= LATEST:
            return "TS_RANGE", f"{name} is outside the years 1 to 9999"
    if not DAWN <= event.time <= now + DAY:
        return untimely(event.time, now)
    for name, object in (("traits", event.traits), ("properties", event.properties)):
        if object.__class__ is not dict and not isinstance(object, Mapping):
            return "OBJECT_INVALID", f"{name} are no object but {type(object).__name__}"
    return None


def _naming_flaw(event: Event, known: set[Identifier]) -> Flaw | None:
    if not (event.identifiers or event.same_person or event.apart):
        return "NO_IDENTIFIER", "the event has no identifier"
    for identifier in _named(event):
        if identifier.__class__ is not Identifier:
            return "TYPE_INVALID", f"an identifier is no Identifier but {type(identifier).__name__}"
        if identifier.value.__class__ is not str:
            return "VALUE_INVALID", f"an identifier's value is not a text but {type(identifier.value).__name__}"
        if identifier.namespace.__class__ is not str:
            return "NAMESPACE_INVALID", f"a namespace is not a text but {type(identifier.namespace).__name__}"
        if identifier not in known:
            if flaw := _identifier_flaw(identifier):
                return flaw
            known.add(identifier)
    return None


def surely_canonical(events: Iterable[object]) -> set[Identifier]:
    """Of the identifiers of events those that are seen to be canonical at a look at many, in a third of the time."""
    spaces: defaultdict[str, set[Identifier]] = defaultdict(set)
    for event in events:
        if isinstance(event, Event) and event.identifiers.__class__ in (list, tuple):
            for one in event.identifiers:
                if one.__class__ is Identifier and one.value.__class__ is one.namespace.__class__ is str:
                    spaces[one.namespace].add(one)
    sure: set[Identifier] = set()
    for namespace, found in spaces.items():
        named = list(found)
        odd = set(uncertain(namespace, [one.value for one in named]))
        sure.update(one for place, one in enumerate(named) if place not in odd)
    return sure


def _lists_flaw(event: Any) -> Flaw | None:
    for name in ("identifiers", "same_person", "apart", "formerly"):
        found = getattr(event, name)
        if found.__class__ not in (list, tuple) and (not isinstance(found, Sequence) or isinstance(found, str)):
            return "TYPE_INVALID", f"{name} is no list but {type(found).__name__}"
    for pair in (*event.same_person, *event.apart):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            return "TYPE_INVALID", "what is stated of two identifiers is no pair of them"
    if not all(isinstance(one, Identifier) and set(map(type, one)) == {str} for one in event.formerly):
        return "TYPE_INVALID", "formerly holds what is no Identifier"
    return None


def _named(event: Event) -> Iterator[Any]:
    yield from event.identifiers
    for pair in (*event.same_person, *event.apart):
        yield from pair


def _identifier_flaw(identifier: Identifier) -> Flaw | None:
    """None of what this version writes, or one before it wrote."""
    try:
        found = normalise(*identifier)
        if found == identifier:
            return None
        flaw = "NOT_CANONICAL", f"normalise writes the identifier of {found.namespace} otherwise"
    except InputError as error:
        flaw = error.code, error.message
    for then in normalise_then():
        try:
            if then(*identifier) == identifier:
                return None
        except InputError:
            pass
    return flaw
