"""docker-compose.yml, without an engine: it is safe and fits the project, and what it declares runs as processes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from identity_graph.store.neo4j.address import Address
from tests.conftest import soon, without_neo4j
from tests.containers import Container
from tests.neo4j.jars import SERVER, Unavailable, version
from tests.neo4j.launcher import PASSWORD, SETTINGS, Neo4j
from tests.neo4j.port import free_port
from tests.readme import README
from tests.readme_session import commands

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = SERVICES["identity-graph"]["build"]["dockerfile_inline"].splitlines()


def instructions(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in DOCKERFILE if line.startswith(name + " ")]


def test_the_services_are_neo4j_with_gds_and_ours() -> None:
    assert set(SERVICES) == {"neo4j", "identity-graph"}
    assert SERVICES["neo4j"]["image"] == f"neo4j:{version(SERVER)}-community", "the one that the tests run"
    assert SERVICES["neo4j"]["environment"]["NEO4J_PLUGINS"] == '["graph-data-science"]'


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert SERVICES[name]["ports"]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"} and check["retries"] > 1


@pytest.mark.parametrize("name", SERVICES)
def test_data_lives_in_named_volumes(name: str) -> None:
    volumes = SERVICES[name]["volumes"]
    assert volumes and all(volume.partition(":")[0] in COMPOSE["volumes"] for volume in volumes)


def test_the_password_comes_from_the_environment() -> None:
    match = re.fullmatch(r"neo4j/\$\{NEO4J_PASSWORD:-(.+)\}", SERVICES["neo4j"]["environment"]["NEO4J_AUTH"])
    assert match and len(match[1]) >= 8, "Neo4j refuses shorter ones"
    assert "NEO4J_PASSWORD" in TEXT.partition("services:")[0]


def declared_settings() -> dict[str, str]:
    """As the image of Neo4j reads them from its environment."""
    return {
        re.sub("__?", lambda match: "_" if match[0] == "__" else ".", name.removeprefix("NEO4J_")): value
        for name, value in SERVICES["neo4j"]["environment"].items()
        if name not in ("NEO4J_AUTH", "NEO4J_PLUGINS")
    }


def test_the_server_is_set_up_as_the_one_of_the_tests() -> None:
    settings = declared_settings()
    assert {"db.lock.acquisition.timeout", "dbms.security.procedures.unrestricted"} <= set(settings)
    assert settings == {name: SETTINGS[name] for name in settings}


def test_the_service_waits_for_the_server_and_uses_it() -> None:
    service, server = SERVICES["identity-graph"], SERVICES["neo4j"]
    assert service["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    url = service["environment"]["IDENTITY_GRAPH_STORE"]
    secret = server["environment"]["NEO4J_AUTH"].removeprefix("neo4j/")
    assert url == f"neo4j://neo4j:{secret}@neo4j:7687/neo4j"
    assert str(Address.parse(url.replace(secret, "letters0"))) == "neo4j://neo4j:7687/neo4j"


def two_commands() -> list[str]:
    """Those at the head of the file: compose up, and what fills the store."""
    return [line[1:].strip() for line in TEXT.splitlines() if line.startswith("#   ")]


def test_two_commands_lead_to_a_resolved_demo() -> None:
    """Those in the README; what the second one runs inside is run by the README's test."""
    readme = README.read_text(encoding="utf-8")
    ((up, demo),) = re.findall(r"^```sh\n(docker compose .*)\n(docker compose .*)\n```$", readme, re.MULTILINE)
    assert two_commands() == [up, demo]
    assert up == "docker compose up --build --wait"
    inside = re.fullmatch(r"docker compose exec identity-graph sh -c '(.+)'", demo)
    assert inside and inside[1] in [command for command, _ in commands(readme, neo4j=True)]


def test_the_image_is_made_of_files_that_exist() -> None:
    copied = [name for line in instructions("COPY") for name in line.split()[:-1]]
    assert {"pyproject.toml", "hatch_build.py", "identity_graph", "graphql", "cypher", "loaders"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_image_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert user not in {"root", "0"}
    assert any(f"useradd --create-home --uid 10001 {user}" in line for line in instructions("RUN"))
    text = "\n".join(DOCKERFILE)
    assert text.index("pip install") < text.index("USER ") < text.index("CMD ")


def test_what_the_service_keeps_is_on_its_volume() -> None:
    """The key of the tombstones: without it what was erased could come back."""
    service = SERVICES["identity-graph"]
    assert instructions("CMD") == ['["identity-graph", "serve", "--host", "0.0.0.0"]']
    folder = service["volumes"][0].partition(":")[2]
    assert service["environment"]["XDG_DATA_HOME"] == folder and instructions("WORKDIR")[-1] == folder
    assert any(f"-o {instructions('USER')[0]}" in line and line.endswith(folder) for line in instructions("RUN"))


def test_nothing_in_the_image_needs_another_python_than_the_project() -> None:
    (image,) = instructions("FROM")
    match = re.fullmatch(r"python:3\.(\d+)-slim", image)
    assert match and int(match[1]) >= 11


# ---- what it declares is run


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """Of the containers, by what they are here."""
    return {port: str(free_port()) for port in ("7474", "8000")}


@pytest.fixture(scope="module")
def server(ports: dict[str, str]) -> Iterator[Neo4j]:
    """The one that is declared, with the address at which its health is asked for."""
    http = {"server.http.enabled": "true", "server.http.listen_address": f"127.0.0.1:{ports['7474']}"}
    try:
        with Neo4j(settings=declared_settings() | http) as server:
            yield server
    except Unavailable as error:
        without_neo4j(str(error))


@pytest.fixture(scope="module")
def service(
    server: Neo4j, ports: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, str]]:
    """Once it is healthy, and its URL."""
    stands_for = {"neo4j:7687": f"127.0.0.1:{server.port}", "0.0.0.0": "127.0.0.1"} | ports
    declared = SERVICES["identity-graph"]
    declared = declared | {"environment": declared["environment"] | {"IDENTITY_GRAPH_PORT": "8000"}}
    container = Container(declared, tmp_path_factory.mktemp("image"), stands_for, {"NEO4J_PASSWORD": PASSWORD})
    container.build(ROOT)
    with container.up() as process:
        soon(lambda: container.healthy() or process.poll() is not None, within=300)
        assert process.poll() is None, container.log
        yield container, f"http://127.0.0.1:{ports['8000']}/graphql"
        process.terminate()
        assert process.wait(60) == 0, container.log


def test_the_server_is_healthy_by_the_declared_check(server: Neo4j, ports: dict[str, str], tmp_path: Path) -> None:
    container = Container(SERVICES["neo4j"], tmp_path, ports)
    assert container.healthy()
    assert not Container(SERVICES["neo4j"], tmp_path, {"7474": str(free_port())}).healthy()


def test_the_image_installs_from_what_is_copied_and_serves_a_resolved_demo(service: tuple[Container, str]) -> None:
    container, url = service
    assert asked_of(url, "{ stats { persons } }") == (401, None), "nobody without a key"
    filled = container.run(shlex.split(two_commands()[1].removeprefix("docker compose exec identity-graph ")))
    assert (filled.returncode, filled.stderr) == (0, "A world of 200 people: 253 created.\n")
    ((words),) = re.findall(r"`docker compose exec identity-graph (.*key create.*)`", TEXT)
    admin = container.run(shlex.split(words)).stdout.strip()
    other = container.run(["sh", "-c", f"IDENTITY_GRAPH_KEY={admin} {words.replace('admin', 'privacy_officer')}"])
    assert other.returncode == 0, other.stderr
    key = other.stdout.strip()
    person = 'person(by: {identifier: {namespace: "email", value: "YusufCosta89188@gmail.com"}})'
    query = f'{{ stats {{ persons }} {person} {{ profile {{ trait(name: "plan") {{ value }} }} }} }}'
    found = {"stats": {"persons": 253}, "person": {"profile": {"trait": {"value": "family"}}}}
    assert asked_of(url, query, key) == (200, found), container.log
    forget = f"IDENTITY_GRAPH_KEY={key} identity-graph forget email:yusufcosta89188@gmail.com --yes"
    assert container.run(["sh", "-c", forget]).returncode == 0
    assert asked_of(url, query, key) == (200, {"stats": {"persons": 252}, "person": None})
    kept = {path.name for path in container.path("/data").rglob("*.*")}
    assert "keys.json" in kept and any(name.endswith(".key") for name in kept), "on the volume, as is the receipt"


def asked_of(url: str, query: str, key: str = "") -> tuple[int, Any]:
    """Status and data of the answer. A server of Neo4j that has just begun plans for up to seconds what it is asked
    first: a client asks again where that took too long."""
    for _ in range(2):
        status, data = _asked_once(url, query, key)
        if status != 503:
            return status, data
    return _asked_once(url, query, key)


def _asked_once(url: str, query: str, key: str) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urlopen(Request(url, json.dumps({"query": query}).encode(), headers), timeout=60) as answer:
            return answer.status, json.load(answer)["data"]
    except HTTPError as error:
        return error.code, json.load(error).get("data")
