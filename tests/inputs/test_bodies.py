"""Bodies that end too late, in the middle, or not at all, and clients that hang up: by each path that takes a body."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from starlette.types import Message

from identity_graph import IdentityGraph
from identity_graph.api import create_app, request
from identity_graph.errors import CODES

BEGIN = {"/v1/batch": b'{"batch": [{"type": "track", "userId": "u"}', "/graphql": b'{"query": "{ stats { events } }"'}


@pytest.fixture
def graph() -> Iterator[IdentityGraph]:
    with IdentityGraph.open("sqlite:///:memory:") as opened:
        yield opened


def exchange(graph: IdentityGraph, path: str, *messages: Message, patience: float = 60) -> list[Message]:
    """What the application answers to a client who sends these parts, and then nothing more."""
    sent: list[Message] = []
    left = list(messages)

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def talk() -> None:
        headers = [(b"content-type", b"application/json"), (b"authorization", b"Basic YTo=")]
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": headers,
            "query_string": b"",
        }
        with anyio.fail_after(patience):
            await create_app(graph)(scope | {"query_string": b"", "scheme": "http"}, receive, send)

    anyio.run(talk)
    return sent


def part(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


@pytest.mark.parametrize("path", BEGIN)
def test_a_client_that_hangs_up_is_no_defect(path: str, graph: IdentityGraph, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    exchange(graph, path, part(BEGIN[path]), {"type": "http.disconnect"})
    assert not caplog.records
    assert graph.store.operations.counts()["events"] == 0


@pytest.mark.parametrize("path", BEGIN)
def test_a_body_that_does_not_end_is_not_waited_for(
    path: str, graph: IdentityGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "PATIENCE", 0.1)
    begin, *rest = exchange(graph, path, part(BEGIN[path]))
    assert begin["status"] == 400
    answer = json.loads(b"".join(each["body"] for each in rest))
    code = answer["code"] if "code" in answer else answer["errors"][0]["extensions"]["code"]
    assert code in ("MESSAGE_INVALID", "BODY_INVALID") and code in CODES


@pytest.mark.parametrize("path", BEGIN)
def test_a_body_without_end_is_given_up_where_it_is_too_large(path: str, graph: IdentityGraph) -> None:
    begin, *_ = exchange(graph, path, *[part(b" " * 65_536)] * 1_000)
    assert begin["status"] == 413
