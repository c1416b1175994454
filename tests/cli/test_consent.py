"""consent and retention on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import answer, failure, run

POLICY = """
[purposes.ads]
[[retention]]
name = "Old"
keep = "400 days"
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three persons of two events each, one of them old; and the policy."""
    Path("policy.toml").write_text(POLICY)
    monkeypatch.setenv("IDENTITY_GRAPH_POLICY", "policy.toml")
    lines = []
    for user in ("ann", "bob", "eve"):
        for name, time in (("Old", "2020-01-01"), ("Seen", "2026-01-01")):
            names = {"user_id": user, "cookie": f"{user}-{name}"}
            lines.append({"id": f"{user}{name}", "time": time, "name": name, "identifiers": names})
    Path("e.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("load", "-l", "events", "e.jsonl")
    run("resolve")


def test_who_said_no_is_in_no_answer_for_the_purpose(store: None) -> None:
    Path("all.json").write_text('{"identifier": {"namespace": "user_id"}}')
    run("segment", "save", "all", "all.json")
    ann = answer("person", "user_id:ann")["id"]
    assert failure("person", "user_id:ann", "--purpose", "ads", status=7) == "PERSON_UNKNOWN"
    said = answer("consent", "state", "cookie:ann-Old", "ads", "granted", "--expires", "2099-01-01")
    assert said == {"key": "cookie:ann-Old", "purpose": "ads", "status": "GRANTED", "personId": ann}
    (shown,) = answer("consent", "show", "user_id:ann")
    assert shown.pop("time") and shown == {
        "purpose": "ads",
        "status": "GRANTED",
        "source": "manual",
        "expiresAt": "2099-01-01T00:00:00Z",
    }
    assert "GRANTED" in run("consent", "show", ann).stdout
    assert answer("person", "user_id:ann", "--purpose", "ads")["id"] == ann
    assert answer("segment", "members", "all", "--purpose", "ads") == [ann]
    assert len(answer("segment", "members", "all")) == 3
    assert answer("activate", "file", "all", "ads.csv", "--purpose", "ads", "-i", "user_id")["persons"] == 1
    assert "bob" not in Path("ads.csv").read_text()
    Path("places.toml").write_text('[ads]\nsegment = "all"\nfile = "placed.csv"\npurpose = "ads"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTITY_GRAPH_DESTINATIONS", "places.toml")
        assert answer("activate", "run")[0]["delivered"] == 1
        run("consent", "state", "user_id:ann", "ads", "revoked")
        assert answer("activate", "run")[0]["delivered"] == 0
    assert ann not in Path("placed.csv").read_text()
    disclosed = json.loads(run("disclose", "user_id:ann").stdout)
    assert [(one["purpose"], one["status"]) for one in disclosed["consents"]] == [("ads", "REVOKED")]
    run("disclose", "user_id:ann", "--format", "csv", "--output", "x")
    assert "REVOKED" in Path("x/consents.csv").read_text()


def test_what_cannot_be_said_is_refused(store: None) -> None:
    before = answer("digest")
    assert failure("consent", "state", "user_id:ann", "adz", "granted", status=3) == "PURPOSE_UNKNOWN"
    ended = ("consent", "state", "user_id:ann", "ads", "granted", "--expires", "2020-01-01")
    assert failure(*ended, status=3) == "CONSENT_INVALID"
    assert failure("consent", "state", "ann", "ads", "granted", status=3) == "KEY_INVALID"
    run("consent", "state", "user_id:ann", "ads", "perhaps", status=2)
    assert failure("consent", "show", "user_id:nobody", status=7) == "PERSON_UNKNOWN"
    assert failure("person", "user_id:ann", "--purpose", "ads", "--as-of", "2026-01-01", status=3) == "VIEW_INVALID"
    assert failure("activate", "file", "all", "x.csv", "--purpose", "adz", status=3) == "PURPOSE_UNKNOWN"
    assert answer("digest") == before
    assert "is nobody's now" in run("consent", "state", "user_id:anonymous", "ads", "denied").stdout


def test_old_events_are_shown_then_deleted(store: None) -> None:
    before = answer("digest")
    assert answer("retention", "sweep", "--dry-run") == [{"source": "events", "name": "Old", "events": 3}]
    assert "Old" in run("retention", "sweep", "--dry-run").stdout
    assert answer("digest") == before
    assert answer("retention", "sweep") == {"events": 3, "identifiers": 3, "persons": 0, "scrubbed": True}
    assert answer("retention", "sweep", "--dry-run") == []
    assert failure("person", "cookie:ann-Old", status=7) == "PERSON_UNKNOWN"
    Path("policy.toml").write_text("[purposes.ads]\n")
    assert failure("retention", "sweep", status=4) == "POLICY_VALUE"
