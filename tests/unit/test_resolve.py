"""The whole of a resolution against a slow and plain one, and the worked examples that others publish."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.model import Event, Identifier
from identity_graph.policy import ORDERS, Blocked, Policy, Rule
from identity_graph.resolve.prune import BLOCKED, HUB, NOT_JOINING
from tests.unit.as_columns import event, groups, identifiers, keys, links, resolved, suppressed, told
from tests.unit.naive import persons as naive

_SPACES = {"user_id": 4, "email": 5, "left": 3, "right": 3, "device_id": 3, "cookie": 6, "ip": 2}
_KEYS = [f"{space}:{n}" for space, count in _SPACES.items() for n in range(count)]
_KEYS += ["user_id:nobody", "cookie:nobody", "email:no-reply"]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Limits and caps so low that small worlds meet them."""
    namespaces = {
        name: Rule(
            trust=draw(st.sampled_from([0.3, 0.7, 1.0])),
            limit=draw(st.sampled_from([1, 2, None])),
            hub_cap=draw(st.sampled_from([1, 2, 3, 50])),
            priority=draw(st.sampled_from([1, 50, 60])),
            joins=draw(st.integers(0, 9)) > 0,
            window=draw(st.sampled_from([None, None, 1, 2])),
            expires=draw(st.sampled_from([None, None, None, 1, 3])),
        )
        for name in _SPACES
        if name != "right"  # takes the rule of the default
    }
    return Policy(
        order=draw(st.sampled_from(ORDERS)),
        min_weight=draw(st.sampled_from([0.0, 0.2, 0.5])),
        max_identifiers=draw(st.sampled_from([3, 6, 500])),
        pairwise_up_to=draw(st.sampled_from([2, 3, 8])),
        default_rule=Rule(limit=draw(st.sampled_from([1, None])), hub_cap=3),
        namespaces=namespaces,
        sources={"crm": 1.0, "web": 0.5, "ads": draw(st.sampled_from([0.0, 0.1]))},
        blocked=Blocked(frozenset({"nobody"}), (), {"email": (frozenset(), ("^no-?reply",))}),
    )


@st.composite
def worlds(draw: st.DrawFn, most: int = 20) -> list[Event]:
    found = []
    for number in range(draw(st.integers(0, most))):
        own = draw(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=5, unique=True))
        same = [(own[0], own[-1])] if len(own) > 1 and draw(st.integers(0, 14)) == 0 else []
        source = draw(st.sampled_from(["crm", "web", "ads"]))
        found.append(event(str(number), draw(st.integers(0, 4)), *own, source=source, same=same))
    return found


@st.composite
def torn(draw: st.DrawFn) -> tuple[list[Event], list[tuple[Identifier, Identifier]]]:
    """A world, and some pairs of its identifiers that are said not to be one person."""
    events = draw(worlds())
    everyone = sorted({one for event in events for one in event.identifiers})
    one = st.sampled_from(everyone or [Identifier("email", "0")])
    return events, draw(st.lists(st.tuples(one, one), max_size=3)) if everyone else []


@settings(max_examples=300, deadline=None)
@given(torn(), policies())
def test_groups_are_those_of_the_plain_resolution(
    world: tuple[list[Event], list[tuple[Identifier, Identifier]]], policy: Policy
) -> None:
    events, cannot = world
    found = groups(resolved(events, policy, cannot=cannot))
    assert found == naive(events, policy, cannot, found)


@settings(max_examples=100, deadline=None)
@given(torn(), policies(), st.randoms(use_true_random=False))
def test_neither_order_nor_numbering_matters(
    world: tuple[list[Event], list[tuple[Identifier, Identifier]]], policy: Policy, random: Random
) -> None:
    events, cannot = world
    found, other = resolved(events, policy, cannot=cannot), resolved(events, policy, random, cannot=cannot)
    assert groups(found) == groups(other)
    assert links(found) == links(other)
    assert suppressed(found) == suppressed(other)
    pruned = [dict(zip(identifiers(one), one.pruned.tolist(), strict=True)) for one in (found, other)]
    assert pruned[0] == pruned[1]


@settings(max_examples=100, deadline=None)
@given(worlds(), policies())
def test_everybody_who_joins_has_a_group_labelled_by_its_smallest(events: list[Event], policy: Policy) -> None:
    found = resolved(events, policy)
    label = found.groups.label
    assert ((label >= 0) == (found.pruned == 0)).all()
    for group in set(label.tolist()) - {-1}:
        assert min((label == group).nonzero()[0]) == group


@settings(max_examples=100, deadline=None)
@given(worlds(), policies())
def test_suppressed_links_lie_between_groups_and_nothing_else_does(events: list[Event], policy: Policy) -> None:
    found = resolved(events, policy)
    label = found.groups.label
    apart = found.groups.kept & (label[found.links.a] != label[found.links.b])
    assert sorted(found.groups.suppressed.link.tolist()) == apart.nonzero()[0].tolist()


@settings(max_examples=100, deadline=None)
@given(worlds(), policies())
def test_a_resolution_depends_on_what_is_connected_to_it_only(events: list[Event], policy: Policy) -> None:
    """Twice the same world under other names gives twice the same groups."""
    renamed = [
        one._replace(
            id=one.id + "'",
            identifiers=[i if i.value == "nobody" else i._replace(value=i.value + "'") for i in one.identifiers],
            same_person=(),
        )
        for one in events
    ]
    events = [one._replace(same_person=()) for one in events]
    both = groups(resolved([*events, *renamed], policy))
    first, second = groups(resolved(events, policy)), groups(resolved(renamed, policy))
    assert both == first | second


def test_nothing_is_nobody() -> None:
    found = resolved([], Policy.default())
    assert groups(found) == set() and len(found.links) == 0 and len(found.groups.suppressed) == 0


def test_without_limits_a_person_is_a_connected_component() -> None:
    events = told("user_id:a,email:x", "user_id:b,email:x", "cookie:null,user_id:b", "cookie:null,ip:1", "ip:2,email:y")
    assert keys(resolved(events, Policy.default().without_limits())) == {
        frozenset({"user_id:a", "email:x", "user_id:b", "cookie:null", "ip:1"}),
        frozenset({"ip:2", "email:y"}),
    }


def test_what_is_pruned_says_why() -> None:
    rules = {"cookie": Rule(limit=None, hub_cap=2), "user_id": Rule(limit=1), "ip": Rule(joins=False)}
    policy = Policy(namespaces=rules, blocked=Blocked(frozenset({"null"})))
    found = resolved(told(*(f"cookie:kiosk,user_id:{n}" for n in "abc"), "ip:1,user_id:a", "user_id:null"), policy)
    codes = dict(zip((one.key for one in identifiers(found)), found.pruned.tolist(), strict=True))
    assert {key: code for key, code in codes.items() if code} == {
        "cookie:kiosk": HUB,
        "ip:1": NOT_JOINING,
        "user_id:null": BLOCKED,
    }


def test_a_stated_pair_joins_though_a_limit_forbids_and_then_counts() -> None:
    stated = event("9", 9, "user_id:new", "user_id:old", same=[("user_id:new", "user_id:old")])
    events = [*told("user_id:old,email:tom", "user_id:other,email:tom"), stated]
    found = resolved(events, Policy.default())
    assert person("user_id:new", "user_id:old") in keys(found)
    assert keys(found) == {person("user_id:new", "user_id:old"), person("user_id:other", "email:tom")}
    assert groups(found) == naive(events, Policy.default())


def test_a_pair_that_is_stated_twice_is_one_link() -> None:
    big = [f"cookie:{n}" for n in range(4)]
    same = [("cookie:2", "cookie:3")]
    events = [event("1", 1, *big, same=same), event("2", 2, *big, same=[same[0][::-1]])]
    policy = Policy(pairwise_up_to=2, namespaces={"cookie": Rule(limit=1, hub_cap=2)})
    found = resolved(events, policy)
    pairs = list(zip(found.links.a.tolist(), found.links.b.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) == 4
    assert groups(found) == naive(events, policy)


# ---- Adobe's examples (Experience League, "Graph configuration examples" and "Identity optimization algorithm"): CRMID
# is unique, and priorities are CRMID > Email > Phone > GAID > IDFA > ECID; a login id comes after the CRMID.


def adobe(order: str, **unique: Rule) -> Policy:
    """Person-like namespaces are trusted more, which by strength does what Adobe's priorities do at one time."""
    names = ["crmid", "loginid", "email", "phone", "gaid", "idfa", "ecid"]
    rules = {
        name: Rule(trust=1.0 - n / 20, limit=1 if name == "crmid" else None, priority=n)
        for n, name in enumerate(names, 1)
    }
    return Policy(order=order, namespaces={**rules, **unique})


def person(*names: str) -> frozenset[str]:
    return frozenset(names)


def at_once(time: int, *lines: str) -> list[Event]:
    """The events of `told`, all of one time."""
    return [one._replace(time=time) for one in told(*lines)]


SHARED = ["crmid:Tom,ecid:111", "crmid:Summer,ecid:111"]
BAD_EMAIL = [
    "crmid:Tom,email:aabbcc",
    "crmid:Tom,ecid:111",
    "crmid:Summer,email:ddeeff",
    "crmid:Summer,ecid:222",
    "crmid:Summer,email:aabbcc",
]
PEOPLE = ["crmid:Tom,loginid:ID_A", "crmid:Tom,loginid:ID_B", "crmid:Summer,loginid:ID_C", "crmid:Summer,loginid:ID_D"]
LOGINS = ["loginid:ID_A,ecid:111", "loginid:ID_C,ecid:222", "loginid:ID_C,ecid:111"]
DANGLING = ["crmid:Tom,loginid:ID_A", "loginid:ID_A,ecid:111", "loginid:ID_C,ecid:111"]


@pytest.mark.parametrize("order", ["newest", "strongest"])
def test_shared_device_belongs_to_who_logged_in_last(order: str) -> None:
    found = resolved(told(*SHARED), adobe(order))
    assert keys(found) == {person("crmid:Summer", "ecid:111")}
    assert suppressed(found) == {(person("crmid:Tom", "ecid:111"), "crmid", person("crmid:Tom", "crmid:Summer"))}
    assert keys(resolved(told(*SHARED[::-1]), adobe(order))) == {person("crmid:Tom", "ecid:111")}


@pytest.mark.parametrize("order", ["newest", "strongest"])
def test_bad_email_stays_with_its_newest_owner(order: str) -> None:
    assert keys(resolved(told(*BAD_EMAIL), adobe(order))) == {
        person("crmid:Tom", "ecid:111"),
        person("crmid:Summer", "email:ddeeff", "ecid:222", "email:aabbcc"),
    }


def test_a_unique_email_unlinks_the_older_one() -> None:
    """Adobe: if e-mail is unique too, a person's older e-mail is unlinked; here it is a person of its own."""
    policy = adobe("newest", email=Rule(limit=1, priority=3))
    found = resolved(told("crmid:Tom,email:old", "crmid:Tom,ecid:111", "crmid:Tom,email:new"), policy)
    assert keys(found) == {person("crmid:Tom", "ecid:111", "email:new")}
    found = resolved(told(*BAD_EMAIL), policy)
    assert keys(found) == {person("crmid:Tom", "ecid:111"), person("crmid:Summer", "ecid:222", "email:aabbcc")}


@pytest.mark.parametrize("order", ["newest", "strongest"])
@pytest.mark.parametrize("uploaded", [3, 9])
def test_layered_logins_keep_the_link_of_the_last_login(order: str, uploaded: int) -> None:
    """Who has which login id is in a file that is uploaded with or after the last login: the older login gives way."""
    logins = [one._replace(id=one.id + "'") for one in told(*LOGINS)]
    found = resolved([*at_once(uploaded, *PEOPLE), *logins], adobe(order))
    assert keys(found) == {
        person("crmid:Tom", "loginid:ID_A", "loginid:ID_B"),
        person("crmid:Summer", "loginid:ID_C", "loginid:ID_D", "ecid:111", "ecid:222"),
    }
    older = person("loginid:ID_A", "ecid:111")
    assert suppressed(found) == {(older, "crmid", person("crmid:Tom", "crmid:Summer"))}


def test_of_one_time_people_come_before_devices() -> None:
    """The sum of the two priorities decides, the lower first; of the logins that which has the smaller key."""
    found = resolved(at_once(7, *PEOPLE, *LOGINS), adobe("newest"))
    assert keys(found) == {
        person("crmid:Tom", "loginid:ID_A", "loginid:ID_B", "ecid:111"),
        person("crmid:Summer", "loginid:ID_C", "loginid:ID_D", "ecid:222"),
    }
    assert {ends for ends, _, _ in suppressed(found)} == {person("loginid:ID_C", "ecid:111")}


def test_of_one_time_priority_comes_before_weight() -> None:
    """1 + 3, 1 + 7 and 3 + 7, though the last is the heaviest link."""
    events = at_once(7, "crmid:Ann,email:x", "email:x,ecid:y", "crmid:Bob,ecid:y")
    weak = Rule(trust=0.2, limit=1, priority=1)
    newest, strongest = (replace(adobe(order, crmid=weak), min_weight=0) for order in ("newest", "strongest"))
    assert keys(resolved(events, newest)) == {person("crmid:Ann", "email:x"), person("crmid:Bob", "ecid:y")}
    assert keys(resolved(events, strongest)) == {person("crmid:Ann", "email:x", "ecid:y")}


def test_of_one_time_and_priority_the_stronger_link_comes_first() -> None:
    events = at_once(7, "crmid:Ann,ecid:111", "crmid:Bob,ecid:111", "crmid:Bob,ecid:111")
    assert keys(resolved(events, adobe("newest"))) == {person("crmid:Bob", "ecid:111")}
    assert keys(resolved(events[:2], adobe("newest"))) == {person("crmid:Ann", "ecid:111")}  # the smaller key


@pytest.mark.parametrize("order", ["newest", "strongest"])
def test_a_dangling_login_cannot_be_told_apart(order: str) -> None:
    found = resolved(told(*DANGLING), adobe(order))
    assert keys(found) == {person("crmid:Tom", "loginid:ID_A", "ecid:111", "loginid:ID_C")}


@pytest.mark.parametrize("order", ["newest", "strongest", "cut"])
def test_an_event_of_two_people_joins_them_not(order: str) -> None:
    """Adobe rejects such an event; here what else it saw has one owner, and the link between the two is suppressed."""
    found = resolved(told("crmid:Tom,crmid:Summer,ecid:111"), adobe(order))
    both = person("crmid:Tom", "crmid:Summer")
    assert len(keys(found)) == 1 and not any(both <= group for group in keys(found))
    assert (both, "crmid", both) in suppressed(found)


# ---- Segment's worked example (Unify, "Identity resolution settings"): one user_id, five e-mails. By strength, since
# Segment keeps what it has: its answer depends on what came first.


@pytest.mark.parametrize("order", ["strongest", "cut"])
def test_a_second_user_of_an_email_becomes_a_person_of_its_own(order: str) -> None:
    policy = replace(Policy.default(), order=order)
    first, second = "user_id:u1,email:jane", "user_id:u2,email:jane"
    found = resolved(told(first, first, second), policy)
    assert groups(found) == naive(told(first, first, second), policy)
    assert keys(found) == {person("user_id:u1", "email:jane")}
    assert person("user_id:u2") in {person(*(one.key for one in group)) for group in groups(found)}
    dropped = person("user_id:u2", "email:jane")
    assert suppressed(found) == {(dropped, "user_id", person("user_id:u1", "user_id:u2"))}
    # Where the evidence is even, the newer wins, whatever came first.
    assert keys(resolved(told(first, second), policy)) == {person("user_id:u2", "email:jane")}


def test_five_emails_join_and_a_sixth_does_not() -> None:
    found = resolved(told(*(f"user_id:u1,email:e{n}" for n in range(6))), Policy.default())
    assert keys(found) == {person("user_id:u1", *(f"email:e{n}" for n in range(1, 6)))}
    assert {space for _, space, _ in suppressed(found)} == {"email"}
