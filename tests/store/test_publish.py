"""Publishing what a resolution found: as one difference, all or nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.model import ChangeKind, Reason, Segment
from identity_graph.store import open_store
from identity_graph.store.protocols import SimilarRow, Store, SuppressedRow
from tests.store.building import NOW, array, change, event, load, numbers, publication, publish_persons

KEYS = [f"cookie:{n}" for n in range(8)]
LATER = NOW + 60_000_000


@pytest.fixture
def loaded(store: Store) -> Store:
    load(store, *(event(f"e{n}", key) for n, key in enumerate(KEYS)))
    return store


def membership(store: Store) -> dict[int, int]:
    identifiers, persons = store.persons.membership()
    assert (np.diff(identifiers) > 0).all()
    return dict(zip(identifiers.tolist(), persons.tolist(), strict=True))


def test_new_persons_get_numbers_and_members(loaded: Store) -> None:
    found = publish_persons(loaded, {"p2": KEYS[:2], "p1": KEYS[2:3]})
    a, b, c, d = numbers(loaded, *KEYS[:4])
    assert membership(loaded) == {a: found["p2"], b: found["p2"], c: found["p1"]}
    [row, other] = loaded.persons.persons(["p2", "p1"])
    assert row is not None and (row.created, row.updated, row.survivor) == (NOW, NOW, None)
    rows = loaded.evidence.identifiers_by_number([a, d])
    assert [(each.person, each.since) for each in rows if each] == [(found["p2"], NOW), (None, 0)]
    more = publish_persons(loaded, {"p3": KEYS[3:4]})
    assert more["p3"] not in found.values() and other is not None


def test_since_is_when_the_identifier_came(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:2], "p2": KEYS[2:3]})
    a, b, c = numbers(loaded, *KEYS[:3])
    loaded.persons.publish(publication(members=[(a, found["p1"]), (b, found["p2"])], updated=[found["p2"]], time=LATER))
    rows = loaded.evidence.identifiers_by_number([a, b, c])
    assert [(row.person, row.since) for row in rows if row] == [
        (found["p1"], NOW),
        (found["p2"], LATER),
        (found["p2"], NOW),
    ]
    assert [row and row.updated for row in loaded.persons.persons(["p1", "p2"])] == [NOW, LATER]


def test_a_pruned_identifier_leaves_its_person_and_comes_back(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:2]})
    a, b = numbers(loaded, *KEYS[:2])
    loaded.persons.publish(publication(pruned=[(a, "HUB")]))
    loaded.persons.publish(publication(pruned=[(a, "BLOCKED")]))
    [row] = loaded.evidence.identifiers_by_number([a])
    assert row is not None and (row.person, row.pruned) == (None, "BLOCKED")
    assert membership(loaded) == {b: found["p1"]}
    pruned, codes = loaded.persons.pruned()
    assert (pruned.tolist(), list(codes)) == ([a], ["BLOCKED"])
    assert [len(part) for part in loaded.persons.pruned(array([b]))] == [0, 0]
    loaded.persons.publish(publication(joined=[a], members=[(a, found["p1"])]))
    [row] = loaded.evidence.identifiers_by_number([a])
    assert row is not None and (row.person, row.pruned) == (found["p1"], None)


def test_a_retired_person_answers_with_its_last_survivor(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:1], "p2": KEYS[1:2], "p3": KEYS[2:3], "p4": KEYS[3:4]})
    a, b, c, _ = numbers(loaded, *KEYS[:4])
    loaded.persons.publish(publication(members=[(a, found["p2"])], retired=[(found["p1"], found["p2"])]))
    assert [row and row.survivor for row in loaded.persons.persons(["p1"])] == [found["p2"]]
    # p2 goes into p3 and p3 into a new one, in one publication.
    loaded.persons.publish(
        publication(
            created=["p5"],
            members=[(a, -1), (b, -1), (c, -1)],
            retired=[(found["p2"], found["p3"]), (found["p3"], -1)],
        )
    )
    [new] = loaded.persons.persons(["p5"])
    assert new is not None
    assert [row and row.survivor for row in loaded.persons.persons(["p1", "p2", "p3", "p5"])] == [
        new.number,
        new.number,
        new.number,
        None,
    ]
    assert loaded.persons.count() == 2
    assert [person.id for person in loaded.persons.page()] == ["p4", "p5"]


def test_a_person_of_which_nothing_is_left_is_unknown_with_those_merged_into_it(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:1], "p2": KEYS[1:2]})
    a, b = numbers(loaded, *KEYS[:2])
    loaded.persons.publish(publication(members=[(a, found["p2"])], retired=[(found["p1"], found["p2"])]))
    loaded.persons.publish(publication(pruned=[(a, "HUB"), (b, "HUB")], retired=[(found["p2"], None)]))
    assert loaded.persons.persons(["p1", "p2"]) == [None, None]
    assert loaded.persons.persons_by_number([found["p1"], found["p2"]]) == [None, None]
    assert loaded.persons.count() == 0
    # Its number is not given again.
    assert publish_persons(loaded, {"p9": KEYS[2:3]})["p9"] not in found.values()


def test_persons_that_survive_each_other_are_refused(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:1], "p2": KEYS[1:2]})
    with pytest.raises(ValueError, match="survive each other"):
        loaded.persons.publish(
            publication(created=["p3"], retired=[(found["p1"], found["p2"]), (found["p2"], found["p1"])])
        )
    assert loaded.persons.persons(["p3"]) == [None]


def test_retired_persons_leave_their_segments(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:1], "p2": KEYS[1:2], "p3": KEYS[2:3]})
    loaded.segments.save(Segment("big", "", {}, NOW, NOW, 0), ["p1", "p2", "p3"])
    loaded.persons.publish(publication(retired=[(found["p1"], found["p2"]), (found["p3"], None)]))
    assert loaded.segments.members("big") == ["p2"]
    [segment] = loaded.segments.segments(["big"])
    assert segment is not None and segment.size == 1


def test_suppressed_links_are_replaced_within_the_scope(loaded: Store) -> None:
    a, b, c, d = numbers(loaded, *KEYS[:4])
    limit = Reason("LIMIT", "two user ids", "user_id", ("1", "2"))
    oversized = Reason("OVERSIZED", "more than 500")
    rows = [SuppressedRow(a, b, limit), SuppressedRow(b, c, oversized), SuppressedRow(c, d, limit)]
    loaded.persons.publish(publication(suppressed=rows, scope=None))
    assert loaded.persons.suppressed([b, 999, a]) == [rows[:2], [], rows[:1]]
    loaded.persons.publish(publication(suppressed=[SuppressedRow(a, c, limit)], scope=[a, b]))
    assert loaded.persons.suppressed([a, b, c]) == [
        [SuppressedRow(a, c, limit)],
        [],
        [SuppressedRow(a, c, limit), rows[2]],
    ]
    loaded.persons.publish(publication(scope=()))
    assert loaded.operations.counts()["suppressed_links"] == 2
    loaded.persons.publish(publication(scope=None))
    assert loaded.operations.counts()["suppressed_links"] == 0


def test_similar_links_are_replaced_as_a_whole_or_stay(loaded: Store) -> None:
    a, b, c, d = numbers(loaded, *KEYS[:4])
    rows = [SimilarRow(a, b, 0.1 + 0.2, NOW, (c, d)), SimilarRow(a, c, 0.5, -5, (d,)), SimilarRow(c, d, 1.0, 0, (a,))]
    loaded.persons.publish(publication(similar=rows))
    assert loaded.persons.similar([b, 999, a]) == [rows[:1], [], rows[:2]]
    loaded.persons.publish(publication(scope=None))
    assert loaded.persons.similar([d, c]) == [rows[2:], rows[1:]]
    loaded.persons.publish(publication(similar=[rows[1]]))
    assert loaded.persons.similar([a, b, c]) == [[rows[1]], [], [rows[1]]]
    loaded.persons.publish(publication(similar=()))
    assert loaded.persons.similar([a, b, c, d]) == [[], [], [], []] and loaded.persons.similar([]) == []


def test_resolved_is_what_was_published_last(store: Store) -> None:
    assert store.persons.resolved() == (0, None)
    store.persons.publish(publication(resolved=17, policy="first"))
    store.persons.publish(publication(resolved=12, policy="second"))
    assert store.persons.resolved() == (12, "second")


def test_a_publication_that_fails_leaves_nothing(loaded: Store) -> None:
    found = publish_persons(loaded, {"p1": KEYS[:2]})
    before = membership(loaded), loaded.persons.resolved(), list(loaded.operations.canonical_lines())
    [a] = numbers(loaded, KEYS[0])
    with pytest.raises(ZeroDivisionError), loaded.transaction():
        loaded.persons.publish(
            publication(created=["p2"], members=[(a, -1)], retired=[(found["p1"], -1)], scope=None, resolved=99)
        )
        raise ZeroDivisionError
    assert (membership(loaded), loaded.persons.resolved(), list(loaded.operations.canonical_lines())) == before
    assert loaded.persons.persons(["p2"]) == [None]


def test_changes_get_numbers_that_grow(loaded: Store) -> None:
    first = change(ChangeKind.CREATED, "p1")
    merged = change(ChangeKind.MERGED, "p1", came=["p2", "p3"], went=["p1"])
    loaded.persons.publish(publication(changes=[first, merged]))
    loaded.persons.publish(publication(changes=[change(ChangeKind.SPLIT, "p4")]))
    found = loaded.persons.changes()
    assert [each.kind for each in found] == [ChangeKind.CREATED, ChangeKind.MERGED, ChangeKind.SPLIT]
    assert [each.number for each in found] == sorted({each.number for each in found})
    assert (found[1].from_ids, found[1].to_ids, found[1].person_id) == (("p2", "p3"), ("p1",), "p1")


IDENTIFIERS = range(1, 9)
STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from(IDENTIFIERS), st.integers(0, 3)), unique_by=lambda move: move[0], max_size=8),
    max_size=5,
)


@given(STEPS)
@settings(deadline=None)
def test_moves_agree_with_a_dictionary(steps: list[list[tuple[int, int]]]) -> None:
    """Each step makes four persons and moves some identifiers to them; the emptied ones go to the first of the new."""
    store = open_store("sqlite:///:memory:")
    load(store, event("e", *(f"cookie:{n}" for n in IDENTIFIERS)))
    where: dict[int, str] = {}
    survivors: dict[str, str] = {}
    for step, moves in enumerate(steps):
        created = [f"p{step}-{place}" for place in range(4)]
        before = set(where.values())
        where.update({identifier: created[place] for identifier, place in moves})
        emptied = sorted(before - set(where.values()))
        survivors = {id: created[0] if end in emptied else end for id, end in survivors.items()}
        survivors.update(dict.fromkeys(emptied, created[0]))
        old = [row.number for row in store.persons.persons(emptied) if row is not None]
        members = [(identifier, -1 - place) for identifier, place in moves]
        store.persons.publish(publication(created=created, members=members, retired=[(each, -1) for each in old]))
    ids = {row.number: row.id for row in store.persons.persons(sorted({*where.values(), *survivors.values()})) if row}
    assert {identifier: ids[person] for identifier, person in membership(store).items()} == where
    retired = store.persons.persons(list(survivors))
    assert [ids[row.survivor] for row in retired if row and row.survivor] == list(survivors.values())
    assert store.persons.count() == 4 * len(steps) - len(survivors)
    members_of = store.persons.members(list(ids))
    for number, rows in zip(ids, members_of, strict=True):
        keys = [row.identifier.key for row in rows]
        assert keys == sorted(f"cookie:{each}" for each, person in where.items() if person == ids[number])
    store.close()
