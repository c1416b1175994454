"""What a load looks for and surely is not there: never what is there, whoever put it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.event_table import EventTable
from identity_graph.model import Event, Identifier
from identity_graph.store import open_store
from identity_graph.store.protocols import Erasure, EventColumns, IdentifierRow, Piece, Store
from identity_graph.store.sqlite import sieve
from tests.store.building import array, batch, begin, event, load

ids = st.lists(st.integers(0, 25), min_size=1, max_size=6, unique=True)
moves = st.lists(
    st.tuples(st.sampled_from(["append"] * 4 + ["fail", "erase", "reopen"]), st.sampled_from([0, 0, 0, 1]), ids),
    max_size=12,
)


def event_of(number: int) -> Event:
    return event(f"e{number}", f"user_id:u{number // 3}", f"cookie:{number}")


@contextmanager
def always_in_use(full: int = 1 << 25) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sieve, "LEAST", 1)
        patch.setattr(sieve, "_FULL", full)
        patch.setattr(sieve, "_BITS", full.bit_length() - 1)  # few: others pass, too
        yield


@settings(deadline=None)
@given(moves, st.sampled_from([1 << 25, 8]))
def test_nothing_is_stored_twice_by_any_of_two_writers(moves: list[tuple[str, int, list[int]]], full: int) -> None:
    with always_in_use(full), TemporaryDirectory() as folder, ExitStack() as stack:
        url = f"sqlite:///{folder}/people.db"
        stores = [stack.enter_context(_opened(url)) for _ in range(2)]
        stored: set[int] = set()
        for move, who, numbers in moves:
            store, events = stores[who], [event_of(number) for number in numbers]
            if move == "append":
                run = load(store, *events)
                assert (run.accepted, run.duplicate) == (len(set(numbers) - stored), len(stored.intersection(numbers)))
                stored.update(numbers)
            elif move == "fail":
                with suppress(ZeroDivisionError), store.transaction():
                    load(store, *events)
                    raise ZeroDivisionError
            elif move == "erase":
                rows = [row.number for row in store.evidence.events([one.id for one in events]) if row]
                with store.transaction():
                    store.privacy.erase(Erasure([], rows, [], [], []))
                stored.difference_update(numbers)
            else:
                stores[who] = stack.enter_context(_opened(url))
        table, values = stores[0].evidence.identifier_table()
        twice = [one for one, count in Counter(zip(table.namespace.tolist(), values, strict=True)).items() if count > 1]
        assert twice == []


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def test_what_is_restored_into_an_open_store_is_seen(tmp_path: Path) -> None:
    with always_in_use(), _opened(f"sqlite:///{tmp_path / 'people.db'}") as store:
        load(store, event_of(1))
        late = event_of(20)
        rows = [
            IdentifierRow(n, Identifier.parse(key), None, 0, None) for n, key in ((7, "user_id:u6"), (8, "cookie:20"))
        ]
        columns = EventColumns(array([5]), EventTable.of([late]), array([7, 8]))
        store.transfer.restore(Piece(identifiers=rows, events=columns), "half")
        run = load(store, late, event("new", "cookie:20"))
        assert (run.accepted, run.duplicate) == (1, 1)
        assert len(store.evidence.identifier_table()[1]) == 4


def test_what_is_new_is_not_looked_for_in_the_database(tmp_path: Path) -> None:
    with always_in_use(), _opened(f"sqlite:///{tmp_path / 'people.db'}") as store:
        run = store.evidence.append(begin(store), batch(map(event_of, range(0, 9)), position=1))
        for numbers, asked in ((range(9, 18), 0), (range(15, 21), 1)):
            heard: list[str] = []
            with store.trace(heard.append):
                run = store.evidence.append(run, batch(map(event_of, numbers), position=1 + run.position))
            assert sum("hash = k.value" in sql for sql in heard) == asked
