"""Events as columns: the form in which a load hands them from one process to another, and to the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import chain
from typing import Any, TypeVar, overload

import numpy as np
import orjson

from identity_graph.hashed import Hashed
from identity_graph.model import Event, Identifier
from identity_graph.named import Named
from identity_graph.repeated import Repeated
from identity_graph.tables import Int32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EventTable(Sequence[Event]):
    """Events column by column: one step for many where one for each would take longer than storing them.

    As a sequence it makes each event anew. `named` holds identifiers without repeats, each in use: `seen` (int32) are
    places in it, event by event, `lengths` (int32) how many of them each event has, and `stated` (event, a, b, apart)
    the pairs that an event states, also as places. `traits` and `properties` are canonical JSON, None for an empty
    object. `formerly` is of (event, namespace, value). `hashed` is there where somebody had the time to work it out
    before the table is stored.
    """

    ids: Sequence[str]
    times: Sequence[int]
    sources: Sequence[str]
    names: Sequence[str]
    received: Sequence[int]
    named: Sequence[tuple[str, str]]
    seen: Int32
    lengths: Int32
    stated: Sequence[tuple[int, int, int, bool]]
    traits: Sequence[str | None]
    properties: Sequence[str | None]
    formerly: Sequence[tuple[int, str, str]] = ()
    hashed: Hashed | None = None

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventTable:
        """Of any sequence of events; one that is a table already is itself.

        >>> table = EventTable.of([Event("e", 5, "web", "Seen", [Identifier("cookie", "c")], {}, {"b": 1, "a": 2})])
        >>> table.named, table.properties, table[0].properties
        ([('cookie', 'c')], ['{"a":2,"b":1}'], {'a': 2, 'b': 1})
        """
        if isinstance(events, EventTable):
            return events
        columns = zip(*events, strict=True) if events else ((),) * len(Event._fields)
        ids, times, sources, names, identifiers, traits, properties, same, received, apart, formerly = columns
        places: dict[tuple[str, str], int] = {}
        seen = [places.setdefault(found, len(places)) for row in identifiers for found in row]
        pairs = [
            (number, places.setdefault(a, len(places)), places.setdefault(b, len(places)), kept_apart)
            for kept_apart, stated in ((False, same), (True, apart))
            for number, row in enumerate(stated)
            if row
            for a, b in row
        ]
        return cls(
            ids,
            times,
            sources,
            names,
            received,
            [(namespace, value) for namespace, value in places],
            np.array(seen, dtype=np.int32),
            np.fromiter(map(len, identifiers), dtype=np.int32, count=len(ids)),
            pairs,
            texts(traits),
            texts(properties),
            [(number, *one) for number, row in enumerate(formerly) for one in row] if any(formerly) else (),
        )

    def pack(self) -> tuple[Any, ...]:
        """Of plain lists and bytes, as `marshal` writes them: many times faster than pickling events."""
        named = Named.of(self.named)
        return (
            list(self.ids),
            *map(_packed, (self.times, self.sources, self.names, self.received)),
            (list(named.spaces), named.space.tobytes(), list(named.values)),
            self.seen.tobytes(),
            self.lengths.tobytes(),
            list(self.stated),
            *map(_packed, (self.traits, self.properties)),
            list(self.formerly),
        )

    @classmethod
    def unpack(cls, packed: tuple[Any, ...]) -> EventTable:
        ids, times, sources, names, received, named, seen, lengths, stated, traits, properties, formerly = packed
        spaces, space, values = named
        return cls(
            ids,
            _unpacked(times),
            _unpacked(sources),
            _unpacked(names),
            _unpacked(received),
            Named(spaces, np.frombuffer(space, dtype=np.int32), values),
            np.frombuffer(seen, dtype=np.int32),
            np.frombuffer(lengths, dtype=np.int32),
            stated,
            _unpacked(traits),
            _unpacked(properties),
            formerly,
        )

    def with_hashes(self) -> EventTable:
        return self if self.hashed else replace(self, hashed=Hashed.of(self.ids, Named.of(self.named).values))

    def take(self, rows: Sequence[int]) -> EventTable:
        """The events at these places, which ascend."""
        if len(rows) == len(self.ids):
            return self
        kept = np.zeros(len(self.ids), dtype=bool)
        kept[list(rows)] = True
        seen = self.seen[np.repeat(kept, self.lengths)]
        new_place = {old: new for new, old in enumerate(rows)}
        pairs = [pair for pair in self.stated if pair[0] in new_place]
        ends = np.array([pair[1:3] for pair in pairs], dtype=np.int32).reshape(-1, 2)
        used, places = np.unique(np.concatenate((seen, ends.ravel())), return_inverse=True)
        renamed = places[len(seen) :].reshape(-1, 2).tolist()

        def pick(column: Sequence[T]) -> Sequence[T]:
            return Repeated(column.value, len(rows)) if isinstance(column, Repeated) else [column[row] for row in rows]

        return EventTable(
            pick(self.ids),
            pick(self.times),
            pick(self.sources),
            pick(self.names),
            pick(self.received),
            Named.of(self.named).at(used),
            places[: len(seen)].astype(np.int32),
            self.lengths[kept],
            [(new_place[pair[0]], a, b, pair[3]) for pair, (a, b) in zip(pairs, renamed, strict=True)],
            pick(self.traits),
            pick(self.properties),
            [(new_place[event], space, value) for event, space, value in self.formerly if event in new_place],
        )

    @classmethod
    def joined(cls, tables: Sequence[EventTable]) -> EventTable:
        """One after the other.

        >>> cookie = Identifier("cookie", "c")
        >>> tables = [EventTable.of([Event(id, 5, "web", "Seen", [cookie], {}, {})]) for id in "ab"]
        >>> both = EventTable.joined(tables)
        >>> both.ids, both.named, both.seen.tolist()
        (['a', 'b'], [('cookie', 'c')], [0, 0])
        """
        if len(tables) == 1:
            return tables[0]
        places: dict[tuple[str, str], int] = {}
        seen: list[Int32] = [np.empty(0, np.int32)]
        pairs: list[tuple[int, int, int, bool]] = []
        formerly: list[tuple[int, str, str]] = []
        before = 0
        for table in tables:
            own = np.array([places.setdefault(found, len(places)) for found in table.named], dtype=np.int32)
            seen.append(own[table.seen])
            pairs += [(before + event, int(own[a]), int(own[b]), apart) for event, a, b, apart in table.stated]
            formerly += [(before + event, namespace, value) for event, namespace, value in table.formerly]
            before += len(table)

        def chained(columns: Iterable[Sequence[T]]) -> list[T]:
            return list(chain.from_iterable(columns))

        return cls(
            chained(table.ids for table in tables),
            chained(table.times for table in tables),
            chained(table.sources for table in tables),
            chained(table.names for table in tables),
            chained(table.received for table in tables),
            list(places),
            np.concatenate(seen),
            np.concatenate([np.empty(0, np.int32), *(table.lengths for table in tables)]),
            pairs,
            chained(table.traits for table in tables),
            chained(table.properties for table in tables),
            formerly,
        )

    def digests(self) -> Iterator[str]:
        """Of each event, 128 bits of all that tells two of one id apart, in hexadecimal.

        Neither the order of what it saw or stated nor a repeat makes another one, nor when it was received. Both ends
        of a stated pair are seen too.
        """
        keys = [f"{namespace}:{value}" for namespace, value in self.named]
        pairs: dict[int, set[tuple[str, str, int]]] = {}
        ends: dict[int, set[str]] = {}
        for event, a, b, apart in self.stated:
            one, other = sorted((keys[a], keys[b]))
            ends.setdefault(event, set()).update((one, other))
            if a != b:
                pairs.setdefault(event, set()).add((one, other, int(apart)))
        seen, start = self.seen.tolist(), 0
        for row, length in enumerate(self.lengths.tolist()):
            named = {keys[place] for place in seen[start : start + length]}
            start += length
            if row in ends:
                named |= ends[row]
            told = [
                self.times[row],
                self.sources[row],
                self.names[row],
                sorted(named),
                sorted(pairs.get(row, ())),
                self.traits[row],
                self.properties[row],
            ]
            yield blake2b(orjson.dumps(told), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, row: int) -> Event: ...

    @overload
    def __getitem__(self, row: slice) -> list[Event]: ...

    def __getitem__(self, row: int | slice) -> Event | list[Event]:
        if isinstance(row, slice):
            return [self[number] for number in range(len(self))[row]]
        (event,) = self.take([range(len(self))[row]])
        return event

    def __iter__(self) -> Iterator[Event]:
        ends = np.cumsum(self.lengths).tolist()
        identifiers = [Identifier(*found) for found in self.named]
        same: dict[int, list[tuple[Identifier, Identifier]]] = {}
        apart: dict[int, list[tuple[Identifier, Identifier]]] = {}
        for event, a, b, kept_apart in self.stated:
            (apart if kept_apart else same).setdefault(event, []).append((identifiers[a], identifiers[b]))
        formerly: dict[int, list[Identifier]] = {}
        for event, namespace, value in self.formerly:
            formerly.setdefault(event, []).append(Identifier(namespace, value))
        seen = self.seen.tolist()
        start = 0
        for row, end in enumerate(ends):
            yield Event(
                self.ids[row],
                self.times[row],
                self.sources[row],
                self.names[row],
                [identifiers[place] for place in seen[start:end]],
                _object(self.traits[row]),
                _object(self.properties[row]),
                same.get(row, []),
                self.received[row],
                apart.get(row, []),
                formerly.get(row, []),
            )
            start = end


def _packed(column: Sequence[Any]) -> tuple[bool, Any, int]:
    """Whether it is one value, and that, or all."""
    one = isinstance(column, Repeated)
    return one, column.value if isinstance(column, Repeated) else list(column), len(column)


def _unpacked(packed: tuple[bool, Any, int]) -> Sequence[Any]:
    one, found, count = packed
    return Repeated(found, count) if one else found


_BETWEEN = "\x1e\x1f\x1e"
_CUT = f",{orjson.dumps(_BETWEEN).decode()},"


def texts(objects: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Canonical JSON of each; None of an empty one."""
    return [None if text == "{}" else text for text in json_texts(objects)]


def json_texts(values: Sequence[Any]) -> list[str]:
    """Canonical JSON of each."""
    # One call for all of them takes a tenth of the time. What stands between two may stand inside of one, too.
    apart: list[Any] = [_BETWEEN] * max(0, 2 * len(values) - 1)
    apart[::2] = values
    try:
        found = orjson.dumps(apart, option=orjson.OPT_SORT_KEYS).decode()[1:-1].split(_CUT)
    except orjson.JSONEncodeError:
        found = []
    return found if len(found) == len(values) else list(map(canonical_json, values))


def canonical_json(value: Any) -> str:
    """Sorted keys, no blanks. Keeps whole numbers beyond 64 bits in full."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _object(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text) if text else {}
    return found
