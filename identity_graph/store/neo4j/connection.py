"""One driver: whose transaction a thread is in, what is repeated after a failure, and what never is."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import uuid4

from neo4j import Driver, GraphDatabase, NotificationMinimumSeverity, Session
from neo4j.exceptions import DriverError, IncompleteCommit, Neo4jError

from identity_graph.errors import StoreError
from identity_graph.store.neo4j.address import Address
from identity_graph.store.neo4j.failures import LOST, PASSING, failure, named
from identity_graph.store.neo4j.ledger import Ledger
from identity_graph.store.neo4j.statements import script, statement

VERSION = 1
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds between the attempts at what may be done again
CONNECT = 10.0  # seconds that a connection may take
ATTEMPTS = 4  # of a reading of one moment, before writers are kept out for it

T = TypeVar("T")
Parameters = dict[str, Any]


class _Open:
    """The transaction of one thread: how deep it is nested, and what it has written."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.depth = 0
        self.written: list[tuple[str, Parameters]] = []
        self.renew()

    def renew(self) -> None:
        """Not begun, as far as the server is concerned, until the first statement."""
        self.token = uuid4().hex
        self.ledger = Ledger({})
        self.transaction = self.session.begin_transaction()


class Connection:
    """Safe to use from many threads. Writers take turns: each holds the `Store` node, so they cannot block each other
    and numbers are given in the order in which they are committed. Reads wait for nobody.

    Raises STORE_UNREACHABLE, STORE_DENIED, STORE_OPEN and STORE_VERSION.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.rolled_back: list[Callable[[], None]] = []
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
            for text in script("schema"):
                self._alone(text, {})
            # Only then: whoever finds the node finds the constraints too.
            self._alone(statement("store/create"), {"id": str(uuid4()), "version": VERSION})
            known = self._known()
        if known != VERSION:
            raise StoreError(
                "STORE_VERSION",
                f"{self.address} has version {known} of the store; this program reads version {VERSION}",
                help="Use the version of identity-graph that wrote it, or load the sources into an empty database.",
            )

    def _known(self) -> int | None:
        rows = self._alone(statement("store/ledger"), {})
        return rows[0][0].get("version") if rows else None

    def new_driver(self) -> Driver:
        """Connections of their own, to be closed by whoever asked for them."""
        address = self.address
        return GraphDatabase.driver(
            address.uri,
            auth=(address.user, address.password) if address.user else None,
            connection_timeout=CONNECT,
            connection_acquisition_timeout=2 * CONNECT,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
            user_agent="identity-graph",
        )

    def close(self) -> None:
        self._driver.close()

    # ---- statements

    def read(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of the statement in `cypher/NAME.cypher`."""
        return self._run(statement(name), parameters, name)

    def one(self, name: str, **parameters: Any) -> tuple[Any, ...]:
        """The only row of a statement that always has one."""
        (row,) = self.read(name, **parameters)
        return row

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
            return self._alone(text, parameters)
        with named(self.address):
            return [tuple(row) for row in self._mine.transaction.run(text, parameters)]

    def _alone(self, text: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """By itself, tried again while the failure may pass: for reads, and for what may be done twice."""
        pauses = iter(PAUSES)
        while True:
            try:
                with self._session() as session:
                    return [tuple(row) for row in session.run(text, parameters)]
            except (DriverError, Neo4jError) as error:
                pause = next(pauses, None) if isinstance(error, PASSING) else None
                if pause is None:
                    raise failure(self.address, error) from error
                time.sleep(pause * random.uniform(0.8, 1.2))

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
        with named(self.address), self._session() as session:
            mine = self._here.open = _Open(session)
            try:
                self._hold(mine)
                yield
                if mine.ledger.changed:
                    self._run(statement("store/save"), {"changed": mine.ledger.changed}, "store/save")
                self._commit(mine)
            except BaseException:
                self._undo(mine)
                raise
            finally:
                self._here.open = None

    def attempt(self, work: Callable[[], T]) -> T:
        """Work in a transaction; once more where the server went away, or undid it, before it was committed."""
        pauses = iter(PAUSES)
        while True:
            try:
                with self.transaction():
                    return work()
            except StoreError as error:
                cause = error.__cause__
                if self._mine or not isinstance(cause, PASSING) or isinstance(cause, IncompleteCommit):
                    raise
                pause = next(pauses, None)
                if pause is None:
                    raise
                time.sleep(pause * random.uniform(0.8, 1.2))

    def _hold(self, mine: _Open) -> None:
        """Until the end of the transaction; db.lock.acquisition.timeout of the server is the longest wait."""
        ((properties,),) = self._run(statement("store/hold"), {"token": mine.token}, "store/hold")
        mine.ledger = Ledger(properties)

    def _commit(self, mine: _Open) -> None:
        try:
            mine.transaction.commit()
        except (IncompleteCommit, *LOST) as error:
            # Nobody knows whether the server has it: never send it again, look for its token.
            if not self._committed(mine.token, error):
                raise

    def _committed(self, token: str, error: Exception) -> bool:
        try:
            ((found,),) = self._alone(statement("store/committed"), {"token": token})
        except StoreError:
            raise StoreError(
                "STORE_UNREACHABLE",
                f"{self.address}: the connection was lost while a transaction was being committed: {error}",
                help="When the server is back, run the same command again: it goes on from what is stored.",
            ) from error
        return bool(found)

    def _undo(self, mine: _Open) -> None:
        with suppress(DriverError, Neo4jError):  # the server undoes it, too, when the connection is gone
            mine.transaction.close()
        for forget in self.rolled_back:
            forget()

    @contextmanager
    def _inner(self, mine: _Open) -> Iterator[None]:
        mark, changed = len(mine.written), dict(mine.ledger.changed)
        mine.depth += 1
        try:
            yield
        except Exception:
            if not mine.transaction.closed():
                self._back_to(mine, mark, changed)
            raise
        finally:
            mine.depth -= 1

    def _back_to(self, mine: _Open, mark: int, changed: Mapping[str, Any]) -> None:
        """Neo4j has no savepoints: the outer transaction is begun again and written once more, up to the mark."""
        commits = mine.ledger.get("commits")
        self._undo(mine)
        mine.renew()
        self._hold(mine)
        if mine.ledger.get("commits") != commits:
            raise StoreError("STORE_BUSY", f"{self.address}: another process wrote while a part was being undone")
        mine.ledger.changed.update(changed)
        del mine.written[mark:]
        for name, parameters in mine.written:
            self._run(statement(name), parameters, name)

    def property(self, name: str, default: Any = None) -> Any:
        """Of the store itself."""
        if self._mine is not None:
            return self._mine.ledger.get(name, default)
        ((properties,),) = self.read("store/ledger")
        return properties.get(name, default)

    # ---- moments

    def moment(self, read: Callable[[], T]) -> T:
        """Reads again when a publication came between; in the end it keeps writers out while it reads."""
        if self._mine is not None or getattr(self._here, "inside", False):
            return read()
        self._here.inside = True
        try:
            for _ in range(ATTEMPTS):
                before = self._published()
                try:
                    answer = read()
                except (LookupError, ValueError):
                    if self._published() == before:
                        raise
                    continue
                if self._published() == before:
                    return answer
        finally:
            self._here.inside = False
        with self.transaction():
            return read()

    def _published(self) -> int:
        found: int = self.one("store/published")[0]
        return found

    # ---- hearing

    @contextmanager
    def trace(self, hear: Callable[[str], Any]) -> Iterator[None]:
        """The name of each statement."""
        self._ears = [*self._ears, hear]
        try:
            yield
        finally:
            self._ears = [one for one in self._ears if one is not hear]
