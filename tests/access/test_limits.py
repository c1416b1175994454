"""How many requests a key may make, and what is said to who makes more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.access.keys import KeysFile
from identity_graph.access.limits import Limits, Rate, RateLimited
from identity_graph.access.rules import Role
from identity_graph.errors import AccessError
from identity_graph.times import SECOND
from tests.tracking.serving import Answer, serving


@pytest.mark.parametrize(
    "text", ["", "600", "600 per", "0 per minute", "-1 per minute", "5 per moon", "5 per 0s", "1.5 per minute", "per s"]
)
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Rate.parse(text)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_rate_is_read_as_it_is_written(requests: int, seconds: int) -> None:
    rate = Rate(requests, seconds * SECOND)
    assert Rate.parse(str(rate)) == rate


@given(
    st.integers(1, 5),
    st.integers(1, 8),
    st.lists(st.integers(0, 4000), max_size=60),
)
def test_no_more_pass_than_the_rate_lets_and_whoever_waits_as_told_passes(
    requests: int, seconds: int, pauses: list[int]
) -> None:
    """Of a naive count: over any stretch as many as the bucket holds, and what flows in meanwhile."""
    now, passed = 0.0, list[float]()
    limits, rate = Limits(lambda: now), Rate(requests, seconds * SECOND)
    for pause in pauses:
        now += pause / 1000
        try:
            found = limits.spend("key a", rate)
        except RateLimited as error:
            assert error.code == "RATE_LIMITED" and error.allowance.left == 0
            assert 0 < error.allowance.wait <= seconds / requests + 1e-6
            now += error.allowance.wait + 1e-6
            assert limits.spend("key a", rate).rate == rate
        else:
            assert 0 <= found.left < requests and 0 < found.reset <= seconds + 1e-6
        passed.append(now)
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= requests + (passed[last] - start) * requests / seconds + 1e-6
    assert limits.spend("key b", rate).left == requests - 1, "another key has a bucket of its own"


def test_a_rate_stays_with_its_key(tmp_path: Path) -> None:
    keys = KeysFile(tmp_path / "keys.json")
    key, text = keys.create(Role.ANALYST, rate=Rate.parse("600 per minute"))
    assert keys.caller(text).rate == Rate(600, 60 * SECOND)
    newer, other = keys.rotate(key.id, overlap=SECOND)
    assert newer.limit == key.limit and keys.caller(other).rate == keys.caller(text).rate
    assert keys.caller(keys.create(Role.ANALYST)[1]).rate is None
    document = json.loads(keys.path.read_bytes())
    document["keys"][0]["limit"] = "often"
    keys.path.write_text(json.dumps(document))
    with pytest.raises(AccessError) as error:
        KeysFile(keys.path).caller(text)
    assert error.value.code == "KEYS_FILE"


def test_a_server_counts_the_requests_of_a_key_and_no_others(tmp_path: Path) -> None:
    keys = KeysFile(tmp_path / "keys.json")
    few, many = Rate(3, 3600 * SECOND), Rate(10**6, 3600 * SECOND)
    reader = keys.create(Role.ANALYST, rate=few)[1]
    sender = keys.create(Role.INGEST, rate=few)[1]
    free, rich = keys.create(Role.ANALYST)[1], keys.create(Role.ANALYST, rate=many)[1]
    store = f"sqlite:///{tmp_path / 'people.db'}"
    with serving(store, keys=str(keys.path)) as server:

        def ask(key: str) -> Answer:
            body = {"query": "{ stats { persons } }"}
            return server.send("/graphql", body, key=None, authorization=f"Bearer {key}")

        answers = [ask(reader) for _ in range(5)]
        assert [answer.status for answer in answers] == [200] * 3 + [429] * 2
        told = [headers_of(answer) for answer in answers]
        assert [one["ratelimit-remaining"] for one in told] == ["2", "1", "0", "0", "0"]
        assert {one["ratelimit-limit"] for one in told} == {"3"} and told[0]["ratelimit-policy"] == "3;w=3600"
        assert 0 < int(told[3]["retry-after"]) <= 1200 and "retry-after" not in told[2]
        assert answers[4].body["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert server.get("/health")["status"] == "ok"
        assert {ask(free).status for _ in range(5)} == {200} and "ratelimit-limit" not in headers_of(ask(free))
        assert headers_of(ask(rich))["ratelimit-limit"] == "1000000"

        message = {"userId": "u", "event": "Seen"}
        sent = [server.send("/v1/track", message, key=None, authorization=f"Bearer {sender}") for _ in range(4)]
        assert [answer.status for answer in sent] == [200, 200, 200, 429]
        assert sent[3].body["code"] == "RATE_LIMITED" and 1 < int(headers_of(sent[3])["retry-after"]) <= 1200
        assert "retry-after" in headers_of(sent[3])["access-control-expose-headers"]


def headers_of(answer: Answer) -> dict[str, Any]:
    return {name.lower(): value for name, value in answer.headers.items()}


def test_operations_of_a_socket_count_too(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    from identity_graph import IdentityGraph
    from identity_graph.access import Door
    from identity_graph.api import create_app
    from tests.api.conftest import PATIENT

    keys = KeysFile(tmp_path / "keys.json")
    text = keys.create(Role.ANALYST, rate=Rate(2, 3600 * SECOND))[1]
    with IdentityGraph.open("sqlite:///:memory:") as graph:
        client = TestClient(create_app(graph, terms=PATIENT, door=Door(keys)))
        sent = {"authorization": f"Bearer {text}"}
        with client.websocket_connect("/graphql", ["graphql-transport-ws"], headers=sent) as socket:
            socket.send_json({"type": "connection_init"})
            assert socket.receive_json()["type"] == "connection_ack"
            heard = []
            for number in range(3):
                asked = {"query": "{ stats { persons } }"}
                socket.send_json({"id": str(number), "type": "subscribe", "payload": asked})
                heard.append(socket.receive_json())
                if heard[-1]["type"] == "next":
                    assert socket.receive_json()["type"] == "complete"
    assert [one["type"] for one in heard] == ["next", "next", "error"]
    assert heard[2]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
