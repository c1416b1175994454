"""What stands of what was said of a purpose, and who may be used for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.consent import allows, standing, stated
from identity_graph.errors import InputError, PolicyError
from identity_graph.model import Consent, ConsentStatus, Event
from identity_graph.policy import Policy
from identity_graph.times import format_time

NOW = 50
YES, NO, REVOKED = ConsentStatus.GRANTED, ConsentStatus.DENIED, ConsentStatus.REVOKED

statements = st.builds(
    Consent,
    st.sampled_from(["ads", "mail"]),
    st.sampled_from(ConsentStatus),
    st.sampled_from(["crm", "web"]),
    st.integers(40, 60),
    st.none() | st.integers(40, 70),
    st.sampled_from(["1", "2", "3"]),
)


def said(properties: dict[str, object]) -> list[tuple[str, ConsentStatus, int | None]]:
    event = Event("e", 7, "web", "Choice Made", (), {}, properties)
    return [(one.purpose, one.status, one.expires) for one in stated(event)]


@pytest.mark.parametrize(
    ("value", "status", "expires"),
    [
        (True, YES, None),
        (False, NO, None),
        ("granted", YES, None),
        ("GRANTED", YES, None),
        ("yes", YES, None),
        ("true", YES, None),
        (1, YES, None),
        (0, NO, None),
        ("revoked", REVOKED, None),
        ({"status": "granted"}, YES, None),
        ({"status": "granted", "expires": format_time(9)}, YES, 9),
        ({"status": "denied", "expires": None}, NO, None),
        # what cannot be read is a no
        ("maybe", NO, None),
        ("", NO, None),
        ([True], NO, None),
        ({}, NO, None),
        ({"status": "granted", "expires": "some day"}, NO, None),
    ],
)
def test_a_statement_is_read_in_many_forms(value: object, status: ConsentStatus, expires: int | None) -> None:
    assert said({"consent": {"ads": value}}) == [("ads", status, expires)]
    assert said({"consent.ads": value}) == [("ads", status, expires)]


@pytest.mark.parametrize("properties", [{}, {"consent": True}, {"consent": {"ads": None}}, {"consent": []}, {"x": {}}])
def test_what_names_no_purpose_says_nothing(properties: dict[str, object]) -> None:
    assert said(properties) == []


@given(st.lists(statements), st.randoms())
def test_the_newest_stands_and_of_equals_the_stricter(found: list[Consent], random: object) -> None:
    """By a naive reading of the rule."""
    kept = standing(found, NOW)
    for purpose in {one.purpose for one in found}:
        counting = [
            one
            for one in found
            if one.purpose == purpose
            and not (one.expires is not None and one.expires <= NOW)
            and not (one.status is YES and one.time > NOW)
        ]
        if not counting:
            assert purpose not in kept
            continue
        newest = [one for one in counting if one.time == max(each.time for each in counting)]
        stands = kept[purpose]
        assert stands in newest
        refusals = [one for one in newest if one.status is not YES]
        assert stands.granted == (not refusals)
        if refusals:  # the no that lasts longest
            assert stands.expires is None or all(
                one.expires is not None and one.expires <= stands.expires for one in refusals
            )
        else:  # the yes that ends first
            assert all(one.expires is None or (stands.expires or 0) <= one.expires for one in newest)


@given(st.lists(statements), st.lists(st.integers(0, 2)), st.permutations(range(12)))
def test_order_parts_and_repeats_change_nothing(
    found: list[Consent], parts: Sequence[int], order: Sequence[int]
) -> None:
    """So it does not matter through which identifiers of a person, or in which order, statements came."""
    whole = standing(found, NOW)
    shuffled = [found[place] for place in order if place < len(found)] + found
    assert standing(shuffled, NOW) == whole
    dealt: list[list[Consent]] = [[], [], []]
    for place, one in enumerate(found):
        dealt[parts[place] if place < len(parts) else 0].append(one)
    assert standing([one for part in dealt for one in standing(part, NOW).values()], NOW) == whole


POLICY = Policy.parse(
    """
[purposes.sale_or_sharing]
choice = "opt-out"
[purposes.advertising]
needs = ["sale_or_sharing"]
"""
)


@given(st.lists(statements))
def test_a_no_more_never_lets_anybody_be_used(found: list[Consent]) -> None:
    policy = Policy.parse("[purposes.ads]\n[purposes.mail]\nchoice = 'opt-out'")
    for purpose in policy.purposes:
        no = Consent(purpose, NO, "desk", NOW, None, "n")
        assert not allows(standing([*found, no], NOW), purpose, policy) or any(
            one.time > NOW for one in found if one.purpose == purpose
        )


def test_who_said_nothing_is_as_the_policy_says_and_needed_purposes_are_asked_too() -> None:
    grant = Consent("advertising", YES, "web", 1, None, "1")
    objection = Consent("sale_or_sharing", NO, "web", 2, None, "2")
    assert not allows({}, "advertising", POLICY) and allows({}, "sale_or_sharing", POLICY)
    assert allows(standing([grant], NOW), "advertising", POLICY)
    assert not allows(standing([grant, objection], NOW), "advertising", POLICY)
    with pytest.raises(InputError) as error:
        allows({}, "advertisng", POLICY)
    assert error.value.code == "PURPOSE_UNKNOWN" and "advertising, sale_or_sharing" in error.value.help


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[purposes.ads]\nchoise = 'opt-in'", "POLICY_KEY", 2),
        ("[purposes.ads]\nchoice = 'maybe'", "POLICY_VALUE", 2),
        ("[purposes.ads]\nneeds = ['ads']", "POLICY_VALUE", 2),
        ("[purposes.ads]\nneeds = ['sale']", "POLICY_VALUE", 2),
        ("[purposes.ads]\nstitch = 'yes'", "POLICY_VALUE", 2),
        ("[purposes.ads]\nwithout_sources = 'web'", "POLICY_VALUE", 2),
        ("purposes = 3", "POLICY_VALUE", 1),
        ("[purposes]\nads = true", "POLICY_VALUE", 2),
        ("[[retention]]\nkeep = '9 moons'", "POLICY_VALUE", 2),
        ("[[retention]]\nsource = 'web'", "POLICY_KEY", 1),
        ("[[retention]]\nkeep = 'none'\nevent = 'x'", "POLICY_KEY", 3),
        ("[[retention]]\nkeep = '1 day'\n[[retention]]\nname = 3\nkeep = '1 day'", "POLICY_VALUE", 4),
        ("[retention]\nkeep = '1 day'", "POLICY_VALUE", 1),
    ],
)
def test_a_wrong_policy_is_refused_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(PolicyError) as error:
        Policy.parse(text, where="mine.toml")
    assert error.value.code == code and f"mine.toml, line {line}:" in error.value.message


def test_purposes_and_retention_are_written_and_read_and_change_no_persons() -> None:
    text = """
[purposes."mail me"]
choice = "opt-out"
[purposes.ads]
needs = ["mail me"]
stitch = true
without_sources = ["clinic", "bank"]
[[retention]]
source = "web"
name = "Page Viewed"
keep = "400 days"
[[retention]]
keep = "none"
"""
    policy = Policy.parse(text)
    assert Policy.parse(policy.to_toml()) == policy
    assert policy != Policy.default() and policy.digest == Policy.default().digest
    assert policy.life("web", "Page Viewed") == 400 * 86_400_000_000
    assert policy.life("web", "Order Completed") is None and Policy.default().life("web", "x") is None
