"""Whatever is loaded, in whatever order and pieces: the same evidence, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from identity_graph.model import Event, Identifier
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from identity_graph.store.sqlite import interning, layers
from tests.store.building import NOW, array, batch, begin, numbers
from tests.store.naive import NaiveEvidence

IDENTIFIERS = [Identifier(namespace, value) for namespace in ("email", "cookie", "user_id") for value in "12é"]
SCALARS: SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "1", "ü"])
OBJECTS = st.dictionaries(st.sampled_from("abc"), SCALARS | st.lists(SCALARS, max_size=2), max_size=2)
EVENTS = st.builds(
    Event,
    id=st.sampled_from("abcdefgh"),
    time=st.sampled_from([NOW, NOW + 1, -5]),
    source=st.sampled_from(["web", "crm"]),
    name=st.sampled_from(["Page", "Order"]),
    identifiers=st.lists(st.sampled_from(IDENTIFIERS), unique=True, max_size=4).map(tuple),
    traits=OBJECTS,
    properties=OBJECTS,
    received=st.integers(0, 9),
    same_person=st.lists(st.tuples(*[st.sampled_from(IDENTIFIERS)] * 2), max_size=1).map(tuple),
    apart=st.lists(st.tuples(*[st.sampled_from(IDENTIFIERS)] * 2), max_size=1).map(tuple),
)


@contextmanager
def fresh() -> Iterator[Store]:
    store = open_store("sqlite:///:memory:")
    yield store
    store.close()


def state(store: Store) -> list[bytes]:
    return list(store.operations.canonical_lines())


@given(st.lists(st.lists(EVENTS, max_size=6), max_size=6))
@settings(deadline=None)
def test_the_store_agrees_with_a_dictionary(batches: list[list[Event]]) -> None:
    naive = NaiveEvidence()
    with fresh() as store:
        run = begin(store)
        for position, events in enumerate(batches, 1):
            run = store.evidence.append(run, batch(events, position=position))
            for each in events:
                naive.append(each)
        assert run.read == sum(map(len, batches)) == run.accepted + run.duplicate + run.quarantined
        assert {
            "accepted": run.accepted,
            "duplicate": run.duplicate,
            "quarantined": run.quarantined,
        } == {name: naive.counts[name] for name in ("accepted", "duplicate", "quarantined")}
        aside = [(one.line, one.offset, one.record) for one in store.operations.quarantined()]
        assert len(set(aside)) == len(aside) <= run.quarantined and bool(aside) == bool(run.quarantined)
        ids = [row.event.id for row in store.evidence.events(list("abcdefgh")) if row is not None]
        assert ids == sorted(naive.stored)
        seen = naive.seen()
        table, values = store.evidence.identifier_table()
        assert {
            Identifier(table.namespaces[space], value) for space, value in zip(table.namespace, values, strict=True)
        } == set(seen)
        for identifier, events_of in seen.items():
            [row] = store.evidence.identifiers([identifier])
            assert row is not None
            [found] = store.evidence.events_of([row.number])
            assert {each.event.id for each in found} == events_of
            [sighting] = store.evidence.sightings([row.number])
            times = [naive.stored[id].time for id in events_of]
            assert sighting is not None
            assert (sighting.first_seen, sighting.last_seen) == (min(times), max(times))
            assert sighting.observations == len(times)
        assert len(store.evidence.observation_table()) == sum(map(len, seen.values()))


def one_per_id(events: list[Event]) -> list[Event]:
    return list({each.id: each for each in events}.values())


@given(st.lists(EVENTS, max_size=8).map(one_per_id), st.data())
@settings(deadline=None)
def test_order_and_cut_do_not_matter(events: list[Event], data: st.DataObject) -> None:
    with fresh() as first, fresh() as second:
        first.evidence.append(begin(first), batch(events))
        shuffled = data.draw(st.permutations(events + events))
        run = begin(second)
        position = 0
        while position < len(shuffled):
            size = data.draw(st.integers(1, len(shuffled)))
            piece = shuffled[position : position + size]
            run = second.evidence.append(run, batch(piece, position=position + len(piece)))
            position += len(piece)
        assert (run.accepted, run.duplicate) == (len(events), len(events))
        assert state(first) == state(second)


@given(st.lists(st.lists(EVENTS, max_size=5), min_size=1, max_size=5), st.integers(0, 3))
@settings(deadline=None)
def test_layers_and_what_is_remembered_do_not_matter(batches: list[list[Event]], least: int) -> None:
    """The same load with a recent layer that is taken in now and then and a short memory, and with neither."""
    with fresh() as one, fresh() as other:
        answers = []
        for store, limit in ((one, layers.LEAST), (other, least)):
            before, layers.LEAST = layers.LEAST, limit
            large, layers.LARGE = layers.LARGE, limit
            cached, interning.CACHED = interning.CACHED, limit
            try:
                run = begin(store)
                for position, events in enumerate(batches, 1):
                    run = store.evidence.append(run, batch(events, position=position))
            finally:
                layers.LEAST, layers.LARGE, interning.CACHED = before, large, cached
            known = numbers(store, *(identifier.key for identifier in IDENTIFIERS))
            table = store.evidence.observation_table(array(known[:2]))
            answers.append(
                (
                    state(store),
                    store.evidence.events_of(known),
                    store.evidence.sightings(known),
                    store.evidence.events(list("abcdefgh")),
                    sorted(zip(table.event.tolist(), table.identifier.tolist(), strict=True)),
                    store.operations.counts() | {"bytes": 0},
                    (run.accepted, run.duplicate, run.quarantined),
                )
            )
        assert answers[0] == answers[1]
