"""Persons with all that is around them, by one read: each row is as the other reads give it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import pytest

from identity_graph.model import ChangeKind, Identifier, Reason, Segment
from identity_graph.store.protocols import PersonRow, SimilarRow, Store, Subgraph, SuppressedRow
from tests.store.building import NOW, begin, change, event, load, numbers, publication, publish_persons
from tests.store.test_erase import erasure

ANN, BOB, HUB, LONE = "email:ann@x.org", "email:bob@x.org", "ip:hub", "cookie:lone"
MEMBERS = {"pa": [ANN, "cookie:1", "user_id:1"], "pb": [BOB, "cookie:b"], "pl": [LONE], "old": [], "older": []}
REASON = Reason("LIMIT", "two of email", "email", ("ann@x.org", "bob@x.org"))
KEYS = [Identifier.parse(key) for key in (ANN, BOB, "cookie:1", HUB, LONE, "cookie:free", "cookie:never")]
KEYS += [Identifier("email", "a\0b"), Identifier("email", "\ud800")]
IDS = ["pa", "pb", "pl", "old", "older", "nobody", "\0", ""]
ASKED: list[tuple[Sequence[Identifier], Sequence[str]]] = [
    (KEYS, IDS),
    (KEYS, []),
    ([], IDS),
    ([], []),
    (KEYS[:1], []),
    ([], ["older"]),
    (KEYS[3:4], ["old", "old"]),  # what joins nobody, and who is retired
    ([KEYS[2], KEYS[2], KEYS[0]], ["pa", "old"]),  # one person, by all its names
    (KEYS[5:], ["nobody"]),
]


@pytest.fixture
def people(store: Store) -> Store:
    load(
        store,
        event("1", ANN, "cookie:1", HUB, traits={"name": "Ann"}, properties={"list": [1, None, {"a": "é"}]}),
        event("2", "cookie:1", same_person=[(ANN, "user_id:1")], apart=[(ANN, BOB)], time=NOW - 5, source="crm"),
        event("3", BOB, HUB, "cookie:b", time=NOW - 5, name="Order"),
        event("4", BOB, ANN, "cookie:free", received=NOW + 9),
        event("5", LONE),
        event("6", HUB, "cookie:free"),
    )
    persons = publish_persons(store, MEMBERS)
    first, second, hub, lone, other = numbers(store, ANN, BOB, HUB, LONE, "cookie:b")
    store.persons.publish(publication(retired=[(persons["older"], persons["old"])]))
    store.persons.publish(
        publication(
            time=NOW + 1,
            retired=[(persons["old"], persons["pa"])],
            pruned=[(hub, "HUB")],
            suppressed=[
                SuppressedRow(min(first, second), max(first, second), REASON),
                SuppressedRow(min(second, hub), max(second, hub), Reason("CANNOT", "stated")),
            ],
            similar=[
                SimilarRow(min(first, lone), max(first, lone), 0.25, NOW, (hub, other)),
                SimilarRow(min(first, second), max(first, second), 0.1 + 0.2, -1, (other,)),
            ],
            scope=None,
            updated=[persons["pa"]],
        )
    )
    for name, inside in (("all", ["pa", "pb", "pl"]), ("some", ["pa"]), ("none", [])):
        store.segments.save(Segment(name, f"of {name}", {"segment": name}, NOW, NOW, 0), inside)
    return store


def read(store: Store, identifiers: Sequence[Identifier], ids: Sequence[str], events: bool, moment: object) -> Subgraph:
    """By the other reads, one after the other."""
    rows, named = store.evidence.identifiers(identifiers), store.persons.persons(ids)
    wanted = {row.person for row in rows if row and row.person is not None}
    wanted |= {row.survivor or row.number for row in named if row}
    inside = sorted(wanted)
    members = dict(zip(inside, store.persons.members(inside), strict=True))
    of = [row.number for row in chain.from_iterable(members.values())]
    seen = dict(zip(of, store.evidence.events_of(of), strict=True)) if events else None
    similar = dict(zip(of, store.persons.similar(of), strict=True))
    named_by = {number for links in similar.values() for row in links for number in (row.a, row.b, *row.shared)}
    named_by |= {number for found in (seen or {}).values() for row in found for number in row.identifiers} | set(of)
    around = [row for row in store.evidence.identifiers_by_number(sorted(named_by)) if row] + [
        row for row in rows if row
    ]
    owners = wanted | {row.person for row in around if row.person is not None}
    persons = [row for row in (*store.persons.persons_by_number(sorted(owners)), *named) if row]
    owned = [row.id for row in store.persons.persons_by_number(inside) if row]
    segments = [store.segments.segments(names) for names in store.segments.of_persons(owned)]
    return Subgraph(
        moment=moment,
        asked={**dict(zip(identifiers, rows, strict=True)), **dict(zip(ids, named, strict=True))},
        persons={row.number: row for row in persons},
        identifiers={row.number: row for row in around},
        members=members,
        suppressed=dict(zip(of, store.persons.suppressed(of), strict=True)),
        similar=similar,
        segments={number: [one for one in found if one] for number, found in zip(inside, segments, strict=True)},
        events=seen,
    )


@pytest.mark.parametrize("events", [True, False])
def test_every_row_is_as_the_other_reads_give_it(people: Store, events: bool) -> None:
    for identifiers, ids in ASKED:
        found = people.persons.subgraph(identifiers, ids, events=events)
        assert found == read(people, identifiers, ids, events, found.moment), (identifiers, ids)


def test_what_it_says_of_them(people: Store) -> None:
    """So that what it is compared with is not wrong in the same way."""
    found = people.persons.subgraph([], ["older"], events=True)
    ann, bob, hub, free = numbers(people, ANN, BOB, HUB, "cookie:free")
    ((person, members),) = found.members.items()
    assert [row.identifier.key for row in members] == sorted(MEMBERS["pa"])
    older = found.asked["older"]
    assert isinstance(older, PersonRow) and (older.id, older.survivor) == ("older", person)
    assert {row.id for row in found.persons.values()} == {"pa", "pb", "pl", "older"}
    assert {ann, bob, hub, free} <= found.identifiers.keys()
    assert found.identifiers[hub].pruned == "HUB"
    assert [row.reason for row in found.suppressed[ann]] == [REASON]
    assert [one.name for one in found.segments[person]] == ["all", "some"]
    assert [one.size for one in found.segments[person]] == [3, 1]
    assert found.events is not None
    assert [row.event.id for row in found.events[ann]] == ["2", "1", "4"]
    # What a suppressed link leads to is there, too, where events were asked for.
    ends = {end for rows in found.suppressed.values() for row in rows for end in (row.a, row.b)}
    assert ends <= found.identifiers.keys()


def test_its_moment_is_another_after_a_publication_and_after_an_erasure(people: Store) -> None:
    def moment() -> object:
        return people.persons.subgraph(KEYS, IDS, events=True).moment

    first = moment()
    assert moment() == first
    load(people, event("7", "cookie:new"))
    people.operations.end_run(begin(people))
    people.segments.refresh("some", ["pb"], [], NOW, NOW)
    if people.kind == "neo4j":  # SQLite has nothing to wait for there, and counts every writing
        assert moment() == first
    first = moment()
    publish_persons(people, {"pn": ["cookie:new"]})
    second = moment()
    assert second != first
    people.privacy.erase(erasure(people, "pl", ["5"], [LONE], changes=[change(ChangeKind.ERASED, "pl")]))
    assert moment() not in (first, second)
    for events in (True, False):
        found = people.persons.subgraph(KEYS, IDS, events=events)
        assert found == read(people, KEYS, IDS, events, found.moment)
        assert found.asked["pl"] is found.asked[Identifier.parse(LONE)] is None


def test_in_a_transaction_it_reads_what_that_wrote(people: Store) -> None:
    with people.transaction():
        publish_persons(people, {"pn": ["cookie:free"]})
        found = people.persons.subgraph(KEYS, ["pn"], events=True)
        assert found == read(people, KEYS, ["pn"], True, found.moment)
        assert found.asked["pn"] is not None
