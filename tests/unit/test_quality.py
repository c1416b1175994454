from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.quality import Quality, measure

PEOPLE = st.dictionaries(st.integers(0, 14), st.integers(0, 4))
OWNERS = st.dictionaries(st.integers(0, 14), st.sampled_from(["a", "b", "c", None]))


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-12)


@given(PEOPLE, OWNERS)
def test_counting_agrees_with_enumerating(members: dict[int, int], truth: dict[int, str | None]) -> None:
    owned = [key for key, owner in truth.items() if owner is not None]
    person = {key: members.get(key, ("alone", key)) for key in owned}
    pairs = list(combinations(owned, 2))
    found = {pair for pair in pairs if person[pair[0]] == person[pair[1]]}
    true = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}

    answer = measure(members, truth)

    assert answer.identifiers == len(owned)
    assert (answer.found_pairs, answer.true_pairs, answer.right_pairs) == (len(found), len(true), len(found & true))
    assert answer.precision == near(len(found & true) / len(found) if found else 1)
    assert answer.recall == near(len(found & true) / len(true) if true else 1)
    if not owned:
        assert (answer.b_cubed_precision, answer.b_cubed_recall, answer.purity) == (1, 1, 1)
        return

    precise = recalled = pure = 0.0
    for key in owned:
        together = [other for other in owned if person[other] == person[key]]
        same = [other for other in owned if truth[other] == truth[key]]
        both = len(set(together) & set(same))
        precise += both / len(together)
        recalled += both / len(same)
    for group in {person[key] for key in owned}:
        owners = [truth[key] for key in owned if person[key] == group]
        pure += max(owners.count(owner) for owner in owners)
    assert answer.b_cubed_precision == near(precise / len(owned))
    assert answer.b_cubed_recall == near(recalled / len(owned))
    assert answer.purity == near(pure / len(owned))


@given(PEOPLE)
def test_the_shape_of_the_answer_counts_every_member(members: dict[int, int]) -> None:
    persons = list(members.values())
    answer = measure(members, {})
    assert answer.persons == len(set(persons))
    assert answer.largest_person == max((persons.count(person) for person in persons), default=0)
    assert answer.singletons == sum(persons.count(person) == 1 for person in set(persons))


def test_the_right_answer_is_perfect_under_any_names() -> None:
    truth = {"email:a": "Ann", "phone:1": "Ann", "email:b": "Bob", "device_id:tablet": None}
    answer = measure({"email:a": 7, "phone:1": 7, "email:b": 3, "device_id:tablet": 3}, truth)
    assert (answer.precision, answer.recall, answer.f1, answer.b_cubed_f1, answer.purity) == (1, 1, 1, 1, 1)


def test_one_person_for_all_and_one_person_each() -> None:
    truth = {number: number % 4 for number in range(12)}
    glued = measure(dict.fromkeys(truth, "everybody"), truth)
    assert (glued.recall, glued.precision, glued.purity) == (1, near(4 * 3 / 66), near(3 / 12))
    split = measure({number: number for number in truth}, truth)
    assert (split.recall, split.precision, split.f1, split.purity) == (0, 1, 0, 1)
    silent: Quality = measure({}, truth)
    assert (silent.recall, silent.precision, silent.persons, silent.identifiers) == (0, 1, 0, 12)


def test_a_million_identifiers_of_one_person_are_counted_not_enumerated() -> None:
    many = dict.fromkeys(range(1_000_000), 1)
    answer = measure(many, many)
    assert answer.right_pairs == 499_999_500_000
    assert answer.f1 == 1
