"""What makes the parts of an event good ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from identity_graph.errors import InputError
from identity_graph.loaders.file import LoaderFile
from identity_graph.loaders.path import Record
from identity_graph.times import EARLIEST, EPOCH, LATEST, parse_time

LONGEST_SOURCE = 64


def is_source(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_SOURCE


def id_text(value: Any) -> str:
    """The id that a record names. Raises EVENT_ID_INVALID of what is neither a text nor a whole number."""
    return value if value.__class__ is str else _number_as_id(value)


def content_id(source: str, record: Record) -> str:
    """The id of a record that has none: 32 hexadecimal digits of the SHA-256 of source and canonical JSON."""
    content = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(source.encode() + b"\0" + content).hexdigest()[:32]


def time_reader(file: LoaderFile) -> Callable[[Any], int]:
    """Of the texts and numbers that the loader's times are. Raises TS_INVALID and TS_RANGE."""
    unit = file.time_unit
    text_time = _formatted_time(file.time_format) if file.time_format else _text_time(unit)

    def time_of(value: Any) -> int:
        return text_time(value) if value.__class__ is str else parse_time(value, unit)

    return time_of


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
