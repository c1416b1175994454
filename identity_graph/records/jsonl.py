"""JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from identity_graph.model import Origin, Refused
from identity_graph.records.json_record import MAX_DEPTH, Refusal, may_deceive, names_in, read_json
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
            for number, (raw, record) in enumerate(zip(data.split(b"\n"), read_lines(data), strict=True), line):
                start, offset = offset, offset + len(raw) + 1
                if record is None:
                    continue
                self.offset = offset if offset < after else after  # the last line of all may have no newline
                origin = new(kind, (number, start, raw if len(raw) <= LONGEST else raw[:KEPT]))
                yield origin, Refused(origin, *record) if record.__class__ is tuple else record
            self.offset = after


def read_lines(data: bytes) -> list[Any]:
    """Of each line what `read_json` says; of many at once in half the time."""
    lines = data.split(b"\n")
    found: list[Any] = []
    quick: list[Any] = []
    judged = 0  # names in lines that are judged by themselves
    for raw in lines:
        try:
            record = orjson.loads(raw) if len(raw) <= LONGEST else None
        except orjson.JSONDecodeError:
            record = None
        if record.__class__ is dict and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
            quick.append(record)
        else:
            record = _read_line(raw, wary=True)
            judged += raw.count(b'":')
        found.append(record)
    wary = may_deceive(data)
    # A key that is there twice is a name less in what was read.
    if wary or names_in(data) - judged != names_in(orjson.dumps(quick)):
        return [_read_line(raw, wary) for raw in lines]
    return found


def _read_line(raw: bytes, wary: bool) -> dict[str, Any] | Refusal | None:
    """As `read_json`, of a line that may be too long: a chunk of many mebibytes may hold such lines whole."""
    if len(raw) > LONGEST:
        return "RECORD_TOO_LARGE", TOO_LARGE
    return read_json(raw, wary=wary)
