"""Traits computed from events, contacts by channel, and how two segments overlap; on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import ANN, BOB, Api, email_of

pytestmark = pytest.mark.usefixtures("each_store")

SPENT = {"names": ["Order Completed"], "measure": "SUM", "property": "total"}
RICH = {"computed": {"name": "spent", "is": {"range": {"from": 40}}}}


def values(api: Api, email: str) -> dict[str, Any]:
    found = api.run("computed_traits", by=email_of(email))["person"]["computedTraits"]
    return {one["name"]: one["value"] for one in found}


def test_computed_traits_are_shown_and_asked_for(api: Api) -> None:
    saved = api.run("save_computed_trait", name="spent", definition=SPENT)["saveComputedTrait"]
    assert saved == {"name": "spent", "definition": SPENT}
    source = {"measure": "MOST_FREQUENT", "property": "total"}
    api.run("save_computed_trait", name="favourite", definition=source)
    assert values(api, ANN) == {"favourite": 12.5, "spent": 42.5} and values(api, BOB) == {"spent": 0}
    assert api.run("save_segment", name="rich", condition=RICH)["saveSegment"]["size"] == 1
    assert [one["name"] for one in api.run("computed_traits", by=email_of(ANN))["computedTraits"]] == [
        "favourite",
        "spent",
    ]


def test_save_computed_trait_to_ask_for_the_best_of_everybody(api: Api) -> None:
    api.run("save_computed_trait", name="spent", definition=SPENT)
    best = {"quantile": {"name": "spent", "parts": 2, "is": {"equals": 2}}}
    assert "Anne" in str(api.run("preview_segment", condition=best)["previewSegment"]["sample"])
    half = api.run("save_segment", name="best", condition={"quantile": {"name": "spent", "is": {"range": {"to": 5}}}})
    everybody = api.run("save_segment", name="all", condition={"computed": {"name": "spent", "is": {"exists": True}}})
    assert half["saveSegment"]["size"] == everybody["saveSegment"]["size"]
    assert half["saveSegment"]["condition"]["quantile"]["parts"] == 5


def test_as_of_a_time_it_is_computed_as_of_that_time(api: Api) -> None:
    last = {"names": ["Order Completed"], "measure": "DAYS_SINCE"}
    api.run("save_computed_trait", name="since", definition=last)
    query = """query ($by: PersonBy!, $view: View) {
      person(by: $by, view: $view) { computedTraits(names: ["since"]) { value } } }"""
    found = api.ask(query, {"by": email_of(ANN), "view": {"asOf": "2025-12-12T09:00:00Z"}})
    assert found["person"]["computedTraits"] == [{"value": 10}]


def test_save_computed_trait_anew_moves_the_segments_that_ask_for_it(api: Api) -> None:
    api.run("save_computed_trait", name="spent", definition=SPENT)
    api.run("save_segment", name="rich", condition=RICH)
    api.run("save_segment", name="poor", condition={"not": {"segment": "rich"}})
    before = {one["name"]: one["size"] for one in api.run("segments")["segments"]}
    api.run("save_computed_trait", name="spent", definition={**SPENT, "measure": "MAXIMUM"})
    after = {one["name"]: one["size"] for one in api.run("segments")["segments"]}
    assert (before["rich"], after["rich"]) == (1, 0) and after["poor"] == before["poor"] + 1


def test_delete_computed_trait_that_no_segment_asks_for(api: Api) -> None:
    api.run("save_computed_trait", name="spent", definition=SPENT)
    api.run("save_segment", name="rich", condition=RICH)
    delete = 'mutation { deleteComputedTrait(name: "spent") }'
    assert api.refusal(delete) == "CONDITION_INVALID" and values(api, ANN) == {"spent": 42.5}
    api.run("delete_segment", name="rich")
    assert api.run("delete_computed_trait", name="spent")["deleteComputedTrait"] is True
    assert api.run("delete_computed_trait", name="spent")["deleteComputedTrait"] is False
    assert values(api, ANN) == {}


def test_what_is_refused(api: Api) -> None:
    save = 'mutation ($c: ConditionInput!) { saveSegment(name: "x", condition: $c) { size } }'
    assert api.refusal(save, {"c": RICH}) == "CONDITION_INVALID"
    declare = "mutation ($n: String!, $d: MeasureInput!) { saveComputedTrait(name: $n, definition: $d) { name } }"
    for name, definition in (("", SPENT), ("x", {"measure": "SUM"}), ("x", {"names": []})):
        assert api.refusal(declare, {"n": name, "d": definition}) == "CONDITION_INVALID"
    assert api.graph.computed.all() == {}


def test_a_sequence_and_the_age_of_a_trait(api: Api) -> None:
    steps = [{"names": ["Signed Up"]}, {"names": ["Order Completed"]}]
    sequence = {"sequence": {"steps": steps, "within": "P1D"}}
    old = {"trait": {"name": "plan", "is": {"exists": True}, "stated": {"olderThan": "P1D"}}}
    for condition in (sequence, {"all": [sequence, old]}):
        preview = api.run("preview_segment", condition=condition)["previewSegment"]
        assert [one["id"] for one in preview["sample"]] == [api.person_id(ANN)]
    sequence["sequence"]["within"] = "PT1H"
    assert api.run("preview_segment", condition=sequence)["previewSegment"]["size"] == 0


def test_touchpoints_and_activity(api: Api) -> None:
    person = api.run("touchpoints", by=email_of(ANN), bucket="NAME")["person"]
    assert [(one["channel"], one["count"]) for one in person["touchpoints"]] == [
        ("web", 2),
        ("orders", 2),
        ("crm", 1),
        ("app", 1),
    ]
    assert (person["touchpoints"][1]["first"]["id"], person["touchpoints"][1]["last"]["id"]) == ("a3", "a4")
    assert {one["key"]: one["count"] for one in person["activity"]}["Order Completed"] == 2
    days = api.run("touchpoints", by=email_of(ANN), filter={"sources": ["web"]})["person"]["activity"]
    assert days == [{"key": "2025-12-01", "count": 2}]
    weeks = api.run("touchpoints", by=email_of(ANN), bucket="WEEK")["person"]["activity"]
    assert [week["key"] for week in weeks] == ["2025-W49", "2025-W51", "2025-W52"]


def test_segment_overlap(api: Api) -> None:
    api.run("save_segment", name="known", condition={"identifier": {"namespace": "email"}})
    assert api.run("segment_overlap", name="known", **{"with": "vip"})["segment"]["overlap"] == 1
    assert api.run("segment_overlap", name="known", **{"with": "unknown"})["segment"]["overlap"] is None
