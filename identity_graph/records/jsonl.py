"""JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from identity_graph.model import Origin, Refused
from identity_graph.records.json_record import read_json
from identity_graph.records.lines import KEPT, Cut, LongLine, blocks, blocks_of

TOO_LARGE = f"the record is longer than one mebibyte; its first {KEPT // 1024} KiB are kept"


class JsonLines:
    """One object a line; blank lines are no records. `offset` is where the next record can begin."""

    def __init__(self, chunks: Iterable[bytes], start: int = 0) -> None:
        self.offset = start
        self._blocks = blocks(chunks, start)

    @classmethod
    def of(cls, cut: Cut) -> JsonLines:
        """The records of whole lines alone, where they stand in the content."""
        found = cls(())
        found._blocks = blocks_of(cut)
        return found

    def __iter__(self) -> Iterator[tuple[Origin, dict[str, Any] | Refused]]:
        new, kind = tuple.__new__, Origin
        for line, offset, after, lines in self._blocks:
            if lines[0].__class__ is LongLine:
                self.offset = after
                origin = Origin(line, offset, bytes(lines[0]))
                yield origin, Refused(origin, "RECORD_TOO_LARGE", TOO_LARGE)
                continue
            for number, raw in enumerate(lines, line):
                record = read_json(raw)
                if record is not None:
                    origin = new(kind, (number, offset, raw))
                    offset += len(raw) + 1
                    self.offset = offset if offset < after else after  # the last line of all may have no newline
                    if record.__class__ is tuple:
                        yield origin, Refused(origin, *record)
                    else:
                        yield origin, record  # type: ignore[misc]
                else:
                    offset += len(raw) + 1
            self.offset = after
