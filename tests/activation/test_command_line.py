"""`identity-graph activate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from tests.activation.conftest import PRO, pros
from tests.activation.receiver import SECRET, Receiver
from tests.cli.calling import answer, failure, run


@pytest.fixture
def url(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    found = f"sqlite:///{tmp_path / 'people.db'}"
    with IdentityGraph.open(found) as graph:
        graph.segments.save("pros", "", PRO)
        graph.ingest.events(pros(1, 2))
        graph.resolver.resolve()
    Path("places.toml").write_text(
        f'[hook]\nsegment = "pros"\nurl = "{receiver.url}/hooks/T0K3N"\nsecret_file = "hook.secret"\n'
        'first_wait = 0.01\nattempts = 2\n\n[file]\nsegment = "pros"\nfile = "out/pros.csv"\n'
    )
    Path("hook.secret").write_text(SECRET + "\n")
    monkeypatch.setenv("IDENTITY_GRAPH_STORE", found)
    monkeypatch.setenv("IDENTITY_GRAPH_DESTINATIONS", "places.toml")
    return found


@pytest.mark.usefixtures("url")
def test_a_segment_to_a_file() -> None:
    said = run("activate", "file", "pros", "pros.jsonl", "--identifiers", "email", "--trait", "plan")
    assert said.stdout == "2 persons in pros.jsonl\n"
    assert Path("pros.jsonl").read_text().count('"plan":"pro"') == 2
    assert answer("activate", "file", "pros", "ads.csv", "--audience", "meta") == {"file": "ads.csv", "persons": 2}
    assert failure("activate", "file", "none", "x.csv", status=7) == "SEGMENT_UNKNOWN"
    assert failure("activate", "file", "pros", "x.xls", status=2) == "DESTINATION_INVALID"
    assert run("activate", "file", "pros", "x.csv", "--audience", "meta", "--trait", "plan", status=2)
    assert not Path("x.csv").exists()


@pytest.mark.usefixtures("url")
def test_destinations(receiver: Receiver) -> None:
    assert [row["messages"] for row in answer("activate", "list")] == [0, 0]
    found = answer("activate", "run")
    assert [(one["destination"], one["delivered"]) for one in found] == [("hook", 2), ("file", 2)]
    assert len(Path("out/pros.csv").read_text().splitlines()) == 3
    listed = run("activate", "list")
    assert "http://127.0.0.1" in listed.stdout and "T0K3N" not in listed.stdout
    assert [row["messages"] for row in answer("activate", "list")] == [1, 0]
    assert answer("activate", "run", "hook")[0]["delivered"] == 0 and len(receiver.got) == 1
    assert failure("activate", "run", "none", status=7) == "DESTINATION_UNKNOWN"


def test_dead_letters(url: str, receiver: Receiver) -> None:
    receiver.next += [500, 302, 500]
    refused = run("activate", "run", "hook", status=11)
    assert refused.stderr.startswith("DELIVERY_FAILED: hook: the answer was 302")
    (letter,) = answer("activate", "failed")
    assert (letter["attempts"], letter["trouble"]) == (2, "the answer was 302")
    assert "the answer was 302" in run("activate", "failed").stdout
    assert run("activate", "retry", letter["id"], status=11)
    assert answer("activate", "retry")[0]["delivered"] == 2
    assert set(receiver.ids) == {letter["id"]} and answer("activate", "failed") == []
    assert failure("activate", "retry", letter["id"], status=7) == "DEAD_LETTER_UNKNOWN"
    told = Path(url.removeprefix("sqlite:///")).read_bytes()
    assert b"T0K3N" not in told and SECRET[6:].encode() not in told


@pytest.mark.usefixtures("url")
def test_a_secret_that_is_none_is_not_shown() -> None:
    Path("hook.secret").write_text("hunter2")
    refused = run("activate", "run", "hook", status=2)
    assert "DESTINATION_INVALID" in refused.stderr and "hunter2" not in refused.stderr
