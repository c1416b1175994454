"""Paths into a record: dotted; `[]` fans out over a list; quotes keep what would mean something else.

`context.device.id`, `cards[].number`, `traits."date.purchased"`, and `.` for the record itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Record = Mapping[str, Any]

_STEP = re.compile(r'(?:"([^"]+)"|([^."\[\]]+))(\[\])?')


class Path(NamedTuple):
    """`steps` are keys, from the outside in, each with whether it fans out over a list.

    >>> Path.parse("context.externalIds[].id").steps
    (('context', False), ('externalIds', True), ('id', False))
    """

    text: str
    steps: tuple[tuple[str, bool], ...]

    @classmethod
    def parse(cls, text: str) -> Path:
        """Raises ValueError with what is wrong."""
        if text == ".":
            return cls(text, ())
        steps: list[tuple[str, bool]] = []
        at = 0
        while True:
            step = _STEP.match(text, at)
            if not step:
                raise ValueError(f"not a path at character {at + 1}")
            steps.append((step[1] or step[2], step[3] is not None))
            at = step.end()
            if at == len(text):
                return cls(text, tuple(steps))
            if text[at] != ".":
                raise ValueError(f"not a path at character {at + 1}")
            at += 1

    @property
    def fans(self) -> bool:
        return any(fan for _, fan in self.steps)

    def split(self) -> tuple[Path, Path] | None:
        """The part up to the last `[]`, and the part inside the list's elements; None of a path without one."""
        at = next((n for n in range(len(self.steps), 0, -1) if self.steps[n - 1][1]), 0)
        return (Path(self.text, self.steps[:at]), Path(self.text, self.steps[at:])) if at else None

    def one(self) -> Callable[[Record], Any]:
        """Reads the value of a path that does not fan out; None where there is none."""
        keys = [key for key, _ in self.steps]
        if len(keys) == 1:
            (first,) = keys
            return lambda record: record.get(first)
        if len(keys) == 2:
            outer, inner = keys

            def two(record: Record) -> Any:
                value = record.get(outer)
                return value.get(inner) if isinstance(value, dict) else None

            return two

        def many(record: Record) -> Any:
            value: Any = record
            for key in keys:
                if not isinstance(value, dict):
                    return None
                value = value.get(key)
            return value

        return many

    def every(self) -> Callable[[Record], list[Any]]:
        """Reads all values of a path, in the order of the record, without nulls."""
        steps = self.steps

        def collect(value: Any, depth: int, found: list[Any]) -> None:
            for number in range(depth, len(steps)):
                if not isinstance(value, dict):
                    return
                key, fan = steps[number]
                value = value.get(key)
                if fan:
                    for element in value if isinstance(value, list) else ():
                        collect(element, number + 1, found)
                    return
            if value is not None:
                found.append(value)

        def read(record: Record) -> list[Any]:
            found: list[Any] = []
            collect(record, 0, found)
            return found

        return read
