"""One driver: whose transaction a thread is in, what is repeated after a failure, and what never is."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar
from uuid import uuid4

from neo4j import Driver, GraphDatabase, NotificationMinimumSeverity, Query, Session, Transaction
from neo4j.exceptions import DriverError, IncompleteCommit, Neo4jError

from identity_graph import deadline
from identity_graph.errors import StoreError
from identity_graph.store.neo4j.address import Address
from identity_graph.store.neo4j.failures import named, patiently
from identity_graph.store.neo4j.ledger import Ledger
from identity_graph.store.neo4j.statements import script, statement

VERSION = 4
OLDEST = 2
"""From which all that it takes is what `schema.cypher` has more."""
LAST = 1.0  # seconds for a transaction that is begun when the deadline has passed
CONNECT = 10.0  # seconds that a connection may take, and an answer to whether something was committed
GLANCES = (0.0, 0.005, 0.02, 0.08, 0.3)  # seconds to wait after a reading that was not of one moment

# What the driver has to say is in the errors; without this Python prints its warnings beside them.
logging.getLogger("neo4j").addHandler(logging.NullHandler())

T = TypeVar("T")
Parameters = dict[str, Any]


class _Open:
    """The transaction of one thread, and what it has written."""

    transaction: Transaction
    ledger: Ledger

    def __init__(self, session: Session) -> None:
        self.session = session
        self.token = ""
        self.written: list[tuple[str, Parameters]] = []

    def begin(self) -> None:
        """Anew, where it was begun before."""
        self.undo()
        left = deadline.left()
        # The server ends it then. What is begun later only notes how the work ended.
        self.transaction = self.session.begin_transaction(timeout=None if left is None else max(left, LAST))
        self.token = uuid4().hex

    def undo(self) -> None:
        if self.token:
            with suppress(DriverError, Neo4jError):  # the server undoes it, too, when the connection is gone
                self.transaction.close()


class Connection:
    """Safe to use from many threads. Writers take turns: each holds the `Store` node, so they cannot block each other
    and numbers are given in the order in which they are committed. Reads wait for nobody.

    Raises STORE_UNREACHABLE, STORE_DENIED, STORE_OPEN and STORE_VERSION.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._here = threading.local()
        self._ears: list[Callable[[str], Any]] = []
        with named(address):
            self._driver = self.new_driver()
            self._bookmarks = GraphDatabase.bookmark_manager()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with named(self.address):
            self._driver.verify_connectivity()
        known = self._known()
        if known is None:
            self._refuse_foreign()
        self._check(known)
        # Neo4j's importer makes no constraints: see import_files.py
        if known is None or known.get("unindexed") or known["version"] != VERSION:
            ((names,),) = self._alone(statement("store/indexes"), {})
            for text in script("schema"):
                if not {*text.split()[2:3]} & {*names}:  # CREATE INDEX name: asked for one by one they take longer
                    self._alone(text, {})
            # Only then: whoever finds the node, or its version, finds the constraints too.
            self._alone(statement("store/create"), {"id": str(uuid4()), "version": VERSION})
            self._check(self._known())

    def _known(self) -> Parameters | None:
        rows = self._alone(statement("store/ledger"), {})
        return rows[0][0] if rows else None

    def _check(self, known: Parameters | None) -> None:
        version = VERSION if known is None else known.get("version")
        if not isinstance(version, int) or not OLDEST <= version <= VERSION:
            raise StoreError(
                "STORE_VERSION",
                f"{self.address} has version {version} of the store; this program reads {OLDEST} to {VERSION}",
                help="Use the version of identity-graph that wrote it, or load the sources into an empty database.",
            )

    def _refuse_foreign(self) -> None:
        """A store has its database for itself, also where the labels of another graph are not its own yet: they are
        plain words. Its constraints would hold for Person and Event nodes of others, and its deletions reach them."""
        ((occupied,),) = self._alone(statement("store/occupied"), {})
        if occupied and self._known() is None:  # unless another process has made the store in between
            raise StoreError(
                "STORE_OPEN",
                f"{self.address} holds a graph that is not a store",
                help="Name an empty database; the Community edition has one a server, so that means another server.",
            )

    def new_driver(self) -> Driver:
        """Connections of their own, to be closed by whoever asked for them."""
        address = self.address
        return GraphDatabase.driver(
            address.uri,
            auth=(address.user, address.password) if address.user else None,
            connection_timeout=CONNECT,
            connection_acquisition_timeout=CONNECT,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
            user_agent="identity-graph",
        )

    def close(self) -> None:
        self._driver.close()

    # ---- statements

    def read(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of the statement in `cypher/NAME.cypher`. Raises STORE_TIMEOUT when the deadline has passed; the
        server then ends what runs, within the two seconds in which it looks for such."""
        deadline.check()
        return self._run(statement(name), parameters, name)

    def one(self, name: str, **parameters: Any) -> tuple[Any, ...]:
        """The only row of a statement that always has one."""
        (row,) = self.read(name, **parameters)
        return row

    def alone(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """As `read`, but outside of the transaction that this thread may be in."""
        return self._alone(statement(name), parameters)

    def write(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """As `read`; alone it is a transaction of its own."""
        if self._mine is None:
            return self.attempt(lambda: self.write(name, **parameters))
        self._mine.written.append((name, parameters))
        return self._run(statement(name), parameters, name)

    def _run(self, text: str, parameters: Parameters, name: str) -> list[tuple[Any, ...]]:
        for hear in self._ears:
            hear(name)
        if self._mine is None:
            return self._alone(text, parameters, in_time=True)
        with named(self.address):
            return [tuple(row) for row in self._mine.transaction.run(text, parameters)]

    def _alone(self, text: str, parameters: Parameters, *, in_time: bool = False) -> list[tuple[Any, ...]]:
        """By itself, tried again while the failure may pass: for reads, and for what may be done twice."""

        def once() -> list[tuple[Any, ...]]:
            left = deadline.left() if in_time else None
            within = None if left is None else max(left, 0.001)
            with named(self.address), self._session() as session:
                return [tuple(row) for row in session.run(Query(text, timeout=within), parameters)]

        return patiently(once)

    def _session(self) -> Session:
        return self._driver.session(database=self.address.database, bookmark_manager=self._bookmarks)

    # ---- transactions

    @property
    def _mine(self) -> _Open | None:
        return getattr(self._here, "open", None)

    @property
    def ledger(self) -> Ledger:
        """Inside a transaction."""
        assert self._mine is not None
        return self._mine.ledger

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. An inner one joins the outer; where it fails, what it did is undone and no more."""
        if self._mine is not None:
            with self._inner(self._mine):
                yield
            return
        with self._outer(patiently):
            yield

    @contextmanager
    def _outer(self, begin: Callable[[Callable[[], None]], object]) -> Iterator[None]:
        with named(self.address), self._session() as session:
            mine = self._here.open = _Open(session)
            try:
                # Once more where that fails, as nothing is written yet: the connection may have died of old age.
                begin(lambda: self._hold(mine))
                yield
                if mine.ledger.changed:
                    self._run(statement("store/save"), {"changed": mine.ledger.changed}, "store/save")
                self._commit(mine)
            except BaseException:
                mine.undo()
                raise
            finally:
                self._here.open = None

    def attempt(self, work: Callable[[], T]) -> T:
        """Work in a transaction; once more where it is sure that it was undone, and the reason may pass."""

        def once() -> T:
            with self.transaction() if self._mine else self._outer(lambda hold: hold()):
                return work()

        return once() if self._mine else patiently(once)

    def _hold(self, mine: _Open) -> None:
        """From its beginning until its end; db.lock.acquisition.timeout of the server is the longest wait."""
        with named(self.address):
            mine.begin()
        ((properties,),) = self._run(statement("store/hold"), {"token": mine.token}, "store/hold")
        mine.ledger = Ledger(properties)

    def _commit(self, mine: _Open) -> None:
        turn, lost = self._begin_turn() if mine.ledger.published else 0, None
        try:
            mine.transaction.commit()
        except IncompleteCommit as error:
            # Nobody knows whether the server has it: never send it again, look for its token.
            if not self._committed(mine, error):
                lost = error
        if turn:
            with suppress(StoreError):  # it is committed or not; others find out by keeping writers out
                self._end_turn(turn)
        if lost:
            message = f"{self.address}: the connection was lost before a transaction was committed"
            raise StoreError("STORE_UNREACHABLE", message, help="Do the same again: nothing of it is stored.") from lost

    def _committed(self, mine: _Open, error: Exception) -> bool:
        """Waits until the transaction has ended, which holds the store until then. Raises STORE_UNREACHABLE, which is
        not tried again, where that cannot be found out."""
        parameters = {"token": mine.token, "commits": mine.ledger.get("commits")}

        def once() -> bool | None:
            with named(self.address), self._session() as session, session.begin_transaction(timeout=CONNECT) as looking:
                ((found,),) = looking.run(statement("store/committed"), parameters)
                looking.rollback()
                return found  # type: ignore[no-any-return]

        found, why = None, None
        try:
            found = patiently(once)
        except StoreError as failure:
            why = failure
        if found is None:
            raise StoreError(
                "STORE_UNREACHABLE",
                f"{self.address}: the connection was lost while a transaction was being committed: {error}",
                help="When the server is back, run the same command again: it goes on from what is stored.",
            ) from why
        return found

    @contextmanager
    def _inner(self, mine: _Open) -> Iterator[None]:
        mark, ledger = len(mine.written), mine.ledger.copy()
        try:
            yield
        except Exception:
            if not mine.transaction.closed():
                self._back_to(mine, mark, ledger)
            raise

    def _back_to(self, mine: _Open, mark: int, ledger: Ledger) -> None:
        """Neo4j has no savepoints: the outer transaction is begun again and written once more, up to the mark."""
        commits = mine.ledger.get("commits")
        try:
            self._hold(mine)
            if mine.ledger.get("commits") != commits:
                raise StoreError("STORE_BUSY", f"{self.address}: another process wrote while a part was being undone")
            mine.ledger.take_over(ledger)
            del mine.written[mark:]
            for name, parameters in mine.written:
                self._run(statement(name), parameters, name)
        except BaseException:
            mine.undo()  # so that nothing more is written by whoever goes on in spite of it
            raise

    def property(self, name: str, default: Any = None) -> Any:
        """Of the store itself."""
        return self.properties().get(name, default)

    def properties(self) -> Mapping[str, Any]:
        if self._mine is not None:
            return self._mine.ledger.all()
        found: Mapping[str, Any] = self.one("store/ledger")[0]
        return found

    # ---- moments

    # Neo4j applies a commit piece by piece while others read: no number that a publication itself writes would tell
    # them. So the turn is changed before its commit, to a negative number, and after it, by transactions of their own.

    def moment(self, read: Callable[[], T]) -> T:
        """Reads again when a publication came between; in the end it keeps writers out while it reads."""
        if self._mine is not None or getattr(self._here, "inside", False):
            return read()
        self._here.inside = True
        try:
            for pause in GLANCES:
                before = self._turn()
                if before >= 0:
                    try:
                        answer = read()
                    except (LookupError, ValueError):
                        if self._turn() == before:
                            raise
                    else:
                        if self._turn() == before:
                            return answer
                time.sleep(pause)
        finally:
            self._here.inside = False
        with self.quiet():
            return read()

    @contextmanager
    def beside(self, read: Callable[[], T]) -> Iterator[Callable[[], T]]:
        """By a connection of its own in a thread, when a transaction keeps writers out and has written nothing that
        the other could not see."""
        if self._mine is None or self._mine.written:
            yield read
            return

        def inside() -> T:
            self._here.inside = True
            return read()

        with ThreadPoolExecutor(1) as thread:
            yield thread.submit(copy_context().run, inside).result

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """A transaction to read in: nobody else writes meanwhile."""
        with self.transaction():
            turn = self._turn()
            if turn < 0:  # whoever published is gone, or has not come to it yet
                self._end_turn(turn)
            yield

    def _turn(self) -> int:
        found: int = self.one("store/turn")[0]
        return found

    def _begin_turn(self) -> int:
        ((found,),) = self._alone(statement("store/begin_turn"), {})
        return int(found)

    def _end_turn(self, turn: int) -> None:
        self._alone(statement("store/end_turn"), {"turn": turn})

    # ---- hearing

    @contextmanager
    def trace(self, hear: Callable[[str], Any]) -> Iterator[None]:
        """The name of each statement."""
        self._ears = [*self._ears, hear]
        try:
            yield
        finally:
            self._ears = [one for one in self._ears if one is not hear]
