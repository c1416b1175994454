"""Rows of CSV that are a line each, many at once: by columns, and row by row whatever is not as it should be."""

from __future__ import annotations

import csv
from codecs import lookup
from collections.abc import Sequence
from itertools import chain, compress

import numpy as np

from identity_graph.model import Refused
from identity_graph.records.delimited import COMPUTED, Rows
from identity_graph.records.flat import Flat
from identity_graph.records.source import Form

_LONG = 1 << 16  # a line that needs care


def read_rows(data: bytes, names: Sequence[str], form: Form) -> tuple[Flat, list[int], list[tuple[int, str, str]]]:
    """What `Rows` says of lines that are a row each: records, the places of their lines, and of those that are refused
    place, code and message."""
    width, between = len(names), form.delimiter
    if plain := _plain_cells(data, width, form):
        columns = _columns(plain, width, form)
        count = len(plain) // width
        return Flat(dict(zip(names, columns, strict=True)), count), list(range(count)), []
    lines = data.split(b"\n")
    texts = _texts(data, lines, form)
    if form.quotes and b'"' in data:
        parsed = csv.reader((f"{text}\n" for text in texts if text is not None), delimiter=between, strict=True)
        rows = [[] if text is None else next(parsed) for text in texts]
        good = [len(row) == width and (width > 1 or row[0].strip() != "") for row in rows]
        cells = list(chain.from_iterable(compress(rows, good)))
    else:
        good = [text is not None and _is_good(text, width, between) for text in texts]
        cells = between.join(compress(texts, good)).split(between) if any(good) else []  # type: ignore[arg-type]
    columns = _columns(cells, width, form)
    places = list(compress(range(len(lines)), good))
    if len(places) == len(lines):
        return Flat(dict(zip(names, columns, strict=True)), len(places)), places, []
    others = [place for place, found in enumerate(good) if not found]
    records: dict[int, dict[str, str]] = {}
    refused: list[tuple[int, str, str]] = []
    for origin, found in Rows.of((0, 0, 0, b"\n".join(map(lines.__getitem__, others))), names, form):
        place = others[origin.line]
        if isinstance(found, Refused):
            refused.append((place, found.code, found.message))
        else:
            records[place] = found
    if records:
        order = sorted(range(len(places) + len(records)), key=[*places, *records].__getitem__)
        places = sorted([*places, *records])
        for name, column in zip(names, columns, strict=True):
            column += [record.get(name) for record in records.values()]
            column[:] = [column[number] for number in order]
    return Flat(dict(zip(names, columns, strict=True)), len(places)), places, refused


def _plain_cells(data: bytes, width: int, form: Form) -> list[str]:
    """All cells of rows that have nothing but plain ones, as many each: in a third of the time. Else nothing."""
    between = form.delimiter
    if width < 2 or not between.isascii() or not _one_state(form) or b"\r" in data or (form.quotes and b'"' in data):
        return []
    each = np.frombuffer(data, dtype=np.uint8)
    ends = np.append(np.flatnonzero(each == ord("\n")), len(data))
    cuts = np.flatnonzero(each == ord(between))
    if len(cuts) != len(ends) * (width - 1):
        return []
    starts = np.append(0, ends[:-1] + 1)
    of_row = cuts.reshape(len(ends), width - 1)
    if (of_row[:, 0] < starts).any() or (of_row[:, -1] > ends).any() or (ends - starts).max() > _LONG:
        return []
    try:
        return data.decode(form.encoding).replace("\n", between).split(between)
    except UnicodeDecodeError:
        return []


def _columns(cells: list[str], width: int, form: Form) -> list[list[str | None]]:
    if form.text_mark:
        mark = form.text_mark
        cells = [cell[1:] if cell[:1] == mark and cell[1:2] in COMPUTED else cell for cell in cells]
    columns: list[list[str | None]] = [cells[number::width] for number in range(width)]  # type: ignore[misc]
    return [[cell or None for cell in column] if "" in column else column for column in columns]


def _one_state(form: Form) -> bool:
    """Whether a byte that is a line end or a delimiter is one wherever it stands."""
    encoding = lookup(form.encoding).name
    return encoding in ("utf-8", "ascii") or encoding.startswith(("iso8859-", "cp125"))


def _texts(data: bytes, lines: Sequence[bytes], form: Form) -> Sequence[str | None]:
    """Of each line, without the end of one from Windows; None of those that need care."""
    if not _one_state(form):
        return [None] * len(lines)
    texts: list[str | None]
    try:
        texts = [*data.decode(form.encoding).split("\n")]
    except UnicodeDecodeError:
        texts = [_text(raw, form.encoding) for raw in lines]
    if b"\r" in data:
        texts = [text and text.removesuffix("\r") for text in texts]
        texts = [None if text is None or "\r" in text else text for text in texts]
    if max(map(len, lines)) > _LONG:
        texts = [text if len(raw) <= _LONG else None for text, raw in zip(texts, lines, strict=True)]
    return texts


def _text(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_good(text: str, width: int, delimiter: str) -> bool:
    """Whether it has all of its fields, and is no blank line."""
    return text.count(delimiter) == width - 1 and (width > 1 or not (text == "" or text.isspace()))
