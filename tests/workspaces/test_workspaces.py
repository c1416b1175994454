"""A file of workspaces, and what is answered to whom."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph, Policy
from identity_graph.access import Role
from identity_graph.access.keys import KeysFile
from identity_graph.api.terms import Terms
from identity_graph.cli.command import Command
from identity_graph.cli.workspaces import workspaces_app
from identity_graph.errors import PolicyError, SettingError
from identity_graph.settings import Settings, read_settings
from identity_graph.workspaces import read_workspaces
from tests.conftest import soon
from tests.workspaces.conftest import NAMES, Service, write_workspaces

ROOT = Path(__file__).parents[2]
STATS = "{ stats { events } }"


def test_a_key_opens_its_own(service: Service) -> None:
    for name in NAMES:
        answer = service.ask(name, service.keys[name][Role.ADMIN], STATS)
        assert answer.json() == {"data": {"stats": {"events": 0}}}


def test_nobody_learns_which_there_are(service: Service) -> None:
    """Whatever is sent without a key that is taken: of a name that there is not the answer is the same."""
    foreign = {"authorization": f"Bearer {service.keys['bee'][Role.ADMIN]}"}
    page = {"accept": "text/html"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "/", {}),
        ("GET", "/health", {}),
        ("GET", "/nothing", {}),
        ("GET", "/graphql", {"headers": page}),
        ("GET", "/graphql?query={stats{events}}", {}),
        ("POST", "/graphql", {"json": {"query": STATS}}),
        ("POST", "/graphql", {"json": {"query": STATS}, "headers": foreign}),
        ("POST", "/graphql", {"json": {"query": STATS}, "headers": {"authorization": "Bearer a.b.c"}}),
        ("POST", "/graphql", {"content": b"{", "headers": foreign}),
        ("GET", "/metrics", {"headers": foreign}),
        ("GET", "/schema.graphql", {"headers": foreign}),
        ("POST", "/v1/track", {"json": {}}),
        ("POST", "/v1/track", {"json": {}, "auth": ("write-bee", "")}),
        ("POST", "/v1/track", {"json": {}, "headers": foreign}),
        ("OPTIONS", "/v1/track", {}),
        ("PUT", "/graphql", {}),
    ]
    for method, path, more in asked:
        there, nowhere = (
            service.client.request(method, f"/w/{name}{path}", follow_redirects=False, **more)
            for name in ("ant", "zebra")
        )
        assert there.status_code == nowhere.status_code, (method, path)
        assert there.status_code != 200 or more.get("headers") == page or method == "OPTIONS", (method, path)
        assert without_ids(there) == without_ids(nowhere), (method, path)


def without_ids(answer: Any) -> tuple[str, dict[str, str]]:
    id = answer.headers.get("x-request-id", "no id")
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    headers["location"] = headers.get("location", "").replace("zebra", "ant")
    return answer.text.replace(id, "id"), headers


def test_the_service_says_whether_it_is_well(service: Service) -> None:
    answer = service.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    for path in ("/graphql", "/metrics", "/v1/track", "/schema.graphql", "/w"):
        assert service.client.get(path, follow_redirects=False).status_code == 404


def publish_otherwise(workspace: Path) -> None:
    """Under a policy that is not its own."""
    with IdentityGraph.open(f"sqlite:///{workspace / 'people.db'}", Policy.parse("min_weight = 0.5")) as graph:
        graph.resolver.resolve()


def test_the_service_is_as_well_as_the_worst_of_its_workspaces(service: Service) -> None:
    assert service.ask("bee", service.keys["bee"][Role.ADMIN], "mutation { resolve { id } }").status_code == 200
    publish_otherwise(service.folder / "bee")
    event = {"userId": "u", "event": "Seen", "writeKey": "write-bee"}
    assert service.client.post("/w/bee/v1/track", json=event).status_code == 200
    soon(lambda: service.client.get("/health").json() == {"status": "degraded"})
    assert service.client.get("/health").status_code == 200


def test_a_service_does_not_begin_where_a_workspace_would_publish_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANT", "BEE"):
        monkeypatch.setenv(f"{name}_WRITE_KEYS", f"write-{name}")
    file = write_workspaces(tmp_path, ("ant", "bee"))
    publish_otherwise(tmp_path / "bee")
    command = Command(read_settings(), "", None, json=False)
    with pytest.raises(PolicyError, match=r"^bee: the persons are of the policy") as error:
        workspaces_app(command, file, Terms()).__enter__()
    assert error.value.code == "POLICY_DIFFERS"


def test_a_socket_is_of_its_workspace(service: Service) -> None:
    for name, open_ in (("bee", True), ("ant", False), ("zebra", False)):
        key = service.keys["bee"][Role.ANALYST]
        with service.client.websocket_connect(f"/w/{name}/graphql", subprotocols=["graphql-transport-ws"]) as socket:
            socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}})
            if open_:
                assert socket.receive_json()["type"] == "connection_ack"
            else:
                assert socket.receive()["type"] == "websocket.close"


# ---- the file


def refused(file: Path, settings: Settings | None = None) -> str:
    with pytest.raises(SettingError) as caught:
        read_workspaces(file, settings or read_settings())
    assert caught.value.code == "WORKSPACES_INVALID"
    return caught.value.message


GOOD = '[a]\nstore = "sqlite:///a.db"\nkeys = "a.json"\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no workspace"),
        ("[a", "at end of document"),
        ("a = 1", "not a table"),
        ("[A]\nstore = 'sqlite:///a.db'", "its name"),
        ("[a]\nkeys = 'a.json'", "either a store"),
        ("[a]\nstore = 'sqlite:///a.db'", "nobody could be let in"),
        (GOOD + "write_keys = 'x'", "no key 'write_keys'"),
        (GOOD + "policy = 1", "of the type str"),
        (GOOD + "quarantine_days = -1", "of the type int"),
        (GOOD + "write_keys_env = 'NOT_THERE_AT_ALL'", "NOT_THERE_AT_ALL is not in the environment"),
        (GOOD + GOOD.replace("[a]", "[b]").replace("a.json", "b/b.json"), "same store as a"),
        (GOOD + GOOD.replace("[a]", "[b]").replace("a.db", "./b/../a.db").replace("a.json", "b/b.json"), "same store"),
        (GOOD + GOOD.replace("[a]", "[b]").replace("a.db", "b.db"), "same keys as a"),
        (GOOD + GOOD.replace("[a]", "[b]").replace("a.db", "b.db").replace("a.json", "b.json"), "same audit log"),
    ],
)
def test_what_is_no_file_of_workspaces(text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "workspaces.toml"
    file.write_text(text)
    (tmp_path / "b").mkdir()
    assert why in refused(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.toml" in refused(tmp_path / "nowhere.toml")


def test_secrets_that_two_would_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_workspaces(tmp_path, ("ant", "bee"))
    for name in ("ANT", "BEE"):
        monkeypatch.setenv(f"{name}_WRITE_KEYS", f"{name}1, shared=shop")
    assert "same write key as ant" in refused(file) and "shared" not in refused(file)
    monkeypatch.setenv("BEE_WRITE_KEYS", "BEE1")
    assert [one.name for one in read_workspaces(file, read_settings())] == ["ant", "bee"]
    for name in ("ANT", "BEE"):
        monkeypatch.setenv(f"{name}_TOMBSTONES", "ab" * 32)
        file.write_text(
            file.read_text().replace(
                f"[{name.lower()}]\n", f'[{name.lower()}]\ntombstone_key_env = "{name}_TOMBSTONES"\n'
            )
        )
    assert "same key of tombstones" in refused(file) and "abab" not in refused(file)
    monkeypatch.setenv("BEE_TOMBSTONES", "cd" * 32)
    read_workspaces(file, read_settings())


def test_what_the_service_has_is_not_a_workspaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by accident, from the environment of a service that had one store."""
    file = write_workspaces(tmp_path, ("ant",))
    monkeypatch.setenv("ANT_WRITE_KEYS", "one")
    for name, value in {
        "STORE": "sqlite:///other.db",
        "POLICY": "other.toml",
        "KEYS": "other.json",
        "WRITE_KEYS": "other",
        "JWT_KEYS": "other.jwks",
        "ERASED": "other.erased",
        "AUDIT": "other.jsonl",
        "DESTINATIONS": "other.toml",
        "SIGNING_KEY": "other.pem",
        "TOMBSTONE_KEY": "ef" * 32,
        "QUARANTINE_DAYS": "3",
        "DEADLINE": "7",
    }.items():
        monkeypatch.setenv(f"IDENTITY_GRAPH_{name}", value)
    (one,) = read_workspaces(file, read_settings())
    assert "other" not in repr(one.settings) and one.settings.quarantine_days is None
    assert one.settings.deadline == 7.0 and one.settings.write_keys == "one"
    assert os.environ.get(one.tombstone_key) is None


# ---- a real server


def test_serve_serves_them(tmp_path: Path) -> None:
    file = write_workspaces(tmp_path, ("ant", "bee"))
    key = KeysFile(tmp_path / "ant" / "keys.json").create(Role.ADMIN)[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDENTITY_GRAPH_")}
    environment |= {"PYTHONPATH": str(ROOT), "ANT_WRITE_KEYS": "a", "BEE_WRITE_KEYS": "b"}
    command = [sys.executable, "-m", "identity_graph", "serve", "--workspaces", str(file), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        try:
            assert process.stderr
            lines: list[str] = []
            while "GraphQL at" not in (line := process.stderr.readline()):
                assert line, lines
                lines.append(line)
            assert lines == [f"bee: there are no keys yet: IDENTITY_GRAPH_KEYS={tmp_path}/bee/keys.json key create\n"]
            address = line.split()[2].rstrip(".").replace("/NAME/", "/ant/")
            body = b'{"query": "{ stats { events } }"}'
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
            with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=120) as answer:
                assert answer.read() == b'{"data":{"stats":{"events":0}}}'
        finally:
            process.terminate()
            assert process.wait(timeout=120) == 0
