"""Bytes to lines, a chunk at a time; no line makes memory grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

LONGEST = 1 << 20
KEPT = 1 << 16
BOM = b"\xef\xbb\xbf"

Block = tuple[int, int, int, list[bytes]]


class LongLine(bytes):
    """The first 64 KiB of a line of over one mebibyte; always alone in its block. `quotes` counts all of its `"`."""

    quotes: int

    @classmethod
    def of(cls, head: bytes, quotes: int) -> LongLine:
        line = cls(head[:KEPT])
        line.quotes = quotes
        return line


def blocks(chunks: Iterable[bytes], start: int = 0) -> Iterator[Block]:
    """Lines without their newline, in blocks: the number and offset of the first line, the offset after the last.

    A line number counts from 1, an offset from the first byte of the content; a byte order mark at the beginning
    belongs to no line. What comes before `start`, the offset of a line, is read over. Of chunks of at most one
    mebibyte no more than two are held at a time.
    """
    chunks = iter(chunks)
    line, offset, rest = 1, 0, b""
    while offset < start:
        rest = next(chunks, b"")
        if not rest:
            return
        passed = rest[: start - offset]
        line += passed.count(b"\n")
        offset += len(passed)
        rest = rest[len(passed) :]
    chunks, rest = chain((rest,), chunks), b""
    head: bytes | None = None  # of a line that is too long, while its end is looked for
    length = quotes = 0
    for chunk in chunks:
        if head is not None:
            end = chunk.find(b"\n")
            if end < 0:
                length += len(chunk)
                quotes += chunk.count(b'"')
                continue
            after = offset + length + end + 1
            yield line, offset, after, [LongLine.of(head, quotes + chunk.count(b'"', 0, end))]
            line, offset, head = line + 1, after, None
            chunk = chunk[end + 1 :]
        data = rest + chunk if rest else chunk
        if offset == 0:
            if len(data) < len(BOM) and BOM.startswith(data):
                rest = data
                continue
            if data.startswith(BOM):
                data, offset = data[len(BOM) :], len(BOM)
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and len(lines[0]) > LONGEST:  # only the first can be: the others are shorter than their chunk
            first = lines.pop(0)
            after = offset + len(first) + 1
            yield line, offset, after, [LongLine.of(first, first.count(b'"'))]
            line, offset = line + 1, after
        if lines:
            after = offset + sum(map(len, lines)) + len(lines)
            yield line, offset, after, lines
            line, offset = line + len(lines), after
        if len(rest) > LONGEST:
            head, length, quotes, rest = rest[:KEPT], len(rest), rest.count(b'"'), b""
    if head is not None:
        yield line, offset, offset + length, [LongLine.of(head, quotes)]
    elif rest:
        yield line, offset, offset + len(rest), [rest]
