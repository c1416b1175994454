"""The real libraries, as their users call them, against a real server; the person is read back by GraphQL."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.neo4j.database import emptied
from tests.npm import node_with
from tests.tracking.serving import PATIENCE, Serving, serving

HERE = Path(__file__).parent
KEYS = "python-1, python-2=shop, node-1, node-2=shop"


@pytest.fixture(scope="module", params=["sqlite", "neo4j"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    if request.param == "neo4j":
        url = emptied(request.getfixturevalue("neo4j_url"))
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('libraries') / 'people.db'}"
    with serving(url, write_keys=KEYS) as started:
        yield started


def failing(error: Exception, _messages: Any) -> None:
    raise AssertionError(error)


def python_session(client: Any, user: str) -> None:
    """The two libraries are called alike."""
    client.page(anonymous_id=f"anonymous-{user}", name="Home", properties={"path": "/"})
    client.identify(user, {"email": f"{user}@example.org", "plan": "pro"}, anonymous_id=f"anonymous-{user}")
    client.track(user, "Signed Up", {"from": "python"})
    client.group(user, "acme", {"email": "office@example.org", "name": "Acme"})
    client.alias(f"earlier-{user}", user)
    client.shutdown()


def segment_in_python(url: str, key: str, user: str) -> None:
    from segment.analytics import Client

    python_session(Client(key, host=url, on_error=failing, upload_size=3, max_retries=0, timeout=PATIENCE), user)


def rudderstack_in_python(url: str, key: str, user: str) -> None:
    from rudderstack.analytics.client import Client

    python_session(Client(key, host=url, on_error=failing, upload_size=3, max_retries=0, timeout=PATIENCE), user)


def in_node(library: str) -> Callable[[str, str, str], None]:
    def send(url: str, key: str, user: str) -> None:
        node, folder = node_with(HERE / "package.json")
        command = [node, str(HERE / "session.mjs"), library, url, key, user]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return send


LIBRARIES = {
    "segment-analytics-python": (segment_in_python, "python-1", "segment"),
    "rudder-sdk-python": (rudderstack_in_python, "python-2", "shop"),
    "@segment/analytics-node": (in_node("@segment/analytics-node"), "node-1", "segment"),
    "@rudderstack/rudder-sdk-node": (in_node("@rudderstack/rudder-sdk-node"), "node-2", "shop"),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_session_of_a_library_is_a_person(server: Serving, library: str) -> None:
    send, key, source = LIBRARIES[library]
    user = re.sub(r"\W", "", library)
    send(server.url, key, user)
    person = server.person_soon("user_id", user, events=5, identifiers=5)
    nodes = person["journey"]["nodes"]
    assert {node["source"] for node in nodes} == {source}
    assert sorted(node["name"] for node in nodes) == ["Home", "Signed Up", "alias", "group", "identify"]
    assert len({node["id"] for node in nodes}) == 5
    assert person["profile"]["values"] == {"email": f"{user}@example.org", "plan": "pro"}
    keys = {entry["identifier"]["key"] for entry in person["identifiers"]}
    wanted = {f"user_id:{user}", f"anonymous_id:anonymous-{user}", f"email:{user}@example.org"}
    assert wanted <= keys
    assert {key for key in keys - wanted if "earlier" in key} == {
        f"user_id:earlier-{user}",
        f"anonymous_id:earlier-{user}",
    }
    assert not any("office" in key for key in keys)


def test_a_library_hears_that_its_key_is_wrong(server: Serving) -> None:
    from segment.analytics import Client
    from segment.analytics.request import APIError

    heard: list[Exception] = []
    client = Client("no-such-key", host=server.url, on_error=lambda error, _: heard.append(error), max_retries=0)
    client.track("u", "Seen")
    client.shutdown()
    (error,) = heard
    assert isinstance(error, APIError)
    assert (error.status, error.code) == (401, "WRITE_KEY_INVALID")
