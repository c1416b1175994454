"""Computed traits: declared measures over each person's events, true at every moment because they are kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any

from identity_graph.errors import InputError
from identity_graph.measure import parse_computed
from identity_graph.people import People
from identity_graph.segments import Segments, check_name
from identity_graph.store.protocols import Store

MOST = 100
"""How many may be declared: each profile that asks for them walks its journey once for each."""


class Computed:
    def __init__(self, store: Store, people: People, segments: Segments, clock: Callable[[], int]) -> None:
        self._store = store
        self._people = people
        self._segments = segments
        self._clock = clock

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        """What each measures, by name in order."""
        return self._store.segments.computed()

    def save(self, name: str, definition: Mapping[str, Any]) -> Mapping[str, Any]:
        """Declare or replace, and evaluate the segments that ask for it. Raises CONDITION_INVALID, saving nothing."""
        check_name(name)
        parse_computed(definition, "definition")
        kept = {key: value for key, value in definition.items() if value is not None}
        while True:
            before = self._segments.basis()
            if name not in before.computed and len(before.computed) >= MOST:
                raise InputError("CONDITION_INVALID", f"{MOST} computed traits are declared", help="Delete one first.")
            after = before._replace(computed={**before.computed, name: kept})
            asking = self._segments.asking(name, after.trees)
            if self._segments.adopt(before, after, asking, partial(self._store.segments.declare, after.computed)):
                return self.all()[name]

    def delete(self, name: str) -> bool:
        """False where there is none. Raises CONDITION_INVALID where a segment asks for it."""
        with self._store.transaction():
            basis = self._segments.basis()
            known = dict(basis.computed)
            if asking := self._segments.asking(name, basis.trees):
                message = f"the segment {asking[0]!r} asks for the computed trait {name!r}"
                raise InputError("CONDITION_INVALID", message, help="Change or delete the segment first.")
            if known.pop(name, None) is None:
                return False
            self._store.segments.declare(known)
            return True

    def of_persons(self, person_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Of each person: its values by name in order, as of now; what there is no value for is left out."""
        measures = {name: parse_computed(definition, name) for name, definition in self.all().items()}
        if not measures:
            return [{} for _ in person_ids]
        now = self._clock()
        found = []
        for journey in self._people.journeys(person_ids):
            events = [one.event for one in journey]
            values = {name: _json(measure(events, now)) for name, measure in measures.items()}
            found.append({name: value for name, value in values.items() if value is not None})
        return found


def _json(value: Any) -> Any:
    """Numbers of 64 bits may add up to one that JSON has only as a float, or to none at all."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return None if isinstance(value, float) and not isfinite(value) else value
