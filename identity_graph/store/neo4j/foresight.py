"""What a server knows of the next batch, asked while it commits the one before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection

Key = tuple[str, str]


class Content(NamedTuple):
    """`digest` is of all that tells two events of one id apart, the time too."""

    time: int
    digest: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Of `ids` the contents of those that are stored, of `keys` the numbers; of others nothing is known."""

    ids: AbstractSet[str] = frozenset()
    contents: dict[str, Content] = field(default_factory=dict)
    keys: AbstractSet[Key] = frozenset()
    numbers: dict[Key, int] = field(default_factory=dict)


NOTHING = Foreseen()


class Foresight:
    """One batch ahead. A transaction that holds the store asks, by a connection of its own: everything that others
    committed is there, and what it has written itself it knows. The answer holds for the one right after it."""

    def __init__(self, database: Connection) -> None:
        self._database = database
        self._asked: tuple[str, Future[Foreseen]] | None = None

    def ask(self, writer: str, after: EventTable, upcoming: EventTable, known: Callable[[Key], bool]) -> None:
        """For the batch that comes after what the transaction `writer` has stored; `known` are keys that need not be
        looked for."""
        ids = set(upcoming.ids)
        if not ids.isdisjoint(after.ids):
            ids = set()  # some may be stored by now
        thread = ThreadPoolExecutor(1, "foresight")
        self._asked = writer, thread.submit(self._look, sorted(ids), upcoming.named, known)
        thread.shutdown(wait=False)

    def after(self, writer: str) -> Foreseen:
        """What was asked by the transaction `writer`, once."""
        asked, self._asked = self._asked, None
        if asked is None:
            return NOTHING
        try:
            found = asked[1].result()
        except StoreError:  # whoever needs it asks again, and says what is wrong
            return NOTHING
        return found if asked[0] == writer else NOTHING

    def _look(self, ids: Sequence[str], named: Sequence[Key], known: Callable[[Key], bool]) -> Foreseen:
        keys = {key for key in named if not known(key)}
        return Foreseen(
            frozenset(ids), dict(stored_contents(self._database, ids)), keys, dict(stored_numbers(self._database, keys))
        )


def stored_contents(database: Connection, ids: Sequence[str]) -> Iterator[tuple[str, Content]]:
    """Of events that are stored, by id."""
    for chunk in in_chunks(ids):
        found, times, digests = database.one("evidence/append_known", ids=chunk)
        yield from zip(found, map(Content, times, digests), strict=True)


def stored_numbers(database: Connection, keys: Collection[Key]) -> Iterator[tuple[Key, int]]:
    """Of identifiers that are stored."""
    names = {f"{space}:{value}": (space, value) for space, value in keys}
    for chunk in in_chunks(sorted(names)):
        stored, found = database.one("evidence/append_find", keys=chunk)
        yield from zip(map(names.__getitem__, stored), found, strict=True)
