"""One JSON object, read so strictly that nothing in it changes on the way."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from identity_graph.records.undecodable import why_undecodable

MAX_DEPTH = 64
LEAST, MOST = -(2**63), 2**64 - 1

_NAME = b'":'
_SHORT = 32_768  # bytes: of shorter texts numpy is not asked, for to begin takes it longer than they do
_BLANKS = np.isin(np.arange(256), list(b" \t\r\n"))
_HIDDEN = (b"\\u0022", b"\\u003a", b"\\u003A")
"""What becomes alike a name once it is read."""

_DIGITS = bytes(48 if chr(byte).isdigit() else 120 for byte in range(256))
_LONG_NUMBER = b"0" * 19  # the fewest digits of a number of more than 64 bits
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")

_SYNTAX = {
    "unexpected end of data": "JSON_CUT",
    "unexpected content after document": "JSON_AFTER",
    "unexpected control character": "JSON_CONTROL",
}

Refusal = tuple[str, str]


class Twice(dict[str, Any]):
    """An object that names a key twice: `json` writes all that it said."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


def all_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An `object_pairs_hook` that loses none."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else Twice(pairs)


def may_deceive(raw: bytes) -> bool:
    """Whether orjson may round a number in it (whole numbers of more than 64 bits become doubles), or `names_in` miss
    a key. Asked of many lines at once this costs next to nothing."""
    if _LONG_NUMBER in raw.translate(_DIGITS):
        return True
    if b"\\" in raw and any(hidden in raw for hidden in _HIDDEN):
        return True
    if len(raw) < _SHORT:
        return b" :" in raw or b"\n:" in raw or b"\r:" in raw or b"\t:" in raw
    return bool(_BLANKS[_before_colons(raw)].any())


def names_in(raw: bytes) -> int:
    """How many keys are named in a text, which does not deceive; and how often texts in it look as if."""
    return int(np.count_nonzero(_before_colons(raw) == ord('"')))


def _before_colons(raw: bytes) -> npt.NDArray[np.uint8]:
    text = np.frombuffer(raw, np.uint8)
    return text[np.flatnonzero(text == ord(":")) - 1]


def repeats(raw: bytes, found: Any) -> bool:
    """Whether the text, which does not deceive, names a key twice: of these orjson `found` the last alone. Raises
    JSONEncodeError of what nests too deep to be written."""
    return raw.count(_NAME) != orjson.dumps(found).count(_NAME)


def read_json(raw: bytes, *, wary: bool = True) -> dict[str, Any] | Refusal | None:
    """The object, or the code and message of its refusal, or None of a blank line.

    Refused: what is no object, not UTF-8, nested deeper than 64 levels, numbers that a double or 64 bits cannot
    hold (no number is rounded but the digits of a fraction past a double's), lone surrogates, a key that is there
    twice. Whoever knows that there is nothing that `may_deceive` need not be `wary`.

    >>> read_json(b'{"a": 1, "a": 2}')[0], read_json(b'{"a": 1e999}')[0], read_json(b"[]")[0]
    ('KEY_REPEATED', 'NUMBER_RANGE', 'NOT_OBJECT')
    """
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return _why(raw, str(error))
    if record.__class__ is not dict:
        return "NOT_OBJECT", f"the line is a JSON {_kind(record)}, not an object"
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        return "RECORD_TOO_DEEP", f"the record nests deeper than {MAX_DEPTH} levels"
    if ((wary and may_deceive(raw)) or repeats(raw, record)) and (refusal := _strictly(raw)):
        return refusal
    return record


def _kind(value: Any) -> str:
    kinds = {list: "list", str: "text", bool: "truth value", type(None): "null"}
    return kinds.get(type(value), "number")


def _why(raw: bytes, message: str) -> Refusal | None:
    if not raw.strip():
        return None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return why_undecodable(raw, "utf-8", "line")
    if _depth(raw) > MAX_DEPTH:
        return "RECORD_TOO_DEEP", f"the record nests deeper than {MAX_DEPTH} levels"
    if b"\0" in raw:
        return "NUL_BYTES", f"byte {raw.index(0) + 1} of the line is zero"
    if raw.startswith(b"\xef\xbb\xbf"):
        return "BOM_INSIDE", "the line begins with a byte order mark"
    return _strictly(raw) or (_syntax(message), message)


def _syntax(message: str) -> str:
    """The code of what orjson says."""
    return next((code for begin, code in _SYNTAX.items() if message.startswith(begin)), "NOT_JSON")


def _strictly(raw: bytes) -> Refusal | None:
    """What the standard library's slower reader finds wrong with a number, a text or a key; None if nothing."""
    wild: list[str] = []
    boundless: list[str] = []
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = dict(found)
        if len(names) < len(found):
            seen = Counter(name for name, _ in found)
            twice.append(next(name for name in seen if seen[name] > 1))
        return names

    def whole(text: str) -> int:
        if len(text) > 21 or not LEAST <= int(text) <= MOST:
            wild.append(text)
            return 0
        return int(text)

    def fraction(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            wild.append(text)
        return number

    try:
        record = json.loads(
            raw, parse_int=whole, parse_float=fraction, parse_constant=boundless.append, object_pairs_hook=pairs
        )
    except ValueError:
        return None
    if boundless:
        return "NUMBER_NOT_FINITE", f"{boundless[0]} is not a finite number"
    if wild:
        return "NUMBER_RANGE", f"{wild[0][:24]} is larger than a double, or a whole number of more than 64 bits"
    if _has_surrogate(record):
        return "TEXT_SURROGATE", "a text holds half of a surrogate pair"
    if twice:
        return "KEY_REPEATED", f"an object names the key {twice[0][:64]!r} twice"
    return None


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(map(_has_surrogate, value)) or any(map(_has_surrogate, value.values()))
    return isinstance(value, list) and any(map(_has_surrogate, value))


def _depth(raw: bytes) -> int:
    """How deep brackets nest outside of texts."""
    deepest = depth = 0
    for bracket in re.findall(rb"[\[{}\]]", _STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
