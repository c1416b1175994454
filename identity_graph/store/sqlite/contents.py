"""The content of an event as a row, in canonical form: equal content gives equal rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Any, NamedTuple

import orjson

from identity_graph.model import Event, Identifier
from identity_graph.store.sqlite.columns import unpack

_PACKERS = [Struct(f"<{length}q").pack for length in range(17)]


class Content(NamedTuple):
    """The columns of an event that tell two events of one id apart."""

    time: int
    source: int
    identifiers: bytes
    stated: bytes | None
    name: str
    traits: str | None
    properties: str | None


def pack_numbers(numbers: Iterable[int]) -> bytes:
    """Little-endian int64, ascending, without repeats."""
    found = sorted(set(numbers))
    length = len(found)
    return _PACKERS[length](*found) if length < 17 else Struct(f"<{length}q").pack(*found)


def content(event: Event, source: int, numbers: Mapping[Identifier, int]) -> Content:
    """Both ends of a stated pair are observed too. Raises KeyError for an identifier without a number."""
    seen: Iterable[int] = [numbers[identifier] for identifier in event.identifiers]
    stated = None
    if event.same_person:
        pairs = {(numbers[a], numbers[b]) for a, b in event.same_person if a != b}
        seen = [*seen, *(numbers[end] for pair in event.same_person for end in pair)]
        ordered = sorted((min(pair), max(pair)) for pair in pairs)
        flat = [number for pair in dict.fromkeys(ordered) for number in pair]
        stated = Struct(f"<{len(flat)}q").pack(*flat) if flat else None
    return Content(
        event.time,
        source,
        pack_numbers(seen),
        stated,
        event.name,
        write_object(event.traits) if event.traits else None,
        write_object(event.properties) if event.properties else None,
    )


def write_object(value: Any) -> str:
    """Canonical JSON: sorted keys, no blanks. Whole numbers beyond 64 bits are kept in full."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def read_object(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text) if text else {}
    return found


def numbers_of(blob: bytes) -> tuple[int, ...]:
    return tuple(unpack(blob).tolist())


def pairs_of(blob: bytes | None) -> list[tuple[int, int]]:
    if not blob:
        return []
    flat = numbers_of(blob)
    return list(zip(flat[::2], flat[1::2], strict=True))
