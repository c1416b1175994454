"""The database file: who may use it when, and what its failures are called."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from identity_graph import deadline
from identity_graph.errors import StoreError
from identity_graph.secret_file import new_file
from identity_graph.store.sqlite.migrating import OLDEST, VERSION, migrate, script
from identity_graph.store.sqlite.slack import Slack, log_mark

MEMORY = ":memory:"
APPLICATION = 0x49444752  # "IDGR": tells our files from other programs' databases
CACHE_KIBIBYTES = 65_536
PAGE_BYTES = 8_192  # larger: fewer pages in a load; smaller: fewer bytes in a commit of one event
STEPS = 200_000  # of SQLite's machine, about ten milliseconds, between two looks at the deadline
LAZY = "normal"  # waits for the disk only where the log begins anew: or else a cut could bring the old one back
LOG_PAGES = 8_192  # the log grows to 64 MiB before it is copied back, so that hot pages are copied once


class Connection:
    """One database through three connections of SQLite, safe to use from many threads.

    Whatever is inside `transaction()` goes through the writer, as its thread does; every other read goes through the
    reader, which sees what is committed and does not wait for a writer. The third hears of commits. A database in
    memory has the writer only.
    """

    def __init__(self, path: str, *, busy_timeout: float = 10.0) -> None:
        self.path = path
        self.busy_timeout = busy_timeout
        self.forgetting: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._owner: int | None = None
        self._depth = 0
        self._reader_lock = self._lock if path == MEMORY else threading.RLock()
        self._slack = Slack(path, PAGE_BYTES)
        self._watcher: apsw.Connection | None = None
        self._watcher_lock = threading.Lock()
        if path != MEMORY:
            new_file(Path(path))
        with self._named("STORE_OPEN"):
            self._writer = self._reader = apsw.Connection(path)
            try:
                self._set_up(self._writer)
                self._prepare()
                if path != MEMORY:
                    self._reader = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
                    self._set_up(self._reader)
                    self._reader.pragma("query_only", True)
                    self._watcher = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
                    self._watcher.pragma("query_only", True)
            except BaseException:
                self._reader.close()
                self._writer.close()
                raise

    # ---- opening and closing

    def _set_up(self, connection: apsw.Connection) -> None:
        connection.set_busy_timeout(round(self.busy_timeout * 1000))
        connection.set_progress_handler(deadline.passed, STEPS)
        connection.pragma("page_size", PAGE_BYTES)
        connection.pragma("synchronous", "full")
        connection.pragma("secure_delete", True)
        connection.pragma("temp_store", "memory")  # what is sorted never reaches another file
        connection.pragma("cache_size", -CACHE_KIBIBYTES)
        connection.pragma("wal_autocheckpoint", LOG_PAGES)
        connection.pragma("journal_size_limit", LOG_PAGES * PAGE_BYTES)
        connection.pragma("trusted_schema", False)

    def _prepare(self) -> None:
        """Make an empty file a store, and one of an earlier version one of this; raise STORE_OPEN or STORE_VERSION for
        a file that is something else."""
        known = self._recognised()
        if self.path != MEMORY and self._until_free(lambda: self._writer.pragma("journal_mode", "wal")) != "wal":
            raise StoreError(
                "STORE_OPEN",
                f"{self.path}: the file system has no shared memory",
                help="Keep the store on a local disk.",
            )
        if known == VERSION:
            return
        with self.transaction():  # in which another process may have been first
            known = self._recognised()
            if known is None:
                self._writer.execute(script("schema"))
            else:
                migrate(self._writer, known)
            self._writer.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}")

    def _recognised(self) -> int | None:
        """The version of a store; None of an empty file."""
        # The tables first: another process may make them and the mark, in one commit, between two of these reads.
        tables = self._writer.execute("SELECT count(*) FROM sqlite_schema").get
        application = self._writer.pragma("application_id")
        version = self._writer.pragma("user_version")
        if application == APPLICATION:
            if OLDEST <= version <= VERSION:
                return int(version)
            raise StoreError(
                "STORE_VERSION",
                f"{self.path} has version {version} of the store; this program reads {OLDEST} to {VERSION}",
                help="Use the version of identity-graph that wrote it, or load the sources into a new store.",
            )
        if tables:
            raise StoreError(
                "STORE_OPEN",
                f"{self.path} is a database of another program",
                help="Give the path of a store, or of a file that does not exist yet.",
            )
        return None

    def _until_free(self, act: Callable[[], Any]) -> Any:
        """Repeat what SQLite refuses at once, without its own waiting, while another process is in the way."""
        deadline = time.monotonic() + self.busy_timeout
        while True:
            try:
                return act()
            except apsw.BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def close(self) -> None:
        with self._reader_lock, self._lock, self._watcher_lock, self._named("STORE_FAILED"):
            if self._watcher is not None:
                self._watcher.close()
            self._reader.close()
            self._writer.close()

    # ---- statements

    def rows(self, sql: str, bindings: Sequence[Any] = ()) -> list[Any]:
        """All rows, as tuples. Raises STORE_TIMEOUT, in the middle of a statement too, when the deadline has passed."""
        deadline.check()
        try:
            if self._owner == threading.get_ident():
                return self._writer.execute(sql, bindings).fetchall()
            with self._turn(self._reader_lock):
                return self._reader.execute(sql, bindings).fetchall()
        except apsw.Error as error:
            raise self._failure("STORE_FAILED", error) from error

    def one(self, sql: str, bindings: Sequence[Any] = ()) -> Any:
        """The first row, or its only column; None where there is no row."""
        found = self.rows(sql, bindings)
        if not found:
            return None
        return found[0] if len(found[0]) > 1 else found[0][0]

    def stream(self, sql: str, bindings: Sequence[Any] = ()) -> Iterator[Any]:
        """Rows one by one, for what is too much to hold; for use inside `snapshot()` or `transaction()`."""
        try:
            if self._owner == threading.get_ident():
                yield from self._writer.execute(sql, bindings)
            else:
                with self._turn(self._reader_lock):
                    yield from self._reader.execute(sql, bindings)
        except apsw.Error as error:
            raise self._failure("STORE_FAILED", error) from error

    def write(self, sql: str, bindings: Sequence[Any] = ()) -> int:
        """How many rows it changed. Alone it is a transaction of its own."""
        if self._owner != threading.get_ident():
            with self.transaction():
                return self.write(sql, bindings)
        self._writer.execute(sql, bindings)
        return self._writer.changes()

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """The statement for each row, inside a transaction."""
        self._writer.executemany(sql, rows)

    def last_number(self) -> int:
        return self._writer.last_insert_rowid()

    def foreign_version(self) -> int:
        """A number that differs from the last one when another connection has written."""
        version: int = self._writer.execute("PRAGMA data_version").get
        return version

    @property
    def writing(self) -> bool:
        """Whether this thread is in a transaction."""
        return self._owner == threading.get_ident()

    def moment(self) -> tuple[int, int]:
        """Differs when anybody has written."""
        with self._turn(self._reader_lock):
            return self._reader.execute("PRAGMA data_version").get, self._reader.total_changes()

    def version(self) -> int | None:
        """Differs when anybody has committed. By a connection that nobody has for long; None of a database in memory,
        which only its writer sees."""
        if self._watcher is None:
            return None
        with self._watcher_lock, self._named("STORE_FAILED"):
            version: int = self._watcher.execute("PRAGMA data_version").get
            return version

    def forget(self) -> None:
        """Whatever is remembered of rows is to be read anew."""
        for forget in self.forgetting:
            forget()

    # ---- transactions

    @contextmanager
    def _turn(self, lock: threading.RLock) -> Iterator[None]:
        """Others may take long, and whoever waits for them no longer than its deadline."""
        left = deadline.left()
        if not lock.acquire(timeout=-1 if left is None else max(left, 0)):
            raise deadline.too_late()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing. An inner one joins the outer; where it fails, what it did is undone and no more. What is not
        `durable` outlives the process, and a cut of the power only with the next one that is."""
        with self._turn(self._lock), self._named("STORE_FAILED"), self._syncing(durable or self._depth > 0):
            depth = self._depth
            self._writer.execute(f"SAVEPOINT s{depth}" if depth else "BEGIN IMMEDIATE")
            self._depth += 1
            self._owner = threading.get_ident()
            try:
                yield
                self._writer.execute(f"RELEASE s{depth}" if depth else "COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute(f"ROLLBACK TO s{depth}; RELEASE s{depth}" if depth else "ROLLBACK")
                self.forget()
                raise
            finally:
                self._depth = depth
                if not depth:
                    self._owner = None

    @contextmanager
    def _syncing(self, durable: bool) -> Iterator[None]:
        """What does not wait for the disk must not copy the log back either."""
        if durable:
            yield
            return
        self._writer.wal_autocheckpoint(0)
        self._writer.pragma("synchronous", LAZY)
        try:
            yield
        finally:
            self._writer.pragma("synchronous", "full")
            self._writer.wal_autocheckpoint(LOG_PAGES)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads of one moment. Ends in the thread in which it began."""
        if self._owner == threading.get_ident():
            yield
            return
        with self._turn(self._reader_lock), self._named("STORE_FAILED"):
            outermost = self.path != MEMORY and not self._reader.in_transaction
            if outermost:
                self._reader.execute("BEGIN")
            try:
                yield
            finally:
                if outermost and self._reader.in_transaction:
                    self._reader.execute("COMMIT")

    def truncate_log(self) -> None:
        """Copy the log back and cut it to nothing, and leave nothing in the gaps of pages. The first time all pages are
        looked at, then those that were written since. Raises STORE_BUSY while readers elsewhere need the log."""
        if self.path == MEMORY:
            return
        with self._reader_lock, self._lock, self._named("STORE_FAILED"):
            deadline = time.monotonic() + self.busy_timeout
            try:
                changed: Collection[int] | None = self._slack.changed()
                self._cut_log(deadline)
                while soiled := self._slack.soiled(changed):
                    changed = [] if self._wipe(soiled) else soiled
                    self._slack.changed()
                    self._cut_log(deadline)
            except BaseException:
                self._slack.forget()
                raise

    def _cut_log(self, deadline: float) -> None:
        while self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
            if time.monotonic() > deadline:
                raise StoreError(
                    "STORE_BUSY",
                    f"{self.path}: another process reads what was deleted",
                    help="It is deleted for everybody who asks; stop the long reader and scrub again.",
                )
            time.sleep(0.01)

    def _wipe(self, soiled: Sequence[int]) -> bool:
        """False where another process wrote meanwhile. By the connection that keeps no pages in memory: what it commits
        makes all others read anew those that they keep, and would write with all that is in their gaps."""
        watcher = self._watcher
        assert watcher is not None
        with self._watcher_lock:
            watcher.set_busy_timeout(round(self.busy_timeout * 1000))
            watcher.pragma("query_only", False)
            try:
                watcher.execute("BEGIN IMMEDIATE")
                try:
                    watcher.pragma("user_version", watcher.pragma("user_version"))  # as a commit has to write something
                    empty = log_mark(self.path) is None
                    if empty:
                        self._slack.wipe(soiled)
                finally:
                    watcher.execute("COMMIT")
            finally:
                watcher.pragma("query_only", True)
        return empty

    # ---- hearing

    @contextmanager
    def trace(self, hear: Callable[[str], Any]) -> Iterator[None]:
        """Every statement that SQLite starts, with `executemany` once a row."""

        def heard(event: Any) -> None:
            hear(event["sql"])

        name = object()
        connections = {self._writer: self._lock, self._reader: self._reader_lock}
        for connection, lock in connections.items():
            with lock:
                connection.trace_v2(apsw.SQLITE_TRACE_STMT, heard, id=name)
        try:
            yield
        finally:
            for connection, lock in connections.items():
                with lock:
                    connection.trace_v2(0, None, id=name)

    # ---- failures

    @contextmanager
    def _named(self, code: str) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise self._failure(code, error) from error

    def _failure(self, code: str, error: apsw.Error) -> StoreError:
        if isinstance(error, apsw.InterruptError):
            return deadline.too_late()
        where = f"{self.path}: {error}"
        if isinstance(error, apsw.BusyError | apsw.LockedError):
            return StoreError("STORE_BUSY", where, help="Another process is writing; try again when it is done.")
        if isinstance(error, apsw.FullError) or getattr(error, "system_errno", 0) == errno.ENOSPC:
            return StoreError("STORE_FULL", where, help="Make room on the disk; nothing of this step is stored.")
        if code == "STORE_OPEN" and not Path(self.path).parent.is_dir():
            return StoreError(code, f"{where}: the folder does not exist", help="Create the folder first.")
        if isinstance(error, apsw.NotADBError):
            return StoreError("STORE_OPEN", where, help="Give the path of a store, or of a file that is not there yet.")
        if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError):
            help = "The folder and the files in it must be writable: the store keeps a log beside it."
            return StoreError(code, where, help=help)
        return StoreError(code, where)
