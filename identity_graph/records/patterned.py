"""Lines of text in which each field stands between texts that are always the same, such as those of a web server's log.

A pattern is the line as it is written, with `{name}` where a field is: `{ip} - {user} [{time}] "{request}" {status}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from identity_graph.model import Origin, Refused
from identity_graph.records.jsonl import TOO_LARGE
from identity_graph.records.lines import KEPT, LONGEST, LongLine, blocks
from identity_graph.records.source import Form
from identity_graph.records.undecodable import why_undecodable

_FIELD = re.compile(r"\{([^{}]*)\}")


class Pattern:
    """A field ends where the text after it first stands. Where that text begins with a quote, one behind a backslash
    is part of the field. Reading a line takes time in proportion to its length, whatever the pattern.

    Raises ValueError with what is wrong.

    >>> Pattern('{ip} "{request}" {rest}').read('192.0.2.1 "GET /?q=\\\\"a\\\\" b" -', nothing="-")
    {'ip': '192.0.2.1', 'request': 'GET /?q=\\\\"a\\\\" b'}
    """

    def __init__(self, text: str) -> None:
        self._before, *others = _FIELD.split(text)
        self.names = others[::2]
        self._fields = list(zip(self.names, others[1::2], strict=True))
        if not self.names:
            raise ValueError("has no field")
        if "" in self.names or len(set(self.names)) < len(self.names):
            raise ValueError("has a field without a name of its own")
        if "" in others[1:-1:2]:
            raise ValueError("has two fields with nothing between them")

    def read(self, line: str, *, nothing: str = "") -> dict[str, str] | None:
        """The fields that are neither empty nor `nothing`; None of a line that is not like the pattern."""
        if not line.startswith(self._before):
            return None
        at, found = len(self._before), {}
        for name, after in self._fields:
            end = _find(line, after, at) if after else len(line)
            if end < 0:
                return None
            value = line[at:end]
            if value and value != nothing:
                found[name] = value
            at = end + len(after)
        return found if at == len(line) else None


def _find(line: str, text: str, at: int) -> int:
    while True:
        found = line.find(text, at)
        if found < 0 or text[0] != '"':
            return found
        behind = line[at:found]
        if (len(behind) - len(behind.rstrip("\\"))) % 2 == 0:
            return found
        at = found + 1


class PatternLines:
    """One record a line; blank lines are no records. `offset` is where the next record can begin."""

    def __init__(self, chunks: Iterable[bytes], form: Form, start: int = 0) -> None:
        self.offset = start
        self._form = form
        self._pattern = Pattern(form.pattern)
        self._blocks = blocks(chunks, start)

    def __iter__(self) -> Iterator[tuple[Origin, dict[str, Any] | Refused]]:
        for line, offset, after, lines in self._blocks:
            for number, raw in enumerate(lines, line):
                origin = Origin(number, offset, raw[:KEPT] if isinstance(raw, LongLine) else raw)
                offset = min(offset + len(raw) + 1, after)
                found = self.record(raw)
                if found is not None:
                    self.offset = offset
                    yield origin, Refused(origin, *found) if isinstance(found, tuple) else found
            self.offset = after

    def record(self, raw: bytes) -> dict[str, str] | tuple[str, str] | None:
        """Of one line; None of a blank one, code and message of a refused one."""
        if isinstance(raw, LongLine) or len(raw) > LONGEST:
            return "RECORD_TOO_LARGE", TOO_LARGE
        try:
            text = raw.decode(self._form.encoding).removesuffix("\r")
        except UnicodeDecodeError:
            return why_undecodable(raw, self._form.encoding, "line")
        if not text.strip():
            return None
        found = self._pattern.read(text, nothing=self._form.nothing)
        return ("LINE_INVALID", "the line is not like the loader's pattern") if found is None else found
