"""Starting, killing and stopping a Neo4j Community server of one's own."""

from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from neo4j.exceptions import AuthError, DriverError, Neo4jError

from tests.neo4j.database import asked
from tests.neo4j.jars import PLUGINS, SERVER, alone, cache, declaring, fetched
from tests.neo4j.java import Java, find_java
from tests.neo4j.port import free_port, is_free

WATCHER = Path(__file__).with_name("watcher.py")
PASSWORD = "identity-graph"
FIRST_PASSWORD = "neo4j"  # of every new home; nothing else is allowed until it is changed
STARTS_WITHIN, STOPS_WITHIN = 600.0, 120.0  # seconds; 6 and 1 are usual, more on a busy machine

OPENED = ("nio", "io", "util.concurrent", "lang")
OPENS = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (*(f"java.{name}" for name in OPENED), "sun.nio.ch")]

# For a server that lives for minutes: no second compiler, no threads for the collector. Benchmarks leave this out.
SHORT_LIVED = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

SETTINGS = {
    "server.default_listen_address": "127.0.0.1",
    "server.http.enabled": "false",
    "server.https.enabled": "false",
    "server.memory.pagecache.size": "256m",
    "db.lock.acquisition.timeout": "20s",
    "db.tx_log.preallocate": "false",  # else 256 MB of nothing a database
    "dbms.usage_report.enabled": "false",
    "dbms.security.procedures.unrestricted": "gds.*",
    "dbms.security.auth_max_failed_attempts": "0",  # no limit: a test of a wrong password locks no other test out
    "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",  # else every stop waits 10 s for nobody
}

# What the classes in the archive are found by: what tests and services do at first.
REHEARSAL = (
    "CREATE CONSTRAINT rehearsed IF NOT EXISTS FOR (a:A) REQUIRE a.i IS UNIQUE",
    "UNWIND range(1, 9) AS i MERGE (a:A {i: i}) ON CREATE SET a.new = true RETURN collect(a.i)",
    "MATCH (a:A) MATCH (b:A {i: a.i + 1}) MERGE (a)-[:B]->(b)",
    "CALL gds.graph.project('g', 'A', {B: {orientation: 'UNDIRECTED'}}) YIELD nodeCount RETURN nodeCount",
    "CALL gds.wcc.write('g', {writeProperty: 'c'}) YIELD componentCount RETURN componentCount",
    "CALL gds.graph.drop('g') YIELD graphName RETURN graphName",
    "MATCH (a:A) DETACH DELETE a",
)


class NotStarted(Exception):
    """The server ended, or did not answer in time. The message ends with the last lines of its log."""


@dataclass
class Neo4j:
    """A server on 127.0.0.1, Bolt only. As a context it starts, and does not outlive it, nor this process.

    Without `home` it gets a folder that is gone afterwards. `settings` come on top of SETTINGS.
    """

    home: Path | None = None
    port: int = field(default_factory=free_port)
    gds: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    heap: str = "2g"
    jvm: Sequence[str] = SHORT_LIVED
    pid: int = field(default=0, init=False)  # of the server itself, once it was started
    _watcher: subprocess.Popen[str] | None = field(default=None, init=False, repr=False)
    _kept: bool = field(default=True, init=False, repr=False)

    @property
    def url(self) -> str:
        return f"neo4j://neo4j:{PASSWORD}@127.0.0.1:{self.port}/neo4j"

    @property
    def running(self) -> bool:
        return self._watcher is not None and self._watcher.poll() is None

    @property
    def log(self) -> Path:
        assert self.home is not None, "it was never started"
        return self.home / "console.log"

    def start(self) -> None:
        """Also after `stop` or `kill`, on the same home and port. Returns when queries are answered.

        Raises Unavailable without Java or the jars, NotStarted if it does not come up.
        """
        if self.gds:
            java, jars, archive = prepared()
            self._start(java, jars, [f"-XX:SharedArchiveFile={archive}"])
        else:
            self._start(find_java(), [fetched(SERVER)], [])

    def _start(self, java: Java, jars: Sequence[Path], flags: Sequence[str]) -> None:
        assert not self.running
        if not is_free(self.port):
            raise NotStarted(f"Another process listens on port {self.port}.")
        if self.home is None:
            self.home, self._kept = Path(tempfile.mkdtemp(prefix="neo4j-")), False
        (self.home / "conf").mkdir(parents=True, exist_ok=True)
        (self.home / "conf" / "neo4j.conf").write_text(self._conf(), encoding="utf-8")
        # A heap that grows is collected each time before it does.
        command = [java.path, f"-Xms{self.heap}", f"-Xmx{self.heap}", *self.jvm, *flags, *OPENS]
        command += ["-cp", ":".join(f"{folder}/*" for folder in jars), "org.neo4j.server.CommunityEntryPoint"]
        command += [f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}", "--console-mode"]
        # A session of its own: Ctrl-C in a terminal is for the process that asked, which then stops the server.
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", WATCHER, self.log, "" if self._kept else self.home, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._watcher.stdout is not None
        self.pid = int(self._watcher.stdout.readline())
        try:
            self._await()
        except BaseException:
            self.kill()
            raise

    def _conf(self) -> str:
        here = f"127.0.0.1:{self.port}"
        own = {"server.bolt.listen_address": here, "server.bolt.advertised_address": here}
        if self.gds:
            own["server.directories.plugins"] = str(declaring(fetched(PLUGINS)))
        return "".join(f"{name}={value}\n" for name, value in (SETTINGS | own | dict(self.settings)).items())

    def _await(self) -> None:
        """Until a query is answered; a new home gets its password on the way."""
        deadline = time.monotonic() + STARTS_WITHIN
        ours = self.url.replace(
            "neo4j://", "bolt://"
        )  # asked for its routes too early, the driver complains in its log
        first = f"bolt://neo4j:{FIRST_PASSWORD}@127.0.0.1:{self.port}/system"
        change = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"
        while self.running and time.monotonic() < deadline:
            with suppress(OSError, DriverError, Neo4jError):  # not yet
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
                try:
                    asked(ours, "RETURN 1")
                    return
                except AuthError:
                    asked(first, change, old=FIRST_PASSWORD, new=PASSWORD)
            time.sleep(0.05)
        what = f"did not answer within {STARTS_WITHIN:.0f} s" if self.running else "ended instead of starting"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines if not line.lstrip().startswith(("at ", "..."))]
        raise NotStarted("\n".join([f"Neo4j {what}; the end of {self.log}:", *telling[-15:]]))

    def stop(self, patience: float = STOPS_WITHIN) -> bool:
        """In order, in about a second. One that takes longer than `patience` seconds is killed; False says so."""
        try:
            self._send(signal.SIGTERM, patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """As a crash would end it: what was committed is in its home."""
        self._send(signal.SIGKILL, STOPS_WITHIN)

    def _send(self, number: signal.Signals, patience: float) -> None:
        if self._watcher is None:
            return
        assert self._watcher.stdin is not None and self._watcher.stdout is not None
        with suppress(BrokenPipeError):  # it ended by itself
            self._watcher.stdin.write(chr(number))
            self._watcher.stdin.flush()
        self._watcher.wait(patience)
        with suppress(BrokenPipeError):
            self._watcher.stdin.close()
        self._watcher.stdout.close()
        self._watcher = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._kept:
            self.stop()
        else:
            self.kill()
            if self.home is not None:
                shutil.rmtree(self.home)
                self.home, self._kept = None, True


def prepared() -> tuple[Java, list[Path], Path]:
    """What every server with the plugin is started by, made where it is not there: Java, the folders of the jars, and
    the archive of classes. Raises Unavailable and NotStarted."""
    java, jars = find_java(), [fetched(SERVER), fetched(PLUGINS)]
    declaring(fetched(PLUGINS))  # here, because making the archive lets nobody else change the cache
    return java, jars, _archive(java, jars)


def _archive(java: Java, jars: Sequence[Path]) -> Path:
    """The JVM's archive of the classes that a server uses, made once: it halves the time to start.

    A JVM that cannot use it goes without it by itself.
    """
    names = hashlib.sha256(repr((java.path, java.build, jars)).encode()).hexdigest()[:8]
    archive = cache() / f"classes-{names}.jsa"
    if archive.exists():
        return archive
    with alone():
        if not archive.exists():
            print(f"Making {archive}, once ...", file=sys.stderr, flush=True)
            partial = archive.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            server = Neo4j()
            try:
                server._start(java, jars, [f"-XX:ArchiveClassesAtExit={partial}"])
                for query in REHEARSAL:
                    asked(server.url, query)
                if server.stop(STARTS_WITHIN) and partial.exists():
                    partial.rename(archive)
            finally:
                server._leave()
    return archive
