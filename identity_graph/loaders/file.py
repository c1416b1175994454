"""A loader file: TOML that says where things are in a record. Read and checked here; `mapping.py` applies it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from pathlib import Path as FilePath
from typing import Any

import orjson

from identity_graph.errors import InputError, LoaderError
from identity_graph.files import data_folder
from identity_graph.loaders.form import read_form
from identity_graph.loaders.path import Path, Record
from identity_graph.loaders.place import Place
from identity_graph.normalise import CHECKED, normalise_namespace
from identity_graph.records.source import Form
from identity_graph.times import EPOCH, UNITS, parse_time

TYPES = ("text", "number", "boolean")


@dataclass(frozen=True, slots=True)
class Constant:
    """`{ value = ... }`: the same for every record."""

    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A trait or property: the first of `paths` that is there, as `type` (None: as it is), or a constant."""

    name: str
    paths: tuple[Path, ...] = ()
    type: str | None = None
    constant: Constant | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Holds for a record that has exactly this value there."""

    path: Path
    value: str | int

    def test(self) -> Callable[[Record], bool]:
        get, value, kind = self.path.one(), self.value, type(self.value)
        if len(self.path.steps) == 1:
            key = self.path.steps[0][0]

            def holds_here(record: Record) -> bool:
                return record.get(key) == value and type(record[key]) is kind  # true is not 1

            return holds_here

        def holds(record: Record) -> bool:
            found = get(record)
            return found == value and type(found) is kind

        return holds


@dataclass(frozen=True, slots=True)
class Stated:
    """Two identifiers (namespace and path) that a record states to be one person."""

    a: tuple[str, Path]
    b: tuple[str, Path]
    when: When | None


@dataclass(frozen=True, slots=True)
class NotThePerson:
    """Where a record says things about somebody or something else."""

    when: When
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class KeyedList:
    """A list whose elements say their own key; of `value`, the first that is there counts."""

    list: Path
    key: Path
    value: tuple[Path, ...]


@dataclass(frozen=True)
class LoaderFile:
    """Everything that a loader file says. `reference` is what `read_loader` finds it by."""

    reference: str
    digest: str
    source: str
    form: Form
    json: tuple[Path, ...] = ()
    keyed_lists: tuple[KeyedList, ...] = ()
    phone_region: str | None = None
    id: tuple[Path, ...] = ()
    id_within_source: bool = False
    time: tuple[Path, ...] = ()
    time_constant: int | None = None
    time_unit: str = "ms"
    time_format: str | None = None
    event_name: tuple[Path, ...] = ()
    name_constant: str | None = None
    source_paths: tuple[Path, ...] = ()
    identifiers: tuple[tuple[str, Path], ...] = ()
    otherwise: tuple[tuple[str, str], ...] = ()  # namespace -> that of its values which are none of it
    identifier_objects: tuple[Path, ...] = ()
    pairs: tuple[tuple[Path, Path], ...] = ()
    traits: tuple[Field, ...] = ()
    trait_objects: tuple[Path, ...] = ()
    properties: tuple[Field, ...] = ()
    property_objects: tuple[Path, ...] = ()
    same_person: tuple[Stated, ...] = ()
    not_the_person: tuple[NotThePerson, ...] = field(default=())

    def taken(self) -> list[Path]:
        """The paths that something other than a property reads."""
        found = [*self.id, *self.time, *self.event_name, *self.source_paths, *self.identifier_objects]
        found += [path for _, path in self.identifiers]
        found += [path for pair in self.pairs for path in pair]
        found += [path for field in self.traits for path in field.paths]
        found += [end[1] for stated in self.same_person for end in (stated.a, stated.b)]
        return found

    def columns(self) -> list[str]:
        """The outermost keys of all paths, in order of appearance; for tables, the columns."""
        paths = [*self.taken(), *self.trait_objects, *self.property_objects, *self.json]
        paths += [rule.list for rule in self.keyed_lists]
        paths += [path for field in self.properties for path in field.paths]
        return _outermost(paths)

    def needed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Of ids and times, where the loader says that they are in the record, the key and these columns."""
        paths = {"event.id": self.id, "event.time": self.time}
        return tuple((key, tuple(_outermost(where))) for key, where in paths.items() if where)


def _outermost(paths: Iterable[Path]) -> list[str]:
    return list(dict.fromkeys(path.steps[0][0] for path in paths if path.steps))


def known_loaders() -> list[str]:
    """The names of the loaders that ship with the project, sorted."""
    return sorted(path.stem for path in data_folder("loaders").glob("*.toml"))


def about(name: str) -> str:
    """What a shipped loader reads: the first sentence of the comment that it begins with."""
    lines = (data_folder("loaders") / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    text = " ".join(line.removeprefix("# ") for line in takewhile(lambda line: line[:1] == "#", lines))
    return re.split(r"[:.](?: |$)", text)[0]


def read_file(name_or_path: str | FilePath) -> LoaderFile:
    """A shipped loader by its name, or any by the path of its file (with a `/` or ending in `.toml`).

    `segment:shop` is the shipped one for another source, `shop`. Raises LOADER_UNKNOWN, LOADER_SYNTAX, LOADER_KEY,
    LOADER_VALUE.
    """
    name, source = _parted(name_or_path)
    path, reference = _find(name)
    text, document = _parse(path, reference)
    if source:
        document, reference = document | {"source": source}, f"{reference}:{source}"
    if "like" in document:
        place = Place(text, path.name)
        like = place.text(document, "like", "")
        other, other_reference = _find(like if like in known_loaders() else path.parent / f"{like}.toml")
        other_text, other_document = _parse(other, other_reference)
        if "like" in other_document:
            raise place.fail("LOADER_VALUE", "like", f"{like} is itself like another", "Name that other one.")
        _read(other_document, Place(other_text, other.name), other_reference)
        document = other_document | {key: value for key, value in document.items() if key != "like"}
    return _read(document, Place(text, path.name), reference)


def parse_file(text: str, where: str = "the loader") -> LoaderFile:
    """A loader from the text of its file. Raises LOADER_SYNTAX, LOADER_KEY, LOADER_VALUE."""
    return _read(_toml(text, where), Place(text, where), where)


def _parted(name_or_path: str | FilePath) -> tuple[str | FilePath, str]:
    """The name and, of a shipped loader, the source that it is to be of."""
    name, _, source = str(name_or_path).partition(":")
    return (name, source) if source and name in known_loaders() else (name_or_path, "")


def _find(name_or_path: str | FilePath) -> tuple[FilePath, str]:
    name = str(name_or_path)
    if isinstance(name_or_path, FilePath) or name.endswith(".toml") or "/" in name or "\\" in name:
        path = FilePath(name_or_path)
        if path.is_file():
            return path, str(path.resolve())
        what = f"there is no loader file {name}"
    else:
        path = data_folder("loaders") / f"{name}.toml"
        if name in known_loaders():
            return path, name
        what = f"there is no loader {name!r}"
    known = ", ".join(known_loaders())
    raise LoaderError("LOADER_UNKNOWN", what, help=f"Known: {known}; or give the path of a .toml file.")


def _parse(path: FilePath, reference: str) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoaderError("LOADER_SYNTAX", f"{reference}: {error}", help="It must be readable UTF-8 text.") from error
    return text, _toml(text, path.name)


def _toml(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LoaderError("LOADER_SYNTAX", f"{where}: {error}", help="Mend the TOML at that line.") from error


TOP = (
    "source",
    "like",
    "format",
    "csv",
    "lines",
    "json",
    "keyed_lists",
    "phone_region",
    "event",
    "identifiers",
    "traits",
    "properties",
    "identifier_pairs",
    "same_person",
    "not_the_person",
)


def _read(document: Mapping[str, Any], place: Place, reference: str) -> LoaderFile:
    place.only(document, TOP, "")
    event = place.table(document, "event", "")
    place.only(event, ("id", "time", "time_unit", "time_format", "name", "source"), "event")
    time, time_constant = _paths_or_constant(event, "time", place)
    name, name_constant = _paths_or_constant(event, "name", place)
    id, id_within_source = _id(event, place)
    if not name and name_constant is None:
        raise place.fail("LOADER_VALUE", "event.name", "left out", "Say where the name is, or { value = ... }.")
    if name_constant is not None and not (isinstance(name_constant, str) and 0 < len(name_constant) <= 256):
        raise place.fail("LOADER_VALUE", "event.name", f"{name_constant!r}", "Write a text of 1 to 256 characters.")
    named, otherwise = _otherwise(place.table(document, "identifiers", ""), place)
    identifiers, identifier_objects = _identifiers(named, place)
    traits, trait_objects = _fields(document, "traits", place)
    properties, property_objects = _fields(document, "properties", place)
    file = LoaderFile(
        reference=reference,
        digest=hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest(),
        source=place.text(document, "source", "", longest=64),
        form=read_form(document, place),
        json=place.paths(document, "json", ""),
        keyed_lists=tuple(_keyed_list(table, place) for table in place.tables(document, "keyed_lists")),
        phone_region=_region(document, place),
        id=id,
        id_within_source=id_within_source,
        time=time,
        time_constant=_time_constant(time_constant, place),
        time_unit=place.text(event, "time_unit", "event", default="ms", choice=tuple(UNITS)),
        time_format=_time_format(event, place),
        event_name=name,
        name_constant=name_constant,
        source_paths=place.paths(event, "source", "event"),
        identifiers=identifiers,
        otherwise=otherwise,
        identifier_objects=identifier_objects,
        pairs=tuple(_pair(table, place) for table in place.tables(document, "identifier_pairs")),
        traits=traits,
        trait_objects=trait_objects,
        properties=properties,
        property_objects=property_objects,
        same_person=tuple(_stated(table, place) for table in place.tables(document, "same_person")),
        not_the_person=tuple(_not_the_person(table, place) for table in place.tables(document, "not_the_person")),
    )
    if not (file.identifiers or file.identifier_objects or file.pairs or file.same_person):
        raise place.fail("LOADER_VALUE", "identifiers", "names no identifier", "Say where at least one is.")
    return file


def _id(event: Mapping[str, Any], place: Place) -> tuple[tuple[Path, ...], bool]:
    """Where the id is, and whether it is one within its source alone."""
    value = event.get("id")
    if not isinstance(value, dict):
        return place.paths(event, "id", "event"), False
    place.only(value, ("path", "within"), "event.id")
    if not value.get("path") or "within" not in value:
        help = 'Write { path = "...", within = "source" }, or the path alone.'
        raise place.fail("LOADER_VALUE", "event.id", f"{value!r}", help)
    place.text(value, "within", "event.id", choice=("source",))
    return place.paths(value, "path", "event.id"), True


def _paths_or_constant(table: Mapping[str, Any], key: str, place: Place) -> tuple[tuple[Path, ...], Any]:
    value = table.get(key)
    if isinstance(value, dict):
        place.only(value, ("value",), f"event.{key}")
        if "value" not in value:
            raise place.fail("LOADER_VALUE", f"event.{key}", "is an empty table", "Write { value = ... }.")
        return (), value["value"]
    return place.paths(table, key, "event"), None


def _time_format(event: Mapping[str, Any], place: Place) -> str | None:
    value = place.text(event, "time_format", "event", default="")
    if value:
        try:
            datetime.strptime(EPOCH.strftime(value), value)
        except ValueError as error:
            what = f"{value!r}: {error}"
            help = "It is written as for Python's strptime, say %d/%b/%Y:%H:%M:%S %z."
            raise place.fail("LOADER_VALUE", "event.time_format", what, help) from error
    return value or None


def _keyed_list(table: Mapping[str, Any], place: Place) -> KeyedList:
    key = "keyed_lists"
    place.only(table, ("list", "key", "value"), key)
    (where,) = place.paths(table, "list", key, one=True)
    (name,) = place.paths(table, "key", key, one=True)
    return KeyedList(where, name, place.paths(table, "value", key, required=True))


def _time_constant(value: Any, place: Place) -> int | None:
    if value is None:
        return None
    try:
        return parse_time(value)
    except InputError as error:
        raise place.fail("LOADER_VALUE", "event.time", error.message, "Write ISO 8601.") from error


def _region(document: Mapping[str, Any], place: Place) -> str | None:
    value = place.text(document, "phone_region", "", default="")
    if not value:
        return None
    from phonenumbers import SUPPORTED_REGIONS

    if value.upper() not in SUPPORTED_REGIONS:
        help = f"Allowed: two letters of a country that has numbers: {', '.join(sorted(SUPPORTED_REGIONS))}."
        raise place.fail("LOADER_VALUE", "phone_region", f"{value!r}", help)
    return value.upper()


def _namespace(name: Any, key: str, place: Place) -> str:
    try:
        return normalise_namespace(name)
    except InputError as error:
        raise place.fail("LOADER_VALUE", key, error.message, error.help) from error


def _otherwise(table: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """The identifiers with their paths alone, and what becomes of values that are none of their namespace."""
    paths, found = dict(table), []
    for name, value in table.items():
        if isinstance(value, dict):
            key = f"identifiers.{name}"
            place.only(value, ("path", "otherwise"), key)
            paths[name] = value.get("path", [])
            if name == "*" or not paths[name] or "otherwise" not in value:
                help = 'Write { path = "...", otherwise = "a namespace" }, or the path alone.'
                raise place.fail("LOADER_VALUE", key, f"{value!r}", help)
            other = _namespace(value["otherwise"], f"{key}.otherwise", place)
            if other in CHECKED:
                help = f"Allowed: a namespace that takes any text, which {', '.join(CHECKED)} do not."
                raise place.fail("LOADER_VALUE", f"{key}.otherwise", f"{other!r}", help)
            found.append((_namespace(name, key, place), other))
    return paths, tuple(found)


def _identifiers(table: Mapping[str, Any], place: Place) -> tuple[tuple[tuple[str, Path], ...], tuple[Path, ...]]:
    found: list[tuple[str, Path]] = []
    for name in table:
        if name != "*":
            namespace = _namespace(name, f"identifiers.{name}", place)
            found += [(namespace, path) for path in place.paths(table, name, "identifiers")]
    return tuple(found), place.paths(table, "*", "identifiers")


def _fields(document: Mapping[str, Any], section: str, place: Place) -> tuple[tuple[Field, ...], tuple[Path, ...]]:
    table = place.table(document, section, "")
    found = []
    for name, value in table.items():
        if name == "*":
            continue
        key = f"{section}.{name}"
        if isinstance(value, dict) and "value" in value:
            place.only(value, ("value",), key)
            found.append(Field(name, constant=Constant(_json(value["value"], key, place))))
        elif isinstance(value, dict):
            place.only(value, ("path", "type"), key)
            type = place.text(value, "type", key, default="", choice=TYPES) or None
            if "path" not in value:
                raise place.fail("LOADER_VALUE", key, "has no path", 'Write { path = "...", type = "number" }.')
            found.append(Field(name, place.paths(value, "path", key, fan=True), type))
        else:
            found.append(Field(name, place.paths(table, name, section, fan=True)))
    return tuple(found), place.paths(table, "*", section, root=section == "properties")


def _json(value: Any, key: str, place: Place) -> Any:
    """A constant of TOML as JSON: dates become text."""
    try:
        return orjson.loads(orjson.dumps(value))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError) as error:
        raise place.fail("LOADER_VALUE", key, f"{value!r}: {error}", "Allowed: what JSON can hold.") from error


def _pair(table: Mapping[str, Any], place: Place) -> tuple[Path, Path]:
    place.only(table, ("namespace", "value"), "identifier_pairs")
    (namespace,) = place.paths(table, "namespace", "identifier_pairs", fan=True, one=True)
    (value,) = place.paths(table, "value", "identifier_pairs", fan=True, one=True)
    ends = namespace.split(), value.split()
    if (ends[0] and ends[0][0].steps) != (ends[1] and ends[1][0].steps):
        raise place.fail(
            "LOADER_VALUE",
            "identifier_pairs.value",
            f"{namespace.text} and {value.text} do not fan out over one list",
            "Both are taken from the same element of one list, say ids[].type and ids[].id, or neither from a list.",
        )
    return namespace, value


def _when(table: Mapping[str, Any], key: str, place: Place) -> When:
    when = place.table(table, "when", key)
    if len(when) != 1:
        raise place.fail("LOADER_VALUE", f"{key}.when", f"has {len(when)} fields", 'Write { type = "alias" }.')
    ((path, value),) = when.items()
    if not isinstance(value, str | int | bool):
        raise place.fail("LOADER_VALUE", f"{key}.when", f"{value!r}", "Allowed: a text, a whole number, true, false.")
    return When(place.path(path, f"{key}.when"), value)


def _stated(table: Mapping[str, Any], place: Place) -> Stated:
    key = "same_person"
    place.only(table, ("when", "a", "b"), key)
    ends = []
    for end in ("a", "b"):
        inner = place.table(table, end, key)
        place.only(inner, ("namespace", "value"), f"{key}.{end}")
        namespace = _namespace(inner.get("namespace"), f"{key}.{end}", place)
        (path,) = place.paths(inner, "value", f"{key}.{end}", one=True)
        ends.append((namespace, path))
    return Stated(ends[0], ends[1], _when(table, key, place) if "when" in table else None)


def _not_the_person(table: Mapping[str, Any], place: Place) -> NotThePerson:
    key = "not_the_person"
    place.only(table, ("when", "paths"), key)
    return NotThePerson(_when(table, key, place), place.paths(table, "paths", key, required=True))
