"""Whether the bytes of a record name somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from identity_graph.errors import InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise

SHORTEST = 5
_SHORTEST_SPACED = 7
_ADDRESS = re.compile(r"[^\s\"'`,;:<>()\[\]{}=|]+@[^\s\"'`,;:<>()\[\]{}=|]+")
_WORD = re.compile(r"[\w+.-]+")
_EDGES = re.compile(r"^[.-]+|[.-]+$")
_GAPS = re.compile(r"[\s().\u2010-\u2015-]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


class Mentions:
    """Finds identifiers in records that could not be mapped: e-mail addresses however they are written, other values as
    whole words in any case, and those with digits (telephones, cards) also with gaps in them. Escapes of JSON and of
    URLs are seen through. Values shorter than five characters are not looked for: they would be found everywhere.

    >>> mentions = Mentions([Identifier("email", "ann@example.org"), Identifier("phone", "+12025550143")])
    >>> mentions.found_in(b'{"email": "Ann@Example.ORG", broken'), mentions.found_in(b"joann@example.org")
    (True, False)
    >>> mentions.found_in(b"Ann,(202) 555-0143,broken"), mentions.found_in(b"Bob,(202) 555-0144,broken")
    (True, False)
    """

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        known = list(identifiers)
        self._emails = {one.value for one in known if one.namespace == "email"}
        self._words = {one.value.casefold() for one in known if len(one.value) >= SHORTEST} - self._emails
        self._texts = [word for word in self._words if not _WORD.fullmatch(word)]
        spaced = sorted(_spaced(known))
        self._spaced = re.compile(f"(?:{'|'.join(map(re.escape, spaced))})(?!\\d)") if spaced else None

    def found_in(self, record: bytes) -> bool:
        return any(self._found_in(text) for text in readings(record))

    def _found_in(self, text: str) -> bool:
        if self._emails and any(_address(found) in self._emails for found in _ADDRESS.findall(text)):
            return True
        if not self._words:
            return False
        folded = text.casefold()
        words = set(_WORD.findall(folded))
        words |= {_EDGES.sub("", word) for word in words}
        if words & self._words or any(found in folded for found in self._texts):
            return True
        return self._spaced is not None and self._spaced.search(_GAPS.sub("", folded)) is not None


def readings(record: bytes) -> list[str]:
    """The text, and what its escapes stand for."""
    if b"\0" in record:  # UTF-16, most likely
        record = record.replace(b"\0", b"")
    try:
        texts = [record.decode()]
    except UnicodeDecodeError:
        texts = [record.decode("utf-8", "replace"), record.decode("cp1252", "replace")]
    found = dict.fromkeys(texts)
    for text in texts:
        found[_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)] = None
        found[unquote(text)] = None
    return list(found)


def _spaced(identifiers: Iterable[Identifier]) -> set[str]:
    """Values that people write with gaps, without any: of a telephone what follows the country's number."""
    found = set()
    for namespace, value in identifiers:
        if namespace == "phone":
            value = _national(value)
        compact = _GAPS.sub("", value.casefold())
        if namespace != "email" and len(compact) >= _SHORTEST_SPACED and re.search(r"\d", compact):
            found.add(compact)
    return found


def _national(value: str) -> str:
    import phonenumbers

    try:
        return str(phonenumbers.parse(value).national_number)
    except phonenumbers.NumberParseException:
        return value


def _address(text: str) -> str:
    try:
        return normalise("email", text.strip(".")).value
    except InputError:
        return text.casefold()
