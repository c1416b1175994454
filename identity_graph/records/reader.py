"""Every format behind one iteration: records with their origin, in the order of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from identity_graph.errors import InputError
from identity_graph.model import Origin, Refused
from identity_graph.records.delimited import Rows
from identity_graph.records.json_record import read_json
from identity_graph.records.jsonl import JsonLines
from identity_graph.records.lines import Cut, cuts
from identity_graph.records.parquet import ParquetRows, Part, spool
from identity_graph.records.patterned import PatternLines
from identity_graph.records.source import CHUNK, Form, Source

Found = tuple[Origin, dict[str, Any] | Refused]


class Lines(NamedTuple):
    """Lines that are a record each: of CSV with the names of its columns, and its header as it is."""

    cut: Cut
    names: Sequence[str] = ()
    header: bytes = b""

    @property
    def after(self) -> int:
        return self.cut[2]


class Taken(NamedTuple):
    """Records that needed care, and the offset after them."""

    records: Sequence[Found]
    after: int


Piece = Lines | Part | Taken


class Reader:
    """The records of a file or, by `-`, of standard input. Iterate it once, inside `with`.

    `offset` is where the next record begins: in bytes of the decompressed content, in rows of Parquet. As the `start`
    of another reader of the same source it makes that one go on from there. `size` and `consumed` are bytes of the
    file as it is. Memory does not grow with the source.

    Raises SOURCE_MISSING, SOURCE_FORMAT, SOURCE_COLUMNS, and SOURCE_TRUNCATED after all good records.
    """

    def __init__(self, path: str | Path, form: Form | None = None, *, start: int = 0) -> None:
        self.start = start
        self._records: JsonLines | Rows | PatternLines | ParquetRows | None = None
        self._stack = ExitStack()
        self.source = Source(path, form or Form())
        self._stack.callback(self.source.close)

    def _open(self, start: int, size: int = CHUNK) -> JsonLines | Rows | PatternLines | ParquetRows:
        source = self.source
        if source.format == "jsonl":
            return JsonLines(source.chunks(), start)
        if source.format == "csv":
            return Rows(source.chunks(size), source.form, start, name=source.name)
        if source.format == "lines":
            return PatternLines(source.chunks(), source.form, start)
        path = source.path
        if source.gzipped or path is None:
            path = self._stack.enter_context(spool(source.chunks()))
        return ParquetRows(path, source.form, start, name=source.name)

    @property
    def offset(self) -> int:
        return self._records.offset if self._records else self.start

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns that the loader names and the table has not, as soon as reading has begun."""
        return getattr(self._records, "missing", ())

    @property
    def size(self) -> int | None:
        return self.source.size

    @property
    def end(self) -> int | None:
        """Where offsets end, as soon as reading has begun; None of a pipe, and of what is compressed."""
        if isinstance(self._records, ParquetRows):
            return self._records.rows
        return None if self.source.gzipped else self.size

    @property
    def consumed(self) -> int:
        if isinstance(self._records, ParquetRows):
            return (self.size or 0) * self._records.offset // max(1, self._records.rows)
        return self.source.consumed

    def __iter__(self) -> Iterator[Found]:
        self._records = self._open(self.start)
        return iter(self._records)

    def pieces(self, size: int) -> Iterator[Piece]:
        """Instead of an iteration, about `size` bytes at a time: what another process can read, as far as may be."""
        if self.source.format in ("jsonl", "lines"):
            yield from map(Lines, cuts(self.source.chunks(size), self.start))
            return
        self._records = records = self._open(self.start, size)
        if isinstance(records, ParquetRows):
            yield from records.parts(size)
        elif isinstance(records, Rows):
            yield from _pieces(records, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _pieces(rows: Rows, size: int) -> Iterator[Piece]:
    found: list[Found] = []
    held = 0
    failure: InputError | None = None
    pieces = rows.pieces()
    while True:
        after = rows.offset
        try:
            piece = next(pieces, None)
        except InputError as error:
            piece, failure = None, error
        if found and (piece is None or len(piece) == 4 or held >= size):
            yield Taken(found, after)
            found, held = [], 0
        if piece is None:
            break
        if len(piece) == 4:
            yield Lines(piece, rows.names, rows.header)
        else:
            found.append(piece)
            held += len(piece[0].raw)
    if failure:
        raise failure


def read_again(raw: bytes, form: Form) -> dict[str, Any] | tuple[str, str]:
    """The record of bytes that were kept (of CSV: header and row), or the code and message of its refusal."""
    if form.format == "lines":
        for _, found in PatternLines([raw], form):
            return (found.code, found.message) if isinstance(found, Refused) else found
        return "LINE_INVALID", "the line is blank"
    if form.format == "csv" or (form.format is None and not raw.lstrip().startswith(b"{")):
        try:
            for _, record in Rows([raw, b"\n"], replace(form, columns=(), needed=())):  # a short row may be a whole one
                return (record.code, record.message) if isinstance(record, Refused) else record
        except InputError as error:
            return error.code, error.message
        return "RAGGED_ROW", "there is no row after the header"
    return read_json(raw) or ("NOT_JSON", "the line is blank")
