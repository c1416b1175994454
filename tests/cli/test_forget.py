"""forget: shows, asks, erases, proves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.world import NAMES
from tests.cli.calling import answer, failure, on_terminal, run


def test_forget_shows_before_it_erases(copied: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    before = run("digest", "--store", copied).stdout
    preview = answer("forget", "--store", copied, key, "--preview")
    assert preview["personId"] == person_id and preview["exclusive"] and preview["events"] > 0
    words = run("forget", "--store", copied, key, "--preview").stdout
    assert all(f"goes   {one}" in words for one in preview["exclusive"])
    assert "--yes" in run("forget", "--store", copied, key, status=2).stderr
    assert run("digest", "--store", copied).stdout == before


def test_forget_erases_and_writes_a_receipt(copied: str, events: Path, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    exclusive = answer("forget", "--store", copied, key, "--preview")["exclusive"]
    done = answer("forget", "--store", copied, key, "--yes")
    receipt = Path(done["receipt"])
    assert receipt.parent == Path() and re.fullmatch(r"receipt-[0-9a-f-]{36}\.json", receipt.name)
    text = receipt.read_text()
    assert json.loads(text) == done["document"] and done["document"]["verified"]
    assert not [one for one in exclusive if one.partition(":")[2] in text]
    for gone in (person_id, *exclusive):
        assert failure("person", "--store", copied, gone, status=7) == "PERSON_UNKNOWN"
    assert failure("forget", "--store", copied, person_id, "--yes", status=7) == "PERSON_UNKNOWN"
    again = [answer("load", "--store", copied, "-l", s, events / n)["total"]["suppressed"] for s, n in NAMES.items()]
    assert sum(again) >= done["document"]["events"]
    run("resolve", "--store", copied)
    for gone in (person_id, *exclusive):
        assert failure("person", "--store", copied, gone, status=7) == "PERSON_UNKNOWN"


def test_forget_does_not_publish_under_other_rules(copied: str, member: tuple[str, str, str]) -> None:
    Path("strict.toml").write_text("min_weight = 1.0\n")
    run("resolve", "--store", copied, "--policy", "strict.toml")
    before = run("digest", "--store", copied).stdout
    for way in ("--preview", "--yes"):
        assert failure("forget", "--store", copied, member[1], way, status=4) == "POLICY_DIFFERS"
    assert run("digest", "--store", copied).stdout == before
    assert answer("forget", "--store", copied, member[1], "--preview", "--policy", "strict.toml")["personId"]


def test_forget_warns_when_the_key_that_was_asked_for_stays() -> None:
    def line(id: int, **identifiers: str) -> str:
        return json.dumps({"id": id, "time": "2026-01-01", "name": "Seen", "identifiers": identifiers}) + "\n"

    lines = [line(1, user_id="xavier", email="x@example.org"), line(2, user_id="xavier", email="x@example.org")]
    lines.append(line(3, user_id="yann", email="x@example.org"))
    Path("e.jsonl").write_text("".join(lines))
    run("load", "-l", "events", "e.jsonl")
    run("resolve")
    key = "email:x@example.org"
    assert answer("forget", key, "--preview")["kept"] == key
    assert answer("forget", "user_id:xavier", "--preview")["kept"] is None
    assert f"{key} itself stays" in run("forget", key, "--preview").stdout
    assert "itself stays" not in run("forget", "user_id:xavier", "--preview").stdout
    assert f"stays  {key} (of other people)" in run("forget", "user_id:xavier", "--preview").stdout
    assert failure("forget", key, "--yes", "--shared", "refuse", status=3) == "IDENTIFIERS_SHARED"
    Path("people.txt").write_text("user_id:xavier\n")
    refused = answer("forget", "batch", "people.txt", "--yes", "--shared", "refuse")
    assert (refused["erased"], refused["refused"]) == (0, 1)
    done = run("forget", key, "--yes", "--receipt", "r.json")
    yann = answer("person", key)["id"]
    assert f"{key} is kept" in done.stderr and f"person {yann}" in done.stderr
    assert json.loads(Path("r.json").read_text())["requestedIdentifierKept"] is True
    assert "is kept" not in run("forget", key, "--yes").stderr


def test_forget_of_one_identifier_leaves_the_rest(copied: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    exact = ("--store", copied, key, "--scope", "exact")
    assert failure("forget", "--store", copied, person_id, "--scope", "exact", "--preview", status=3) == "SCOPE_INVALID"
    whole, preview = answer("forget", "--store", copied, key, "--preview"), answer("forget", *exact, "--preview")
    assert (whole["scope"], preview["scope"], preview["exclusive"]) == ("CONNECTED", "EXACT", [key])
    assert preview["segments"] == [] and 0 < preview["events"] < whole["events"]
    shown = answer("disclose", *exact)
    assert len(shown["events"]) == preview["events"] and all(key in one["identifiers"] for one in shown["events"])
    done = answer("forget", *exact, "--yes")["document"]
    assert (done["scope"], done["identifiersErased"]) == ("EXACT", 1 + len(preview["beside"]))
    assert failure("person", "--store", copied, key, status=7) == "PERSON_UNKNOWN"
    assert answer("person", "--store", copied, person_id)["id"] == person_id


def test_a_restricted_person_is_found_by_forget_alone(copied: str, member: tuple[str, str, str]) -> None:
    person_id, key, _ = member
    store = ("--store", copied)
    assert answer("forget", "restrict", *store, key)["personId"] == person_id
    assert [one["personId"] for one in answer("forget", "restricted", *store)] == [person_id]
    assert person_id in run("forget", "restricted", *store).stdout
    assert failure("person", *store, key, status=7) == "PERSON_UNKNOWN"
    assert person_id not in run("persons", *store, "--format", "csv").stdout
    assert answer("forget", *store, key, "--preview")["personId"] == answer("disclose", *store, key)["personId"]
    assert answer("forget", "unrestrict", *store, key)["unrestricted"] is True
    assert "was not restricted" in run("forget", "unrestrict", *store, person_id).stdout
    assert answer("person", *store, key)["id"] == person_id
    assert failure("forget", "restrict", *store, "email:nobody@example.org", status=7) == "PERSON_UNKNOWN"


def test_what_was_interrupted_is_finished(copied: str, member: tuple[str, str, str]) -> None:
    assert run("forget", "resume", "--store", copied).stdout == "Nothing was interrupted.\n"
    with IdentityGraph.open(copied) as graph:
        preview = graph.forget.preview(member[0])
        assert preview
        request = graph.forget._request(preview.token)
    (found,) = answer("forget", "resume", "--store", copied)
    assert found == {"receipt": request.id, "personId": member[0], "state": "SCRUBBED", "code": None}


def test_a_file_of_people_is_erased(copied: str, member: tuple[str, str, str]) -> None:
    Path("people.txt").write_text(f"{member[1]}\n{member[2]}\nemail:nobody@example.org\n")
    assert "--yes" in run("forget", "batch", "--store", copied, "people.txt", status=2).stderr
    done = answer("forget", "batch", "--store", copied, "people.txt", "--yes", "--results", "results.jsonl")
    assert (done["lines"], done["erased"], done["refused"]) == (3, 1, 2)
    rows = [json.loads(line) for line in Path("results.jsonl").read_text().splitlines()]
    assert [(one["line"], one["state"], one["code"]) for one in rows] == [
        (1, "SCRUBBED", None),
        (2, "REFUSED", "PERSON_UNKNOWN"),  # the same person
        (3, "REFUSED", "PERSON_UNKNOWN"),
    ]
    assert rows[0]["receipt"]["signature"]
    again = run("forget", "batch", "--store", copied, "people.txt", "--yes", "--results", "results.jsonl", status=3)
    assert "OUTPUT_FAILED" in again.stderr
    assert run("forget", "batch", "--store", copied, "people.txt", "--yes").stdout.startswith("3 lines: 1 erased")
    for key in member[1:]:
        assert answer("forget", "unsuppress", "--store", copied, key)["unsuppressed"] is True
    assert run("forget", "unsuppress", "--store", copied, member[1]).stdout == "It was not suppressed.\n"


def test_forget_does_not_begin_what_it_cannot_prove(copied: str, member: tuple[str, str, str]) -> None:
    before = run("digest", "--store", copied).stdout
    for place in ("no/such/folder/receipt.json", "."):
        run("forget", "--store", copied, member[1], "--yes", "--receipt", place, status=2)
    assert run("digest", "--store", copied).stdout == before
    run("forget", "--store", copied, member[1], "--yes", "--receipt", "proof.json")
    assert json.loads(Path("proof.json").read_text())["personId"] == member[0]


def test_a_receipt_that_cannot_be_written_is_shown(copied: str, member: tuple[str, str, str]) -> None:
    """The disk is full, which is only seen when the person is gone already."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here, the device that a write to always fails")
    result = run("forget", "--store", copied, member[1], "--yes", "--receipt", full, status=3)
    assert json.loads(result.stdout)["personId"] == member[0]
    assert "OUTPUT_FAILED: /dev/full" in result.stderr


@pytest.mark.parametrize(("typed", "status"), [("n\n", 1), ("y\n", 0)])
def test_forget_asks_on_a_terminal(copied: str, member: tuple[str, str, str], typed: str, status: int) -> None:
    ended, shown = on_terminal("forget", "--store", copied, member[1], "--receipt", "r.json", typed=typed)
    assert ended == status, shown
    assert member[1] in shown and "Erase this person for ever?" in shown
    assert Path("r.json").exists() == (status == 0)


def test_a_receipt_can_be_checked_without_the_store(copied: str, member: tuple[str, str, str]) -> None:
    done = answer("forget", "person", "--store", copied, member[1], "--yes")
    receipt, public = done["receipt"], Path("public.pem")
    public.write_text(run("forget", "public-key").stdout)
    found = answer("forget", "verify", receipt, "--key", str(public))
    assert done["document"] == found | {"signature": done["document"]["signature"]}
    assert run("forget", "verify", receipt, "--key", str(public)).stdout.startswith("Valid: ")
    of_store = ("forget", "verify", receipt, "--key", str(public), "--recorded", "--store")
    assert answer(*of_store, copied) == found
    run("demo", "--keep", "elsewhere.db", "--people", "10")
    assert failure(*of_store, "sqlite:///elsewhere.db", status=3) == "RECEIPT_UNKNOWN"
    text = Path(receipt).read_text()
    Path("other.json").write_text(text.replace('"verified": true', '"verified": false'))
    assert failure("forget", "verify", "other.json", "--key", str(public), status=3) == "SIGNATURE_INVALID"
    assert failure("forget", "verify", "nowhere.json", "--key", str(public), status=3) == "SOURCE_MISSING"
    assert failure("forget", "verify", receipt, "--key", receipt, status=2) == "SIGNING_KEY"


def test_nobody_is_erased_where_the_receipt_could_not_be_signed(
    copied: str, member: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run("digest", "--store", copied).stdout
    Path("wrong.pem").write_text("no key")
    monkeypatch.setenv("IDENTITY_GRAPH_SIGNING_KEY", "wrong.pem")
    assert failure("forget", "--store", copied, member[1], "--yes", status=2) == "SIGNING_KEY"
    assert run("digest", "--store", copied).stdout == before


def test_a_new_key_is_put_before_the_old_one(copied: str, member: tuple[str, str, str]) -> None:
    _, key, _ = member
    run("forget", key, "--store", copied, "--yes")
    place = Path(f"{copied.removeprefix('sqlite:///')}.key")
    old = place.read_bytes()
    made = answer("forget", "new-key", "--store", copied)
    assert made == {"key": str(place)}
    assert place.read_bytes()[32:] == old and place.stat().st_mode & 0o777 == 0o600
    found = answer("digest", "--store", copied)
    assert len(found["events"]) == 64
    place.write_bytes(old)
    assert failure("forget", "new-key", "--store", copied, status=6) == "STORE_KEY"
