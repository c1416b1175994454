"""The keys of who issues tokens: fetched when they are needed, and no oftener than is polite; and a server that takes
tokens by its settings alone."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.access import Role
from identity_graph.access import tokens as tokens_module
from identity_graph.access.tokens import FRESH, PAUSE, Issuer, Tokens
from identity_graph.errors import AccessError
from tests.access.test_tokens import NOW, jwks, signed
from tests.api.conftest import operation_text
from tests.story.worlds import event, tell, town
from tests.tracking.serving import serving

Handler = http.server.BaseHTTPRequestHandler


def document(*without: str) -> bytes:
    """The set, but for the keys of these names."""
    return json.dumps(
        {"keys": [key for key in jwks()["keys"] if key == "nonsense" or key["kid"] not in without]}
    ).encode()


class Provider:
    """An issuer at `url`, which answers as `answer` does, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.url = ""
        self.answer: Callable[[Handler], None] = self.tells(document())

    def tells(self, body: bytes, status: int = 200) -> Callable[[Handler], None]:
        def answer(handler: Handler) -> None:
            handler.send_response(status)
            handler.end_headers()
            handler.wfile.write(body)

        return answer


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()

    class Answering(Handler):
        def do_GET(self) -> None:
            provider.asked += 1
            provider.answer(self)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        yield provider
        server.shutdown()


class Watch:
    """What a stopwatch shows that only the test moves."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(tokens_module, "time", SimpleNamespace(monotonic=watch.monotonic))
    return watch


@pytest.fixture
def tokens(provider: Provider, watch: Watch) -> Tokens:
    return Tokens(Issuer(provider.url, "https://id.example.org", "identity-graph"), lambda: NOW)


def refused(tokens: Tokens, text: str) -> str:
    """What is said of it."""
    with pytest.raises(AccessError) as raised:
        tokens.caller(text)
    assert raised.value.code == "UNAUTHENTICATED"
    return str(raised.value)


def test_keys_are_kept(tokens: Tokens, provider: Provider) -> None:
    for _ in range(3):
        assert tokens.caller(signed()).role is Role.ANALYST
    for _ in range(3):
        refused(tokens, signed(header={"kid": "other"}))
    assert provider.asked == 1, "a token with a name of its own must not make us ask again and again"


def test_a_key_that_appears_later_is_found_after_the_pause(tokens: Tokens, provider: Provider, watch: Watch) -> None:
    provider.answer = provider.tells(document("ec"))
    assert tokens.caller(signed()) and "not known here" in refused(tokens, signed("ES256"))
    provider.answer = provider.tells(document())
    watch.at += PAUSE - 0.01
    refused(tokens, signed("ES256"))
    assert provider.asked == 1
    watch.at += 0.01
    assert tokens.caller(signed("ES256")).role is Role.ANALYST and tokens.caller(signed())
    assert provider.asked == 2


def test_a_key_that_is_withdrawn_ends(tokens: Tokens, provider: Provider, watch: Watch) -> None:
    assert tokens.caller(signed())
    provider.answer = provider.tells(document("rsa"))
    watch.at += FRESH - 0.01
    assert tokens.caller(signed()) and provider.asked == 1
    watch.at += 0.01
    assert "not known here" in refused(tokens, signed())
    assert tokens.caller(signed("ES256")) and provider.asked == 2
    watch.at += PAUSE
    refused(tokens, signed())
    assert provider.asked == 3


def _closed(handler: Handler) -> None:
    handler.connection.close()


def _no_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")


def _cut(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n{")


def _elsewhere(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("location", "file:///etc/passwd")
    handler.end_headers()


BROKEN: dict[str, Callable[[Handler], None]] = {
    "it fails": Provider().tells(b"", 500),
    "it is not there": Provider().tells(b"", 404),
    "no JSON": Provider().tells(b"<html>"),
    "no set of keys": Provider().tells(b'{"keys": 1}'),
    "too much": Provider().tells(b'{"keys": []}' + b" " * (1 << 20)),
    "it hangs up": _closed,
    "no HTTP": _no_http,
    "cut in the middle": _cut,
    "it leads to a file": _elsewhere,
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_issuer_that_is_away_locks_nobody_out_for_a_while(
    how: str, tokens: Tokens, provider: Provider, watch: Watch
) -> None:
    """And whoever has no key of it yet is turned away, which is no failure of ours."""
    fresh = Tokens(Issuer(provider.url, "https://id.example.org", "identity-graph"), lambda: NOW)
    assert tokens.caller(signed()).role is Role.ANALYST
    provider.answer = BROKEN[how]
    assert "not known here" in refused(fresh, signed())
    provider.asked = 0
    for passed in (FRESH, PAUSE - 1, 1.0):
        watch.at += passed
        assert tokens.caller(signed()).role is Role.ANALYST
    assert provider.asked == 2, "after each pause"
    watch.at += 12 * FRESH
    assert "not known here" in refused(tokens, signed())
    provider.answer = provider.tells(document())
    watch.at += 1.0
    assert tokens.caller(signed()).role is Role.ANALYST and fresh.caller(signed())


def test_a_server_takes_the_tokens_of_people(tmp_path: Path) -> None:
    """By its settings: a file of keys, a claim that names the role, and a second factor for who erases."""
    (tmp_path / "jwks.json").write_bytes(document())
    store = f"sqlite:///{tmp_path / 'people.db'}"
    with IdentityGraph.open(store) as graph:
        tell(graph, [*town(), event("z1", 0, "email:zoe@example.org", "cookie:z-one")])
    settings = {
        "jwt_keys": str(tmp_path / "jwks.json"),
        "jwt_issuer": "https://id.example.org",
        "jwt_audience": "identity-graph",
        "jwt_role_claim": "https://id.example.org/groups",
        "jwt_factors": "otp, hwk",
        "signing_key": str(tmp_path / "signing.pem"),
    }
    now = int(time.time())
    erase, preview = operation_text("erase"), operation_text("preview_erasure")
    by = {"by": {"identifier": {"namespace": "email", "value": "zoe@example.org"}}}

    def token(*groups: str, **more: Any) -> str:
        claims: dict[str, Any] = {
            settings["jwt_role_claim"]: ["staff", *groups],
            "iat": now,
            "nbf": now,
            "exp": now + 3_600,
        }
        return signed(role="admin", **claims, **more)

    with serving(store, port=0, **settings) as server:

        def ask(text: str, query: str, variables: dict[str, Any] | None = None) -> tuple[int, str, Any]:
            """Status, code and data."""
            body, bearer = {"query": query, "variables": variables or {}}, f"Bearer {text}"
            answer = server.send("/graphql", body, key=None, authorization=bearer)
            (error,) = answer.body.get("errors") or [None]
            return answer.status, error["extensions"]["code"] if error else "", answer.body.get("data")

        stats = "{ stats { persons } }"
        assert ask(token("analyst"), stats)[2]["stats"]["persons"] > 1
        assert ask(token(), stats)[:2] == (401, "UNAUTHENTICATED"), "the claim role is not the one that was named"
        assert ask(token("analyst"), preview, by)[:2] == (403, "FORBIDDEN")
        strong = token("privacy_officer", amr=["pwd", "otp"])
        (found,) = ask(strong, preview, by)[2].values()
        for factors in ([], ["pwd"], ["mfa"]):
            weak = token("privacy_officer", amr=factors)
            assert ask(weak, erase, {"token": found["token"]})[:2] == (401, "UNAUTHENTICATED")
        assert server.send("/graphql", {"query": stats}, key=None).status == 401
        assert ask(strong, preview, by)[2] is not None, "nothing was erased"
        assert ask(strong, erase, {"token": found["token"]})[2]["erase"]["document"]["events"] == 1
        assert ask(strong, preview, by)[2] == {"previewErasure": None}
