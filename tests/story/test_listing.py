"""Lists of persons: every order and condition, walked both ways, against what each person says of itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.errors import InputError
from identity_graph.listing import Key
from identity_graph.model import Person, PersonOrder
from tests.conftest import law
from tests.story.test_selecting import lives, one_by_one, trees
from tests.story.worlds import event, new_graph, tell, told

pytestmark = pytest.mark.usefixtures("each_store")


def own_key(graph: IdentityGraph, order: PersonOrder, person: Person) -> Key:
    """As the order means it, from what is published of this one."""
    (row,) = graph.store.persons.persons([person.id])
    (members,), (journey,) = graph.people.members([person.id]), graph.people.journeys([person.id])
    assert row is not None
    values = {
        PersonOrder.CREATED: person.created,
        PersonOrder.UPDATED: person.updated,
        PersonOrder.LAST_SEEN: max(one.event.time for one in journey) if journey else -(2**63),
        PersonOrder.SIZE: len(members),
    }
    return (person.id,) if order is PersonOrder.ID else (values[order], row.number)


def walk(graph: IdentityGraph, order: PersonOrder, tree: Any, size: int, backward: bool) -> list[tuple[Key, Person]]:
    found: list[tuple[Key, Person]] = []
    while True:
        after = (found[0] if backward else found[-1])[0] if found else None
        page, count = graph.listing.page(order, tree, after=after, limit=size, backward=backward)
        found = page + found if backward else found + page
        if len(page) < size:
            assert count == len(found)
            return found


@law(40)
@given(lives(), st.integers(0, 12), st.none() | trees, st.integers(1, 4))
def test_every_walk_meets_everybody_in_order(events, cut, tree, size):  # type: ignore[no-untyped-def]
    with new_graph() as graph:
        tell(graph, events[:cut])
        graph.computed.save("c", {"measure": "COUNT"})
        graph.segments.save("s", "", {"trait": {"name": "plan", "is": {"exists": True}}})  # reads who is there
        graph.clock.tick()  # type: ignore[attr-defined]
        tell(graph, events[cut:])
        graph.ingest.events([event("late", 5, "email:a@example.org", traits={"plan": "pro"})])  # not resolved yet
        meant = graph.people.page(limit=10_000)
        if tree is not None:
            met = set(one_by_one(graph, tree))
            meant = [person for person in meant if person.id in met]
        for order in PersonOrder:
            rows = sorted((own_key(graph, order, person), person) for person in meant)
            for backward in (False, True):
                assert walk(graph, order, tree, size, backward) == rows, (order, backward)


def test_a_condition_that_cannot_be_is_refused() -> None:
    with told([event("1", 0, "email:a@example.org")]) as graph:
        for tree in ({"segment": "unknown"}, {"trait": {"name": "plan", "is": {}}}, {}):
            with pytest.raises(InputError) as caught:
                graph.listing.page(PersonOrder.SIZE, tree)
            assert caught.value.code == "CONDITION_INVALID"
