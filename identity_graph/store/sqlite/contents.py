"""The content of an event as a row, in canonical form: equal content gives equal rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from identity_graph.event_table import canonical_json
from identity_graph.model import Event
from identity_graph.store.sqlite.columns import pack, unpack


class Content(NamedTuple):
    """The columns of an event that tell two events of one id apart."""

    time: int
    source: int
    identifiers: bytes
    stated: bytes | None
    name: str
    traits: str | None
    properties: str | None


def content(event: Event, source: int, numbers: Mapping[tuple[str, str], int]) -> Content:
    """Both ends of a stated pair are observed too. Raises KeyError for an identifier without a number."""
    ends = [numbers[end] for pair in event.same_person for end in pair]
    return Content(
        event.time,
        source,
        pack(sorted({*ends, *(numbers[identifier] for identifier in event.identifiers)})),
        pack_pairs(canonical_pairs(zip(ends[::2], ends[1::2], strict=True))),
        event.name,
        write_object(event.traits),
        write_object(event.properties),
    )


def canonical_pairs(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending, each pair too, without repeats and without an identifier that is stated to be itself."""
    return sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})


def pack_pairs(pairs: Sequence[tuple[int, int]] | None) -> bytes | None:
    return pack([number for pair in pairs for number in pair]) if pairs else None


def write_object(value: Any) -> str | None:
    """Canonical JSON; None for an empty object."""
    return canonical_json(value) if value else None


def read_object(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text) if text else {}
    return found


def id_hash(id: str) -> int:
    """48 bits, signed, under which an event is found. Several ids may share one."""
    return int.from_bytes(blake2b(id.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "little", signed=True)


def numbers_of(blob: bytes) -> tuple[int, ...]:
    return tuple(unpack(blob).tolist())


def pairs_of(blob: bytes | None) -> list[tuple[int, int]]:
    if not blob:
        return []
    flat = numbers_of(blob)
    return list(zip(flat[::2], flat[1::2], strict=True))
