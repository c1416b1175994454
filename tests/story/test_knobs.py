"""Each setting of a policy changes who is one person, and is named where somebody asks why: before it is in force, by
`explain` under it and by what it would change; then in force; and nothing of it is left once it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import Event
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.rehearsal import rehearse
from identity_graph.view import View
from tests.story.worlds import event, key, person, persons, tell, told

pytestmark = pytest.mark.usefixtures("each_store")

DAYS = 1440  # in the minutes of `event`
ANN, COOKIE, PHONE, TABLET = "email:ann@example.org", "cookie:c1", "phone:+15550100500", "device_id:tablet"


@dataclass(frozen=True)
class Knob:
    """What is asked of two identifiers has the answer `before` by the default policy, or by the rules `instead_of` it,
    and `after` by these rules: the codes of what keeps them apart, none where they are one person."""

    rules: str
    events: Sequence[Event]
    ask: tuple[str, str]
    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    words: str = ""
    instead_of: str = ""


def chain(*steps: str) -> list[Event]:
    """Each with the next, one after the other."""
    return [event(f"e{n}", n, *pair) for n, pair in enumerate(pairwise(steps))]


def addresses(days: int) -> list[Event]:
    """Six of them, so many days apart, on one card."""
    return [event(f"e{n}", (n - 6) * days * DAYS, "loyalty_id:LC1", f"email:m{n}@example.org") for n in range(6)]


def later(*keys: str) -> list[Event]:
    """They were seen together; four hundred days after that others were."""
    return [event("old", -400 * DAYS, *keys), event("new", 0, "email:zed@example.org", "cookie:zed")]


OWN = chain(ANN, COOKIE, PHONE)
TWO = chain("email:a@example.org", COOKIE, "email:b@example.org")
USERS = [event(f"e{n}", n, TABLET, f"user_id:u{n}") for n in range(3)]
LOGINS = [event(f"e{n}", n, TABLET, f"user_id:{user}") for n, user in enumerate(("tom", "tom", "summer"))]
AGAIN = [
    event(f"e{n}", n, cookie, "ip:192.0.2.7", "user_agent:Fennec") for n, cookie in enumerate((COOKIE, "cookie:2"))
]
CARDS = [  # the strongest link is that of the second card; to keep the first one apart costs two others
    event("1", 0, "card:1", "cookie:a"),
    event("2", 0, "card:1", "cookie:b"),
    event("3", 0, "cookie:a", TABLET),
    event("4", 0, "cookie:b", TABLET),
    *(event(f"5{n}", 0, "card:2", TABLET) for n in range(2)),
]
ONE_CARD = '[namespaces.card]\nlimit = "1 ever"\ntrust = 0.7\n[namespaces.device_id]\ntrust = 0.8\n'
SAID = "a person has at most "

KNOBS = {
    "trust of a namespace": Knob("[namespaces.cookie]\ntrust = 0.2\n", OWN, (ANN, PHONE), after={"WEAK"}),
    "trust of any namespace": Knob(
        "[default]\ntrust = 0.1\n", chain("badge:1", COOKIE), ("badge:1", COOKIE), after={"WEAK"}
    ),
    "trust of a source": Knob("[sources.web]\ntrust = 0.1\n", OWN, (ANN, PHONE), after={"WEAK"}),
    "min_weight": Knob("min_weight = 0.5\n", OWN, (ANN, PHONE), after={"WEAK"}, words="the least that joins, 0.5"),
    "limit": Knob(
        '[namespaces.email]\nlimit = "1 ever"\n', TWO, (TWO[0].identifiers[0].key, TWO[1].identifiers[1].key),
        after={"LIMIT"}, words=SAID + "1 email; joining would bring a@example.org and b@example.org together",
    ),
    "limit of any namespace": Knob(
        '[default]\nlimit = "1 ever"\n', chain("badge:1", COOKIE, "badge:2"), ("badge:1", "badge:2"), after={"LIMIT"}
    ),
    "no limit": Knob(
        '[namespaces.user_id]\nlimit = "none"\n', USERS[:2], ("user_id:u0", "user_id:u1"), before={"LIMIT"}
    ),
    "limit within a window that is over": Knob(
        '[namespaces.email]\nlimit = "5 per 365 days"\n', addresses(100), ("email:m0@example.org", "loyalty_id:LC1"),
        before={"LIMIT"},
    ),
    "limit within a window": Knob(
        '[namespaces.email]\nlimit = "5 per 365 days"\n', addresses(50),
        ("email:m0@example.org", "loyalty_id:LC1"), before={"LIMIT"}, after={"LIMIT"}, words="within 365 days",
    ),
    "hub_cap": Knob(
        "[namespaces.device_id]\nhub_cap = 2\n", USERS, ("user_id:u2", TABLET), after={"HUB"}, words="than 2 persons"
    ),
    "half_life": Knob(
        '[namespaces.cookie]\nhalf_life = "90 days"\n', later(ANN, COOKIE), (ANN, COOKIE), after={"WEAK"}
    ),
    "expires": Knob(
        '[namespaces.cookie]\nexpires = "365 days"\n', later(ANN, COOKIE), (ANN, COOKIE), after={"EXPIRED"},
        words="over 365 days before the newest evidence",
    ),
    "joins": Knob(
        "[namespaces.cookie]\njoins = false\n", OWN, (ANN, PHONE), after={"NOT_JOINING"}, words="kept as evidence"
    ),
    "joins, which did not": Knob(
        "[namespaces.ip]\njoins = true\ntrust = 0.9\n", chain(ANN, "ip:192.0.2.7", PHONE), (ANN, PHONE),
        before={"NOT_JOINING"},
    ),
    "blocked values": Knob('[blocked]\nvalues = ["C1"]\n', OWN, (ANN, PHONE), after={"BLOCKED"}, words=COOKIE),
    "blocked values of a namespace": Knob(
        '[blocked]\ncookie = { values = ["c1"] }\n', OWN, (ANN, PHONE), after={"BLOCKED"}
    ),
    "blocked patterns": Knob('[blocked]\npatterns = ["^c[0-9]$"]\n', OWN, (ANN, PHONE), after={"BLOCKED"}),
    "blocked patterns of a namespace": Knob(
        '[blocked]\ncookie = { patterns = ["^C"] }\n', OWN, (ANN, PHONE), after={"BLOCKED"}
    ),
    "max_identifiers": Knob(
        "max_identifiers = 4\n", chain(*(f"cookie:s{n}" for n in range(6))), ("cookie:s0", "cookie:s5"),
        after={"OVERSIZED"}, words=SAID + "4 identifiers",
    ),
    "order newest": Knob('order = "newest"\n', LOGINS, ("user_id:summer", TABLET), before={"LIMIT"}),
    "order cut": Knob(
        'order = "cut"\n' + ONE_CARD, CARDS, ("card:2", TABLET), after={"LIMIT"}, instead_of=ONE_CARD,
        words="as little of the component as possible was cut",
    ),
    "pairwise_up_to": Knob(
        "pairwise_up_to = 2\n[namespaces.device_id]\njoins = false\n",
        [event("1", 0, TABLET, "cookie:a", "cookie:b")], ("cookie:a", "cookie:b"), after={"NOT_JOINING"},
    ),
    "similarity": Knob(
        '[[similarity]]\nbetween = ["cookie"]\nby = ["ip", "user_agent"]\n', AGAIN, (COOKIE, "cookie:2"),
        before={"NOT_JOINING"},
    ),
}  # fmt: skip


def answer(people: People, knob: Knob) -> tuple[bool, set[str], str]:
    found = people.explain(*map(key, knob.ask))
    return found.same_person, {one.code for one in found.obstacles}, found.message


@pytest.mark.parametrize("name", KNOBS)
def test_each_setting_counts_and_says_so(name: str) -> None:
    knob = KNOBS[name]
    policy = Policy.parse(knob.rules)
    with told(knob.events, Policy.parse(knob.instead_of)) as graph:
        digest, groups = graph.digest(), persons(graph)
        together, codes, _ = answer(graph.people, knob)
        assert (together, codes) == (not knob.before, knob.before)
        supposed = answer(graph.suppose(View(policy=policy)), knob)
        rehearsed = rehearse(graph.store, policy, graph.engine)
        assert graph.digest() == digest
        other = IdentityGraph(graph.store, policy, clock=graph.clock, new_id=graph.new_id)
        other.resolver.resolve()
        assert answer(other.people, knob) == supposed
        together, codes, message = supposed
        assert (together, codes) == (not knob.after, knob.after)
        assert knob.words in message
        assert len(persons(other)) == rehearsed.persons_then and len(groups) == rehearsed.persons
        assert bool(rehearsed.merged + rehearsed.split + rehearsed.absorbed) == (persons(other) != groups)
        graph.resolver.resolve()
        assert (graph.digest(), persons(graph)) == (digest, groups)


@pytest.mark.parametrize(
    ("rules", "expected"), [("", [["1", "2"], ["3"]]), ('session_gap = "3h"\n', [["1", "2", "3"]])]
)
def test_a_session_gap_cuts_journeys(rules: str, expected: list[list[str]]) -> None:
    events = [event(id, minute, ANN) for id, minute in (("1", 0), ("2", 30), ("3", 120))]
    with told(events, Policy.parse(rules)) as graph:
        (sessions,) = graph.people.sessions([person(graph, ANN)])
        assert [[one.event.id for one in session.events] for session in sessions] == expected
        (again,) = graph.suppose(View(policy=Policy.parse('session_gap = "1m"\n'))).sessions([person(graph, ANN)])
        assert len(again) == 3


SWAPPED = "[namespaces.device_id]\npriority = 65\n[namespaces.cookie]\npriority = 40\n"


@pytest.mark.parametrize(("rules", "owner"), [("", TABLET), (SWAPPED, COOKIE)])
def test_a_priority_decides_whose_an_event_is_and_whose_id_stays(rules: str, owner: str) -> None:
    """Of two that are as old, and of namespaces without a limit: one that has a limit speaks of a person."""
    seen = [event("1", 0, TABLET), event("2", 0, COOKIE)]
    both = event("3", 1, TABLET, COOKIE)
    with told(seen, Policy.parse(rules)) as graph:
        ids = {one: person(graph, one) for one in (TABLET, COOKIE)}
        tell(graph, [both])
        assert {person(graph, one) for one in ids} == {ids[owner]}
    with told([both], Policy.parse("min_weight = 1.0\n" + rules)) as graph:
        assert person(graph, TABLET) != person(graph, COOKIE)
        (found,) = graph.people.journeys([person(graph, owner)])
        assert [one.attributed_by for one in found] == [key(owner)]
