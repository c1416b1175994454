"""What if: a root field's view holds for all that is below it, and for nothing beside it."""

from __future__ import annotations

import pytest

from tests.api.conftest import ANN, CAROL, Api, email_of

BOTH = """
query ($by: PersonBy!, $view: View) {
  now: person(by: $by) { ...everything }
  then: person(by: $by, view: $view) { ...everything }
  people(by: [$by], view: $view) { id }
}
fragment everything on Person {
  id
  confidence
  identifiers { confidence identifier { key observations lastSeen person { id } } }
  profile { values traits { name alternatives { value } event { id name } } }
  journey { totalCount nodes { id person { id } attributedBy { key observations } } }
  sessions { nodes { events { id } } }
  links { a { key } b { key } count evidence { nodes { id person { id } } } }
  segments { name }
}
"""


def test_both_at_once(api: Api) -> None:
    found = api.ask(BOTH, {"by": email_of(ANN), "view": {"asOf": "2025-12-02T12:00:00Z"}})
    now, then = found["now"], found["then"]
    assert now["id"] == then["id"] == found["people"][0]["id"]
    assert (now["journey"]["totalCount"], then["journey"]["totalCount"]) == (6, 3)
    assert (now["profile"]["values"]["plan"], then["profile"]["values"]["plan"]) == ("pro", "free")
    assert [one["name"] for one in now["segments"]] == ["vip"] and then["segments"] == []
    assert {one["identifier"]["key"] for one in then["identifiers"]} == {
        f"email:{ANN}",
        "anonymous_id:x1",
        "user_id:u1",
    }
    assert [one["identifier"]["observations"] for one in then["identifiers"]] == [2, 2, 1]
    assert {one["person"]["id"] for one in then["journey"]["nodes"]} == {now["id"]}
    assert [one["alternatives"] for one in then["profile"]["traits"]] == [[], []]


def test_the_shipped_operation(api: Api) -> None:
    found = api.run("person_as_of", by=email_of(CAROL), view={"withoutSources": ["calls"]})["person"]
    assert [one["identifier"]["key"] for one in found["identifiers"]] == ["anonymous_id:x9", f"email:{CAROL}"]
    everything = api.run("person_as_of", by=email_of(CAROL), view={})["person"]
    assert len(everything["identifiers"]) == 3 and everything["journey"]["totalCount"] == 3
    card = {"identifier": {"namespace": "loyalty_id", "value": "L-77"}}
    other = api.run("person_as_of", by=card, view={"withoutSources": ["calls"]})["person"]
    assert other["id"] != found["id"] and {found["id"], other["id"]} >= {everything["id"]}
    again = api.run("person_as_of", by={"id": other["id"]}, view={"withoutSources": ["calls"]})["person"]
    assert again == other
    assert api.run("person_as_of", by=email_of(CAROL), view={"asOf": "2020-01-01T00:00:00Z"})["person"] is None


def test_explaining_what_would_be(api: Api) -> None:
    query = """query ($a: IdentifierInput!, $b: IdentifierInput!, $view: View) {
      explain(a: $a, b: $b, view: $view) { samePerson path { a { key } } obstacles { code } }
    }"""
    pair = {"a": {"namespace": "email", "value": CAROL}, "b": {"namespace": "loyalty_id", "value": "L-77"}}
    assert api.ask(query, pair)["explain"]["samePerson"]
    found = api.ask(query, {**pair, "view": {"withoutSources": ["calls"]}})["explain"]
    assert found == {"samePerson": False, "path": [], "obstacles": [{"code": "UNSEEN"}]}


def test_only_who_is_sure_enough(api: Api) -> None:
    whole = api.run("person_as_of", by=email_of(ANN), view={"minConfidence": 0})["person"]
    least = sorted({one["confidence"] for one in whole["identifiers"]})[1]
    sure = api.run("person_as_of", by=email_of(ANN), view={"minConfidence": least})["person"]
    assert len(sure["identifiers"]) < len(whole["identifiers"]) and sure["confidence"] >= least
    assert sure["id"] == whole["id"]


@pytest.mark.parametrize("least", [-1, 1.5])
def test_a_confidence_that_cannot_be(api: Api, least: float) -> None:
    query = "query ($by: PersonBy!, $view: View) { person(by: $by, view: $view) { id } }"
    assert api.refusal(query, {"by": email_of(ANN), "view": {"minConfidence": least}}) == "VIEW_INVALID"


def test_so_many_views_and_no_more(api: Api) -> None:
    """Each is a resolution of its own."""
    looks = [f'p{n}: person(by: $by, view: {{withoutSources: ["s{n}"]}}) {{ id }}' for n in range(11)]
    same = [f'q{n}: person(by: $by, view: {{withoutSources: ["s0"]}}) {{ id }}' for n in range(20)]
    query = "query ($by: PersonBy!) { %s }"
    found = api.ask(query % " ".join([*looks[:10], *same]), {"by": email_of(ANN)})
    assert len({person["id"] for person in found.values()}) == 1
    (error,) = api.post(query % " ".join(looks), {"by": email_of(ANN)})["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["p10"], "VIEW_INVALID")
