"""Bytes to lines, a chunk at a time; no line makes memory grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

LONGEST = 1 << 20
KEPT = 1 << 16
BOM = b"\xef\xbb\xbf"

Cut = tuple[int, int, int, bytes]
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
    """As `cuts`, each as a list of lines without their newlines."""
    for cut in cuts(chunks, start):
        yield from blocks_of(cut)


def blocks_of(cut: Cut) -> Iterator[Block]:
    """Of one cut: one block, or several if it has a line that is too long."""
    line, offset, after, data = cut
    if isinstance(data, LongLine):
        yield line, offset, after, [data]
        return
    lines = data.split(b"\n")
    if len(data) <= LONGEST or max(map(len, lines)) <= LONGEST:
        yield line, offset, after, lines
        return
    for number, raw in enumerate(lines, line):
        end = min(offset + len(raw) + 1, after)  # the last line of all may have no newline
        yield number, offset, end, [raw if len(raw) <= LONGEST else LongLine.of(raw, raw.count(b'"'))]
        offset = end


def line_after(cut: Cut) -> int:
    """The number of the line that comes next."""
    return cut[0] + 1 + (0 if isinstance(cut[3], LongLine) else cut[3].count(b"\n"))


def cuts(chunks: Iterable[bytes], start: int = 0, *, offset: int = 0, line: int = 1) -> Iterator[Cut]:
    """Chunks cut after their last newline: the number and offset of the first line, the offset after the last, and the
    lines, without the last one's newline.

    A line number counts from 1, an offset from the first byte of the content; a byte order mark at the beginning
    belongs to no line. The chunks begin at `offset`, with this `line`; what comes before `start`, the offset of a line,
    is read over. No more than two chunks and one
    mebibyte are held at a time.
    """
    chunks = iter(chunks)
    rest = b""
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
            yield line, offset, after, LongLine.of(head, quotes + chunk.count(b'"', 0, end))
            line, offset, head = line + 1, after, None
            chunk = chunk[end + 1 :]
        data = rest + chunk if rest else chunk
        if offset == 0:
            if len(data) < len(BOM) and BOM.startswith(data):
                rest = data
                continue
            if data.startswith(BOM):
                data, offset = data[len(BOM) :], len(BOM)
        end = data.rfind(b"\n")
        if end >= 0:
            lines, data = data[:end], data[end + 1 :]
            after = offset + end + 1
            yield line, offset, after, lines
            line, offset = line + lines.count(b"\n") + 1, after
        rest = data
        if len(rest) > LONGEST:
            head, length, quotes, rest = rest[:KEPT], len(rest), rest.count(b'"'), b""
    if head is not None:
        yield line, offset, offset + length, LongLine.of(head, quotes)
    elif rest:
        yield line, offset, offset + len(rest), rest
