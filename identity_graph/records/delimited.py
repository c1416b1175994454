"""CSV: rows whose quoted fields may hold line ends, cut into lines as bytes so that a row's bytes are known."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal

from identity_graph.errors import InputError
from identity_graph.model import Origin, Refused
from identity_graph.records.header import absent
from identity_graph.records.jsonl import TOO_LARGE
from identity_graph.records.lines import KEPT, LONGEST, Cut, LongLine, blocks_of, cuts
from identity_graph.records.source import Form
from identity_graph.records.undecodable import why_undecodable

Row = tuple[Origin, dict[str, str] | Refused]
_Line = tuple[int, int, int, bytes]
COMPUTED = frozenset("0123456789+-=@")
"""With what a value begins that a spreadsheet would take for a number or a formula."""


class _TooLarge(Exception):
    """A row of more than one mebibyte."""


class Rows:
    """Rows as objects without their empty fields; blank lines are no records.

    A row's bytes are kept with the file's header before them, so that they can be read again by themselves. A row whose
    quotes are wrong is refused by its first line alone and reading goes on at the next line, since what follows may be
    good. What a row is short of is empty; but a last one whose line does not end was cut, and half a value may be that
    of somebody else. `offset` is where the next row begins; `missing` are the loader's columns that are not there.
    Raises SOURCE_FORMAT and SOURCE_COLUMNS, with `name` in the message.
    """

    def __init__(self, chunks: Iterable[bytes], form: Form, start: int = 0, *, name: str = "the file") -> None:
        if csv.field_size_limit() <= LONGEST:
            csv.field_size_limit(LONGEST + 1)
        self.offset = start
        self.missing: tuple[str, ...] = ()
        self._start = start
        self._form = form
        self._name = name
        between = re.escape(form.delimiter.encode())
        field = rb'(?:"(?:[^"\n]|"")*+"|[^"\n' + between + rb"]*+)"
        line = field + rb"(?:" + between + field + rb")*+\r?"
        self._are_whole = re.compile(line + rb"(?:\n" + line + rb")*+").fullmatch
        self._cuts: Iterator[Cut] = cuts(chunks)
        self._cut: Cut = (1, 0, 0, b"")  # the one that is read line by line
        self._end = 0
        self._lines: Iterator[_Line] = iter(())
        self._again: deque[_Line] = deque()
        self._pending: list[_Line] = []
        self._size = 0
        self._undecodable = False
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if form.quotes else csv.QUOTE_NONE
        self._reader = csv.reader(self._Feed(self), delimiter=form.delimiter, strict=True, quoting=quoting)

    @classmethod
    def of(cls, cut: Cut, names: Sequence[str], form: Form) -> Rows:
        """Of lines without their header."""
        rows = cls((), replace(form, header=tuple(names), columns=(), needed=()))
        rows._cuts = iter((cut,))
        return rows

    class _Feed:
        """The lines of the row in hand, as text. Goes on after its end, when lines come back."""

        def __init__(self, rows: Rows) -> None:
            self._rows = rows

        def __iter__(self) -> Rows._Feed:
            return self

        def __next__(self) -> str:
            return self._rows._next_text()

    def _next_line(self) -> _Line:
        if self._again:
            return self._again.popleft()
        while (line := next(self._lines, None)) is None:
            self._take(next(self._cuts))
        return line

    def _whole_rows(self, data: bytes) -> bool:
        """Whether each line is a row by itself: no quote is open at its end, and none is where it should not be."""
        if isinstance(data, LongLine) or self._form.delimiter > "@":  # as which a letter of two bytes may end
            return False
        return self._are_whole(data) is not None

    def _take(self, cut: Cut) -> None:
        """Read on in this one, line by line."""
        self._cut = cut
        self._end = cut[2]
        self._lines = _each_line(cut)

    def _put_back(self, line: int, offset: int) -> None:
        """What is left of the cut in hand, from this line on, as a cut again."""
        _, first, after, data = self._cut
        rest = data[offset - first :]
        if not self._again and rest:
            self._cuts = chain(((line, offset, after, rest),), self._cuts)
            self._lines, self._end = iter(()), offset

    def _next_text(self) -> str:
        line = self._next_line()
        self._pending.append(line)
        raw = line[3]
        self._size += len(raw) + 1
        if self._size > LONGEST + 1 or raw.__class__ is LongLine:
            raise _TooLarge("it is longer than one mebibyte")
        try:
            return raw.decode(self._form.encoding) + "\n"
        except UnicodeDecodeError:
            self._undecodable = True
            return raw.decode("latin-1") + "\n"

    def _next_row(self) -> list[str] | None:
        """The fields of the next row, None at the end. Its lines are in `_pending`."""
        self._pending, self._size, self._undecodable = [], 0, False
        return next(self._reader, None)

    def _header(self) -> list[str]:
        try:
            names = self._next_row()
            while names is not None and not any(name.strip() for name in names):
                names = self._next_row()
        except (csv.Error, _TooLarge) as error:
            if b"\r" in self._pending[0][3].rstrip(b"\r"):
                raise self._wrong("its lines end in CR alone", "Write their ends as LF, or as CR and LF.") from error
            raise self._wrong(f"its header cannot be read: {error}") from error
        if names is None:
            raise self._wrong("it has no header")
        if self._undecodable:
            raise self._wrong(f"its header is not {self._form.encoding} text")
        names = [name.strip() or f"column {number}" for number, name in enumerate(names, 1)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise self._wrong(f"its header names {twice!r} twice")
        return names

    def _wrong(self, what: str, help: str = "See that delimiter and encoding are what the loader says.") -> InputError:
        return InputError("SOURCE_FORMAT", f"{self._name}: {what}", help=help)

    def _raw(self, lines: list[_Line]) -> bytes:
        return self.header + b"\n".join(line[3] for line in lines)

    def __iter__(self) -> Iterator[Row]:
        yield from self.pieces(whole=False)  # type: ignore[misc]

    def pieces(self, *, whole: bool = True) -> Iterator[Row | Cut]:
        """Rows; and whole cuts in which each line is a row by itself, for `read_rows`."""
        self.names = list(self._form.header) or self._header()
        self.missing = absent(self._form, self.names, self._name)
        self.header = b"".join(line[3] + b"\n" for line in self._pending)
        line, _, after, _ = self._pending[-1] if self._pending else (0, 0, 0, b"")
        self.offset = max(self.offset, after)
        while self._start > after:
            try:
                line, _, after, _ = self._next_line()
            except StopIteration:
                return
        if whole:
            self._put_back(line + 1, after)
        width, mark = len(self.names), self._form.text_mark
        while True:
            while whole and self.offset == self._end and not self._again:
                cut = next(self._cuts, None)
                if cut is None:
                    return
                if not _ended(cut) or (self._form.quotes and _quotes(cut[3]) and not self._whole_rows(cut[3])):
                    self._take(cut)
                    break
                yield cut
                self.offset = self._end = cut[2]
            try:
                row = self._next_row()
            except (csv.Error, _TooLarge) as error:
                yield self._refuse(error)
                continue
            if row is None:
                return
            self.offset = self._pending[-1][2]
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            line, offset, _, _ = self._pending[0]
            origin = Origin(line, offset, self._raw(self._pending))
            if self._undecodable:
                yield origin, Refused(origin, *why_undecodable(origin.raw, self._form.encoding, "row"))
            elif len(row) > width:
                message = f"the row has {len(row)} fields and the header {width}"
                yield origin, Refused(origin, "RAGGED_ROW", message)
            elif len(row) < width and not _ended(self._pending[-1]):
                message = f"the file ends in the middle of the row, in its {len(row)}. field of {width}"
                yield origin, Refused(origin, "ROW_CUT", message)
            else:
                if mark:
                    row = [value[1:] if value[:1] == mark and value[1:2] in COMPUTED else value for value in row]
                yield origin, {name: value for name, value in zip(self.names, row, strict=False) if value}

    def _refuse(self, error: Exception) -> tuple[Origin, Refused]:
        first, *others = self._pending
        if isinstance(error, _TooLarge):
            self._to_the_closing_quote(first[0])
            origin = Origin(first[0], first[1], self._raw(self._pending)[:KEPT])
            self.offset = self._pending[-1][2]
            return origin, Refused(origin, "RECORD_TOO_LARGE", TOO_LARGE)
        self._again.extendleft(reversed(others))
        origin = Origin(first[0], first[1], self._raw([first]))
        self.offset = first[2]
        code = "QUOTE_OPEN" if _quotes(first[3]) % 2 else "QUOTE_INSIDE"
        return origin, Refused(origin, code, f"the quotes of the row are wrong: {error}")

    def _to_the_closing_quote(self, line: int) -> None:
        """Read over the rest of a row that is too large; what is inside its quotes must not be taken for rows."""
        open = sum(_quotes(raw) for *_, raw in self._pending) % 2 if self._form.quotes else 0
        while open:
            try:
                following = self._next_line()
            except StopIteration:
                raise self._wrong(f"a quote that opens in line {line} never closes") from None
            open = (open + _quotes(following[3])) % 2
            self._pending[-1:] = [following]


def _each_line(cut: Cut) -> Iterator[_Line]:
    for line, offset, after, lines in blocks_of(cut):
        for raw in lines[:-1]:
            yield line, offset, offset + len(raw) + 1, raw
            line, offset = line + 1, offset + len(raw) + 1
        yield line, offset, after, lines[-1]


def _ended(lines: _Line | Cut) -> bool:
    """Whether a line end stands behind the last of them; only the last of all may have none."""
    _, offset, after, raw = lines
    return after != offset + len(raw)


def _quotes(raw: bytes) -> int:
    return raw.quotes if isinstance(raw, LongLine) else raw.count(b'"')
