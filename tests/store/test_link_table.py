"""Links are what follows from the observations, whoever keeps them, under any policy and after any erasure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.model import Event
from identity_graph.policy import Policy
from identity_graph.resolve import fold_links
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.conftest import law
from tests.store.building import batch, begin, event, load
from tests.store.naive import content
from tests.store.test_erase import erasure
from tests.story.places import place
from tests.story.worlds import tight, worlds

pytestmark = pytest.mark.usefixtures("each_store")

# Neo4j stores the links of events of up to 8 identifiers: of all of them, of more, of fewer, of none.
POLICIES = [replace(tight(), pairwise_up_to=size) for size in (8, 12, 7, 4, 2)] + [Policy.default()]


@contextmanager
def fresh() -> Iterator[Store]:
    store = open_store(place.fresh())
    try:
        yield store
    finally:
        store.close()


def check(store: Store) -> None:
    evidence = store.evidence
    identifiers, values = evidence.identifier_table()
    for policy in POLICIES:
        seen, said = evidence.observation_table(), evidence.statements()
        links = evidence.link_table(identifiers, values, policy, said)
        expected = fold_links(identifiers, values, seen, evidence.sources(), policy, said=said)
        columns = list(zip(astuple(links), astuple(expected), strict=True))
        assert [one.tolist() for one, _ in columns] == [other.tolist() for _, other in columns], policy.pairwise_up_to
        assert [one.dtype for one, _ in columns] == [other.dtype for _, other in columns]


def erase(store: Store, stored: list[Event], gone: list[Event]) -> list[Event]:
    """These events, and what nobody else saw; the others."""
    seen = Counter(one for each in stored for one in content(each)[3])
    seen.subtract(one for each in gone for one in content(each)[3])
    alone = [one.key for one, left in seen.items() if not left]
    store.privacy.erase(erasure(store, "nobody", [each.id for each in gone], alone))
    return [each for each in stored if each not in gone]


def test_an_empty_store_has_none() -> None:
    with fresh() as store:
        check(store)


def test_links_of_wide_events_follow_from_the_policy() -> None:
    wide = [f"cookie:{n}" for n in range(11)]
    with fresh() as store:
        stored = [
            event("1", *wide, "email:a@x.org"),
            event("2", *wide[:8], source="crm"),
            event("3", *wide[:9]),
            event("4", *wide[2:4], same_person=[(wide[0], wide[5])]),
            event("5", *wide[2:4], source="crm", time=5),
            event("6", "email:alone@x.org"),
        ]
        load(store, *stored[:3])
        load(store, *stored[3:])
        check(store)
        stored = erase(store, stored, [stored[0], stored[4]])
        check(store)
        load(store, event("7", *wide, "email:b@x.org"))
        check(store)


@pytest.mark.parametrize("most", [1, 2, 10, 45])
def test_links_come_in_several_answers(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """45 is all of them, so that the last answer holds none."""
    monkeypatch.setattr("identity_graph.store.neo4j.links.LINKS", most)
    with fresh() as store:
        load(store, *(event(f"{n}", *(f"cookie:{one}" for one in range(n, n + 6))) for n in range(7)))
        check(store)
        evidence = store.evidence
        assert len(evidence.link_table(*evidence.identifier_table(), POLICIES[0], evidence.statements())) == 45


@law(40)
@given(worlds(widest=11), st.integers(0, 25), st.lists(st.integers(0, 2**25), max_size=3))
def test_links_of_any_world(events: list[Event], first: int, erasures: list[int]) -> None:
    """An erasure is of some of the events, by the bits of its number."""
    with fresh() as store:
        for piece in (events[:first], events[first:], events[:3]):
            store.evidence.append(begin(store), batch(piece))
        check(store)
        left = events
        for bits in erasures:
            left = erase(store, left, [one for place, one in enumerate(left) if bits >> place & 1])
            check(store)
        store.evidence.append(begin(store), batch([one._replace(id=f"again {one.id}") for one in left]))
        check(store)
