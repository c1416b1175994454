"""What a loader file says, compiled: where each part of a record is found. Nothing is judged here but identifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from identity_graph.loaders.fields import Cast, ObjectReader, cast, object_reader
from identity_graph.loaders.file import LoaderFile
from identity_graph.loaders.identifiers import (
    IdentifierReader,
    Normalise,
    StatedReader,
    identifier_reader,
    stated_reader,
)
from identity_graph.loaders.path import Path, Record
from identity_graph.normalise import normalise

Reader = Callable[[Record], Any]


class Readers(NamedTuple):
    """Of the parts of an event. `id`, `time`, `name` and `source` read None where there is nothing; None for a part of
    which the loader says nothing."""

    id: Reader
    time: Reader
    name: Reader
    source: Reader | None
    identifiers: IdentifierReader
    stated: StatedReader | None
    traits: ObjectReader | None
    properties: ObjectReader | None

    @classmethod
    def of(
        cls, file: LoaderFile, others: Sequence[Path], normalise: Normalise = normalise, cast: Cast = cast
    ) -> Readers:
        """`others` are paths of which nothing is about the person."""
        return cls(
            _first(file.id),
            _first(file.time),
            _first(file.event_name),
            _first(file.source_paths) if file.source_paths else None,
            identifier_reader(file, others, normalise),
            stated_reader(file, normalise),
            object_reader(file, others, cast, traits=True),
            object_reader(file, others, cast, traits=False),
        )


def _first(paths: Sequence[Path]) -> Callable[[Record], Any]:
    """Reads the first value that is there: neither null nor an empty text."""
    if all(len(path.steps) == 1 for path in paths):
        keys = [path.steps[0][0] for path in paths]

        def read_flat(record: Mapping[str, Any]) -> Any:
            for key in keys:
                value = record.get(key)
                if value is not None and value != "":
                    return value
            return None

        return read_flat
    readers = [path.one() for path in paths]

    def read(record: Record) -> Any:
        for reader in readers:
            value = reader(record)
            if value is not None and value != "":
                return value
        return None

    return read
