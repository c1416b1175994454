"""Callbacks: in order, later and later, and at last kept as dead until somebody asks for them once more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from identity_graph import IdentityGraph
from identity_graph.errors import NotFound
from identity_graph.opendsr import Agreement, Calling
from identity_graph.opendsr.calling import call_again
from identity_graph.subject_request import Call, RequestKind, RequestStatus, SubjectRequest
from tests.conftest import Clock
from tests.opendsr.authority import Authority, Key
from tests.opendsr.conftest import agreed
from tests.opendsr.controller import Receiver
from tests.story.worlds import new_graph

PENDING, DONE = RequestStatus.PENDING, RequestStatus.COMPLETED


class Line:
    def __init__(self, graph: IdentityGraph, clock: Clock, agreement: Agreement) -> None:
        self.graph, self.clock = graph, clock
        desk = graph.desk(agreement)
        self.calling = Calling(graph.store, desk, agreement.seal())

    def keep(self, *urls: str) -> None:
        now = self.clock()
        calls = tuple(Call(url).with_(PENDING, now) for url in urls)
        one = SubjectRequest("r", "key a", RequestKind.ACCESS, PENDING, now, now + 9, now, "d", calls=calls)
        self.graph.store.subject_requests.keep([one])

    def now(self, n: int = 0) -> Call:
        (found,) = self.graph.store.subject_requests.find(["r"])
        assert found
        return found.calls[n]


@pytest.fixture(params=["p256", "p384", "rsa"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    keys: dict[str, Callable[[], Key]] = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
    }
    Authority().equip(tmp_path, "localhost", keys[request.param]())
    clock = Clock()
    with new_graph(clock=clock) as graph:
        yield Line(graph, clock, Agreement.read(agreed(tmp_path, attempts=3)))


def test_later_and_later_and_then_dead(line: Line, receiver: Receiver) -> None:
    receiver.answer = 503
    line.keep(f"{receiver.url}/x")
    for attempt in (1, 2):
        assert line.calling.round() == (1, "the answer was 503")
        call = line.now()
        assert call.due and 0 < call.due - line.clock() <= 0.05 * 2**attempt * 1_000_000
        assert (call.attempts, call.trouble, call.waiting) == (attempt, "the answer was 503", (PENDING,))
        assert line.calling.round() == (0, "")
        line.clock.tick(1)
    assert line.calling.round()[0] == 1
    assert (line.now().waiting, line.now().dead, line.now().due) == ((), (PENDING,), None)
    line.clock.tick(9999)
    assert line.calling.round() == (0, "")
    with pytest.raises(NotFound, match="no request"):
        call_again(line.graph.store, line.clock(), ["nobody"])
    assert call_again(line.graph.store, line.clock()) == 1 and call_again(line.graph.store, line.clock()) == 0
    receiver.answer = 202
    assert line.calling.round() == (1, "")
    assert line.now() == Call(f"{receiver.url}/x")
    assert [json.loads(body)["request_status"] for _, body, _ in receiver.got] == ["pending"] * 4


def test_who_is_away_keeps_no_other_waiting(line: Line, receiver: Receiver) -> None:
    line.keep("http://127.0.0.1:9/away", f"{receiver.url}/here")
    count, trouble = line.calling.round()
    assert count == 2 and trouble.startswith("the connection failed")
    assert line.now(1).waiting == () and line.now(0).waiting == (PENDING,)


def test_killed_before_it_is_noted_it_is_told_again(
    line: Line, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.keep(f"{receiver.url}/x")
    with monkeypatch.context() as patch:
        patch.setattr(line.calling, "_change", lambda *_: None)
        line.calling.round()
    assert line.calling.round() == (0, ""), "whoever was first may still be at it"
    line.clock.tick(12)
    assert line.calling.round() == (1, "")
    assert len(receiver.got) == 2 and line.now().waiting == ()


def test_a_status_that_comes_meanwhile_is_told_after_it(line: Line, receiver: Receiver) -> None:
    line.keep(f"{receiver.url}/x")
    (claimed,) = line.calling._claim()
    (found,) = line.graph.store.subject_requests.find(["r"])
    assert found
    line.graph.store.subject_requests.keep([found.moved(DONE, line.clock())])
    line.calling._call(*claimed)
    assert line.now().waiting == (DONE,) and line.calling.round() == (1, "")
    assert receiver.told("r") == ["pending", "completed"]
