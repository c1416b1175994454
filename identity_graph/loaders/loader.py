"""One record to one event, as a loader file says. Compiled once into closures: a load runs it for every record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from identity_graph.errors import InputError
from identity_graph.event_flaws import DAWN, id_flaw, is_id, is_name, is_source, name_flaw, untimely
from identity_graph.loaders.file import LoaderFile, parse_file, read_file
from identity_graph.loaders.formerly import formerly_reader
from identity_graph.loaders.judgement import content_id, id_prefix, id_text, time_reader
from identity_graph.loaders.many import Events, Many, Mapper
from identity_graph.loaders.nobody import nobody_reader
from identity_graph.loaders.path import Path, Record
from identity_graph.loaders.readers import Readers
from identity_graph.loaders.unfold import unfolder
from identity_graph.model import Event
from identity_graph.records.source import Form
from identity_graph.times import DAY


class NoTime(InputError):
    """The record has no time, and neither the loader nor the caller said one."""


class Loader:
    """Maps the records of one source to events. Made by `read_loader`.

    >>> loader = Loader(parse_file('''
    ... source = "shop"
    ... [event]
    ... id = "order"
    ... time = "at"
    ... name = { value = "Order Placed" }
    ... [identifiers]
    ... email = "mail"
    ... [properties]
    ... "*" = "."
    ... '''))
    >>> record = {"order": 7, "at": "2026-01-02T03:04:05Z", "mail": "Ann@Example.org", "amount": 12.5}
    >>> event = loader.event(record, received=1_767_398_400_000_000)
    >>> event.id, [identifier.key for identifier in event.identifiers], event.properties
    ('7', ['email:ann@example.org'], {'amount': 12.5})
    """

    def __init__(self, file: LoaderFile) -> None:
        self.file = file
        self.reference = file.reference
        self.name = FilePath(file.reference).stem
        self.source = file.source
        self.columns = file.columns()
        self.form = replace(file.form, columns=tuple(self.columns), needed=file.needed())
        self._map = _compile(file)
        self._many = Many(file, self._map)

    def form_for(self, time: int | None) -> Form:
        """Where a time is given for records that have none, there need be no column of times."""
        if time is None:
            return self.form
        return replace(self.form, needed=tuple(need for need in self.form.needed if need[0] != "event.time"))

    def event(self, record: Record, *, received: int, fallback_time: int | None = None) -> Event:
        """The event of a record; `fallback_time` is for a record without a time of its own.

        Costs about 5 microseconds for a record of three identifiers. Raises InputError with a code of
        `errors.SET_ASIDE`. No message holds a value of the record's
        identifiers.
        """
        return self._map(record, received, fallback_time)

    def events(self, records: Sequence[dict[str, Any]], *, received: int, fallback_time: int | None = None) -> Events:
        """What `event` says of each of many records, in a third of the time where many are alike."""
        own = None if type(self).event is Loader.event else self._own_event
        return self._many.events(records, received, fallback_time, own)

    def _own_event(self, record: Record, received: int, fallback_time: int | None) -> Event:
        """Of a loader that is one of Python."""
        return self.event(record, received=received, fallback_time=fallback_time)


def read_loader(name_or_path: str | FilePath) -> Loader:
    """A shipped loader by its name, or any by the path of its file (with a `/` or ending in `.toml`).

    Raises LOADER_UNKNOWN, LOADER_SYNTAX, LOADER_KEY, LOADER_VALUE, each with file and line.
    """
    return Loader(read_file(name_or_path))


def parse_loader(text: str, where: str = "the loader") -> Loader:
    """As `read_loader`, from the text of a file."""
    return Loader(parse_file(text, where))


def _compile(file: LoaderFile) -> Mapper:
    """One mapper for ordinary records, and one for each kind of record that says things about others."""
    plain = _compile_one(file, ())
    exceptions = [(rule.when.test(), _compile_one(file, rule.paths)) for rule in file.not_the_person]
    unfold = unfolder(file)
    if unfold is None and not exceptions:
        return plain

    def choose(record: Record, received: int, fallback_time: int | None) -> Event:
        if unfold is not None:
            record = unfold(record)
        for holds, other in exceptions:
            if holds(record):
                return other(record, received, fallback_time)
        return plain(record, received, fallback_time)

    return choose


def _compile_one(file: LoaderFile, others: Sequence[Path]) -> Mapper:
    get_id, get_time, get_name, get_source, identifiers_of, stated_of, traits_of, properties_of = Readers.of(
        file, others
    )
    nobody, formerly = nobody_reader(file), formerly_reader(file, others)
    name_constant, file_source, time_constant = file.name_constant, file.source, file.time_constant
    new, event_of, time_of, within_source = tuple.__new__, Event, time_reader(file), file.id_within_source

    def map_record(record: Record, received: int, fallback_time: int | None) -> Event:
        raw_time = get_time(record)
        if raw_time is not None:
            time = time_of(raw_time)
            if not DAWN <= time <= received + DAY:
                raise InputError(*untimely(time, received))
        elif time_constant is not None:
            time = time_constant
        elif fallback_time is not None:
            time = fallback_time
        else:
            raise NoTime("TS_INVALID", "the record has no time of its own", help="Say --time for such records.")
        name = get_name(record)
        if name is None:
            name = name_constant
        if not is_name(name):
            raise InputError(*name_flaw(name))
        source = get_source(record) if get_source else None
        if source is None:
            source = file_source
        elif not is_source(source):
            raise InputError("EVENT_SOURCE_INVALID", "the source is not a text of at most 64 characters")
        identifiers = identifiers_of(record)
        stated = stated_of(record, identifiers) if stated_of else ()
        if not identifiers:
            raise nobody(record)
        id = get_id(record)
        if id is None:
            id = content_id(source, record)
        else:
            id = id_text(id)
            if not is_id(id):
                raise InputError(*id_flaw(id))
            if within_source:
                id = id_prefix(source) + id
                if not is_id(id):
                    raise InputError(*id_flaw(id))
        if "\0" in id or "\0" in name or "\0" in source:
            raise InputError("TEXT_INVALID", "the event's id, name or source holds a NUL")
        return new(  # as Event(...), in half the time
            event_of,
            (
                id,
                time,
                source,
                name,
                identifiers,
                traits_of(record) if traits_of else {},
                properties_of(record) if properties_of else {},
                stated,
                received,
                (),
                formerly(record, identifiers) if formerly else (),
            ),
        )

    return map_record
