"""A loader proposed for an unknown file, from the names and values of its columns; for a person to edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from identity_graph.errors import InputError
from identity_graph.legible import legible
from identity_graph.loaders import clues
from identity_graph.loaders.columns import Column, read_columns
from identity_graph.loaders.event_id import CHANGING, EventId, event_id, happening
from identity_graph.loaders.file import parse_file
from identity_graph.loaders.region import region
from identity_graph.records import Form

_OBJECTS = {"traits": ("traits", "user_properties"), "properties": ("properties",)}


def guess(path: str | Path) -> str:
    """The text of a loader file that reads this one, each line with why. It reads the first records only.

    Raises the codes of sources, and NO_IDENTIFIER where no column looks like one.
    """
    form, count, columns = read_columns(path)
    stem = re.sub(r"[^a-z0-9]+", "_", Path(path).name.partition(".")[0].lower()).strip("_") or "records"
    found = [(clues.namespace(column.near, column.values), column) for column in columns]
    identifiers = [(clue, column) for clue, column in found if clue]
    id = event_id(columns, {column.path for _, column in identifiers}, count, stem)
    if id.person:
        identifiers.append(
            (clues.Clue(f"{stem[:61]}_id", "by the other columns, the person's in this table"), id.person)
        )
    if not identifiers:
        raise InputError(
            "NO_IDENTIFIER",
            f"{path}: no column looks like an identifier",
            help="Write the loader by hand, like one that ships (identity-graph loader list).",
        )
    lines = [
        f"# Guessed from the first {count:,} records of {legible(Path(path).name)}. Read it before you load by it."
    ]
    lines += [*_source(stem, form, identifiers), "", "[event]"]
    taken = {column.path for _, column in identifiers}
    lines += [_id(id), *_event([column for column in columns if column.path not in taken], count, stem)]
    lines += ["", "[identifiers]", *_identifiers(identifiers)]
    lines += _traits(columns, identifiers) + _properties(columns)
    text = "\n".join(lines) + "\n"
    parse_file(text, "the guess")
    return text


def _source(stem: str, form: Form, identifiers: Sequence[tuple[clues.Clue, Column]]) -> list[str]:
    lines = [f"source = {_quoted(stem[:64])}", f"format = {_quoted(form.format or 'jsonl')}"]
    csv = [f"delimiter = {_quoted(form.delimiter)}"] if form.delimiter != "," else []
    csv += [f"encoding = {_quoted(form.encoding)}"] if form.encoding != "utf-8" else []
    csv += [f"text_mark = {_quoted(form.text_mark)}"] if form.text_mark else []
    if csv:
        lines.append(f"csv = {{ {', '.join(csv)} }}")
    phones = [value for clue, column in identifiers if clue.what == "phone" for value in column.values]
    if any(not value.startswith("+") for value in phones):
        if told := region(phones):
            lines.append(f"phone_region = {_quoted(told.what)}  # {told.why}")
        else:
            lines.append('# phone_region = "US"  # some numbers have no country: say here in which they were written')
    return lines


def _id(found: EventId) -> str:
    if not found.event:
        return f"# id: {found.why}, so the hash of the record is the id"
    path = _quoted(found.event.path)
    if clues.unique_everywhere(found.event.name, found.event.values):
        return f"id = {path}  # {found.why}"
    return f'id = {{ path = {path}, within = "source" }}  # {found.why}'


def _event(columns: Sequence[Column], count: int, stem: str) -> list[str]:
    lines = _time(columns)
    top = {column.name.lower(): column for column in columns if len(column.steps) == 1}
    names = [top[name].path for name in clues.EVENT_NAMES if name in top]
    if "type" in top and "name" in top:
        names.insert(len(names) - 1, top["name"].path)
    if names and any(column.records == count for column in top.values() if column.path in names):
        return [*lines, f"name = {_listed(names)}  # by their names, the first that is there"]
    constant = f"{stem.replace('_', ' ').title()} Recorded"
    return [*lines, f"name = {{ value = {_quoted(constant)} }}  # no column has the names of events"]


def _time(columns: Sequence[Column]) -> list[str]:
    times, others = [], []
    happens = happening(columns)
    for column in columns:
        said = clues.words(column.name)
        called = clues.is_called_time(column.name)
        clue = clues.time_form(column.values, days=called) if column.name[-1:] != "]" else None
        if clue and called:
            rank = next(n for n, word in enumerate(clues.TIME_WORDS) if word in said)
            # Of what only is as it is now, the last change says since when.
            newest = happens or not CHANGING.intersection(said)
            times.append(((len(column.steps), -column.records, newest, rank), column, clue))
        elif clue:
            others.append(column.path)
    if not times:
        but = f": {', '.join(map(legible, others[:5]))} may be, but is not called so" if others else ""
        return [f"# time: no column has times, so a record gets that of the file, or --time{but}"]
    times.sort(key=lambda time: time[0])
    (_, column, clue), *more = times
    key = "time_unit" if clue.what in clues.UNITS.values() else "time_format"
    form = [] if clue.what == "iso" else [f"{key} = {_quoted(clue.what)}"]
    if clues.EITHER in clue.what:
        form = [
            f"# time_format = {clues.EITHER.join(map(_quoted, clue.what.split(clues.EITHER)))}: no value tells which"
        ]
    also = f"; times too: {', '.join(legible(other.path) for _, other, _ in more[:5])}" if more else ""
    return [f"time = {_quoted(column.path)}  # {clue.why}{also}", *form]


def _identifiers(found: Iterable[tuple[clues.Clue, Column]]) -> list[str]:
    namespaces: dict[str, list[tuple[Column, str]]] = {}
    for clue, column in found:
        namespaces.setdefault(clue.what, []).append((column, clue.why))
    lines = []
    for namespace, columns in namespaces.items():
        if len(columns) == 1:
            lines.append(f"{namespace} = {_quoted(columns[0][0].path)}  # {columns[0][1]}")
        else:
            lines += [f"{namespace} = [", *(f"    {_quoted(column.path)},  # {why}" for column, why in columns), "]"]
    return lines


def _objects(columns: Sequence[Column], section: str) -> list[str]:
    """Paths of whole objects that are called as the section is."""
    found = {}
    for column in columns:
        for depth, step in enumerate(column.steps[:-1], 1):
            if step in _OBJECTS[section]:
                found[".".join(column.steps[:depth])] = True
    return list(found)


def _traits(columns: Sequence[Column], identifiers: Sequence[tuple[clues.Clue, Column]]) -> list[str]:
    if objects := _objects(columns, "traits"):
        return ["", "[traits]", f'"*" = {_listed(objects)}  # whole objects, by their names']
    found: dict[str, str] = {}
    for column in columns:
        trait = clues.trait(column.name, column.values)
        if trait and not (trait == "name" and happening(columns)):
            found.setdefault(trait, column.path)
    for clue, column in identifiers:
        if clue.what in ("email", "phone"):
            found.setdefault(clue.what, column.path)
    if not found:
        return []
    lines = [f"{trait} = {_quoted(path)}" for trait, path in found.items()]
    return ["", "[traits]  # facts about the person, by the columns' names", *lines]


def _properties(columns: Sequence[Column]) -> list[str]:
    return ["", "[properties]", f'"*" = {_listed([*_objects(columns, "properties"), "."])}  # all else is kept']


def _listed(paths: Sequence[str]) -> str:
    return _quoted(paths[0]) if len(paths) == 1 else f"[{', '.join(map(_quoted, paths))}]"


def _quoted(text: str) -> str:
    """As a text of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
