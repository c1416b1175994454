"""Events as columns are the events that they were made of."""

from __future__ import annotations

import marshal
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from identity_graph.event_table import _BETWEEN, EventTable, canonical_json, texts
from identity_graph.hashed import hashes
from identity_graph.model import Event, Identifier
from identity_graph.repeated import Repeated

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
    table = EventTable.of(events)
    for sent in (table, replace(table, sources=Repeated("web", len(events)))):
        found = EventTable.unpack(marshal.loads(marshal.dumps(sent.pack())))
        assert well_formed(found)
        assert list(found) == list(sent)


def test_hashes_are_kept_and_must_stay_the_same() -> None:
    """Stores hold them, and would find nothing by others."""
    assert hashes(["", "e-1", "é", "\ud800"]).tolist() == [
        -82796341864544,
        -106592745076346,
        51788513250239,
        114407150599800,
    ]


@given(EVENTS, st.randoms(use_true_random=False))
def test_digests_tell_apart_what_is_another_event(events: list[Event], random) -> None:  # type: ignore[no-untyped-def]
    """Whatever the order of what was seen and stated, the repeats, the neighbours, and when it was received."""

    def said(event: Event) -> str:
        """What it says, in one order."""
        pairs = [
            {(*sorted((a.key, b.key)), kept) for a, b in of if a != b}
            for kept, of in ((0, event.same_person), (1, event.apart))
        ]
        ends = [end for of in (event.same_person, event.apart) for pair in of for end in pair]
        keys = sorted({one.key for one in [*event.identifiers, *ends]})
        told = [event.time, event.source, event.name, keys, sorted(pairs[0] | pairs[1])]
        return canonical_json([*told, small(event).traits, small(event).properties])

    def shuffled(event: Event) -> Event:
        same = [pair[:: random.choice((1, -1))] for pair in [*event.same_person, *event.same_person]]
        return event._replace(
            identifiers=random.sample([*event.identifiers, *event.identifiers], 2 * len(event.identifiers)),
            same_person=random.sample(same, len(same)),
            received=7,
        )

    digests = list(EventTable.of(events).digests())
    assert all(len(digest) == 32 for digest in digests)
    places = random.sample(range(len(events)), len(events))
    again = EventTable.of([shuffled(events[place]) for place in places]).digests()
    assert [digests[place] for place in places] == list(again)
    assert len(set(digests)) == len(set(map(said, events)))


def test_digests_are_kept_and_must_stay_the_same() -> None:
    """Stores hold them: another digest of the same event would refuse what is loaded again as another one."""
    a, b = Identifier("email", "ann@x.org"), Identifier("cookie", "é")
    told = Event("1", 5, "web", "Seen", [a, b], {"b": 1, "a": "ü"}, {}, [(b, a)], 9, [(a, Identifier("cookie", "c"))])
    table = EventTable.of([told, told._replace(identifiers=[a], same_person=[], apart=[], traits={})])
    assert list(table.digests()) == ["87dcb2a6e204a9bcf83c127801f7df4c", "ffe5e91089160bc3fac9d06bdc888f6a"]


def test_canonical_json() -> None:
    assert canonical_json({"b": 1, "a": [1.5, None, "é"]}) == '{"a":[1.5,null,"é"],"b":1}'
    assert canonical_json({"b": 10**30, "a": 1}) == '{"a":1,"b":1000000000000000000000000000000}'


@given(st.lists(OBJECTS | st.fixed_dictionaries({"x": st.lists(st.just(_BETWEEN) | st.text(max_size=1))}), max_size=6))
def test_texts_of_many_are_the_text_of_each(given: list[dict[str, object]]) -> None:
    """Also of objects that hold what is put between them."""
    assert texts(given) == [canonical_json(one) if one else None for one in given]
