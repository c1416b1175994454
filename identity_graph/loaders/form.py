"""What a loader file says of how its source is written: `format`, `csv` and `lines`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity_graph.loaders.place import Place
from identity_graph.records.patterned import Pattern
from identity_graph.records.source import Form

FORMATS = ("csv", "jsonl", "parquet", "lines")


def read_form(document: Mapping[str, Any], place: Place) -> Form:
    """Raises LOADER_KEY and LOADER_VALUE."""
    csv = place.table(document, "csv", "")
    place.only(csv, ("delimiter", "encoding", "header", "quotes", "text_mark"), "csv")
    pattern, nothing = _lines(document, place)
    return Form(
        format=place.text(document, "format", "", default="", choice=FORMATS) or None,
        delimiter=_delimiter(csv, place),
        encoding=_encoding(csv, place),
        header=place.names(csv, "header", "csv"),
        quotes=place.truth(csv, "quotes", "csv", default=True),
        text_mark=_mark(csv, place),
        pattern=pattern,
        nothing=nothing,
    )


def _delimiter(csv: Mapping[str, Any], place: Place) -> str:
    value = place.text(csv, "delimiter", "csv", default=",")
    if len(value) != 1 or not value.isascii() or value in '"\r\n':
        raise place.fail("LOADER_VALUE", "csv.delimiter", f"{value!r}", "It is one ASCII character, say , ; or \\t.")
    return value


def _encoding(csv: Mapping[str, Any], place: Place) -> str:
    """Only encodings in which a line ends with the byte 10, so that a file can be cut into lines as bytes."""
    value = place.text(csv, "encoding", "csv", default="utf-8")
    try:
        good = 'a"\n'.encode(value) == b'a"\n' and b"\n".decode(value) == "\n"
    except (LookupError, UnicodeError):
        good = False
    if not good:
        raise place.fail(
            "LOADER_VALUE", "csv.encoding", f"{value!r}", "Known: utf-8, latin-1, cp1252 and others that extend ASCII."
        )
    return value


def _mark(csv: Mapping[str, Any], place: Place) -> str:
    value = place.text(csv, "text_mark", "csv", default="")
    if len(value) > 1:
        raise place.fail("LOADER_VALUE", "csv.text_mark", f"{value!r}", "It is one character, nearly always '.")
    return value


def _lines(document: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """The pattern of lines, and what stands in them for nothing."""
    lines = place.table(document, "lines", "")
    place.only(lines, ("pattern", "nothing"), "lines")
    if (document.get("format") == "lines") != bool(lines):
        help = """Write both: format = "lines" and lines = { pattern = '{ip} {rest}' }."""
        raise place.fail("LOADER_VALUE", "lines", "goes with the format of that name", help)
    if not lines:
        return "", ""
    text = place.text(lines, "pattern", "lines")
    try:
        Pattern(text)
    except ValueError as error:
        help = "Write the line as it is, with {name} where a field is."
        raise place.fail("LOADER_VALUE", "lines.pattern", str(error), help) from error
    return text, place.text(lines, "nothing", "lines", default="")
