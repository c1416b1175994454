"""key create, list, revoke, rotate; serve with keys, and without; the role of who types."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.calling import ROOT, answer, failure, run
from tests.conftest import soon
from tests.tracking.serving import PATIENCE

KEY = re.compile(r"ig_[0-9a-f]{12}_[0-9a-f]{64}")


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDENTITY_GRAPH_KEYS", str(tmp_path / "keys.json"))
    return tmp_path / "keys.json"


@pytest.fixture
def admin(keys: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    text = run("key", "create", "--role", "admin", "--name", "me").stdout.strip()
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", text)
    return text


def test_a_key_is_printed_once(admin: str) -> None:
    assert KEY.fullmatch(admin)
    made = answer("key", "create", "--role", "analyst", "--name", "dash", "--expires", "90 days")
    assert KEY.fullmatch(made["key"]) and made["role"] == "analyst" and made["expires"] > made["created"]
    listed = run("key", "list").stdout
    assert made["id"] in listed and "dash" in listed and made["key"] not in listed
    assert made["key"].rpartition("_")[2] not in run("key", "list", "--json").stdout


def test_revoke_and_rotate(admin: str) -> None:
    made = answer("key", "create", "--role", "ingest")
    again = answer("key", "rotate", made["id"], "--overlap", "1 hour")
    assert again["role"] == "ingest" and again["id"] != made["id"]
    assert f"{again['id']} is revoked" in run("key", "revoke", again["id"]).stdout
    states = {found["id"]: found for found in answer("key", "list")}
    assert states[again["id"]]["state"] == "revoked"
    assert states[made["id"]]["state"] == "active" and states[made["id"]]["expires"]


def test_a_key_for_some_verbs_alone(admin: str, loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = answer("key", "create", "--role", "analyst", "--scope", "stats", "--scope", "Query.stats")
    assert made["scopes"] == ["Query.stats", "stats"] and "Query.stats, stats" in run("key", "list").stdout
    assert failure("key", "create", "--role", "analyst", "--scope", "forget person", status=10) == "SCOPE_UNKNOWN"
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", made["key"])
    assert answer("stats", "--store", loaded)["persons"] >= 0
    assert failure("segment", "list", "--store", loaded, status=10) == "FORBIDDEN"


def test_what_cannot_be(admin: str) -> None:
    assert failure("key", "create", "--role", "root", status=10) == "ROLE_UNKNOWN"
    assert failure("key", "revoke", "nothing", status=10) == "KEY_UNKNOWN"
    assert "--expires" in run("key", "create", "--role", "admin", "--expires", "soon", status=2).stderr


def test_without_a_file_of_keys(loaded: str) -> None:
    assert failure("key", "list", status=10) == "KEYS_MISSING"
    assert failure("serve", "--store", loaded, status=10) == "KEYS_MISSING"
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        assert failure("serve", "--open", "--store", loaded, "--host", host, status=10) == "KEYS_MISSING"


def test_open_and_keys_are_not_both(admin: str, loaded: str) -> None:
    assert failure("serve", "--open", "--store", loaded, status=2) == "SETTING_INVALID"


def test_who_types_is_checked_once_there_are_keys(
    keys: Path, loaded: str, member: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id, *_ = member
    assert answer("person", "--store", loaded, person_id), "no keys yet"
    made = {"admin": answer("key", "create", "--role", "admin")["key"]}
    assert failure("person", "--store", loaded, person_id, status=10) == "UNAUTHENTICATED"
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", made["admin"])
    made |= {role: answer("key", "create", "--role", role)["key"] for role in ("app_reader", "analyst", "auditor")}
    assert failure("person", "--store", loaded, person_id, status=10) == "FORBIDDEN"
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", made["app_reader"])
    assert answer("person", "--store", loaded, person_id)["id"] == person_id
    assert failure("key", "list", status=10) == "FORBIDDEN"
    query = "query ($id: ID!) { person(by: {id: $id}) { identifier(namespace: \"email\") } }"  # fmt: skip
    variables = json.dumps({"id": person_id})
    assert "data" in run("query", "--store", loaded, "--variables", variables, input=query).stdout
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", made["auditor"])
    refused = run("query", "--store", loaded, "--variables", variables, input=query, status=8)
    assert json.loads(refused.stdout)["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    monkeypatch.setenv("IDENTITY_GRAPH_KEY", "ig_wrong")
    assert failure("person", "--store", loaded, person_id, status=10) == "UNAUTHENTICATED"


def test_a_server_with_keys(admin: str, loaded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is made while it runs opens it, and one that is revoked does not."""
    command = [sys.executable, "-m", "identity_graph", "serve", "--store", loaded, "--port", "0"]
    monkeypatch.delenv("IDENTITY_GRAPH_KEY")  # who starts it need not be an admin
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stderr is not None
            match = re.search(r"http://127\.0\.0\.1:\d+/graphql", process.stderr.readline())
            assert match
            monkeypatch.setenv("IDENTITY_GRAPH_KEY", admin)

            def status(key: str) -> int:
                body = json.dumps({"query": "{ stats { persons } }"}).encode()
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
                try:
                    with urllib.request.urlopen(
                        urllib.request.Request(match[0], body, headers), timeout=PATIENCE
                    ) as found:
                        return int(found.status)
                except urllib.error.HTTPError as error:
                    return error.code

            def wait_for(key: str, wanted: int) -> None:
                soon(lambda: status(key) == wanted)

            assert status(admin) == 200 and status("nothing") == 401
            made = answer("key", "create", "--role", "analyst")
            wait_for(made["key"], 200)
            run("key", "revoke", made["id"])
            wait_for(made["key"], 401)
            assert status(admin) == 200
        finally:
            process.kill()
