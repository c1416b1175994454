"""An event or a record that came without a file, as the bytes that quarantine keeps of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from identity_graph.model import Event, Identifier


def write_event(event: Event) -> bytes:
    """JSON of one line. Raises ValueError for what JSON cannot hold, and would lose: NaN, half of a surrogate pair.

    >>> event = Event("e", 5, "web", "Seen", [Identifier("email", "a@b.example")], {}, {"x": 1})
    >>> read_event(write_event(event)) == event
    True
    """
    if not (finite(event.traits) and finite(event.properties)):
        raise ValueError("a number is not finite")
    try:
        plain = event._asdict() | {
            "identifiers": [list(identifier) for identifier in event.identifiers],
            "same_person": [[list(a), list(b)] for a, b in event.same_person],
            "apart": [[list(a), list(b)] for a, b in event.apart],
        }
        # Left out where there is none, as nearly always: who was erased is known by the bytes of these records, too.
        if formerly := plain.pop("formerly"):
            plain["formerly"] = [list(identifier) for identifier in formerly]
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from error


def write_record(record: Mapping[str, Any]) -> bytes:
    """A line of JSON with all that is in the record, also what `read_json` then refuses.

    >>> write_record({"n": 2**70})
    b'{"n":1180591620717411303424}'
    """
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(record).encode()


def read_event(raw: bytes) -> Event:
    """The event of `write_event`. Raises ValueError."""
    value: dict[str, Any] = orjson.loads(raw)
    try:
        return Event(
            id=value["id"],
            time=value["time"],
            source=value["source"],
            name=value["name"],
            identifiers=[Identifier(*found) for found in value["identifiers"]],
            traits=value["traits"],
            properties=value["properties"],
            same_person=tuple((Identifier(*a), Identifier(*b)) for a, b in value["same_person"]),
            received=value["received"],
            apart=tuple((Identifier(*a), Identifier(*b)) for a, b in value["apart"]),
            formerly=tuple(Identifier(*found) for found in value.get("formerly", ())),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an event: {error}") from error


def finite(value: object) -> bool:
    """Whether every number in it is."""
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(finite, value))
