"""The traits and properties of a record."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from identity_graph.errors import InputError
from identity_graph.loaders.file import Field, LoaderFile
from identity_graph.loaders.identifiers import below
from identity_graph.loaders.path import Path, Record
from identity_graph.loaders.taken import remainder

ObjectReader = Callable[[Record], dict[str, Any]]
Cast = Callable[[Any, str, str], Any]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WRONG = {"text": "TYPE_INVALID", "number": "NUMBER_INVALID", "boolean": "TRUTH_INVALID"}
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "t": True, "f": False}


def object_reader(file: LoaderFile, others: Sequence[Path], cast: Cast, *, traits: bool) -> ObjectReader | None:
    """Reads the traits or the properties of a record; None if the loader names none.

    What a name says wins over what `"*"` takes, and an earlier object of `"*"` over a later one. Objects that
    properties take come without what was taken elsewhere; traits keep it, since an identifier may be a trait.
    What comes back may be an object of the record itself. What `"*"` should take and is no object is refused with
    OBJECT_INVALID, but for null, an empty text, and what a wider object of the properties keeps.
    """
    if traits:
        fields = [_trait(field, others) for field in file.traits]
        objects = [(path.text, path.one()) for path in file.trait_objects if not below(path, others)]
    else:
        fields = list(file.properties)
        taken = [path for path in file.taken() if not below(path, others)]
        whole = [path for path in file.trait_objects if not below(path, others)]
        objects = []
        for path in file.property_objects:
            kept = below(path, [other for other in file.property_objects if other.steps != path.steps])
            objects.append(("" if kept else path.text, remainder(taken, whole, path)))
            whole.append(path)
    constants = {field.name: field.constant.value for field in fields if field.constant}
    readers = [(field.name, _field_reader(field, cast)) for field in fields if field.paths]
    if not (objects or constants or readers):
        return None
    if len(objects) == 1 and not (constants or readers):
        ((where, only),) = objects

        def take(record: Record) -> dict[str, Any]:
            value: dict[str, Any] = only(record)
            return value if value.__class__ is dict else _nothing(value, where)

        return take
    objects.reverse()

    def read(record: Record) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for where, get in objects:
            value = get(record)
            if value is not None:
                found.update(value if value.__class__ is dict else _nothing(value, where))
        for name, get in readers:
            value = get(record)
            if value is not None and value != "":
                found[name] = value
        if constants:
            found.update(constants)
        return found

    return read


def _nothing(value: Any, where: str) -> dict[str, Any]:
    if value is None or value == "" or not where:
        return {}
    raise InputError("OBJECT_INVALID", f"{where} is not an object")


def _trait(field: Field, others: Sequence[Path]) -> Field:
    kept = tuple(path for path in field.paths if not below(path, others))
    return Field(field.name, kept, field.type, field.constant)


def _field_reader(field: Field, cast: Cast) -> Callable[[Record], Any]:
    """Reads the first path that is there: neither null nor an empty text nor, of a path that fans out, no value."""
    readers = [path.every() if path.fans else path.one() for path in field.paths]
    name, type = field.name, field.type

    def first(record: Record) -> Any:
        for reader in readers:
            value = reader(record)
            if value is not None and value != "" and value != []:
                return value
        return None

    if type is None:
        return readers[0] if len(readers) == 1 and not field.paths[0].fans else first

    def typed(record: Record) -> Any:
        value = first(record)
        if isinstance(value, list):
            return [cast(each, type, name) for each in value]
        return None if value is None else cast(value, type, name)

    return typed


def cast(value: Any, type: str, name: str) -> Any:
    """A value as text, number or boolean. Raises TYPE_INVALID, NUMBER_INVALID, TRUTH_INVALID and NUMBER_RANGE.

    >>> cast("12", "number", "points"), cast("1.50", "number", "price"), cast("Yes", "boolean", "member")
    (12, 1.5, True)
    """
    if type == "text":
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    elif type == "number":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()) and len(text) <= 400:
            return _number(text, name)
    elif isinstance(value, bool):
        return value
    elif (found := _TRUTH.get(str(value).strip().lower())) is not None:
        return found
    raise InputError(_WRONG[type], f"{name} is not a {type}")


def _number(text: str, name: str) -> int | float:
    if re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        whole = int(text)
        if -(2**63) <= whole < 2**64:
            return whole
    elif math.isfinite(number := float(text)):
        return number
    raise InputError("NUMBER_RANGE", f"{name} is a number that is not finite or has more than 64 bits")
