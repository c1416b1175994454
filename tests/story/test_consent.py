"""Who said no to a purpose is not there for it: persons, segments and, where the policy asks for it, links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.errors import InputError
from identity_graph.model import ConsentStatus, Event
from identity_graph.policy import Policy
from identity_graph.roster import Roster
from identity_graph.times import SECOND, format_time
from identity_graph.view import View
from tests.conftest import Clock, law
from tests.story.places import MEMORY
from tests.story.worlds import event, key, new_graph, person, tell, told

pytestmark = pytest.mark.usefixtures("each_store")

POLICY = Policy.parse(
    """
[purposes.ads]
[purposes.mail]
choice = "opt-out"
[purposes.joint]
choice = "opt-out"
stitch = true
[purposes.care]
choice = "opt-out"
without_sources = ["shop"]
"""
)
YES, NO = ConsentStatus.GRANTED, ConsentStatus.DENIED


def choice(id: str, minute: float, *keys: str, **said: Any) -> Event:
    return event(id, minute, *keys, name="Choice Made", properties={"consent": said})


def seen_for(graph: IdentityGraph, purpose: str, *keys: str) -> list[bool]:
    people = graph.suppose(View(purpose=purpose))
    return [found is not None for found in people.find_by_identifier([key(one) for one in keys])]


def stands(graph: IdentityGraph, text: str) -> dict[str, str]:
    (found,) = graph.people.consents([person(graph, text)], graph.clock())
    return {one.purpose: one.status.value for one in found}


def test_who_said_no_or_nothing_is_as_the_policy_says() -> None:
    seen = [
        event("1", 0, "user_id:ann", "cookie:a"),
        choice("2", 1, "cookie:a", ads=True, mail=False),
        event("3", 0, "user_id:bob"),
    ]
    with told(seen, POLICY) as graph:
        assert seen_for(graph, "ads", "user_id:ann", "user_id:bob", "user_id:nobody") == [True, False, False]
        assert seen_for(graph, "mail", "user_id:ann", "user_id:bob") == [False, True]
        assert stands(graph, "user_id:ann") == {"ads": "GRANTED", "mail": "DENIED"}
        asked = key("user_id:ann"), key("cookie:a")
        answers = [graph.suppose(View(purpose=purpose)).explain(*asked) for purpose in ("ads", "mail")]
        assert [[reason.code for reason in one.obstacles] for one in answers] == [[], ["PURPOSE"]]
        assert [one.same_person for one in answers] == [True, False]
        strangers = graph.suppose(View(purpose="mail")).explain(key("user_id:ann"), key("user_id:bob"))
        assert replace(answers[1], message="") == replace(strangers, message="")  # nor who is one person with whom
        sure = graph.suppose(View(purpose="mail", min_confidence=0.5)).explain(*asked)
        assert sure == answers[1]
        allowed = graph.suppose(View(purpose="ads"))
        ann, bob = person(graph, "user_id:ann"), person(graph, "user_id:bob")
        assert [one and one.id for one in allowed.find([ann, bob])] == [ann, None]
        assert len(allowed.journeys([ann])[0]) == 2 and allowed.profiles([ann]) == graph.people.profiles([ann])
        with pytest.raises(InputError) as error:
            graph.suppose(View(purpose="add"))
        assert error.value.code == "PURPOSE_UNKNOWN"


def test_a_statement_is_heeded_at_once_until_it_ends_or_another_is_made() -> None:
    clock = Clock()
    with told([event("1", 0, "user_id:ann", "email:ann@example.org")], POLICY, clock=clock) as graph:
        end = clock.now + 60 * SECOND
        found = graph.stating.consent(key("email:ann@example.org"), "ads", YES, end, "kim")
        assert found and found.id == person(graph, "user_id:ann")
        assert seen_for(graph, "ads", "user_id:ann") == [True]
        [row] = [one for one in graph.people.journeys([found.id])[0] if one.event.source == "manual"]
        said = {"status": "GRANTED", "expires": format_time(end)}
        assert row.event.properties == {"consent": {"ads": said}, "user": "kim"}
        clock.tick(60)
        assert seen_for(graph, "ads", "user_id:ann") == [False] and stands(graph, "user_id:ann") == {}
        graph.stating.consent(key("user_id:ann"), "ads", YES)
        assert seen_for(graph, "ads", "user_id:ann") == [True]
        graph.stating.consent(key("email:ann@example.org"), "ads", ConsentStatus.REVOKED)
        assert seen_for(graph, "ads", "user_id:ann") == [False]
        before = graph.digest()
        for purpose, until, code in (("adz", None, "PURPOSE_UNKNOWN"), ("ads", clock.now, "CONSENT_INVALID")):
            with pytest.raises(InputError) as error:
                graph.stating.consent(key("user_id:ann"), purpose, YES, until)
            assert error.value.code == code
        assert graph.digest() == before


def test_consent_is_disclosed_erased_and_does_not_come_back() -> None:
    seen = [event("1", 0, "user_id:ann"), choice("2", 1, "user_id:ann", ads=True), event("3", 0, "user_id:bob")]
    with told(seen, POLICY) as graph, told(seen[2:], POLICY, url=MEMORY) as other:
        found = graph.disclosures.of(person(graph, "user_id:ann"))
        assert found
        assert [(one.purpose, one.status) for one in found.consents] == [("ads", "GRANTED")]
        preview = graph.forget.preview(person(graph, "user_id:ann"))
        assert preview
        graph.forget.erase(preview.token)
        assert graph.digest() == other.digest()
        run = graph.ingest.events(seen)
        assert run.suppressed == 2


def test_members_of_a_segment_for_a_purpose_are_read_page_by_page() -> None:
    seen = [event(f"{n}", 0, f"user_id:u{n:02}", traits={"plan": "pro"}) for n in range(20)]
    seen += [choice(f"c{n}", 1, f"user_id:u{n:02}", ads=True) for n in range(0, 20, 3)]
    with new_graph(POLICY) as graph:
        graph.segments.save("pros", "", {"trait": {"name": "plan", "is": {"equals": "pro"}}})
        tell(graph, seen)
        roster = Roster(graph.store, graph.people, "pros", allowed=graph.allowed("ads"))
        wanted = sorted(person(graph, f"user_id:u{n:02}") for n in range(0, 20, 3))
        assert roster.count() == len(wanted)
        assert roster.allowed("", 100) == wanted
        pages, after = [], ""
        while page := roster.allowed(after, 2):
            pages += page
            after = page[-1]
        assert pages == wanted


def test_evidence_of_who_said_no_joins_nobody_where_the_policy_asks_for_that() -> None:
    """Ann's browser said no before she logged in there: for this purpose the browser is not hers."""
    seen = [
        event("1", 0, "user_id:ann", "email:ann@example.org"),
        event("2", 1, "cookie:c", "user_id:ann", traits={"city": "Bonn"}),
        choice("3", 2, "cookie:c", joint=False),
        event("4", 3, "cookie:c", traits={"mood": "shy"}),
    ]
    with told(seen, POLICY) as graph:
        ann = person(graph, "user_id:ann")
        assert person(graph, "cookie:c") == ann
        # As one person she said no, so she is not there at all without stitching; with it, what said no is not.
        people = graph.suppose(View(purpose="joint"))
        assert [one and one.id for one in people.find_by_identifier([key("cookie:c")])] == [None]
        (found,) = people.find_by_identifier([key("user_id:ann")])
        assert found and found.id == ann
        assert [one.identifier.key for one in people.members([ann])[0]] == ["email:ann@example.org", "user_id:ann"]
        assert people.profiles([ann])[0].values == {}
        # A newer yes of the same browser, and all is hers again.
        tell(graph, [choice("5", 4, "cookie:c", joint=True)])
        people = graph.suppose(View(purpose="joint"))
        assert people.profiles([ann])[0].values == {"city": "Bonn", "mood": "shy"}


def test_sources_that_may_not_join_for_a_purpose_are_left_out_but_their_no_is_heard() -> None:
    seen = [
        event("1", 0, "user_id:ann", "cookie:c", source="web"),
        event("2", 1, "user_id:ann", "email:ann@example.org", source="shop"),
        event("3", 1, "user_id:bob", "cookie:d", source="web"),
        event("4", 2, "user_id:bob", source="shop", properties={"consent": {"care": False}}),
    ]
    with told(seen, POLICY) as graph:
        people = graph.suppose(View(purpose="care"))
        ann = person(graph, "user_id:ann")
        assert seen_for(graph, "care", "user_id:ann", "email:ann@example.org", "user_id:bob") == [True, False, False]
        people.find([ann])
        assert [one.identifier.key for one in people.members([ann])[0]] == ["cookie:c", "user_id:ann"]


@law(20)
@given(
    st.lists(
        st.tuples(st.sampled_from(["user_id:ann", "cookie:a", "email:a@b.example"]), st.booleans(), st.integers(2, 5)),
        max_size=8,
    ),
    st.permutations(range(8)),
)
def test_it_does_not_matter_through_which_identifier_or_in_which_order(
    said: list[tuple[str, bool, int]], order: list[int]
) -> None:
    links = [event("l1", 0, "user_id:ann", "cookie:a"), event("l2", 1, "user_id:ann", "email:a@b.example")]
    words = [choice(f"c{n}", minute, of, mail=yes) for n, (of, yes, minute) in enumerate(said)]
    newest = max((minute for _, _, minute in said), default=0)
    expected = all(yes for _, yes, minute in said if minute == newest)
    with new_graph(POLICY) as graph:
        for place in order:
            if place < len(words):
                graph.ingest.events([words[place]])
        tell(graph, links)
        assert seen_for(graph, "mail", "user_id:ann", "cookie:a", "email:a@b.example") == [expected] * 3


def test_a_purpose_is_of_now_and_of_everybody() -> None:
    for more in ({"as_of": 5}, {"without_sources": frozenset({"web"})}):
        with pytest.raises(InputError) as error:
            View(purpose="ads", **more)
        assert error.value.code == "VIEW_INVALID"
