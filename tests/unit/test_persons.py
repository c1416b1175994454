"""Groups to persons: ids stay where most of a person stays, and every change has its name."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from random import Random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.model import ChangeKind
from identity_graph.policy import Policy
from identity_graph.resolve.persons import PersonChange, Persons, assign
from identity_graph.resolve.rules import Rules

CREATED, ABSORBED, MERGED, SPLIT = ChangeKind.CREATED, ChangeKind.ABSORBED, ChangeKind.MERGED, ChangeKind.SPLIT
SPACES = ["anonymous_id", "cookie", "device_id", "email", "user_id"]
CARRIES = Rules.of(Policy.default(), SPACES, []).carries


def assigned(label: list[int], previous: list[int], spaces: list[int] | None = None) -> Persons:
    """All identifiers e-mails, unless `spaces` says otherwise; keys in the order of their numbers."""
    own = np.array(spaces or [3] * len(label), np.int64)
    return assign(np.array(label, np.int32), np.array(previous, np.int64), CARRIES[own], lambda x: ("", f"{x:05d}"))


@dataclass(frozen=True)
class Case:
    label: list[int]
    previous: list[int]
    spaces: list[int]

    def assigned(self) -> Persons:
        return assigned(self.label, self.previous, self.spaces)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(0, 14))
    groups = [draw(st.integers(-1, 4)) for _ in range(n)]
    label = [groups.index(group) if group >= 0 else -1 for group in groups]
    return Case(label, [draw(st.integers(0, 5)) for _ in range(n)], [draw(st.integers(0, 4)) for _ in range(n)])


# ---- laws


@settings(max_examples=300)
@given(cases())
def test_every_identifier_of_a_group_has_its_person_and_no_two_groups_share_one(case: Case) -> None:
    found = case.assigned()
    owners: dict[int, set[int]] = defaultdict(set)
    for label, person in zip(case.label, found.person.tolist(), strict=True):
        owners[label].add(person)
    assert owners.pop(-1, {0}) == {0}
    assert all(len(persons) == 1 for persons in owners.values())
    given_out = [person for persons in owners.values() for person in persons]
    assert len(set(given_out)) == len(given_out) and 0 not in given_out
    assert {person for person in given_out if person < 0} == {-1 - n for n in range(found.created)}


@settings(max_examples=300)
@given(cases())
def test_what_is_published_stays(case: Case) -> None:
    """assign(x, x) changes nothing, where new persons got numbers in the meantime."""
    found = case.assigned()
    published = [100 - person if person < 0 else person for person in found.person.tolist()]
    again = assigned(case.label, published, case.spaces)
    assert again.person.tolist() == published
    assert (again.created, again.retired, again.changes, again.touched.tolist()) == (0, {}, [], [])


@settings(max_examples=200)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_identifiers_does_not_matter(case: Case, random: Random) -> None:
    found = case.assigned()
    order = list(range(len(case.label)))
    random.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    label = [place[case.label[old]] if case.label[old] >= 0 else -1 for old in order]
    carries = CARRIES[np.array([case.spaces[old] for old in order], np.int64)]
    previous = np.array([case.previous[old] for old in order], np.int64)
    other = assign(np.array(label, np.int32), previous, carries, lambda x: ("", f"{order[x]:05d}"))
    kept = [max(person, -1) for person in found.person.tolist()]  # numbers of new persons follow the rows
    assert [max(other.person[place[old]], -1) for old in range(len(order))] == kept
    assert other.created == found.created and dict(other.retired) == dict(found.retired)
    assert Counter(change.kind for change in other.changes) == Counter(change.kind for change in found.changes)


@settings(max_examples=300)
@given(cases())
def test_ids_go_to_the_heaviest_overlap(case: Case) -> None:
    """Greedy by hand: nobody could have an id who has more of that person, and no group a heavier person, untaken."""
    found = case.assigned()
    overlap: Counter[tuple[int, int]] = Counter()
    owner = dict(zip(case.label, found.person.tolist(), strict=True))
    for label, previous, space in zip(case.label, case.previous, case.spaces, strict=True):
        if label >= 0 and previous > 0:
            overlap[label, previous] += int(CARRIES[space])
    taken: dict[int, int] = {}
    for (label, person), _ in sorted(overlap.items(), key=lambda row: (-row[1], row[0][1], row[0][0])):
        if label not in taken and person not in taken.values():
            taken[label] = person
    assert {label: person for label, person in owner.items() if person > 0} == taken


@settings(max_examples=300)
@given(cases())
def test_changes_say_where_everybody_came_from_and_went(case: Case) -> None:
    found = case.assigned()
    now, before = found.person.tolist(), case.previous
    kinds: dict[ChangeKind, dict[int, PersonChange]] = defaultdict(dict)
    for change in found.changes:
        assert change.person not in kinds[change.kind]
        kinds[change.kind][change.person] = change
    went: dict[int, set[int]] = defaultdict(set)
    came: dict[int, set[int]] = defaultdict(set)
    for old, new in zip(before, now, strict=True):
        went[old].add(new)
        came[new].add(old)
    olds, news = set(before) - {0}, set(now) - {0}
    # A person whose identifiers are not all in one place is split, and the change names all the places.
    assert set(kinds[SPLIT]) == {old for old in olds if went[old] == {0} or len(went[old]) > 1}
    for old, change in kinds[SPLIT].items():
        assert change.from_persons == (old,) and set(change.to_persons) == went[old] - {0}
        assert old not in change.to_persons or change.to_persons[0] == old
    # A person that is no more is retired: to where it went, and that person is said to be merged.
    assert set(found.retired) == olds - news
    for old, survivor in found.retired.items():
        assert survivor in went[old] if survivor else went[old] == {0}
        assert survivor is None or old in kinds[MERGED][survivor].from_persons
    assert {p for c in kinds[MERGED].values() for p in c.from_persons} == {o for o, s in found.retired.items() if s}
    assert set(kinds[CREATED]) == {new for new in news if new < 0 and came[new] == {0}}
    assert set(kinds[ABSORBED]) == {new for new in news if new > 0 and 0 in came[new]}
    moved = {p for old, new in zip(before, now, strict=True) if old != new for p in (old, new)}
    assert found.touched.tolist() == sorted(moved - {0} - set(found.retired))


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 12), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=10), st.data())
def test_one_new_link_makes_one_merge_or_nothing(n: int, pairs: set[tuple[int, int]], data: st.DataObject) -> None:
    graph: nx.Graph[int] = nx.Graph([pair for pair in pairs if max(pair) < n])
    graph.add_nodes_from(range(n))

    def labels() -> list[int]:
        return [min(nx.node_connected_component(graph, one)) for one in range(n)]

    published = [1 + label for label in labels()]
    one, other = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
    graph.add_edge(one, other)
    found = assigned(labels(), published)
    if published[one] == published[other]:
        assert list(found.changes) == []
    else:
        (change,) = found.changes
        assert change.kind == MERGED and len(found.retired) == 1
        assert {*change.from_persons, *change.to_persons} == {published[one], published[other]}


@settings(max_examples=300)
@given(cases())
def test_no_other_way_keeps_twice_as_much(case: Case) -> None:
    """Of identifiers weighed as they carry ids, at least half as many keep their person as in the best of all pairings:
    the guarantee of the greedy one, against a maximum weight matching by networkx."""
    found = case.assigned()
    overlap: Counter[tuple[str, str]] = Counter()
    kept = 0
    for label, previous, person, space in zip(
        case.label, case.previous, found.person.tolist(), case.spaces, strict=True
    ):
        if label >= 0 and previous > 0:
            overlap[f"group {label}", f"person {previous}"] += int(CARRIES[space])
            kept += int(CARRIES[space]) if person == previous else 0
    graph: nx.Graph[str] = nx.Graph()
    graph.add_edges_from((group, person, {"weight": weight}) for (group, person), weight in overlap.items())
    best = sum(graph.edges[pair]["weight"] for pair in nx.max_weight_matching(graph))
    assert 2 * kept >= best


@settings(max_examples=300)
@given(cases())
def test_who_has_nothing_to_do_with_a_change_keeps_the_id(case: Case) -> None:
    """A group that is one person, whole and with newcomers at most, is that person; another's trouble is not its."""
    found = case.assigned()
    for label in set(case.label) - {-1}:
        inside = [row for row, one in enumerate(case.label) if one == label]
        before = {case.previous[row] for row in inside} - {0}
        if len(before) == 1:
            (old,) = before
            if all(case.label[row] == label for row, previous in enumerate(case.previous) if previous == old):
                assert {int(found.person[row]) for row in inside} == {old}
                assert old not in found.retired


@settings(max_examples=200)
@given(cases(), st.randoms(use_true_random=False))
def test_new_persons_are_the_same_groups_however_identifiers_are_numbered(case: Case, random: Random) -> None:
    order = list(range(len(case.label)))
    random.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    label = [place[case.label[old]] if case.label[old] >= 0 else -1 for old in order]
    carries = CARRIES[np.array([case.spaces[old] for old in order], np.int64)]
    previous = np.array([case.previous[old] for old in order], np.int64)
    other = assign(np.array(label, np.int32), previous, carries, lambda x: ("", f"{order[x]:05d}"))

    def fresh(found: Persons, names: list[int]) -> set[frozenset[int]]:
        sets: dict[int, set[int]] = defaultdict(set)
        for row, person in enumerate(found.person.tolist()):
            sets[person].add(names[row])
        return {frozenset(group) for person, group in sets.items() if person < 0}

    assert fresh(other, order) == fresh(case.assigned(), list(range(len(order))))


# ---- small cases by hand


@pytest.mark.parametrize(
    ("label", "previous", "person", "changes", "retired"),
    [
        pytest.param([0, 0, 2], [0, 0, 0], [-1, -1, -2], [(CREATED, -1, (), ()), (CREATED, -2, (), ())], {}, id="new"),
        pytest.param([0, 0], [7, 0], [7, 7], [(ABSORBED, 7, (), (7,))], {}, id="grown"),
        pytest.param([0, 0], [9, 7], [7, 7], [(MERGED, 7, (9,), (7,))], {9: 7}, id="merged into the older"),
        pytest.param([0, 0, 0], [9, 9, 7], [9, 9, 9], [(MERGED, 9, (7,), (9,))], {7: 9}, id="merged into the heavier"),
        pytest.param([0, 0, 2], [7, 7, 7], [7, 7, -1], [(SPLIT, 7, (7,), (7, -1))], {}, id="split"),
        pytest.param([0, 1, 1], [7, 7, 7], [-1, 7, 7], [(SPLIT, 7, (7,), (7, -1))], {}, id="the heavier part keeps it"),
        pytest.param([0, 1], [7, 7], [7, -1], [(SPLIT, 7, (7,), (7, -1))], {}, id="halves: the smaller key keeps it"),
        pytest.param([0, -1], [7, 7], [7, 0], [(SPLIT, 7, (7,), (7,))], {}, id="one joins nobody any more"),
        pytest.param([-1, -1], [7, 7], [0, 0], [(SPLIT, 7, (7,), ())], {7: None}, id="none joins anybody any more"),
        pytest.param([-1, 1], [0, 7], [0, 7], [], {}, id="nobody came to nobody"),
        pytest.param(
            [0, 1, 1, 1], [7, 7, 9, 9], [7, 9, 9, 9], [(SPLIT, 7, (7,), (7, 9))], {}, id="one passed to another"
        ),
        pytest.param(
            [0, 0, 0, 0, 0, 5, 5, 5],
            [5, 5, 3, 3, 3, 5, 4, 4],
            [3, 3, 3, 3, 3, 4, 4, 4],
            [(SPLIT, 5, (5,), (3, 4)), (MERGED, 3, (5,), (3,))],
            {5: 3},
            id="torn between two",
        ),
        pytest.param(
            [0, 0, 0, 3, 3],
            [4, 4, 6, 4, 0],
            [4, 4, 4, -1, -1],
            [(SPLIT, 4, (4,), (4, -1)), (MERGED, 4, (6,), (4,))],
            {6: 4},
            id="merged and split at once",
        ),
    ],
)
def test_by_hand(
    label: list[int],
    previous: list[int],
    person: list[int],
    changes: list[tuple[ChangeKind, int, tuple[int, ...], tuple[int, ...]]],
    retired: dict[int, int | None],
) -> None:
    found = assigned(label, previous)
    assert found.person.tolist() == person
    assert [(one.kind, one.person, one.from_persons, one.to_persons) for one in found.changes] == changes
    assert found.retired == retired


@pytest.mark.parametrize(
    ("strong", "weak"),
    [("user_id", "cookie"), ("email", "device_id"), ("email", "anonymous_id"), ("device_id", "cookie")],
)
def test_what_speaks_of_a_person_keeps_the_id(strong: str, weak: str) -> None:
    """A person-like identifier outweighs any number of cookies or devices; a device one cookie."""
    flood = 1 if strong == "device_id" else 100_000
    spaces = [SPACES.index(strong)] + [SPACES.index(weak)] * flood
    found = assigned([0] + [1] * flood, [7] * (1 + flood), spaces)
    assert found.person[:2].tolist() == [7, -1]
