"""JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from identity_graph.model import Origin, Refused
from identity_graph.records.json_record import Refusal, may_deceive, read_json
from identity_graph.records.lines import KEPT, LONGEST, LongLine, cuts

TOO_LARGE = f"the record is longer than one mebibyte; its first {KEPT // 1024} KiB are kept"


class JsonLines:
    """One object a line; blank lines are no records. `offset` is where the next record can begin."""

    def __init__(self, chunks: Iterable[bytes], start: int = 0) -> None:
        self.offset = start
        self._cuts = cuts(chunks, start)

    def __iter__(self) -> Iterator[tuple[Origin, dict[str, Any] | Refused]]:
        new, kind = tuple.__new__, Origin
        for line, offset, after, data in self._cuts:
            if isinstance(data, LongLine):
                self.offset = after
                origin = Origin(line, offset, bytes(data))
                yield origin, Refused(origin, "RECORD_TOO_LARGE", TOO_LARGE)
                continue
            wary = may_deceive(data)
            for number, raw in enumerate(data.split(b"\n"), line):
                record = read_line(raw, wary)
                start, offset = offset, offset + len(raw) + 1
                if record is None:
                    continue
                self.offset = offset if offset < after else after  # the last line of all may have no newline
                origin = new(kind, (number, start, raw if len(raw) <= LONGEST else raw[:KEPT]))
                yield origin, Refused(origin, *record) if record.__class__ is tuple else record  # type: ignore[misc]
            self.offset = after


def read_line(raw: bytes, wary: bool) -> dict[str, Any] | Refusal | None:
    """As `read_json`, of a line that may be too long: a chunk of many mebibytes may hold such lines whole."""
    if len(raw) > LONGEST:
        return "RECORD_TOO_LARGE", TOO_LARGE
    return read_json(raw, wary=wary)
