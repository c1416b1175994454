"""While single events come, who takes them and who stores them share a core; nobody else does, and not for longer."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.tracking import Tracking, WriteKeys
from identity_graph.tracking.one_core import ALL, OneCore, free
from identity_graph.tracking.writer import FEW
from tests.tracking.serving import PATIENCE

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="there is one core only, or no choice")


class Other:
    """A thread that does what it is given."""

    def __init__(self) -> None:
        self._given: Queue[Callable[[], Any] | None] = Queue()
        self._done: Queue[Any] = Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.id = self._thread.native_id or 0

    def _run(self) -> None:
        while (act := self._given.get()) is not None:
            self._done.put(act())

    def does(self, act: Callable[[], Any]) -> Any:
        self._given.put(act)
        return self._done.get(timeout=PATIENCE)

    def end(self) -> None:
        self._given.put(None)
        self._thread.join()


@pytest.fixture
def other() -> Iterator[Other]:
    thread = Other()
    yield thread
    thread.end()
    free()


def test_two_share_a_core_until_they_part(other: Other) -> None:
    core = OneCore(threading.get_native_id())
    other.does(core.share)
    mine = os.sched_getaffinity(0)
    assert len(mine) == 1 and os.sched_getaffinity(other.id) == mine
    other.does(core.part)
    assert os.sched_getaffinity(0) == os.sched_getaffinity(other.id) == ALL


def test_who_was_begun_meanwhile_is_let_go(other: Other) -> None:
    core = OneCore(threading.get_native_id())
    other.does(core.share)
    third = Other()
    try:
        assert os.sched_getaffinity(third.id) == os.sched_getaffinity(0) != ALL, "else there is nothing to let go"
        other.does(core.part)
        other.does(core.share)
        assert os.sched_getaffinity(third.id) == ALL
        assert os.sched_getaffinity(other.id) == os.sched_getaffinity(0) != ALL
    finally:
        third.end()
        other.does(core.part)


def test_who_works_for_them_joins_and_leaves_with_them(other: Other) -> None:
    core, third = OneCore(threading.get_native_id()), Other()
    try:
        third.does(OneCore.join)
        assert os.sched_getaffinity(third.id) == ALL, "as nobody shares a core"
        other.does(core.share)
        free(third.id)
        third.does(OneCore.join)
        assert os.sched_getaffinity(third.id) == os.sched_getaffinity(0) != ALL
        other.does(core.part)
        assert os.sched_getaffinity(third.id) == ALL
    finally:
        third.end()


def test_now_and_then_they_may_go_elsewhere(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity_graph.tracking.one_core.LENGTH", 0.0)
    core = OneCore(threading.get_native_id())
    found = []
    for _ in range(4):
        other.does(core.share)
        found.append(os.sched_getaffinity(0) == ALL)
    assert found == [False, True, False, True]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracking]:
    """Of which every publication is short, however busy the machine is."""
    monkeypatch.setattr("identity_graph.tracking.writer.SHORT", 1e6)
    with IdentityGraph.open(f"sqlite:///{tmp_path / 'people.db'}") as graph:
        service = Tracking(graph.store, graph.resolver, WriteKeys(), graph.clock, graph.new_id)
        yield service
        service.close()


def shared(service: Tracking) -> bool:
    writer = service._writer
    assert writer and writer.native_id
    return len(os.sched_getaffinity(0)) == 1 and os.sched_getaffinity(writer.native_id) == os.sched_getaffinity(0)


def send(service: Tracking, messages: int = 1) -> None:
    body = json.dumps({"batch": [{"type": "track", "userId": "u", "event": "Seen"}] * messages}).encode()
    service.store(body, "batch", "key").result(PATIENCE)


def send_until_shared(service: Tracking) -> None:
    """None is, before there was a publication; and they part again where none comes for a second."""
    deadline = time.monotonic() + PATIENCE
    send(service)
    while not shared(service):
        assert time.monotonic() < deadline
        time.sleep(0.01)
        send(service)


def test_single_events_are_taken_and_stored_on_one_core(service: Tracking) -> None:
    send(service)
    assert os.sched_getaffinity(0) == ALL, "as nobody knows yet how long a publication takes"
    send_until_shared(service)
    deadline = time.monotonic() + PATIENCE
    while os.sched_getaffinity(0) != ALL:  # as none comes any more
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_much_at_a_time_has_all_cores(service: Tracking) -> None:
    send_until_shared(service)
    send(service, FEW + 1)
    assert os.sched_getaffinity(0) == ALL
    send_until_shared(service)
    service.close()
    assert os.sched_getaffinity(0) == ALL


def test_so_has_a_publication_that_takes_long(service: Tracking, monkeypatch: pytest.MonkeyPatch) -> None:
    send_until_shared(service)
    monkeypatch.setattr("identity_graph.tracking.writer.SHORT", 0.0)
    send(service)
    assert os.sched_getaffinity(0) == ALL
