"""Our own service as its user runs it: killed anywhere, with nothing left of whom it erased, and on record."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.audit import entries
from identity_graph.cli import app
from identity_graph.opendsr.asked import MOST_CALLBACKS
from tests.cli.calling import RUNNER
from tests.opendsr.authority import Authority
from tests.opendsr.conftest import EMAIL, processing, zoe
from tests.opendsr.controller import Receiver, waited
from tests.story.worlds import event, household

ENDED = {"completed", "cancelled"}


@pytest.fixture
def peopled(shared_url: str) -> str:
    with IdentityGraph.open(shared_url) as graph:
        graph.ingest.events([*zoe(), *household()])
        graph.resolver.resolve()
    return shared_url


def test_killed_again_and_again(peopled: str, receiver: Receiver, tmp_path: Path) -> None:
    """Whatever was acknowledged is done, and told, once a server lives long enough."""
    dice = random.Random(11)
    names = [("email", EMAIL), *(("email", f"{name}@example.org") for name in ("ned", "oli"))]
    sent: list[str] = []
    receiver.next += [503] * 4
    for type_, value in names:
        with processing(peopled, tmp_path, pending="0s") as (server, controller):
            identity = {"identity_type": type_, "identity_value": value, "identity_format": "raw"}
            answer = controller.send(subject_identities=[identity], status_callback_urls=[f"{receiver.url}/x"])
            assert answer.status == 201
            sent.append(answer.json["subject_request_id"])
            time.sleep(dice.random())
            server.kill()
    with processing(peopled, tmp_path, pending="0s") as (_, controller):
        for id in sent:
            controller.until(id, "completed")
            waited(lambda id=id: "completed" in receiver.told(id))  # type: ignore[misc]
            told = receiver.told(id)
            assert told == ["pending", "in_progress", "completed"]
            receipts = controller.ask("GET", f"/results/{id}").json["results"]
            assert len(receipts) == 1 and receipts[0]["events"] > 0
    with IdentityGraph.open(peopled) as graph:
        assert graph.people.count() == 1 and graph.store.erasures.open() == []
        assert graph.store.subject_requests.due(2**60) == []


@pytest.mark.parametrize("ending", ["completed", "cancelled"])
def test_no_file_holds_whom_a_finished_request_was_about(tmp_path: Path, ending: str) -> None:
    """While somebody has the store open: SQLite would remove its log at the last close."""
    store = tmp_path / "people.db"
    secrets = [b"somebody.of.no.account", b"Somebody.Of.No.Account"]
    with IdentityGraph.open(f"sqlite:///{store}") as graph:
        graph.ingest.events(household())
        graph.resolver.resolve()

    def held() -> set[str]:
        return {
            path.name
            for path in tmp_path.rglob("*")
            if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
        }

    pending = "0s" if ending == "completed" else "1 hour"
    with processing(f"sqlite:///{store}", tmp_path, pending=pending) as (server, controller):
        identity = dict(controller.identity) | {"identity_value": "Somebody.Of.No.Account@example.org"}
        id = controller.send(subject_identities=[identity], subject_request_type="access").json["subject_request_id"]
        if ending == "cancelled":
            assert held(), "the scan must find what is there"
            controller.ask("DELETE", f"/requests/{id}")
        controller.until(id, ending)
        waited(lambda: not held())
        server.stop()
    assert held() == set()


def test_a_privacy_officer_decides_by_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = f"sqlite:///{tmp_path / 'people.db'}"
    with IdentityGraph.open(store) as graph:
        graph.ingest.events([*zoe(), event("n1", 9, "user_id:neil", "phone:+15550100444")])
        graph.resolver.resolve()
    with processing(store, tmp_path, pending="0s", shared="refuse") as (_, controller):
        id = controller.send().json["subject_request_id"]
        monkeypatch.setenv("IDENTITY_GRAPH_OPENDSR", str(tmp_path / "opendsr.toml"))

        def troubles() -> list[str | None]:
            listed = RUNNER.invoke(app, ["opendsr", "list", "--json", "--store", store])
            return [one["trouble"] for one in json.loads(listed.stdout)]

        waited(lambda: troubles() == ["IDENTIFIERS_SHARED"])
        assert controller.status(id)["request_status"] == "in_progress"
        decide = ["opendsr", "decide", "--store", store, "--shared", "detach"]
        assert RUNNER.invoke(app, [*decide, id]).stdout == f"{id}  in_progress\n"
        controller.until(id, "completed")
        assert troubles() == [None]
        for undue, code in ((id, "DECISION_UNDUE"), ("none", "SUBJECT_REQUEST_UNKNOWN")):
            assert code in RUNNER.invoke(app, [*decide, undue]).stderr


def test_what_is_done_is_recorded_in_the_name_of_the_controller(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'people.db'}"
    with IdentityGraph.open(store) as graph:
        graph.ingest.events(zoe())
        graph.resolver.resolve()
    with processing(store, tmp_path, pending="0s") as (_, controller):
        sent = controller.send().json
        controller.until(sent["subject_request_id"], "completed")
        log = tmp_path / "audit.jsonl"
        waited(lambda: [one for one in entries(log) if one["outcome"] == "done" and one["action"] == "opendsr erasure"])
        assert {one["target"] for one in entries(log) if one["outcome"] == "done"} == {sent["subject_request_id"]}
        found = [(one["actor"], one["action"], one["outcome"]) for one in entries(log) if "GET" not in one["action"]]
        who = sent["controller_id"]
        assert who.startswith("key ")
        assert found[:1] == [(who, "POST /opendsr/v2/requests", "begun")]
        assert (who, "POST /opendsr/v2/requests", "done") in found
        assert [one for one in found if one[1] == "opendsr erasure"] == [
            (who, "opendsr erasure", "begun"),
            (who, "opendsr erasure", "done"),
        ]
        assert EMAIL not in log.read_text()


def test_callbacks_go_nowhere_else(tmp_path: Path) -> None:
    """Hosts that are named; where none are, the internet by https, and no address that leads inside."""
    Authority().equip(tmp_path, "localhost")
    with processing(f"sqlite:///{tmp_path / 'people.db'}", tmp_path) as (_, controller):
        for url in ("http://localhost:9/x", "https://example.org/x", "http://[::1]/x", "http://127.0.0.2/x"):
            assert controller.refused(controller.send(status_callback_urls=[url])) == "SUBJECT_REQUEST_INVALID"
        many = [f"http://127.0.0.1/{n}" for n in range(MOST_CALLBACKS + 1)]
        assert controller.refused(controller.send(status_callback_urls=many)) == "SUBJECT_REQUEST_INVALID"
