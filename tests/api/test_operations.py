"""Every shipped operation, run against each store: what it answers, not only that it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph.activation import Activation
from tests.api.conftest import ANN, BOB, CAROL, DAN, EVENTS, JOINS_CAROL, SEGMENT, Api, email_of, event, operation_text
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("each_store")


def keys(members: list[dict[str, dict[str, str]]]) -> list[str]:
    return [member["identifier"]["key"] for member in members]


def test_person_by_email(api: Api) -> None:
    person = api.run("person_by_email", email=" ANN@Example.org ")["person"]
    assert keys(person["identifiers"]) == [
        "anonymous_id:x1",
        f"email:{ANN}",
        "phone:+442079460958",
        "user_id:u1",
    ]
    assert 0 < person["confidence"] <= 1
    assert person["confidence"] == min(member["confidence"] for member in person["identifiers"])
    assert person["segments"] == [{"name": "vip"}]
    assert person["requestedId"] is None
    assert person["createdAt"] == "2026-01-01T00:00:00Z"
    assert api.run("person_by_email", email="nobody@example.org")["person"] is None


def test_profile(api: Api) -> None:
    profile = api.run("profile", by=email_of(ANN))["person"]["profile"]
    assert profile["values"] == {"first_name": "Anne", "plan": "pro"}
    first_name, plan = profile["traits"]
    assert (first_name["source"], first_name["time"]) == ("crm", "2025-12-21T08:00:00Z")
    assert first_name["alternatives"] == [{"value": "Ann", "source": "web", "time": "2025-12-01T10:10:00Z"}]
    assert [other["value"] for other in plan["alternatives"]] == ["free"]


def test_person(api: Api) -> None:
    person = api.run("person", by=email_of(ANN), last=1)["person"]
    assert [trait["value"] for trait in person["profile"]["traits"]] == ["Anne", "pro"]
    assert (person["journey"]["totalCount"], len(person["journey"]["nodes"])) == (6, 1)
    assert person["segments"] == [{"name": "vip"}]


def test_journey(api: Api) -> None:
    journey = api.run("journey", by=email_of(ANN), last=2)["person"]["journey"]
    assert journey["totalCount"] == 6
    assert [node["id"] for node in journey["nodes"]] == ["a5", "a6"]
    assert journey["nodes"][1]["attributedBy"] == {"key": "user_id:u1"}
    earlier = api.run("journey", by=email_of(ANN), last=9, before=journey["pageInfo"]["startCursor"])
    assert [node["id"] for node in earlier["person"]["journey"]["nodes"]] == ["a1", "a2", "a3", "a4"]
    assert earlier["person"]["journey"]["nodes"][3]["properties"] == {"total": 12.5}
    orders = {"names": ["Order Completed"], "from": "2025-12-02T09:00:00Z", "to": "2025-12-20T10:00:00+01:00"}
    chosen = api.run("journey", by=email_of(ANN), filter=orders)["person"]["journey"]
    assert [node["id"] for node in chosen["nodes"]] == ["a3"]
    assert chosen["totalCount"] == 1


def test_sessions(api: Api) -> None:
    sessions = api.run("sessions", by=email_of(ANN))["person"]["sessions"]
    assert sessions["totalCount"] == 5
    visit = sessions["nodes"][0]
    assert (visit["start"], visit["end"]) == ("2025-12-01T10:00:00Z", "2025-12-01T10:10:00Z")
    assert visit["durationSeconds"] == 600
    assert visit["entry"] == {"name": "Page Viewed", "source": "web"}
    assert visit["exit"] == {"name": "Signed Up", "source": "web"}
    assert [event["id"] for event in visit["events"]] == ["a1", "a2"]
    bought = {"names": ["Order Completed"]}
    chosen = api.run("sessions", by=email_of(ANN), filter=bought, last=1)["person"]["sessions"]
    assert (chosen["totalCount"], chosen["nodes"][0]["start"]) == (2, "2025-12-20T09:00:00Z")
    cursor = chosen["pageInfo"]["startCursor"]
    assert api.refusal(operation_text("sessions"), {"by": email_of(ANN), "before": cursor}) == "PAGE_INVALID"


def test_explain(api: Api) -> None:
    phone = {"namespace": "phone", "value": "+44 (0)20 7946 0958"}
    together = api.run("explain", a={"namespace": "anonymous_id", "value": "x1"}, b=phone)["explain"]
    assert together["samePerson"] is True
    assert [step["a"]["key"] for step in together["path"]] + [step["b"]["key"] for step in together["path"]]
    assert together["confidence"] == min(step["weight"] for step in together["path"])
    assert together["obstacles"] == []
    for step in together["path"]:
        seen, nodes = step["evidence"]["totalCount"], step["evidence"]["nodes"]
        assert seen == step["count"] and len(nodes) == min(seen, 3) and {node["source"] for node in nodes}
        assert step["firstSeen"] == nodes[0]["time"] <= step["lastSeen"]
        assert {node["source"] for node in nodes} <= set(step["sources"]) and all(node["id"] for node in nodes)
    apart = api.run("explain", a={"namespace": "user_id", "value": "u1"}, b={"namespace": "user_id", "value": "u2"})
    assert apart["explain"]["samePerson"] is False
    assert [obstacle["code"] for obstacle in apart["explain"]["obstacles"]] == ["LIMIT"]
    assert apart["explain"]["obstacles"][0]["values"] == ["u1", "u2"]
    assert apart["explain"]["message"]


def test_links(api: Api) -> None:
    links = api.run("links", by=email_of(ANN))["person"]["links"]
    by_ends = {(link["a"]["key"], link["b"]["key"]): link for link in links}
    signed_up = by_ends["email:ann@example.org", "user_id:u1"]
    assert signed_up["suppressed"] is None
    assert (signed_up["kind"], signed_up["count"], signed_up["sources"]) == ("OBSERVED", 1, ["web"])
    assert signed_up["firstSeen"] == signed_up["lastSeen"] == "2025-12-01T10:10:00Z"
    assert [node["id"] for node in signed_up["evidence"]["nodes"]] == ["a2"]
    refused = [link for link in links if link["suppressed"]]
    assert {link["suppressed"]["code"] for link in refused} == {"LIMIT"}
    assert any("device_id:tablet" in (link["a"]["key"], link["b"]["key"]) for link in refused)
    joining = api.run("links", by=email_of(ANN), includeSuppressed=False)["person"]["links"]
    assert joining == [link for link in links if not link["suppressed"]]


def test_people(api: Api) -> None:
    ann, nobody, bob, again = api.run(
        "people", by=[email_of(ANN), {"id": "unknown"}, email_of(BOB), {"id": api.person_id(ANN)}]
    )["people"]
    assert nobody is None
    assert ann == again
    assert bob["profile"]["values"]["first_name"] == "Bob"
    assert api.run("people", by=[])["people"] == []


def test_persons_page(api: Api) -> None:
    ids: list[str] = []
    after = None
    while True:
        page = api.run("persons_page", first=2, after=after)["persons"]
        assert page["totalCount"] == 4
        ids += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(ids) == 4
    assert ids == sorted(ids)
    assert api.person_id(CAROL) in ids


def test_persons_page_in_an_order_and_of_those_who_meet_a_condition(api: Api, clock: Clock) -> None:
    def page(**how: object) -> tuple[list[str], dict[str, object]]:
        found = api.run("persons_page", **how)["persons"]
        return [node["id"] for node in found["nodes"]], found

    ann, bob, carol, dan = (api.person_id(email) for email in (ANN, BOB, CAROL, DAN))
    assert page(orderBy="UPDATED", last=1)[0] == [carol]
    assert page(orderBy="LAST_SEEN")[0] == [dan, carol, ann, bob]
    assert page(orderBy="SIZE", last=2)[0] == [carol, ann]
    clock.tick()
    api.run("ingest", events=[event("d2", "2025-12-30T00:00:00Z", "web", "Seen", {"email": DAN})])
    api.run("resolve")
    newest, found = page(orderBy="UPDATED", last=2)
    assert newest == [carol, dan] and found["nodes"][1]["lastSeen"] == "2025-12-30T00:00:00Z"  # type: ignore[index]
    before = found["pageInfo"]["startCursor"]  # type: ignore[index]
    earlier, rest = page(orderBy="UPDATED", last=2, before=before)
    assert set(earlier) == {ann, bob} and rest["pageInfo"]["hasPreviousPage"] is False  # type: ignore[index]

    pro = {"trait": {"name": "plan", "is": {"equals": "pro"}}}
    ids, found = page(condition=pro, orderBy="LAST_SEEN", first=1)
    assert (ids, found["totalCount"]) == ([ann], 2)
    after = found["pageInfo"]["endCursor"]  # type: ignore[index]
    assert page(condition=pro, orderBy="LAST_SEEN", first=1, after=after)[0] == [bob]
    assert page(condition={"not": {"segment": "vip"}})[1]["totalCount"] == 3
    text = operation_text("persons_page")
    for other in (
        {"orderBy": "LAST_SEEN"},
        {"condition": pro},
        {"condition": {"not": pro}, "orderBy": "LAST_SEEN"},
        {},
    ):
        assert api.refusal(text, {"after": after, **other}) == "PAGE_INVALID"
    assert api.refusal(text, {"first": -1}) == "PAGE_INVALID"
    assert api.refusal(text, {"condition": {"segment": "unknown"}}) == "CONDITION_INVALID"
    assert api.refusal(text, {"orderBy": "AGE"}) == "QUERY_INVALID"


def test_changes(api: Api) -> None:
    changes = api.run("changes")["changes"]["nodes"]
    assert [change["kind"] for change in changes] == ["CREATED"] * 5 + ["MERGED", "ENTERED"]
    merged = changes[5]
    ((old, survivor),) = api.retired.items()
    assert merged["personId"] == survivor
    assert old in merged["from"]
    assert merged["cause"]["policyVersion"] == api.graph.policy.digest
    assert merged["time"] > changes[0]["time"]
    since = api.run("changes", after=changes[3]["cursor"])["changes"]["nodes"]
    assert since == changes[4:]
    assert api.run("changes", kinds=["MERGED"])["changes"]["nodes"] == [merged]


def test_segments(api: Api) -> None:
    (segment,) = api.run("segments")["segments"]
    assert (segment["name"], segment["description"], segment["size"]) == ("vip", "Buys again", 1)
    assert segment["condition"]["all"][0] == SEGMENT["all"][0]


def test_save_segment_takes_back_what_segments_shows(api: Api) -> None:
    (segment,) = api.run("segments")["segments"]
    saved = api.run("save_segment", name="copy", condition=segment["condition"])["saveSegment"]
    assert saved["condition"] == segment["condition"]
    assert saved["size"] == 1
    replaced = {"not": {"segment": "vip"}}
    assert api.run("save_segment", name="copy", condition=replaced)["saveSegment"]["size"] == 3


def test_preview_segment(api: Api) -> None:
    pro = {"trait": {"name": "plan", "is": {"in": ["pro"]}}}
    preview = api.run("preview_segment", condition=pro)["previewSegment"]
    assert preview["size"] == 2
    assert {person["profile"]["values"]["first_name"] for person in preview["sample"]} == {"Anne", "Bob"}
    assert [segment["name"] for segment in api.run("segments")["segments"]] == ["vip"]


def test_segment_members(api: Api) -> None:
    segment = api.run("segment_members", name="vip", person=email_of(ANN))["segment"]
    assert segment["contains"] is True
    assert segment["members"]["totalCount"] == segment["size"] == 1
    assert segment["members"]["nodes"] == [{"id": api.person_id(ANN), "email": ANN}]
    assert api.run("segment_members", name="vip", person=email_of(BOB))["segment"]["contains"] is False
    assert api.run("segment_members", name="unknown", person=email_of(BOB))["segment"] is None


def test_delete_segment(api: Api) -> None:
    assert api.run("delete_segment", name="vip")["deleteSegment"] is True
    assert api.run("delete_segment", name="vip")["deleteSegment"] is False
    assert api.run("segments")["segments"] == []


def test_ingest_is_idempotent_and_resolve_publishes(empty: Api) -> None:
    first = empty.run("ingest", events=EVENTS)["ingest"]
    assert (first["state"], first["read"], first["accepted"], first["duplicate"]) == ("DONE", 10, 10, 0)
    assert empty.run("person_by_email", email=ANN)["person"] is None
    resolved = empty.run("resolve")["resolve"]
    assert (resolved["state"], resolved["startedAt"]) == ("DONE", "2026-01-01T00:00:00Z")
    digest, ann = empty.graph.digest(), empty.person_id(ANN)
    again = empty.run("ingest", events=EVENTS[::-1])["ingest"]
    assert (again["read"], again["accepted"], again["duplicate"]) == (10, 0, 10)
    empty.run("resolve", full=True)
    assert (empty.graph.digest(), empty.person_id(ANN)) == (digest, ann)


def test_ingest_hashes_the_content_of_an_event_without_an_id(empty: Api) -> None:
    nameless = {name: value for name, value in JOINS_CAROL.items() if name != "id"}
    assert empty.run("ingest", events=[nameless])["ingest"]["accepted"] == 1
    assert empty.run("ingest", events=[nameless])["ingest"]["duplicate"] == 1
    assert empty.run("stats")["stats"]["events"] == 1


def test_stats(api: Api) -> None:
    assert api.run("stats")["stats"] == {
        "events": 11,
        "identifiers": 12,
        "observations": 20,
        "persons": 4,
        "largestPerson": 4,
        "hubs": 0,
        "suppressedLinks": api.run("stats")["stats"]["suppressedLinks"],
        "segments": 1,
        "quarantined": 0,
    }
    assert api.run("stats")["stats"]["suppressedLinks"] > 0


def test_identifier(api: Api) -> None:
    found = api.run("identifier", by={"namespace": "email", "value": "Ann@Example.org"})["identifier"]
    assert found["key"] == f"email:{ANN}"
    assert (found["firstSeen"], found["lastSeen"]) == ("2025-12-01T10:10:00Z", "2025-12-20T09:00:00Z")
    assert (found["observations"], found["sources"]) == (3, ["orders", "web"])
    assert found["pruned"] is None
    assert found["person"] == {"id": api.person_id(ANN)}
    junk = api.run("identifier", by={"namespace": "anonymous_id", "value": "anonymous"})["identifier"]
    assert junk["pruned"]["code"] == "BLOCKED"
    assert junk["person"] is None
    assert api.run("identifier", by={"namespace": "email", "value": "nobody@example.org"})["identifier"] is None


def test_runs_and_run(api: Api) -> None:
    page = api.run("runs", first=2)["runs"]
    assert [run["kind"] for run in page["nodes"]] == ["resolve", "ingest"]
    rest = api.run("runs", after=page["pageInfo"]["endCursor"])["runs"]["nodes"]
    assert len(rest) == 2
    load = rest[-1]
    assert load["read"] == load["accepted"] + load["duplicate"] + load["quarantined"] + load["suppressed"] == 10
    assert api.run("run", id=load["id"])["run"]["kind"] == load["kind"]
    assert api.run("run", id="unknown")["run"] is None


def test_quarantine_and_replay_quarantine(api: Api, clock: Clock) -> None:
    reused = EVENTS[0] | {"name": "Another Name"}
    run = api.run("ingest", events=[reused])["ingest"]
    assert (run["accepted"], run["quarantined"]) == (0, 1)
    (record,) = api.run("quarantine")["quarantine"]["nodes"]
    assert record["reason"]["code"] == "ID_REUSE"
    assert "within = 'source'" in record["help"], "two tables that both count from 1 are the usual reason"
    assert record["run"]["id"] == run["id"]
    assert "Another Name" in record["record"]
    assert api.run("quarantine", code="NOT_JSON")["quarantine"]["nodes"] == []
    replayed = api.run("replay_quarantine", ids=[record["id"]])["replayQuarantine"]
    assert (replayed["read"], replayed["quarantined"]) == (1, 1)
    assert api.refusal(operation_text("replay_quarantine"), {"ids": ["a1"]}) == "QUARANTINE_UNKNOWN"


def test_activate_and_send_again(api: Api, tmp_path: Path) -> None:
    (tmp_path / "places.toml").write_text(
        '[file]\nsegment = "vip"\nfile = "vip.csv"\n'
        '[away]\nsegment = "vip"\nurl = "http://127.0.0.1:9/"\nsecret_file = "secret"\nattempts = 1\n'
    )
    graph = api.graph
    graph.activation = Activation(
        graph.store, graph.people, graph.allowed, graph.clock, graph.new_id, tmp_path / "places.toml"
    )
    assert api.run("activate", destination="file")["activate"] == {
        "delivered": 1,
        "setAside": 0,
        "trouble": "",
        "dueAt": None,
    }
    assert api.person_id(ANN) in (tmp_path / "vip.csv").read_text()
    away = api.run("activate", destination="away")["activate"]
    assert (away["delivered"], away["setAside"]) == (0, 1) and away["trouble"].startswith("the connection failed")
    (letter,) = graph.activation.dead_letters()
    assert api.run("send_again", ids=[letter.id])["sendAgain"] == away == api.run("send_again")["sendAgain"]
    assert api.refusal(operation_text("send_again"), {"ids": ["none"]}) == "DEAD_LETTER_UNKNOWN"
    assert api.refusal(operation_text("activate"), {"destination": "none"}) == "DESTINATION_UNKNOWN"


def test_node(api: Api) -> None:
    ann = api.person_id(ANN)
    assert api.run("node", id=ann)["node"]["__typename"] == "Person"
    found = api.run("node", id="a3")["node"]
    assert (found["__typename"], found["name"], found["person"]) == ("Event", "Order Completed", {"id": ann})
    (segment,) = api.run("segments")["segments"]
    assert api.run("node", id=segment["id"])["node"]["size"] == 1
    (run,) = api.run("runs", first=1)["runs"]["nodes"]
    assert api.run("node", id=run["id"])["node"] | {"id": ""} == {
        "__typename": "Run",
        "id": "",
        "kind": "resolve",
        "state": "DONE",
    }
    api.run("ingest", events=[EVENTS[0] | {"name": "Another Name"}])
    (record,) = api.run("quarantine")["quarantine"]["nodes"]
    assert api.run("node", id=record["id"])["node"]["reason"] == {"code": "ID_REUSE"}
    for unknown in ("unknown", "segment:unknown", "quarantine:99", "quarantine:", "\0", ""):
        assert api.run("node", id=unknown)["node"] is None


def test_a_retired_id_answers_with_the_survivor(api: Api) -> None:
    ((old, survivor),) = api.retired.items()
    found = api.ask(
        "query ($id: ID!) { person(by: {id: $id}) { id requestedId changes { nodes { kind } } } }", {"id": old}
    )["person"]
    assert (found["id"], found["requestedId"]) == (survivor, old)
    assert [change["kind"] for change in found["changes"]["nodes"]] == ["CREATED", "MERGED"]


def test_person_as_of(api: Api) -> None:
    then = api.run("person_as_of", by=email_of(ANN), view={"asOf": "2025-12-02T12:00:00Z"})["person"]
    assert (then["journey"]["totalCount"], then["profile"]["values"]["plan"], then["segments"]) == (3, "free", [])


def test_link_and_unlink(api: Api, clock: Clock) -> None:
    two = {"a": {"namespace": "user_id", "value": "u1"}, "b": {"namespace": "user_id", "value": "u2"}}
    assert api.run("explain", **two)["explain"]["samePerson"] is False
    assert api.run("link", **two, reason="one person with two logins")["link"]["samePerson"] is True
    clock.tick()
    found = api.run("unlink", **two, reason="they are not")["unlink"]
    assert found["samePerson"] is False and found["obstacles"][0]["code"] == "CANNOT_LINK"
    after = api.run("merge_support", by=email_of(ANN))["person"]
    assert [part["key"] for part in after["splitInto"]] == ["user_id:u2"]
    assert after["changes"]["nodes"][-1]["kind"] == "SPLIT"


def test_merge_support(api: Api, clock: Clock) -> None:
    ((old, survivor),) = api.retired.items()
    carol = api.run("merge_support", by=email_of(CAROL))["person"]
    assert [node["key"] for node in carol["graph"]["nodes"]] == [
        "anonymous_id:x9",
        f"email:{CAROL}",
        "loyalty_id:L77",
    ]
    assert len(carol["graph"]["links"]) == 2 and carol["splitInto"] == []

    joined = {"a": {"namespace": "email", "value": CAROL}, "b": {"namespace": "loyalty_id", "value": "L-77"}}
    clock.tick()
    api.run("unlink", **joined, reason="her sister's card")
    parts = {api.person_id(CAROL), api.run("identifier", by=joined["b"])["identifier"]["person"]["id"]}
    for asked in (old, survivor):
        found = api.run("merge_support", by={"id": asked})["person"]
        assert {found["id"], *(part["id"] for part in found["splitInto"])} == parts

    # Who shares a tablet is drawn with the link that was suppressed, and without it when nobody asks for such.
    ann = api.run("merge_support", by=email_of(ANN))["person"]["graph"]
    kept = api.run("merge_support", by=email_of(ANN), includeSuppressed=False)["person"]["graph"]
    assert {link["suppressed"] is None for link in ann["links"]} == {True, False}
    assert all(link["suppressed"] is None for link in kept["links"])
    assert {node["person"]["id"] for node in kept["nodes"]} == {api.person_id(ANN)}


def test_merge_suggestions(api: Api, clock: Clock) -> None:
    """Ann and Bob share a tablet, and a person has one user_id."""
    ann, bob = api.person_id(ANN), api.person_id(BOB)
    (found,) = api.run("merge_suggestions", by=email_of(ANN))["person"]["mergeSuggestions"]
    assert (found["person"]["id"], found["person"]["profile"]["values"]["first_name"]) == (bob, "Bob")
    assert found["weight"] == max(link["weight"] for link in found["links"])
    assert {link["suppressed"]["code"] for link in found["links"]} == {"LIMIT"}
    (other,) = api.run("merge_suggestions", by=email_of(BOB))["person"]["mergeSuggestions"]
    assert (other["person"]["id"], other["links"]) == (ann, found["links"])
    assert api.run("merge_suggestions", by=email_of(CAROL))["person"]["mergeSuggestions"] == []
    two = {"a": {"namespace": "user_id", "value": "u1"}, "b": {"namespace": "user_id", "value": "u2"}}
    clock.tick()
    api.run("unlink", **two, reason="a couple")
    assert api.run("merge_suggestions", by=email_of(ANN))["person"]["mergeSuggestions"] == []
    drawn = api.run("merge_support", by=email_of(ANN))["person"]["graph"]
    kinds = {(link["a"]["key"], link["b"]["key"]): link["kind"] for link in drawn["links"]}
    assert kinds["user_id:u1", "user_id:u2"] == "CANNOT" and "user_id:u2" in [node["key"] for node in drawn["nodes"]]
    clock.tick()
    api.run("link", **two, reason="one after all")
    assert api.run("merge_suggestions", by=email_of(ANN))["person"]["mergeSuggestions"] == []
    assert api.person_id(ANN) == api.person_id(BOB)
