"""Events as columns are the events that they were made of."""

from __future__ import annotations

import marshal

from hypothesis import given
from hypothesis import strategies as st

from identity_graph.event_table import EventTable, canonical_json
from identity_graph.model import Event, Identifier

IDENTIFIERS = st.builds(Identifier, st.sampled_from(["email", "cookie"]), st.sampled_from("abcd"))
OBJECTS = st.dictionaries(st.sampled_from("xyz"), st.integers(-(10**25), 10**25) | st.text(max_size=2), max_size=3)
EVENTS = st.lists(
    st.builds(
        Event,
        id=st.text(max_size=3),
        time=st.integers(-(2**55), 2**55),
        source=st.sampled_from(["web", "crm"]),
        name=st.text(max_size=3),
        identifiers=st.lists(IDENTIFIERS, unique=True, max_size=3),
        traits=OBJECTS,
        properties=OBJECTS,
        same_person=st.lists(st.tuples(IDENTIFIERS, IDENTIFIERS), max_size=2),
        received=st.integers(0, 2**55),
        apart=st.lists(st.tuples(IDENTIFIERS, IDENTIFIERS), max_size=2),
    ),
    max_size=6,
)


def well_formed(table: EventTable) -> bool:
    """Each identifier once, and each of them in use."""
    used = {*table.seen.tolist(), *(end for _, *ends, _ in table.stated for end in ends)}
    return len(set(table.named)) == len(table.named) and used == set(range(len(table.named)))


def small(event: Event) -> Event:
    """What numbers beyond 64 bits become when JSON is read."""
    return event._replace(traits=objects(event.traits), properties=objects(event.properties))


def objects(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return {name: float(v) if isinstance(v, int) and not -(2**63) <= v < 2**64 else v for name, v in value.items()}


@given(EVENTS)
def test_a_table_is_the_sequence_of_its_events(events: list[Event]) -> None:
    table = EventTable.of(events)
    assert well_formed(table)
    assert len(table) == len(events)
    assert list(table) == list(map(small, events))
    assert [table[row] for row in range(-len(events), len(events))] == list(map(small, events)) * 2
    assert table[1:3] == list(map(small, events))[1:3]
    assert EventTable.of(table) is table


@given(EVENTS, st.data())
def test_a_part_of_a_table(events: list[Event], data: st.DataObject) -> None:
    rows = [row for row in range(len(events)) if data.draw(st.booleans())]
    part = EventTable.of(events).take(rows)
    assert well_formed(part)
    assert list(part) == [small(events[row]) for row in rows]


@given(EVENTS)
def test_a_table_goes_from_process_to_process(events: list[Event]) -> None:
    found = EventTable.unpack(marshal.loads(marshal.dumps(EventTable.of(events).pack())))
    assert well_formed(found)
    assert list(found) == list(map(small, events))


def test_canonical_json() -> None:
    assert canonical_json({"b": 1, "a": [1.5, None, "é"]}) == '{"a":[1.5,null,"é"],"b":1}'
    assert canonical_json({"b": 10**30, "a": 1}) == '{"a":1,"b":1000000000000000000000000000000}'
