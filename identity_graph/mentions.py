"""Whether the bytes of a record name somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable

from identity_graph.errors import InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise

_SHORTEST = 5
_ADDRESS = re.compile(r"[^\s\"'`,;:<>()\[\]{}=|]+@[^\s\"'`,;:<>()\[\]{}=|]+")
_WORD = re.compile(r"[\w+.-]+")


class Mentions:
    """Finds identifiers in records that could not be mapped: e-mail addresses however they are written, other values as
    whole words in any case. Values shorter than five characters are not looked for: they would be found everywhere.

    >>> mentions = Mentions([Identifier("email", "ann@example.org")])
    >>> mentions.found_in(b'{"email": "Ann@Example.ORG", broken'), mentions.found_in(b"joann@example.org")
    (True, False)
    """

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        known = list(identifiers)
        self._emails = {one.value for one in known if one.namespace == "email"}
        self._words = {one.value.casefold() for one in known if len(one.value) >= _SHORTEST} - self._emails
        self._texts = [word for word in self._words if not _WORD.fullmatch(word)]

    def found_in(self, record: bytes) -> bool:
        text = record.decode("utf-8", "replace")
        if self._emails and any(_address(found) in self._emails for found in _ADDRESS.findall(text)):
            return True
        if not self._words:
            return False
        folded = text.casefold()
        words = set(_WORD.findall(folded))
        words |= {re.sub(r"[.-]+$|^[.-]+", "", word) for word in words}
        return bool(words & self._words) or any(found in folded for found in self._texts)


def _address(text: str) -> str:
    try:
        return normalise("email", text.strip(".")).value
    except InputError:
        return text.casefold()
