"""What is asked over a WebSocket or as a stream of events goes through the same door as any request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from identity_graph.access import Role
from tests.access.conftest import Guarded
from tests.access.test_veil import NAMES, PERSONS

PROTOCOL = "graphql-transport-ws"
CHANGES = 'subscription { changes(after: "AFTER") { personId } }'


@contextmanager
def opened(guarded: Guarded, headers: dict[str, str], payload: Any = None) -> Iterator[WebSocketTestSession]:
    with guarded.client.websocket_connect("/graphql", subprotocols=[PROTOCOL], headers=headers) as socket:
        socket.send_json({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        yield socket


def asked(socket: WebSocketTestSession, query: str) -> Any:
    """The first that is heard of it."""
    socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
    found = socket.receive_json()
    assert found["id"] == "1"
    return found


def changes(guarded: Guarded) -> str:
    """Those after the first one, which there are."""
    (first,) = guarded.open.ask("{ changes(first: 1) { edges { cursor } } }")["changes"]["edges"]
    return CHANGES.replace("AFTER", first["cursor"])


def code(found: Any) -> str:
    assert found["type"] == "error", found
    (error,) = found["payload"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize("payload", [None, {}, {"authorization": "Bearer ig_no_key"}, {"authorization": 1}, "Bearer x"])
def test_a_socket_without_a_key_is_closed(guarded: Guarded, payload: Any) -> None:
    with opened(guarded, {}, payload) as socket, pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_json()
    assert (caught.value.code, caught.value.reason) == (4401, "UNAUTHENTICATED")


@pytest.mark.parametrize("role", Role)
def test_a_role_may_over_a_socket_what_it_may_otherwise(guarded: Guarded, role: Role) -> None:
    """Browsers say who they are by the first message."""
    for headers, payload in ((guarded.headers(role), None), ({}, guarded.headers(role))):
        with opened(guarded, headers, payload) as socket:
            assert socket.receive_json() == {"type": "connection_ack"}
            for query in (
                PERSONS,
                "{ stats { events } }",
                "mutation { resolve { id } }",
                "{ __schema { description } }",
            ):
                over_http = guarded.ask(role, query).json()
                found = asked(socket, query)
                if found["type"] == "next":
                    assert "data" in over_http and ("errors" in found["payload"]) == ("errors" in over_http)
                    assert socket.receive_json()["type"] == "complete"
                else:
                    assert code(found) == over_http["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            may = role in (Role.ANALYST, Role.PRIVACY_OFFICER)
            found = asked(socket, changes(guarded))
            assert found["type"] == "next" if may else code(found) == "FORBIDDEN", found


def test_an_analyst_sees_no_names_over_a_socket(guarded: Guarded) -> None:
    with opened(guarded, guarded.headers(Role.ANALYST)) as socket:
        assert socket.receive_json() == {"type": "connection_ack"}
        text = json.dumps(asked(socket, PERSONS))
    assert '"profile"' in text
    for name in NAMES:
        assert f'{name}"' not in text and f":{name}" not in text, name


def test_a_socket_ends_with_its_key(guarded: Guarded) -> None:
    key, text = guarded.file.create(Role.PRIVACY_OFFICER, "short-lived")
    with opened(guarded, {"authorization": f"Bearer {text}"}) as socket:
        assert socket.receive_json() == {"type": "connection_ack"}
        assert asked(socket, "{ stats { events } }")["type"] == "next"
        assert socket.receive_json()["type"] == "complete"
        guarded.file.revoke(key.id)
        for _ in range(1000):
            time.sleep(0.01)  # the file is looked at now and then
            found = asked(socket, "{ stats { events } }")
            if found["type"] == "error":
                break
            socket.receive_json()
        assert code(found) == "UNAUTHENTICATED"


def test_a_stream_of_events_goes_through_the_door(guarded: Guarded) -> None:
    body, accept = {"query": changes(guarded)}, {"accept": "text/event-stream"}
    assert guarded.client.post("/graphql", json=body, headers=accept).status_code == 401
    refused = guarded.client.post("/graphql", json=body, headers=accept | guarded.headers(Role.APP_READER))
    assert "FORBIDDEN" in refused.text and "personId" not in refused.text
