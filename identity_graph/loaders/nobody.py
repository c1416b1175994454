"""Why a record names nobody: the loader leads past its fields, or these have nothing in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from identity_graph.errors import InputError
from identity_graph.loaders.file import LoaderFile
from identity_graph.loaders.path import Record


def nobody_reader(file: LoaderFile) -> Callable[[Record], InputError]:
    """Asked only of records that are refused."""
    paths = [path for _, path in file.identifiers] + list(file.identifier_objects) + [path for _, path in file.pairs]
    paths += [path for stated in file.same_person for _, path in (stated.a, stated.b)]

    def nobody(record: Record) -> InputError:
        if any(_leads(record, path.steps) for path in paths):
            return InputError("IDENTIFIER_EMPTY", "what the loader's identifier paths lead to is null, empty or blank")
        return InputError("NO_IDENTIFIER", "none of the loader's identifier paths has a value")

    return nobody


def _leads(value: Any, steps: tuple[tuple[str, bool], ...]) -> bool:
    """Whether the path's last key is there, whatever it holds."""
    if not isinstance(value, dict) or not steps or steps[0][0] not in value:
        return False
    (key, fan), rest = steps[0], steps[1:]
    if not rest:
        return True
    inner = value[key]
    if fan:
        return isinstance(inner, list) and any(_leads(element, rest) for element in inner)
    return _leads(inner, rest)
