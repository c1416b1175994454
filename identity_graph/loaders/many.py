"""Many records to events at once: those that are alike by columns, the others one by one.

Columns take only what is flawless. Whatever is not goes through the mapper of one record, which knows what is wrong
with it: so both say the same of every record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from identity_graph.errors import InputError
from identity_graph.event_flaws import DAWN, LONGEST_ID, is_id, is_name, is_source
from identity_graph.event_table import EventTable
from identity_graph.former import FORMER, former_forms
from identity_graph.loaders.alike import Alike, Mark, Places, Telling, alike
from identity_graph.loaders.fields import ObjectReader, cast
from identity_graph.loaders.file import LoaderFile
from identity_graph.loaders.filling import Filling
from identity_graph.loaders.identifiers import Normaliser
from identity_graph.loaders.judgement import content_ids, id_text, ids_within, iso_times, time_reader
from identity_graph.loaders.path import Record
from identity_graph.loaders.readers import Readers
from identity_graph.loaders.unfold import unfolder
from identity_graph.loaders.written import written
from identity_graph.model import Event
from identity_graph.named import Named
from identity_graph.normalise import normalise, normalise_namespace, uncertain
from identity_graph.repeated import Repeated
from identity_graph.times import DAY

_MANY = 4  # one in so many values that are not canonical: then each is looked up

Mapper = Callable[[Record, int, int | None], Event]


class Events(NamedTuple):
    """The events of records, the places of these records, and the places of refused ones with why."""

    table: EventTable
    places: list[int]
    refused: list[tuple[int, InputError]]


class _Named(NamedTuple):
    """Identifiers of one namespace, a column of them."""

    namespace: str
    value: Mark


class Many:
    """`one` is the mapper of one record."""

    def __init__(self, file: LoaderFile, one: Mapper) -> None:
        self._file = file
        self._one = one
        self._unfold = unfolder(file)
        self._readers = Readers.of(file, (), _named, _cast_later)
        self._exceptions = [
            (rule.when.test(), Readers.of(file, rule.paths, _named, _cast_later)) for rule in file.not_the_person
        ]
        self._telling = _telling(file)
        self._time_of = time_reader(file)
        self._normalisers = {name: Normaliser(name, file.phone_region) for name, _ in file.identifiers}

    def events(
        self, records: Sequence[dict[str, Any]], received: int, fallback_time: int | None, one: Mapper | None = None
    ) -> Events:
        """`one` is a mapper to be asked of every record instead."""
        if one is not None:
            return _one_by_one(one, records, range(len(records)), Filling(len(records), received), fallback_time)
        filling = Filling(len(records), received)
        rest: list[int] = []
        plain, rows = self._unfolded(records, rest)
        for group in alike(plain, rows, self._telling):
            if isinstance(group, Alike):
                rest += self._take(group, filling, received, fallback_time)
            else:
                rest += group
        return _one_by_one(self._one, records, sorted(rest), filling, fallback_time)

    def _unfolded(
        self, records: Sequence[dict[str, Any]], rest: list[int]
    ) -> tuple[Sequence[dict[str, Any]], Sequence[int]]:
        if self._unfold is None:
            return records, range(len(records))
        found, rows = [], []
        for row, record in enumerate(records):
            try:
                found.append(self._unfold(record))
                rows.append(row)
            except InputError:
                rest.append(row)
        return found, rows  # type: ignore[return-value]

    def _take(self, group: Alike, filling: Filling, received: int, fallback_time: int | None) -> Iterable[int]:
        """Fill in what is flawless; answers the places of the others."""
        readers = next((other for holds, other in self._exceptions if holds(group.record)), self._readers)
        columns = _Columns(group)
        try:
            time = readers.time(group.record)
            if time is not None:
                times = self._times(time, columns)
                if None in times or not DAWN <= min(times) <= max(times) <= received + DAY:
                    columns.judge(times, lambda one: DAWN <= one <= received + DAY)
            else:
                constant = self._file.time_constant if self._file.time_constant is not None else fallback_time
                if constant is None:
                    return group.rows
                times = Repeated(constant, len(group.rows))
            name = readers.name(group.record)
            names = columns.few(self._file.name_constant if name is None else name, is_name)
            source = readers.source(group.record) if readers.source else None
            sources = columns.few(self._file.source if source is None else source, is_source)
            named = readers.identifiers(group.record)
            stated = readers.stated(group.record, named) if readers.stated else ()
            if not named:
                return group.rows
            identifiers = [self._identifiers(one, columns) for one in named]
            given = readers.id(group.record)
            if given is None:
                ids: Sequence[Any] = content_ids(sources, columns.written(group.record))
            else:
                ids = columns.each(given, id_text)
                if not _all_ids(ids):
                    columns.judge(ids, is_id)
                    columns.judge(ids, _without_nul)
                if self._file.id_within_source:
                    ids = columns.within(sources, ids)
            traits = columns.texts(readers.traits, group.record)
            properties = columns.texts(readers.properties, group.record)
        except InputError:
            return group.rows
        ends = [(named.index(a), named.index(b)) for a, b in stated]
        columns.none_missing([identifiers[place] for end in ends for place in end])
        columns.some_there(identifiers)
        filling.fill(
            group.rows,
            columns.flawed,
            (ids, times, sources, names, traits, properties),
            identifiers,
            ends,
        )
        return [group.rows[place] for place in columns.flawed]

    def _times(self, time: Any, columns: _Columns) -> Sequence[Any]:
        found = None
        if time.__class__ is Mark and time.column[0].__class__ is str and not self._file.time_format:
            found = iso_times(time.column)
        return columns.each(time, self._time_of) if found is None else found

    def _identifiers(self, one: Any, columns: _Columns) -> Sequence[tuple[str, str] | None]:
        if not isinstance(one, _Named):  # of a value that all records have
            return Repeated(one, columns.count)
        if FORMER and normalise_namespace(one.namespace) in FORMER:
            region = self._file.phone_region
            columns.judge(one.value.column, lambda raw: raw is None or not former_forms(one.namespace, raw, region))
        namespace, values = one.namespace, one.value.column
        normaliser = self._normalisers.get(namespace)
        if normaliser is None:  # a name that comes from data
            normaliser = Normaliser(namespace, self._file.phone_region)
        if values[0].__class__ is not str:
            return columns.each(one.value, normaliser.of)
        odd = uncertain(namespace, values)
        if not odd:
            return Named.column(namespace, values)
        if len(odd) > len(values) // _MANY:
            try:
                return list(map(normaliser.__getitem__, values))
            except InputError:  # one of them is blank or no good
                return [
                    normaliser.get(value) or columns.try_one(place, value, normaliser.of)
                    for place, value in enumerate(values)
                ]
        mended = list(values)
        absent = []  # blank, which is no flaw
        for place in odd:
            found = columns.try_one(place, values[place], normaliser.of)
            if found is not None:
                mended[place] = found.value
            elif place not in columns.flawed:
                absent.append(place)
        column = Named.column(namespace, mended)
        if not absent:
            return column
        pairs: list[tuple[str, str] | None] = list(column)
        for place in absent:
            pairs[place] = None
        return pairs


def _one_by_one(
    one: Mapper, records: Sequence[Record], rows: Sequence[int], filling: Filling, fallback_time: int | None
) -> Events:
    refused: list[tuple[int, InputError]] = []
    events: list[Event] = []
    places: list[int] = []
    for row in rows:
        try:
            events.append(one(records[row], filling.received, fallback_time))
            places.append(row)
        except InputError as error:
            # Where it was raised are this list and all records, which refer to it in turn: a load runs without the
            # collector of such cycles.
            error.__cause__ = error.__context__ = None
            refused.append((row, error.with_traceback(None)))
    filling.add(places, EventTable.of(events))
    return Events(*filling.done(), refused)


class _Columns:
    """Columns of records that are alike, and the places of those with any flaw. What a column has of these is None, or
    not to be used."""

    def __init__(self, group: Alike) -> None:
        self._group = group
        self.count = len(group.rows)
        self.flawed: set[int] = set()

    def each(self, found: Any, change: Callable[[Any], Any] | None = None) -> Sequence[Any]:
        """What a mark stands for, or the same for all; where `change` refuses it, the record has a flaw."""
        if found.__class__ is not Mark:
            return Repeated(change(found) if change else found, self.count)
        change = change or found.change
        if change is None:
            return list(found.column)
        try:
            return list(map(change, found.column))
        except InputError:
            return [self.try_one(place, value, change) for place, value in enumerate(found.column)]

    def try_one(self, place: int, value: Any, change: Callable[[Any], Any]) -> Any:
        try:
            return change(value)
        except InputError:
            self.flawed.add(place)
            return None

    def judge(self, column: Sequence[Any], good: Callable[[Any], bool]) -> None:
        if (self.flawed and None in column) or not all(map(good, column)):
            self.flawed.update(place for place, found in enumerate(column) if found is None or not good(found))

    def few(self, found: Any, good: Callable[[Any], bool]) -> Sequence[Any]:
        """Of a column that has few different values. Raises TEXT_INVALID where they are no texts at all."""
        column = self.each(found)
        if column[0].__class__ is not str:
            raise InputError("TEXT_INVALID", "no record has a text there")
        if not all(good(value) and _without_nul(value) for value in set(column)):
            self.judge(column, good)
            self.judge(column, _without_nul)
        return column

    def within(self, sources: Sequence[str], ids: Sequence[str]) -> Sequence[str]:
        """Ids that are good ones, as they are among those of all sources."""
        if self.flawed:
            sources, ids = [source or "" for source in sources], [id or "" for id in ids]
        found = ids_within(sources, ids)
        if max(map(len, found)) > LONGEST_ID:
            self.judge(found, is_id)
        return found

    def none_missing(self, columns: Iterable[Sequence[Any]]) -> None:
        for column in columns:
            self.judge([value is not None for value in column], bool)

    def some_there(self, columns: Sequence[Sequence[Any]]) -> None:
        if all(None in column for column in columns):
            self.judge([any(value is not None for value in row) for row in zip(*columns, strict=True)], bool)

    def texts(self, read: ObjectReader | None, record: dict[str, Any]) -> Sequence[str | None]:
        """Of each record what is read of this one with marks, as canonical JSON."""
        found = read(record) if read else {}
        return self.written(found) if found else Repeated(None, self.count)

    def written(self, found: dict[str, Any]) -> Sequence[str]:
        """Of each record, canonical JSON of the object that this one with marks stands for."""
        return written(found, self.count, self.each)


def _all_ids(values: Sequence[str | None]) -> bool:
    """Whether each is an id, without a NUL, in a fraction of the time; only True is certain."""
    if None in values or "" in values:
        return False
    text = "".join(values)  # type: ignore[arg-type]
    return text.isprintable() and " " not in text and max(map(len, values)) <= LONGEST_ID  # type: ignore[arg-type]


def _without_nul(text: str) -> bool:
    return "\0" not in text


def _named(namespace: str, raw: Any, *, region: str | None) -> Any:
    """As `normalise`, of marks."""
    if raw.__class__ is Mark and isinstance(namespace, str):
        return _Named(namespace, raw)
    if FORMER and former_forms(namespace, raw, region):
        raise InputError("NAMESPACE_INVALID", "it was another one before")
    return normalise(namespace, raw, region=region)


def _cast_later(value: Any, type: str, name: str) -> Any:
    """As `cast`, of marks."""
    if value.__class__ is Mark:
        return Mark(value.column, lambda one: cast(one, type, name))
    return cast(value, type, name)


def _telling(file: LoaderFile) -> Telling:
    values: dict[Places, set[tuple[type, Any]]] = defaultdict(set)
    rules = [*(rule.when for rule in file.same_person), *(rule.when for rule in file.not_the_person)]
    for when in filter(None, rules):
        values[tuple(key for key, _ in when.path.steps)].add((type(when.value), when.value))
    lists = set()
    for path in (*file.taken(), *(path for field in file.properties for path in field.paths)):
        fans = [number for number, (_, fan) in enumerate(path.steps, 1) if fan]
        if fans:
            lists.add(tuple(key for key, _ in path.steps[: fans[0]]))
    return Telling({place: frozenset(found) for place, found in values.items()}, frozenset(lists))
