"""Parquet, a slice of rows at a time. Each row becomes JSON, so that it is judged and kept as a line of JSONL is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from identity_graph.errors import InputError
from identity_graph.model import Origin, Refused
from identity_graph.records.flat import Flat
from identity_graph.records.header import absent
from identity_graph.records.json_record import MAX_DEPTH, read_json
from identity_graph.records.jsonl import TOO_LARGE
from identity_graph.records.lines import KEPT, LONGEST
from identity_graph.records.source import Form, growing

if TYPE_CHECKING:
    import polars as pl

SLICE = 8_192
MOST = 65_536
CELLS = 1 << 18
"""More rows than `MOST` come at once where they have no more values than this: rows of two columns, in half as many
transactions."""
_WHOLE = {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
EXACT_DIGITS = 15
"""A decimal of so many digits is the same number as a double; a longer one is kept as text."""

Row = tuple[Origin, dict[str, Any] | Refused]

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


class NotJson(ValueError):
    """A value that JSON cannot hold as it is: the code and message of its row's refusal."""


class ParquetRows:
    """Rows as objects without their nulls; `line` and `offset` are the row's number, from 1 and from 0. `missing` are
    the loader's columns that are not there.

    Times become ISO 8601 text, decimals numbers where a double holds them and else text. Raises SOURCE_FORMAT and
    SOURCE_COLUMNS. Memory is that of some thousand rows and of the row group that they are in.
    """

    def __init__(self, path: Path, form: Form | None = None, start: int = 0, *, name: str = "the file") -> None:
        import polars as pl

        self.offset = start
        self.path = path
        self._name = name
        self._errors = (pl.exceptions.PolarsError, OSError)
        try:
            self._scan = _scan(path)
            names = self._scan.collect_schema().names()
            self._most = max(MOST, CELLS // max(1, len(names)))
            self._size = path.stat().st_size
            self.rows: int = self._scan.select(pl.len()).collect().item()
        except self._errors as error:
            raise _wrong(name, error) from error
        self.missing = absent(form or Form(), names, name)

    def __iter__(self) -> Iterator[Row]:
        while self.offset < self.rows:
            try:
                rows = _in_utc(self._scan.slice(self.offset, SLICE).collect()).iter_rows(named=True)
            except self._errors as error:
                raise _wrong(self._name, error) from error
            for row in rows:
                number = self.offset
                self.offset += 1
                yield _record(row, number)

    def parts(self, size: int) -> Iterator[Part]:
        """Instead of an iteration: soon of about `size` bytes in the file each."""
        rows = max(SLICE, min(self._most, self.rows * size // max(1, self._size)))
        sizes = growing(SLICE, rows)
        while self.offset < self.rows:
            first, count = self.offset, min(next(sizes), self.rows - self.offset)
            yield Part(str(self.path), self._name, first, count)
            self.offset += count


class Part(NamedTuple):
    """`many` rows from the one numbered `first`. Reading raises SOURCE_FORMAT, with `name`."""

    path: str
    name: str
    first: int
    many: int

    @property
    def after(self) -> int:
        return self.first + self.many

    def rows(self) -> list[Row]:
        return _rows(self._frame(), self.first)

    def records(self) -> Flat | list[Row]:
        """As columns, if they hold nothing but texts, finite numbers, truth values and times, and none is very long."""
        frame = self._frame()
        return _flat(frame) or _rows(frame, self.first)

    def _frame(self) -> pl.DataFrame:
        import polars as pl

        try:
            return _in_utc(_scan(Path(self.path)).slice(self.first, self.many).collect())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _wrong(self.name, error) from error


def _rows(frame: pl.DataFrame, first: int) -> list[Row]:
    return [_record(row, number) for number, row in enumerate(frame.iter_rows(named=True), first)]


def _wrong(name: str, error: Exception) -> InputError:
    what = str(error).partition("\n")[0][:200]
    return InputError("SOURCE_FORMAT", f"{name}: it cannot be read as Parquet: {what}")


@contextmanager
def spool(chunks: Iterable[bytes]) -> Iterator[Path]:
    """A temporary file of the content, gone at the end: Parquet is read from its end."""
    with tempfile.NamedTemporaryFile(prefix="identity-graph-", suffix=".parquet") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        yield Path(file.name)


def _flat(frame: pl.DataFrame) -> Flat | None:
    """None where a column has more than texts, finite numbers, truth values and times, or a row may be too long."""
    import polars as pl

    columns: dict[str, list[Any]] = {}
    longest = 0  # of a row as JSON, which may write a byte as six
    for name in sorted(frame.columns):
        series = frame[name]
        kind = series.dtype
        longest += 6 * len(name) + 40
        if kind == pl.String:
            longest += 6 * int(series.str.len_bytes().max() or 0)  # type: ignore[arg-type]
        elif kind.is_float():
            if not series.drop_nulls().is_finite().all():
                return None
        elif str(kind) not in _WHOLE and not isinstance(kind, pl.Boolean | pl.Null | pl.Date | pl.Datetime | pl.Time):
            return None
        values = series.to_list()
        columns[name] = orjson.loads(orjson.dumps(values, option=_OPTIONS)) if kind.is_temporal() else values
    return Flat(columns, len(frame)) if longest <= LONGEST else None


def _scan(path: Path) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_parquet(path, glob=False, low_memory=True)


def _in_utc(frame: pl.DataFrame) -> pl.DataFrame:
    """Times that have a zone; all else is done a value at a time."""
    import polars as pl

    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC")) if zoned else frame


def _record(row: dict[str, Any], number: int) -> Row:
    refusal: tuple[str, str] | None = None
    try:
        plain = {name: _plain(value, 0) for name, value in row.items() if value is not None}
        raw = orjson.dumps(plain, option=_OPTIONS)
    except (NotJson, orjson.JSONEncodeError) as error:
        refusal = error.args if isinstance(error, NotJson) else ("NUMBER_RANGE", str(error))
        raw = repr(row).encode("utf-8", "backslashreplace")
    if refusal is None and len(raw) > LONGEST:
        refusal, raw = ("RECORD_TOO_LARGE", TOO_LARGE), raw[:KEPT]
    origin = Origin(number + 1, number, raw[:LONGEST])
    found = refusal or read_json(raw)
    if found is None or isinstance(found, tuple):
        return origin, Refused(origin, *(found or ("NOT_JSON", "the row has no value")))
    return origin, found


def _plain(value: Any, depth: int) -> Any:
    """What orjson writes without losing anything."""
    kind = value.__class__
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if value - value != 0:
            raise NotJson("NUMBER_NOT_FINITE", "a number is not finite")
        return value
    if isinstance(value, datetime | date | time):
        return value
    if isinstance(value, Decimal):
        return float(value) if len(value.as_tuple().digits) <= EXACT_DIGITS else str(value)
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotJson("NOT_UTF8", "a value is bytes that are not UTF-8") from error
    if depth >= MAX_DEPTH:
        raise NotJson("RECORD_TOO_DEEP", f"the row nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {name: _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    raise NotJson("TYPE_INVALID", f"a value is of a kind that JSON has not: {kind.__name__}")
