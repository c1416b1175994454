"""Where records come from: a file or standard input, plain or gzipped, as chunks of bytes in bounded memory."""

from __future__ import annotations

import hashlib
import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from identity_graph.errors import InputError
from identity_graph.legible import legible

CHUNK = 1 << 18


def growing(least: int, most: int) -> Iterator[int]:
    """Twice each, from about the least on to the most, which is then the size of all: whoever works on the first has
    soon done it, while others who are to help are still beginning.

    >>> from itertools import islice
    >>> list(islice(growing(2, 9), 8))
    [2, 2, 4, 4, 8, 8, 9, 9]
    """
    size = min(least, most)
    while size < most:
        yield from (size, size)
        size *= 2
    yield from repeat(most)


ENDS = 1 << 16
GZIP = b"\x1f\x8b"
ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\0": "compressed with xz",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"SQLite format 3\0": "an SQLite database",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How a source is written. Without a `format` it is told by the file's ending, and standard input is JSONL.

    Of `columns`, a table must have at least one; none named: any table will do. So it must of those of each entry of
    `needed`, a key of the loader and its columns. A CSV file without a header of its
    own has the columns of `header`; without `quotes`, a quote is a character as any other; `text_mark` is what stands
    before a value to keep spreadsheets from computing it. Lines are read by `pattern`, and a field of them that is
    `nothing` is not there.
    """

    format: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    needed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    header: tuple[str, ...] = ()
    quotes: bool = True
    text_mark: str = ""
    pattern: str = ""
    nothing: str = ""


class Source:
    """An open source. `name` is for messages; `size` in bytes and `modified` in microseconds, None of standard input
    and pipes; `consumed` of these bytes so far.

    Raises SOURCE_MISSING, and SOURCE_FORMAT for what is plainly something else.
    """

    def __init__(self, path: str | Path, form: Form) -> None:
        self.form = form
        self.standard_input = str(path) == "-"
        self.path = None if self.standard_input else Path(path)
        self.name = "standard input" if self.path is None else legible(str(self.path))
        self.size: int | None = None
        self.modified: int | None = None
        self.consumed = 0
        self._digest = hashlib.sha256()
        try:
            self._file: BinaryIO = sys.stdin.buffer if self.path is None else self.path.open("rb", buffering=0)
        except OSError as error:
            raise self._missing(error) from error
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        try:
            if self.path is not None:
                facts = os.fstat(self._file.fileno())
                if S_ISREG(facts.st_mode):  # a pipe has neither
                    self.size, self.modified = facts.st_size, facts.st_mtime_ns // 1000
            self._head = self._read()
            while len(self._head) < 16 and (more := self._read()):
                self._head += more
        except OSError as error:
            raise self._missing(error) from error
        self.gzipped = self._head.startswith(GZIP)
        if not self.gzipped:
            self._refuse_others(self._head)
        self.format = self._format()

    def close(self) -> None:
        if not self.standard_input:
            self._file.close()

    def fingerprint(self) -> str | None:
        """A digest of size, beginning and end, whatever the file's name; None of standard input."""
        if self.path is None or self.size is None:
            return None
        digest = hashlib.sha256(f"{self.size}\n".encode())
        try:
            for start in (0, max(0, self.size - ENDS)):
                digest.update(os.pread(self._file.fileno(), ENDS, start))
        except OSError as error:
            raise self._missing(error) from error
        return digest.hexdigest()

    def content(self) -> str:
        """A digest of every byte; those that were not read yet are read over."""
        for _ in self._raw():
            pass
        return self._digest.hexdigest()

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """The content, decompressed, about `size` bytes at a time; once.

        Raises SOURCE_MISSING, SOURCE_FORMAT, SOURCE_TRUNCATED.
        """
        return self._inflated(size) if self.gzipped else self._raw(size)

    def fail(self, what: str, help: str = "") -> InputError:
        return InputError("SOURCE_FORMAT", f"{self.name}: {what}", help=help)

    def _missing(self, error: OSError) -> InputError:
        return InputError("SOURCE_MISSING", f"{self.name}: {error.strerror or error}")

    def _read(self, size: int = CHUNK) -> bytes:
        chunk = self._file.read1(size) if self.standard_input else self._file.read(size)  # type: ignore[attr-defined]
        self.consumed += len(chunk)
        self._digest.update(chunk)
        return bytes(chunk)

    def _raw(self, size: int = CHUNK) -> Iterator[bytes]:
        chunk = self._head
        self._head = b""
        sizes = growing(CHUNK, size)
        try:
            while chunk:
                yield chunk
                chunk = self._read(next(sizes))
        except OSError as error:
            raise self._missing(error) from error

    def _inflated(self, size: int) -> Iterator[bytes]:
        """Every member of a gzip file; what there is of a broken one comes before the error."""
        member = zlib.decompressobj(wbits=31)
        first = True
        given = 0
        try:
            for data in self._raw():
                while data:
                    if member.eof:
                        data = data.lstrip(b"\0")  # padding between members
                        if not data:
                            break
                        member = zlib.decompressobj(wbits=31)
                    found = member.decompress(data, size)
                    data = member.unused_data if member.eof else member.unconsumed_tail
                    if found:
                        if first:
                            self._refuse_others(found)
                            first = False
                        given += len(found)
                        yield found
            if tail := member.flush():
                given += len(tail)
                yield tail
        except zlib.error as error:
            raise self.fail(
                f"the gzip data is damaged after {given:,} bytes of its content: {error}",
                "Copy the file again; good records are kept.",
            ) from error
        if not member.eof:
            raise InputError(
                "SOURCE_TRUNCATED",
                f"{self.name}: the gzip data ends in the middle, after {given:,} bytes of its content",
            )

    def _refuse_others(self, head: bytes) -> None:
        for magic, what in _OTHERS.items():
            if head.startswith(magic):
                raise self.fail(f"it is {what}", "Known: CSV, JSONL and Parquet in UTF-8, each also as .gz.")

    def _format(self) -> str:
        parquet = self._head.startswith(b"PAR1")
        if self.form.format:
            if parquet and self.form.format != "parquet":
                raise self.fail(f"it is Parquet, and the loader says {self.form.format}")
            return self.form.format
        if parquet:
            return "parquet"
        if self.path is None:
            return "jsonl"
        endings = [ending.lower() for ending in self.path.suffixes if ending.lower() != ".gz"]
        found = ENDINGS.get(endings[-1]) if endings else None
        if not found:
            raise self.fail(
                "its ending does not tell its format", 'Say format = "csv" (or jsonl, parquet) in the loader.'
            )
        return found
