"""Bytes that nothing points to, in the file of a store.

`secure_delete` overwrites what is freed. But where SQLite moves rows from one page to another and has to write the
first anew, copies of them are left in its gap, between the pointers to rows and the rows: they would outlive the rows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import apsw

from identity_graph.errors import StoreError

_TREES = {2: 12, 5: 12, 10: 8, 13: 8}
"""By the first byte of a page: how long its head is. No other page begins so, in a file of less than `MOST` pages."""
MOST = 1 << 25
_LOG_HEAD, _FRAME_HEAD = 32, 24
_AT_ONCE = 128


def gap(page: bytes) -> tuple[int, int]:
    """Where it begins and ends, in any page but the first; equal where it has none."""
    head = _TREES.get(page[0])
    if head is None:
        return 0, 0
    rows, end = struct.unpack_from(">HH", page, 3)
    start = head + 2 * rows
    return (start, end) if start <= (end := end or 65_536) <= len(page) else (0, 0)


def is_soiled(page: bytes) -> bool:
    start, end = gap(page)
    return page.count(0, start, end) < end - start


def log_mark(path: str) -> int | None:
    """Of the log of a database: what is one more whenever it begins anew. None where it is empty."""
    try:
        with _opened(f"{path}-wal", apsw.SQLITE_OPEN_WAL) as log:
            return int.from_bytes(log.xRead(4, 16), "big") if log.xFileSize() > _LOG_HEAD else None
    except apsw.CantOpenError:  # there is none
        return None


def _logged(path: str, page_bytes: int) -> set[int]:
    """Numbers of pages that were written there since it began."""
    found = set()
    with _opened(f"{path}-wal", apsw.SQLITE_OPEN_WAL) as log:
        salts = log.xRead(8, 16)
        for start in range(_LOG_HEAD, log.xFileSize() - page_bytes, _FRAME_HEAD + page_bytes):
            head = log.xRead(16, start)
            if head[8:] != salts:
                break
            found.add(int.from_bytes(head[:4], "big"))
    return found


@contextmanager
def _opened(path: str, kind: int) -> Iterator[apsw.VFSFile]:
    """By SQLite's own way: a file that is opened and closed beside it would lose the locks of this process."""
    file = apsw.VFSFile("", path, [kind | apsw.SQLITE_OPEN_READWRITE, 0])
    try:
        yield file
    finally:
        file.xClose()


class Slack:
    """Of one file; not to be used by two threads at once. It knows since when it looked at all pages."""

    def __init__(self, path: str, page_bytes: int) -> None:
        self._path = path
        self._page_bytes = page_bytes
        self._next: int | None = None

    def changed(self) -> set[int] | None:
        """Pages that were written since this was last asked, and the log cut then; None: perhaps any."""
        mark = log_mark(self._path)
        if mark is None:
            return set() if self._next is not None else None
        known, self._next = self._next, (mark + 1) % 2**32
        return _logged(self._path, self._page_bytes) if known == mark else None

    def forget(self) -> None:
        """It was not done: all pages are to be looked at again."""
        self._next = None

    def soiled(self, among: Iterable[int] | None) -> list[int]:
        """Numbers of pages whose gap is not empty. The log is."""
        with _opened(self._path, apsw.SQLITE_OPEN_MAIN_DB) as file:
            return [number for number, page in self._pages(file, among) if is_soiled(page)]

    def wipe(self, numbers: Iterable[int]) -> None:
        """While nobody else writes, and the log is empty. Whoever keeps pages in memory is to be told afterwards."""
        with _opened(self._path, apsw.SQLITE_OPEN_MAIN_DB) as file:
            for number, page in self._pages(file, numbers):
                start, end = gap(page)
                file.xWrite(bytes(end - start), (number - 1) * self._page_bytes + start)
            file.xSync(apsw.SQLITE_SYNC_NORMAL)

    def _pages(self, file: apsw.VFSFile, among: Iterable[int] | None) -> Iterator[tuple[int, bytes]]:
        """Without the first, which holds no rows but those of the schema."""
        size, last = self._page_bytes, file.xFileSize() // self._page_bytes
        if last >= MOST:
            raise StoreError("STORE_KEEPS", f"{self._path} is too large for its pages to be told apart")
        if among is not None:
            for number in sorted(among):
                if 1 < number <= last:
                    yield number, file.xRead(size, (number - 1) * size)
            return
        for first in range(1, last, _AT_ONCE):
            many = file.xRead(size * min(_AT_ONCE, last - first), first * size)
            for place in range(len(many) // size):
                yield first + 1 + place, many[place * size : (place + 1) * size]
