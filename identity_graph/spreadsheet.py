"""Tables for spreadsheets, in which no cell is a formula, whoever wrote its value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Any) -> str:
    """A value as the text of a cell: objects and lists as JSON, nothing as an empty cell. A text that a spreadsheet
    might take for a formula gets an apostrophe before it, as spreadsheets themselves write such texts.

    >>> cell("=1+1"), cell("  @x"), cell(-5), cell(["a"]), cell(None), cell(True)
    ("'=1+1", "'  @x", '-5', '["a"]', '', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" \u00a0\u3000").startswith(_FORMULA) or value[:1] == "'" else value
    return orjson.dumps(value).decode()


def table(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """CSV (RFC 4180) in UTF-8 with its mark, which spreadsheets ask for; the first row is the names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([cell(row[name]) for name in names] for row in rows)
    return text.getvalue().encode("utf-8-sig")
