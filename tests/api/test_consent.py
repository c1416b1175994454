"""Consent over GraphQL: who said no is not there for that purpose, in nothing below the field that names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph.api import create_app
from identity_graph.policy import Policy
from tests.api.conftest import ANN, BOB, CAROL, PATIENT, Api, email_of, peopled
from tests.conftest import Clock
from tests.story.places import Told, place

pytestmark = pytest.mark.usefixtures("each_store")

POLICY = Policy.parse('[purposes.ads]\n[purposes.mail]\nchoice = "opt-out"\n[purposes.joint]\nstitch = true')


@pytest.fixture
def api(clock: Clock) -> Iterator[Api]:
    with place.take(Told.open(place.fresh(), POLICY, clock=clock)) as graph:
        yield peopled(Api(graph, TestClient(create_app(graph, terms=PATIENT))), clock)


def state(api: Api, value: str, purpose: str, status: str, **more: Any) -> Any:
    of = {"namespace": "email", "value": value}
    return api.run("state_consent", of=of, purpose=purpose, status=status, **more)["stateConsent"]


def there(api: Api, purpose: str, *emails: str) -> list[bool]:
    query = "query ($by: [PersonBy!]!, $purpose: String) { people(by: $by, purpose: $purpose) { id } }"
    found = api.ask(query, {"by": [email_of(one) for one in emails], "purpose": purpose})["people"]
    assert found == [api.run("person_for", by=email_of(one), purpose=purpose)["person"] and row
                     for one, row in zip(emails, found, strict=True)]  # fmt: skip
    return [one is not None for one in found]


def test_state_consent_changes_whom_person_for_finds_and_is_shown_with_the_person(api: Api, clock: Clock) -> None:
    assert there(api, "ads", ANN, BOB) == [False, False] and there(api, "mail", ANN, BOB) == [True, True]
    said = state(api, ANN, "ads", "GRANTED", expiresAt="2026-01-02T00:00:00Z")
    assert said["id"] == api.person_id(ANN)
    (shown,) = said["consents"]
    assert shown.pop("time").startswith("2026-01-01T00:01:00")
    assert shown == {
        "purpose": "ads",
        "status": "GRANTED",
        "source": "manual",
        "expiresAt": "2026-01-02T00:00:00Z",
    }
    assert there(api, "ads", ANN, BOB) == [True, False]
    clock.tick(86_400)
    assert there(api, "ads", ANN, BOB) == [False, False]
    state(api, BOB, "mail", "REVOKED")
    assert there(api, "mail", ANN, BOB) == [True, False]
    # Without a purpose they are as they were.
    assert api.person_id(BOB) and api.run("person_by_email", email=ANN)["person"]


def test_members_for_a_purpose_are_paged_and_counted_without_the_others(api: Api) -> None:
    api.run("save_segment", name="all", condition={"identifier": {"namespace": "email"}})
    for email in (ANN, CAROL):
        state(api, email, "ads", "GRANTED")
    wanted = sorted([api.person_id(ANN), api.person_id(CAROL)])
    first = api.run("members_for", name="all", purpose="ads", first=1)["segment"]["members"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (2, True)
    after = first["pageInfo"]["endCursor"]
    second = api.run("members_for", name="all", purpose="ads", first=1, after=after)["segment"]["members"]
    assert second["pageInfo"]["hasNextPage"] is False
    assert [node["id"] for page in (first, second) for node in page["nodes"]] == wanted
    query = 'query ($p: PersonBy!) { segment(name: "all", purpose: "ads") { contains(person: $p) } }'
    assert [api.ask(query, {"p": email_of(one)})["segment"]["contains"] for one in (ANN, BOB)] == [True, False]


def test_a_name_or_an_end_that_cannot_be_is_refused_and_nothing_is_kept(api: Api) -> None:
    before = api.graph.digest()
    query = 'mutation ($of: IdentifierInput!, $end: DateTime) { stateConsent(of: $of, purpose: "%s",'
    query += " status: GRANTED, expiresAt: $end) { id } }"
    of = {"namespace": "email", "value": ANN}
    assert api.refusal(query % "adz", {"of": of}) == "PURPOSE_UNKNOWN"
    assert api.refusal(query % "ads", {"of": of, "end": "2020-01-01T00:00:00Z"}) == "CONSENT_INVALID"
    assert api.refusal('{ segment(name: "vip", purpose: "adz") { name } }') == "PURPOSE_UNKNOWN"
    past = 'people(by: [], purpose: "ads", view: {asOf: "2025-12-04T00:00:00Z"}) { id }'
    assert api.refusal("{ " + past + " }") == "VIEW_INVALID"
    assert api.graph.digest() == before


def test_what_may_not_join_is_in_nothing_below(api: Api) -> None:
    """Where a purpose is stitched apart, the members' own fields are of that purpose too."""
    api.run("save_segment", name="all", condition={"identifier": {"namespace": "email"}})
    state(api, ANN, "joint", "GRANTED")
    below = "members { nodes { identifiers { identifier { namespace } } } }"
    query = '{ segment(name: "all", purpose: "joint") { ' + below + " } }"
    (member,) = api.ask(query)["segment"]["members"]["nodes"]
    # What names Ann beside her address was seen with it, so her yes is about it; the rest said nothing.
    spaces = {one["identifier"]["namespace"] for one in member["identifiers"]}
    assert "email" in spaces and "device_id" not in spaces


def test_why_two_are_one_is_told_for_the_purposes_that_both_may_be_used_for(api: Api) -> None:
    (other,) = {one["identifier"]["key"] for one in api.ask(
        "query ($by: PersonBy!) { person(by: $by) { identifiers { identifier { key } } } }", {"by": email_of(ANN)}
    )["person"]["identifiers"] if one["identifier"]["key"].startswith("user_id:")}  # fmt: skip
    query = """query ($a: IdentifierInput!, $b: IdentifierInput!, $purpose: String) {
      explain(a: $a, b: $b, purpose: $purpose) { samePerson } }"""
    space, _, value = other.partition(":")
    asked = {"a": {"namespace": "email", "value": ANN}, "b": {"namespace": space, "value": value}}

    def joined(purpose: str | None) -> Any:
        return api.ask(query, {**asked, "purpose": purpose})["explain"]["samePerson"]

    assert joined(None) and joined("mail") and not joined("ads")
    state(api, ANN, "ads", "GRANTED")
    assert joined("ads")
