"""Finds, among all records that were set aside, those that may name somebody, without reading each of them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from identity_graph.mentions import SHORTEST, Mentions, readings
from identity_graph.model import Identifier, Quarantined
from identity_graph.store.protocols import OperationStore
from identity_graph.tables import Int64

PAGE = 1000
NEAR = 20
BITS = 1024
"""Of a sketch. A record of a few hundred letters fills a third of it, and eight trigrams then tell nearly all apart."""

_ELSE = re.compile(r"[\W_]+")


class SetAside:
    """Of each record it remembers a sketch: which trigrams its letters and digits have, in any case and whatever stands
    between them. What is named has all of its trigrams there, so that few records are read again.

    Records are never changed, and no number is given twice. Of those that are gone there is nothing to be read.
    """

    def __init__(self, operations: OperationStore) -> None:
        self._operations = operations
        self._pages: list[_Page] = []

    def naming(self, identifiers: Sequence[Identifier]) -> Iterator[Quarantined]:
        """In order of number."""
        mentions = Mentions(identifiers)
        wanted = [_looked_for(one) for one in identifiers if one.namespace == "email" or len(one.value) >= SHORTEST]
        numbers = [number for page in self._known() for number in page.having(wanted)] if wanted else []
        return (record for record in self._read(numbers) if mentions.found_in(record.record))

    def _known(self) -> list[_Page]:
        pages = list(self._pages)
        after = pages[-1].numbers[-1] if pages else 0
        while records := self._operations.quarantined(after=after, limit=PAGE):
            page = _Page.of(records)
            if pages and len(pages[-1].numbers) + len(records) <= PAGE:
                page = pages.pop().before(page)
            pages.append(page)
            after = records[-1].number
            if len(records) < PAGE:
                break
        self._pages = pages  # in one step: another thread has as much, or less
        return pages

    def _read(self, numbers: Sequence[int]) -> Iterator[Quarantined]:
        """Those that are near each other at once, with what is between them."""
        for run in _runs(numbers):
            wanted = set(run)
            found = self._operations.quarantined(after=run[0] - 1, limit=run[-1] - run[0] + 1)
            yield from (one for one in found if one.number in wanted)


def _runs(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    start = 0
    for place, number in enumerate(numbers):
        if place and (number - numbers[place - 1] > NEAR or number - numbers[start] >= PAGE):
            yield numbers[start:place]
            start = place
    if numbers:
        yield numbers[start:]


class _Page(NamedTuple):
    """`sketches` has a row for each place of a sketch: of which records it is set, as bits."""

    numbers: list[int]
    sketches: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, records: Sequence[Quarantined]) -> Self:
        table = np.zeros((len(records), BITS), dtype=bool)
        for row, record in enumerate(records):
            for text in readings(record.record):
                table[row, _trigrams(text)] = True
        return cls([one.number for one in records], np.packbits(table.T, axis=1))

    def before(self, other: _Page) -> _Page:
        """Both as one: where records come one by one, pages would be without number."""
        tables = [np.unpackbits(page.sketches, axis=1, count=len(page.numbers)) for page in (self, other)]
        return _Page(self.numbers + other.numbers, np.packbits(np.hstack(tables), axis=1))

    def having(self, wanted: Iterable[Int64]) -> list[int]:
        """Numbers of records that have all places of one of these."""
        found = np.zeros(self.sketches.shape[1], dtype=np.uint8)
        for places in wanted:
            found |= np.bitwise_and.reduce(self.sketches[places], axis=0, initial=0xFF)
        return [self.numbers[row] for row in np.flatnonzero(np.unpackbits(found, count=len(self.numbers))).tolist()]


def _looked_for(identifier: Identifier) -> Int64:
    """Of what every spelling has that `Mentions` knows."""
    namespace, value = identifier
    if namespace == "email":
        name, _, domain = value.rpartition("@")
        if domain == "gmail.com" or "xn--" in domain:  # has other spellings
            value = name
    elif namespace == "phone":
        value = re.sub(r"\D", "", value.partition(";")[0])[-7:]
    return _trigrams(value)


def _trigrams(text: str) -> Int64:
    """Their places in a sketch. A text of two letters has none, and is then looked for everywhere."""
    letters = _ELSE.sub("", normalize("NFKD", text.casefold()).casefold())
    points = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    return (points[:-2] * 961 + points[1:-1] * 31 + points[2:]) * 2_654_435_761 >> 7 & BITS - 1
