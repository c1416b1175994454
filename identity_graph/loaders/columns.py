"""The columns of an unknown file: every path that its first records have, with some of the values there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from identity_graph.errors import InputError
from identity_graph.model import Refused
from identity_graph.records import Form, Reader
from identity_graph.records.source import Source

RECORDS = 2_000
"""Read of a file, however large it is."""

_DEEPEST = 4
_PLAIN = re.compile(r'[^."\[\]]+')
_MARKED = re.compile(rb"(?:^|[,;\t|])'[0-9+]", re.MULTILINE)
_DELIMITERS = ",;\t|"


@dataclass
class Column:
    """`steps` are keys, the last one with `[]` if it is a list; `values` are its texts and numbers, as text."""

    steps: tuple[str, ...]
    records: int = 0
    values: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return ".".join(self.steps)

    @property
    def name(self) -> str:
        return self.steps[-1].strip('"')

    @property
    def near(self) -> str:
        """The last two steps: of `context.device.id`, the name alone says nothing."""
        return ".".join(self.steps[-2:])


def read_columns(path: str | Path) -> tuple[Form, int, list[Column]]:
    """How the file is written, how many records were read, and their columns in order of appearance.

    Raises the codes of sources, and SOURCE_FORMAT of a file without records.
    """
    form = _form(path)
    columns: dict[tuple[str, ...], Column] = {}
    count = 0
    with Reader(path, form) as reader:
        for _, record in islice(reader, RECORDS):
            if isinstance(record, Refused):
                continue
            count += 1
            for steps, values in _walk(record, ()):
                column = columns.setdefault(steps, Column(steps))
                column.records += 1
                column.values += values
    if not count:
        raise InputError("SOURCE_FORMAT", f"{path}: it has no record that can be read")
    return form, count, list(columns.values())


def _walk(value: dict[str, Any], before: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    for key, inner in value.items():
        if '"' in key or not key:  # no path leads there
            continue
        steps = (*before, key if _PLAIN.fullmatch(key) else f'"{key}"')
        if isinstance(inner, dict) and len(steps) < _DEEPEST:
            yield from _walk(inner, steps)
        elif isinstance(inner, list):
            texts = [text for element in inner if (text := _text(element))]
            if texts:
                yield (*before, steps[-1] + "[]"), texts
        elif text := _text(inner):
            yield steps, [text]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _form(path: str | Path) -> Form:
    """By the file's ending, else by how it begins; of CSV the delimiter that its first line has most."""
    try:
        source = Source(path, Form())
        known: str | None = source.format
    except InputError as error:
        if error.code != "SOURCE_FORMAT":
            raise
        source, known = Source(path, Form("jsonl")), None
    try:
        head = b"" if known == "parquet" else next(source.chunks(), b"")
    finally:
        source.close()
    if known != "csv" and (known or head.lstrip().startswith(b"{")):
        return Form(known or "jsonl")
    line = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("latin-1")
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        head[:-4].decode()
        encoding = "utf-8"
    except UnicodeDecodeError as error:
        encoding = "utf-8" if error.start > len(head) - 8 else "cp1252"
    return Form("csv", delimiter=delimiter, encoding=encoding, text_mark="'" if _MARKED.search(head) else "")
