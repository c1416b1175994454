"""In which fields an event differs from the stored one of its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from identity_graph.event_table import canonical_json
from identity_graph.model import Event, Identifier

MOST = 5


def differences(event: Event, stored: Event) -> str:
    """Fields of the event, never values. A key that only the stored event has is not named: whoever is forgotten later
    must not be found in what is said of another's event.

    >>> ann = [Identifier("user_id", "ann")]
    >>> stored = Event("e", 5, "web", "Seen", ann, {"city": "Ulm", "plan": "free"}, {"cart": {"total": 1}})
    >>> differences(stored._replace(time=6, traits={"plan": "pro"}, properties={"cart": {"total": 1.0}}), stored)
    'time, traits, traits.plan, properties.cart.total'
    """
    return ", ".join(islice(_fields(event, stored), MOST)) or "content"


def _fields(event: Event, stored: Event) -> Iterator[str]:
    for name in ("time", "source", "name"):
        if getattr(event, name) != getattr(stored, name):
            yield name
    if _seen(event) != _seen(stored):
        yield "identifiers"
    for name in ("same_person", "apart"):
        if _pairs(getattr(event, name)) != _pairs(getattr(stored, name)):
            yield name
    yield from _paths("traits", event.traits, stored.traits)
    yield from _paths("properties", event.properties, stored.properties)


def _seen(event: Event) -> set[Identifier]:
    return {*event.identifiers, *(end for pair in (*event.same_person, *event.apart) for end in pair)}


def _pairs(stated: Any) -> set[frozenset[Identifier]]:
    return {frozenset(pair) for pair in stated}


def _paths(path: str, value: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    if stored.keys() - value.keys():
        yield path
    for key in sorted(value):
        inner = f"{path}.{key if key.isidentifier() else repr(key)}"
        if key not in stored:
            yield inner[:80]
        elif isinstance(value[key], Mapping) and isinstance(stored[key], Mapping):
            yield from _paths(inner, value[key], stored[key])
        elif canonical_json(value[key]) != canonical_json(stored[key]):
            yield inner[:80]
