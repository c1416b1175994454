"""One message: signed, bounded in time, and sent nowhere that it may not go."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from identity_graph.webhook import Sent, send
from tests.activation.receiver import KEY, Answering, babbles, drips, floods, hangs, receiving, resets
from tests.neo4j.port import free_port


def post(url: str, *, timeout: float = 30.0, private: bool = False) -> Sent:
    return send(url, KEY, "msg_1", b'{"a":1}', seconds=int(time.time()), timeout=timeout, private=private)


def test_it_arrives_signed() -> None:
    with receiving() as receiver:
        assert post(receiver.url + "/hook?key=1") == Sent()
        assert (receiver.got, receiver.forged) == ([("msg_1", {"a": 1})], 0)
        assert send(receiver.url, b"another key", "m", b"{}", seconds=int(time.time()), timeout=30) == Sent()
        assert receiver.forged == 1


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410, 500, 503])
def test_an_answer_that_is_no_yes(status: int) -> None:
    with receiving() as receiver:
        receiver.next.append(status)
        assert post(receiver.url) == Sent(f"the answer was {status}")
        assert len(receiver.got) == 1  # no redirect was followed


def test_a_receiver_may_ask_for_peace() -> None:
    with receiving() as receiver:
        receiver.next.append(429)
        assert post(receiver.url) == Sent("the answer was 429", 70.0)


@pytest.mark.parametrize("how", [hangs, drips])
def test_a_receiver_that_takes_its_time(how: Callable[[Answering], None]) -> None:
    with receiving() as receiver:
        receiver.next.append(how)
        assert post(receiver.url, timeout=1.0) == Sent("no answer within 1 s")


@pytest.mark.parametrize("how", [resets, babbles])
def test_a_receiver_that_breaks_off(how: Callable[[Answering], None]) -> None:
    with receiving() as receiver:
        receiver.next.append(how)
        assert post(receiver.url).trouble.startswith("the connection failed: ")


def test_a_flood_is_not_read() -> None:
    with receiving() as receiver:
        receiver.next.append(floods)
        assert post(receiver.url) == Sent()


def test_nobody_listens() -> None:
    assert post(f"http://127.0.0.1:{free_port()}") == Sent("the connection failed: ConnectionRefusedError")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1/", "http is for this machine alone"),
        ("http://10.0.0.1/", "http is for this machine alone"),
        ("https://10.0.0.1/", "a private network"),
        ("https://169.254.169.254/latest/meta-data", "a private network"),
        ("https://[::ffff:10.0.0.1]/", "a private network"),
        ("https://[fd00::1]/", "a private network"),
        ("https://0.0.0.0/", "a private network"),
        ("https://224.0.0.1/", "a private network"),
        ("https://0x0a000001/", "a private network"),
    ],
)
def test_addresses_that_are_not_called(url: str, why: str) -> None:
    assert why in post(url).trouble


def test_what_was_checked_is_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is of this machine when it is checked, and of another network when it is asked for again."""
    with receiving() as receiver:
        port = int(receiver.url.rpartition(":")[2])
        real, asked = socket.getaddrinfo, []

        def answers(host: str, *rest: object, **more: object) -> object:
            if host != "hook.example.org":
                return real(host, *rest, **more)  # type: ignore[arg-type]
            asked.append(host)
            return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port, type=socket.SOCK_STREAM)

        monkeypatch.setattr(socket, "getaddrinfo", answers)
        assert post(f"http://hook.example.org:{port}/") == Sent()
        assert len(asked) == 1
        assert "http is for this machine alone" in post(f"http://hook.example.org:{port}/").trouble


def test_a_certificate_that_is_not_good_is_not_taken() -> None:
    with receiving() as receiver:  # which does not speak TLS at all
        assert post(receiver.url.replace("http:", "https:")).trouble.startswith("the connection failed: SSL")
        assert receiver.got == []


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with receiving() as receiver:
        assert post(receiver.url) == Sent()
