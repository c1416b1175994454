"""The tracking API as a client of it sees it, over HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_graph.errors import CODES
from tests.tracking.serving import Serving, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'people.db'}") as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that takes two keys only."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(f"sqlite:///{folder / 'people.db'}", write_keys="abc123 def456=shop") as started:
        yield started


TIME = "2026-01-02T03:04:05Z"
KINDS = ("identify", "track", "page", "screen", "group", "alias")


def test_what_was_sent_is_in_the_profile(server: Serving) -> None:
    sent = {
        "userId": "thin",
        "anonymousId": "thin-1",
        "traits": {"email": "Thin@Example.org", "plan": "pro"},
        "timestamp": TIME,
    }
    answer = server.send("/v1/identify", sent)
    assert (answer.status, answer.body) == (200, {"success": True})
    person = server.person_soon("email", "thin@example.org", identifiers=3)
    assert person["profile"]["values"] == {"email": "Thin@Example.org", "plan": "pro"}
    keys = {entry["identifier"]["key"] for entry in person["identifiers"]}
    assert keys == {"user_id:thin", "anonymous_id:thin-1", "email:thin@example.org"}


def test_each_path_is_a_kind_of_message(server: Serving) -> None:
    for number, kind in enumerate(KINDS):
        path = f"/v1/{kind}" if number % 2 else f"/v1/{kind[0]}"
        sent = {"userId": "kinds", "previousId": "kinds-before", "groupId": "acme", "timestamp": TIME}
        assert server.send(path, sent | {"messageId": f"kinds-{kind}", "type": "of the path"}).status == 200
    person = server.person_soon("user_id", "kinds", events=6)
    assert sorted(node["name"] for node in person["journey"]["nodes"]) == sorted(KINDS)


def test_an_alias_joins_what_limits_would_keep_apart(server: Serving) -> None:
    server.send("/v1/track", {"userId": "old-name", "event": "Seen", "timestamp": TIME})
    server.send("/v1/alias", {"userId": "new-name", "previousId": "old-name", "timestamp": TIME})
    person = server.person_soon("user_id", "old-name", events=2, identifiers=3)
    assert {"user_id:old-name", "user_id:new-name"} <= {each["identifier"]["key"] for each in person["identifiers"]}


def test_other_identifiers_come_along(server: Serving) -> None:
    external = [{"id": "LC 4711", "type": "loyalty_id", "collection": "users", "encoding": "none"}]
    server.send("/v1/track", {"userId": "ext", "event": "Seen", "context": {"externalIds": external}})
    merged = [{"type": "email", "value": "ext@example.org"}, {"type": "phone", "value": "+44 20 7946 0958"}]
    server.send("/v1/merge", {"userId": "ext", "mergeProperties": merged})
    person = server.person_soon("loyalty_id", "LC 4711", events=2, identifiers=4)
    keys = {entry["identifier"]["key"] for entry in person["identifiers"]}
    assert keys == {"user_id:ext", "loyalty_id:LC4711", "email:ext@example.org", "phone:+442079460958"}


def test_a_batch_shares_its_context(server: Serving) -> None:
    batch = [
        {"type": "track", "userId": "shared", "event": "One", "timestamp": TIME},
        {"type": "track", "userId": "shared", "event": "Two", "timestamp": TIME, "context": {"device": {"id": "own"}}},
    ]
    answer = server.send("/v1/batch", {"batch": batch, "context": {"device": {"id": "of-the-batch"}, "locale": "en"}})
    assert answer.status == 200
    person = server.person_soon("user_id", "shared", events=2, identifiers=3)
    keys = {entry["identifier"]["key"] for entry in person["identifiers"]}
    assert keys == {"user_id:shared", "device_id:of-the-batch", "device_id:own"}


def test_a_repeated_message_is_a_duplicate_for_ever(server: Serving) -> None:
    """Also when the transport says other things about it, and when its time was left to the server."""
    before = counts(server)
    sent = {"userId": "again", "event": "Seen", "messageId": "again-1"}
    other = sent | {"writeKey": "any", "sentAt": "2020-01-01T00:00:00Z", "_metadata": {"retryCount": 2}}
    for message in (sent, sent, other):
        assert server.send("/v1/track", message).status == 200
    server.send("/v1/batch", {"batch": [sent | {"type": "track"}] * 3})
    wrong = {"userId": "again", "event": "Seen", "messageId": "again-2", "timestamp": "2020-01-01T00:00:00Z"}
    for second in range(3):
        server.send("/v1/track", wrong | {"sentAt": f"2020-01-01T00:00:0{second}Z"})
    after = counts(server)
    assert [after[name] - before[name] for name in ("read", "accepted", "duplicate", "quarantined")] == [9, 2, 7, 0]
    assert len(server.person_soon("user_id", "again", events=2)["journey"]["nodes"]) == 2


def test_messages_without_an_id_are_different_messages(server: Serving) -> None:
    for _ in range(2):
        server.send("/v1/track", {"userId": "nameless", "event": "Seen", "timestamp": TIME})
    nodes = server.person_soon("user_id", "nameless", events=2)["journey"]["nodes"]
    assert len({node["id"] for node in nodes}) == 2


def test_a_bad_message_does_not_take_the_others_along(server: Serving) -> None:
    good = [{"type": "track", "userId": f"good-{n}", "event": "Seen", "timestamp": TIME} for n in range(3)]
    deep: Any = {}
    for _ in range(80):
        deep = {"in": deep}
    bad = {
        "NO_IDENTIFIER": {"type": "track", "event": "Seen"},
        "EMAIL_NO_AT": {"type": "identify", "userId": "bad", "traits": {"email": "nobody at home"}},
        "TS_INVALID": {"type": "track", "userId": "bad", "event": "Seen", "timestamp": "yesterday"},
        "TS_FAR_FUTURE": {"type": "track", "userId": "bad", "event": "Seen", "timestamp": "2999-01-01"},
        "NOT_OBJECT": "a text",
        "RECORD_TOO_DEEP": {"type": "track", "userId": "bad", "event": "Seen", "properties": deep},
        "NUMBER_RANGE": {"type": "track", "userId": "bad", "event": "Seen", "properties": {"n": 2**70}},
        "TEXT_SURROGATE": {"type": "track", "userId": "bad", "event": "Seen", "properties": {"t": "\ud83d"}},
        "MESSAGE_TOO_LARGE": {"type": "track", "userId": "bad", "event": "Seen", "properties": {"t": "x" * 33_000}},
    }
    before, aside = counts(server), quarantine(server)
    assert server.send("/v1/batch", {"batch": [good[0], *bad.values(), *good[1:]]}).status == 200
    after, set_aside = counts(server), quarantine(server)[len(aside) :]
    assert [after[name] - before[name] for name in ("read", "accepted", "quarantined")] == [12, 3, 9]
    assert [one["code"] for one in set_aside] == list(bad)
    assert "nobody at home" in set_aside[1]["text"] and str(2**70) in set_aside[6]["text"]
    assert server.person_soon("user_id", "good-2")


def test_another_content_under_a_known_id_is_set_aside(server: Serving) -> None:
    before = counts(server)
    for page in ("/", "/other"):
        sent = {"userId": "reuse", "messageId": "reuse-1", "properties": {"path": page}, "timestamp": TIME}
        assert server.send("/v1/page", sent).status == 200
    assert counts(server)["quarantined"] - before["quarantined"] == 1
    assert quarantine(server)[-1]["code"] == "ID_REUSE" and "/other" in quarantine(server)[-1]["text"]


REFUSED = [
    ("/v1/track", b"", 400, "MESSAGE_INVALID"),
    ("/v1/track", b"{", 400, "MESSAGE_INVALID"),
    ("/v1/track", b"[]", 400, "MESSAGE_INVALID"),
    ("/v1/track", b'"\xff"', 400, "MESSAGE_INVALID"),
    ("/v1/track", b"[" * 10_000, 400, "MESSAGE_INVALID"),
    ("/v1/track", b'{"a":' * 5_000, 400, "MESSAGE_INVALID"),
    ("/v1/batch", b'{"batch": {}}', 400, "MESSAGE_INVALID"),
    ("/v1/batch", b"{}", 400, "MESSAGE_INVALID"),
    ("/v1/track", json.dumps({"userId": "u", "x": "y" * 32_768}).encode(), 413, "MESSAGE_TOO_LARGE"),
    ("/v1/batch", b" " * (500 * 1024 + 1), 413, "MESSAGE_TOO_LARGE"),
    ("/v1/batch", b'{"batch": [' + b"{}," * 5_000 + b"{}]}", 413, "MESSAGE_TOO_LARGE"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), REFUSED)
def test_what_is_no_message_is_refused_with_a_reason(
    server: Serving, path: str, body: bytes, status: int, code: str
) -> None:
    answer = server.send(path, body)
    assert (answer.status, answer.body["success"], answer.body["code"]) == (status, False, code)
    assert code in CODES and answer.body["message"] and answer.body["help"]


def test_a_batch_may_be_as_large_as_the_spec_says(server: Serving) -> None:
    message = {"type": "track", "userId": "large", "event": "Seen", "properties": {"t": "x" * 30_000}}
    body = json.dumps({"batch": [message] * 16}).encode()
    assert 480_000 < len(body) < 500 * 1024
    assert server.send("/v1/batch", body).status == 200
    assert len(server.person_soon("user_id", "large", events=16)["journey"]["nodes"]) == 16


def test_a_body_may_be_compressed_and_a_bomb_is_not_unpacked(server: Serving) -> None:
    body = json.dumps({"batch": [{"type": "track", "userId": "packed", "event": "Seen"}]}).encode()
    assert server.send("/v1/batch", gzip.compress(body), content_encoding="gzip").status == 200
    assert server.person_soon("user_id", "packed")
    bomb = gzip.compress(b" " * (64 << 20), 9)
    assert len(bomb) < 500 * 1024
    peak = memory(server)
    answer = server.send("/v1/batch", bomb, content_encoding="gzip")
    assert (answer.status, answer.body["code"]) == (413, "MESSAGE_TOO_LARGE")
    assert memory(server) - peak < 16_000
    for broken in (body, gzip.compress(body)[:-6], gzip.compress(body) + b"more"):
        answer = server.send("/v1/batch", broken, content_encoding="gzip")
        assert (answer.status, answer.body["code"]) == (400, "MESSAGE_INVALID")
    assert server.send("/v1/batch", body, content_encoding="br").status == 415


def test_a_page_of_another_origin_may_send(server: Serving) -> None:
    asked = {"origin": "https://shop.example", "access_control_request_method": "POST"}
    answer = server.send(
        "/v1/t", b"", key=None, method="OPTIONS", access_control_request_headers="authorization, x-other", **asked
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization, x-other"
    assert "POST" in answer.headers["access-control-allow-methods"]
    beacon = json.dumps({"writeKey": "any", "userId": "beacon", "event": "Left", "timestamp": TIME}).encode()
    answer = server.send("/v1/t", beacon, key=None, content_type="text/plain;charset=UTF-8", origin="null")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
    person = server.person_soon("user_id", "beacon")
    assert "writeKey" not in json.dumps(person)


def test_a_key_says_who_may_send_and_what_the_source_is(guarded: Serving) -> None:
    sent = {"userId": "keys", "event": "Seen", "timestamp": TIME}
    assert guarded.send("/v1/track", sent, key="abc123").status == 200
    assert guarded.send("/v1/track", sent | {"writeKey": "def456"}, key=None).status == 200
    batch = {"batch": [sent | {"type": "track"}], "writeKey": "abc123"}
    assert guarded.send("/v1/batch", batch, key=None).status == 200
    nodes = guarded.person_soon("user_id", "keys", events=3)["journey"]["nodes"]
    assert sorted(node["source"] for node in nodes) == ["segment", "segment", "shop"]
    for key, written in ((None, None), (None, "no"), ("no", "abc123"), ("", "abc123"), ("def456x", None)):
        answer = guarded.send("/v1/track", sent | {"writeKey": written}, key=key)
        assert (answer.status, answer.body["code"]) == (401, "WRITE_KEY_INVALID"), (key, written)
    answer = guarded.send("/v1/track", sent, key=None, authorization="Basic !!!")
    assert answer.status == 401
    assert {run["source"]: run["read"] for run in guarded.runs()} == {"segment": 2, "shop": 1}


def test_what_another_key_set_aside_is_replayed_as_its_source(guarded: Serving) -> None:
    sent = {"userId": "later", "event": "Seen", "properties": {"t": "x" * 33_000}, "timestamp": TIME}
    guarded.send("/v1/batch", {"batch": [sent | {"type": "track"}]}, key="def456")
    (one,) = quarantine(guarded)
    assert one["code"] == "MESSAGE_TOO_LARGE" and one["source"] == "shop"
    run = guarded.ask("mutation { replayQuarantine { accepted quarantined } resolve { id } }")
    assert run["replayQuarantine"] == {"accepted": 1, "quarantined": 0}
    (node,) = guarded.person("user_id", "later")["journey"]["nodes"]
    assert node["source"] == "shop"


def counts(server: Serving) -> dict[str, int]:
    (run,) = server.runs()
    assert run["read"] == run["accepted"] + run["duplicate"] + run["quarantined"] + run["suppressed"]
    return dict(run)


def quarantine(server: Serving) -> list[Any]:
    found = server.ask("{ quarantine(first: 100) { nodes { reason { code } source text: record } } }")
    return [one | one["reason"] for one in found["quarantine"]["nodes"]]


def memory(server: Serving) -> int:
    """The high-water mark in KiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def test_a_browser_that_objects_to_being_sold_is_heard(server: Serving) -> None:
    """Sec-GPC is 1, or not there; whatever the message says of consent otherwise."""
    query = "query ($by: PersonBy!) { person(by: $by) { consents { purpose status source } } }"

    def consents(user: str) -> Any:
        by = {"identifier": {"namespace": "user_id", "value": user}}
        server.person_soon("user_id", user)
        return server.ask(query, by=by)["person"]["consents"]

    objection = {"purpose": "sale_or_sharing", "status": "DENIED", "source": "segment"}
    for number, (header, heard) in enumerate({"1": True, " 1 ": True, "0": False, "true": False}.items()):
        sent = {"userId": f"gpc-{number}", "event": "Seen", "timestamp": TIME}
        assert server.send("/v1/track", sent, sec_gpc=header).status == 200
        assert consents(f"gpc-{number}") == ([objection] if heard else [])
    said = {"consent": {"categoryPreferences": {"Advertising": True, "sale_or_sharing": True}}}
    messages = [{"type": "track", "userId": "gpc-batch", "event": "Seen", "timestamp": TIME, "context": said}]
    messages += [{"type": "track", "userId": "gpc-odd", "event": "Seen", "timestamp": TIME, "context": "a text"}]
    assert server.send("/v1/batch", {"batch": messages}, sec_gpc="1").status == 200
    granted = {"purpose": "Advertising", "status": "GRANTED", "source": "segment"}
    assert consents("gpc-batch") == [granted, objection] and consents("gpc-odd") == [objection]
    # A large body is read by another process.
    large = [message | {"userId": f"gpc-large-{n}"} for n in range(200) for message in messages[:1]]
    assert server.send("/v1/batch", {"batch": large}, sec_gpc="1").status == 200
    assert consents("gpc-large-199") == [granted, objection]
