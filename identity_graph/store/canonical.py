"""The lines of the state: equal for equal evidence and persons, whatever the store, the numbers and the way there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson


def event_line(
    id: str,
    time: int,
    source: str,
    name: str,
    keys: Iterable[str],
    stated: Iterable[tuple[str, str, int]],
    traits: str | None,
    properties: str | None,
) -> bytes:
    """`stated`: two keys, and whether they are kept apart. `traits` and `properties` are canonical JSON, None for an
    empty object."""
    pairs = sorted([*sorted((a, b)), *(("apart",) if apart else ())] for a, b, apart in stated)
    objects = [orjson.Fragment(text or "{}") for text in (traits, properties)]
    return orjson.dumps(["event", [id, time, source, name, sorted(keys), pairs, *objects]])


def person_lines(persons: Iterable[Iterable[str]]) -> list[bytes]:
    """Of each person's keys, in order."""
    return [orjson.dumps(["person", keys]) for keys in sorted(sorted(keys) for keys in persons)]


def suppressed_lines(links: Iterable[tuple[str, str, str, str | None, Sequence[str]]]) -> list[bytes]:
    """Of the two keys, the code of the reason, its namespace and its values; in order."""
    found = [[*sorted((a, b)), code, space or "", sorted(values)] for a, b, code, space, values in links]
    return [orjson.dumps(["suppressed", link]) for link in sorted(found)]
