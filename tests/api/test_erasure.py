"""The operations of privacy officers, run against each store: what they answer."""

from __future__ import annotations

import pytest

from tests.api.conftest import ANN, BOB, EVENTS, Api, email_of, operation_text

pytestmark = pytest.mark.usefixtures("each_store")


def test_preview_erasure_and_erase(api: Api) -> None:
    preview = api.run("preview_erasure", by=email_of(ANN))["previewErasure"]
    assert preview["person"] == {"id": api.person_id(ANN)}
    assert preview["events"] == 6
    assert [one["key"] for one in preview["shared"]] == ["device_id:tablet"]
    assert f"email:{ANN}" in [one["key"] for one in preview["exclusive"]]
    assert preview["segments"] == [{"name": "vip"}]

    assert preview["kept"] is None
    tablet = {"namespace": "device_id", "value": "tablet"}
    asked = api.run("preview_erasure", by={"identifier": tablet})["previewErasure"]
    assert (asked["person"]["id"], asked["kept"]) == (api.person_id(BOB), {"key": "device_id:tablet"})
    assert api.run("preview_erasure", by=asked["person"])["previewErasure"]["kept"] is None

    exact = api.run("preview_erasure", by=email_of(ANN), scope="EXACT")["previewErasure"]
    assert (exact["scope"], exact["exclusive"]) == ("EXACT", [{"key": f"email:{ANN}"}])
    assert 0 < exact["events"] < preview["events"] and exact["segments"] == []
    variables = {"by": preview["person"], "scope": "EXACT"}
    assert api.refusal(operation_text("preview_erasure"), variables) == "SCOPE_INVALID"
    for token in (preview["person"]["id"] + "." + "9" * 5000 + ".x", exact["token"].replace(".", ".1", 1), "..", ""):
        assert api.refusal(operation_text("erase"), {"token": token}) == "TOKEN_INVALID"

    assert preview["contested"] == [{"key": "device_id:tablet"}]
    refused = {"token": preview["token"], "shared": "REFUSE"}
    assert api.refusal(operation_text("erase"), refused) == "IDENTIFIERS_SHARED"
    receipt = api.run("erase", token=preview["token"])["erase"]
    assert receipt["id"] and receipt["document"]["requestedIdentifierKept"] is False
    assert ANN not in str(receipt["document"])
    assert api.run("person_by_email", email=ANN)["person"] is None
    assert api.run("node", id="a1")["node"] is None
    assert api.run("ingest", events=EVENTS)["ingest"] | {"id": ""} == {
        "id": "",
        "state": "DONE",
        "read": 10,
        "accepted": 0,
        "duplicate": 4,
        "quarantined": 0,
        "suppressed": 6,
    }
    assert api.refusal(operation_text("erase"), {"token": preview["token"]}) == "TOKEN_INVALID"
    assert api.run("preview_erasure", by=email_of(ANN))["previewErasure"] is None


def test_restrict_and_unrestrict_and_restrictions(api: Api) -> None:
    id = api.person_id(ANN)
    before = api.run("persons_page", first=100)
    held = api.run("restrict", by=email_of(ANN))["restrict"]
    assert held["personId"] == id and held["identifiers"] > 0
    assert api.run("restrictions")["restrictions"] == [held]
    assert api.run("person_by_email", email=ANN)["person"] is None
    assert api.run("people", by=[{"id": id}])["people"] == [None] and api.run("node", id="a1")["node"] is None
    assert api.run("persons_page", first=100)["persons"]["totalCount"] == before["persons"]["totalCount"] - 1
    assert api.run("segment_members", name="vip", person={"id": id})["segment"]["contains"] is False
    preview = api.run("preview_erasure", by=email_of(ANN))["previewErasure"]
    assert preview["token"] and preview["person"] is None, "who is not known to be a privacy officer sees no more of it"
    assert api.run("unrestrict", by={"id": id})["unrestrict"] is True
    assert api.run("unrestrict", by={"id": id})["unrestrict"] is False
    assert api.run("restrict", by=email_of("nobody@example.org"))["restrict"] is None
    assert api.run("persons_page", first=100) == before


def test_erase_all_and_resume_erasures(api: Api) -> None:
    assert api.run("resume_erasures")["resumeErasures"] == []
    token = api.run("preview_erasure", by=email_of(ANN))["previewErasure"]["token"]
    (shares,) = api.run("erase_all", tokens=[token], shared="REFUSE")["eraseAll"]
    assert shares == {"state": "REFUSED", "code": "IDENTIFIERS_SHARED", "receipt": None}
    refused, erased, again = api.run("erase_all", tokens=["nonsense", token, token])["eraseAll"]
    assert refused == again == {"state": "REFUSED", "code": "TOKEN_INVALID", "receipt": None}
    assert (erased["state"], erased["code"]) == ("SCRUBBED", None) and erased["receipt"]["document"]["verified"]
    assert api.refusal(operation_text("erase_all"), {"tokens": [token] * 101}) == "BATCH_TOO_LARGE"
    token = api.run("preview_erasure", by=email_of(BOB))["previewErasure"]["token"]
    api.graph.forget._request(token)  # and then it was killed
    (resumed,) = api.run("resume_erasures")["resumeErasures"]
    assert resumed["state"] == "SCRUBBED" and resumed["receipt"]["document"]["verified"]
    assert api.run("person_by_email", email=BOB)["person"] is None


def test_unsuppress(api: Api) -> None:
    identifier = {"namespace": "email", "value": ANN}
    assert api.run("unsuppress", identifier=identifier)["unsuppress"] is False
    api.run("erase", token=api.run("preview_erasure", by=email_of(ANN))["previewErasure"]["token"])
    new = EVENTS[0] | {"id": "new", "identifiers": [identifier]}
    assert api.run("ingest", events=[new])["ingest"]["suppressed"] == 1
    assert api.run("unsuppress", identifier=identifier)["unsuppress"] is True
    assert api.run("ingest", events=[new])["ingest"]["accepted"] == 1
