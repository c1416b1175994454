"""A record made plain before its paths are read: texts that are JSON, and lists of keys and values.

`json = ["contexts"]` reads the text there as JSON. `[[keyed_lists]]` makes one object of a list whose elements name
their own key, so that a path leads to each: `[{"key": "page", "value": {"text": "/"}}]` becomes `{"page": "/"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from identity_graph.errors import InputError
from identity_graph.loaders.file import KeyedList, LoaderFile
from identity_graph.loaders.path import Path, Record
from identity_graph.records.json_record import read_json

_Change = Callable[[Any], Any]


def unfolder(file: LoaderFile) -> Callable[[Record], Record] | None:
    """Makes records plain; None of a loader that names nothing to unfold. The record itself is not changed.

    Raises JSON_INSIDE for a text that is no JSON, and the codes of JSON records.
    """
    changes: list[tuple[list[str], _Change]] = [(_keys(path), _json_reader(path)) for path in file.json]
    changes += [(_keys(rule.list), _keyed(rule)) for rule in file.keyed_lists]
    if not changes:
        return None

    def unfold(record: Record) -> Record:
        for keys, change in changes:
            record = _changed(record, keys, change)
        return record

    return unfold


def _keys(path: Path) -> list[str]:
    return [key for key, _ in path.steps]


def _changed(value: Any, keys: Sequence[str], change: _Change) -> Any:
    """The value with what is at the keys changed; the same value where nothing is."""
    if not keys:
        return change(value)
    if not isinstance(value, dict) or value.get(keys[0]) is None:
        return value
    return value | {keys[0]: _changed(value[keys[0]], keys[1:], change)}


def _json_reader(path: Path) -> _Change:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            return value
        try:
            raw = value.encode()
            orjson.loads(raw)
        except (UnicodeEncodeError, orjson.JSONDecodeError) as error:
            raise InputError("JSON_INSIDE", f"{path.text} is a text that is not JSON") from error
        found = read_json(b'{"":' + raw + b"}")  # as strict as with a line of JSON
        if not isinstance(found, dict):
            code, message = found or ("JSON_INSIDE", "it is blank")
            raise InputError(code, f"{path.text}: {message}")
        return found[""]

    return read


def _keyed(rule: KeyedList) -> _Change:
    get_key = rule.key.one()
    getters = [path.one() for path in rule.value]

    def read(elements: Any) -> Any:
        """The object. A list of anything else stays as it is; a key that is there twice has the list of its values."""
        if not isinstance(elements, list):
            return elements
        found: dict[str, list[Any]] = {}
        for element in elements:
            key = get_key(element) if isinstance(element, dict) else None
            if not isinstance(key, str):
                return elements
            values = (get(element) for get in getters)
            found.setdefault(key, []).append(next((value for value in values if value is not None), None))
        return {key: values if len(values) > 1 else values[0] for key, values in found.items()}

    return read
