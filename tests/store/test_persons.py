"""Reads of persons: aligned, in order, paged."""

from __future__ import annotations

import pytest

from identity_graph.model import ChangeKind, Person
from identity_graph.store.numbered import LARGEST_NUMBER
from identity_graph.store.protocols import Store
from tests.store.building import NOW, array, change, event, load, numbers, publication, publish_persons

# Namespaces of which one begins the other: keys sort as texts, and '-' comes before ':'.
KEYS = ["id:2", "id-x:1", "email:b@x.org", "email:a@x.org"]


@pytest.fixture
def people(store: Store) -> Store:
    load(store, *(event(f"e{n}", key) for n, key in enumerate([*KEYS, *(f"cookie:{n}" for n in range(6))])))
    publish_persons(store, {"c": KEYS, **{id: [f"cookie:{n}"] for n, id in enumerate("beadf")}})
    return store


def test_persons_are_aligned(people: Store) -> None:
    rows = people.persons.persons(["b", "nobody", "c", "b", "\0"])
    assert [row and row.id for row in rows] == ["b", None, "c", "b", None]
    by_number = people.persons.persons_by_number([row.number if row else 777 for row in rows])
    assert by_number == rows
    assert people.persons.persons([]) == people.persons.persons_by_number([]) == []


def test_members_are_by_key(people: Store) -> None:
    [c, b] = people.persons.persons(["c", "b"])
    assert c is not None and b is not None
    found = people.persons.members([b.number, 777, c.number, b.number])
    assert [[row.identifier.key for row in rows] for rows in found] == [
        ["cookie:0"],
        [],
        sorted(KEYS),
        ["cookie:0"],
    ]
    assert {(row.person, row.since, row.pruned) for row in found[2]} == {(c.number, NOW, None)}
    assert people.persons.members([]) == []


def test_membership_of_some(people: Store) -> None:
    [two, unresolved] = numbers(people, "id:2", "cookie:5")
    [c] = people.persons.persons(["c"])
    assert c is not None
    identifiers, persons = people.persons.membership(array([unresolved, two, 999, two]))
    assert (identifiers.tolist(), persons.tolist()) == ([two], [c.number])
    assert [len(column) for column in people.persons.membership(array())] == [0, 0]
    assert len(people.persons.membership()[0]) == 9


def test_pages(people: Store) -> None:
    def page(**how: object) -> list[str]:
        return [person.id for person in people.persons.page(**how)]  # type: ignore[arg-type]

    assert people.persons.page(limit=1) == [Person("a", NOW, NOW)]
    assert page() == list("abcdef")
    assert page(limit=2) == ["a", "b"]
    assert page(after="b", limit=3) == ["c", "d", "e"]
    assert page(after="f") == []
    assert page(after="d", limit=2, backward=True) == ["b", "c"]
    assert page(limit=2, backward=True) == ["e", "f"]
    assert page(after="a", backward=True) == []
    assert people.persons.count() == 6


def test_pages_by_creation_and_by_update(people: Store) -> None:
    persons = people.persons
    publish_persons(people, {"late": []}, time=NOW + 5)
    rows = {row.id: row for row in persons.persons([*"abcdef", "late"]) if row}
    persons.publish(publication(updated=[rows["a"].number, rows["e"].number], time=NOW + 3))
    persons.publish(publication(retired=[(rows["f"].number, rows["c"].number)]))

    def created(**how: object) -> str:
        return " ".join(row.id for row in persons.page_by_creation(**how))  # type: ignore[arg-type]

    def updated(**how: object) -> str:
        return " ".join(row.id for row in persons.page_by_update(**how))  # type: ignore[arg-type]

    assert created() == "c b e a d late" and updated() == "c b d e a late"
    assert created(after=rows["b"].number, limit=2) == "e a" and created(after=rows["late"].number) == ""
    assert created(limit=2, backward=True) == "d late" and created(after=rows["a"].number, backward=True) == "c b e"
    d, e = ((persons.persons([id])[0] or rows[id]) for id in "de")
    assert updated(after=(d.updated, d.number), limit=2) == "e a" == updated(after=(NOW, LARGEST_NUMBER), limit=2)
    assert updated(after=(e.updated, e.number), limit=2, backward=True) == "b d"
    assert updated(limit=1, backward=True) == "late" and updated(after=(NOW, 0), backward=True) == ""
    assert persons.page_by_update(limit=1) == persons.page_by_creation(limit=1) == [rows["c"]]


def test_changes_are_filtered_and_paged(store: Store) -> None:
    kinds = [ChangeKind.CREATED, ChangeKind.ABSORBED, ChangeKind.MERGED, ChangeKind.CREATED]
    store.persons.publish(
        publication(changes=[change(kind, id) for kind, id in zip(kinds, ["p", "p", "q", "r"], strict=True)])
    )

    def persons(**how: object) -> list[str]:
        return [each.person_id for each in store.persons.changes(**how)]  # type: ignore[arg-type]

    assert persons() == ["p", "p", "q", "r"]
    [second] = store.persons.changes(limit=2)[1:]
    assert persons(after=second.number) == ["q", "r"]
    assert persons(person_id="p") == ["p", "p"]
    assert persons(kinds=[ChangeKind.CREATED, ChangeKind.MERGED]) == ["p", "q", "r"]
    assert persons(person_id="p", kinds=[ChangeKind.CREATED]) == ["p"]
    assert persons(person_id="nobody") == []
