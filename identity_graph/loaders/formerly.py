"""What a record's identifiers were in earlier versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from identity_graph.former import normalise_then
from identity_graph.loaders.file import LoaderFile
from identity_graph.loaders.identifiers import identifier_reader, stated_reader
from identity_graph.loaders.path import Path, Record
from identity_graph.model import Identifier

FormerlyReader = Callable[[Record, Sequence[Identifier]], Sequence[Identifier]]


def formerly_reader(file: LoaderFile, others: Sequence[Path]) -> FormerlyReader | None:
    """Reads those that are not among what they are now. None while every version made the same of everything."""
    readers = [(identifier_reader(file, others, then), stated_reader(file, then)) for then in normalise_then()]
    if not readers:
        return None

    def read(record: Record, now: Sequence[Identifier]) -> Sequence[Identifier]:
        found: list[Identifier] = []
        for identifiers_of, stated_of in readers:
            then = identifiers_of(record)
            if stated_of:
                stated_of(record, then)
            found += then
        return tuple(one for one in dict.fromkeys(found) if one not in now)

    return read
