"""One record to one event, as a loader file says. Compiled once into closures: a load runs it for every record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

import orjson

from identity_graph.errors import InputError
from identity_graph.event_flaws import DAWN, LONGEST_ID, LONGEST_NAME, id_flaw, name_flaw, untimely
from identity_graph.loaders.fields import object_reader
from identity_graph.loaders.file import LoaderFile, parse_file, read_file
from identity_graph.loaders.identifiers import identifier_reader, stated_reader
from identity_graph.loaders.nobody import nobody_reader
from identity_graph.loaders.path import Path, Record
from identity_graph.loaders.unfold import unfolder
from identity_graph.model import Event
from identity_graph.times import DAY, EARLIEST, EPOCH, LATEST, parse_time

Mapper = Callable[[Record, int, int | None], Event]


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
    >>> event = loader.event(record, received=parse_time("2026-01-03"))
    >>> event.id, [identifier.key for identifier in event.identifiers], event.properties
    ('7', ['email:ann@example.org'], {'amount': 12.5})
    """

    def __init__(self, file: LoaderFile) -> None:
        self.file = file
        self.reference = file.reference
        self.name = FilePath(file.reference).stem
        self.source = file.source
        self.columns = file.columns()
        self.form = replace(file.form, columns=tuple(self.columns))
        self._map = _compile(file)

    def event(self, record: Record, *, received: int, fallback_time: int | None = None) -> Event:
        """The event of a record; `fallback_time` is for a record without a time of its own.

        Costs about 5 microseconds for a record of three identifiers. Raises InputError with a code of
        `errors.SET_ASIDE`. No message holds a value of the record's
        identifiers.
        """
        return self._map(record, received, fallback_time)


def read_loader(name_or_path: str | FilePath) -> Loader:
    """A shipped loader by its name, or any by the path of its file (with a `/` or ending in `.toml`).

    Raises LOADER_UNKNOWN, LOADER_SYNTAX, LOADER_KEY, LOADER_VALUE, each with file and line.
    """
    return Loader(read_file(name_or_path))


def parse_loader(text: str, where: str = "the loader") -> Loader:
    """As `read_loader`, from the text of a file."""
    return Loader(parse_file(text, where))


def content_id(source: str, record: Record) -> str:
    """The id of a record that has none: 32 hexadecimal digits of the SHA-256 of source and canonical JSON."""
    content = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(source.encode() + b"\0" + content).hexdigest()[:32]


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
    get_id = _first(file.id)
    get_time = _first(file.time)
    get_name = _first(file.event_name)
    get_source = _first(file.source_paths) if file.source_paths else None
    name_constant, unit = file.name_constant, file.time_unit
    file_source, time_constant = file.source, file.time_constant
    identifiers_of = identifier_reader(file, others)
    stated_of = stated_reader(file)
    traits_of = object_reader(file, others, traits=True)
    properties_of = object_reader(file, others, traits=False)
    nobody = nobody_reader(file)
    new, event_of = tuple.__new__, Event
    time_of = _formatted_time(file.time_format) if file.time_format else _text_time(unit)

    def map_record(record: Record, received: int, fallback_time: int | None) -> Event:
        raw_time = get_time(record)
        if raw_time is not None:
            time = time_of(raw_time) if raw_time.__class__ is str else parse_time(raw_time, unit)
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
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            raise InputError(*name_flaw(name))
        source = get_source(record) if get_source else None
        if source is None:
            source = file_source
        elif not isinstance(source, str) or len(source) > 64:
            raise InputError("EVENT_SOURCE_INVALID", "the source is not a text of at most 64 characters")
        identifiers = identifiers_of(record)
        stated = stated_of(record, identifiers) if stated_of else ()
        if not identifiers:
            raise nobody(record)
        id = get_id(record)
        if id is None:
            id = content_id(source, record)
        elif id.__class__ is not str:
            id = _number_as_id(id)
        if len(id) > LONGEST_ID or id.isspace():
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
            ),
        )

    return map_record


def _formatted_time(form: str) -> Callable[[str], int]:
    """Of texts in this form and no other; without a zone they are UTC."""

    def time_of(text: str) -> int:
        try:
            return parse_time(datetime.strptime(text.strip(), form))
        except ValueError:
            raise InputError("TS_FORMAT", f"{text[:40]!r} is not a time of the form {form}") from None

    return time_of


def _text_time(unit: str) -> Callable[[str], int]:
    """As `parse_time`, in half the time for the form that nearly every time has."""
    from_iso, epoch = datetime.fromisoformat, EPOCH

    def time_of(text: str) -> int:
        if text[4:5] == "-":
            try:
                since = from_iso(text) - epoch
            except (TypeError, ValueError, OverflowError):  # without a zone, or not a time
                return parse_time(text, unit)
            time = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            if EARLIEST <= time <= LATEST:
                return time
        return parse_time(text, unit)

    return time_of


def _number_as_id(value: Any) -> str:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) <= 2**53)
    if isinstance(value, bool) or not whole:
        raise InputError("EVENT_ID_INVALID", f"the event id is neither text nor a whole number: {type(value).__name__}")
    return str(int(value))


def _first(paths: Sequence[Path]) -> Callable[[Record], Any]:
    """Reads the first value that is there: neither null nor an empty text."""
    if all(len(path.steps) == 1 for path in paths):
        keys = [path.steps[0][0] for path in paths]

        def read_flat(record: Mapping[str, Any]) -> Any:
            for key in keys:
                value = record.get(key)
                if value is not None and value != "":
                    return value
            return None

        return read_flat
    readers = [path.one() for path in paths]

    def read(record: Record) -> Any:
        for reader in readers:
            value = reader(record)
            if value is not None and value != "":
                return value
        return None

    return read
