"""A server is killed at random moments while libraries send to it: whatever was acknowledged is there, once, and in the
end the state is that of messages that nothing disturbed."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.store import open_store
from tests.conftest import NIGHTLY
from tests.tracking.serving import PATIENCE, Serving, serving

KILLS = 500 if NIGHTLY else 100
SENDERS, MESSAGES = 6, 200  # up to so many are acknowledged before a kill
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it


def message(id: str) -> dict[str, Any]:
    """Every tenth is refused: that is acknowledged too."""
    number = int(id.rpartition("-")[2])
    email = "nobody at home" if number % 10 == 9 else f"p{number % 97}@example.org"
    traits = {"email": email, "n": number}
    return {
        "type": "identify",
        "messageId": id,
        "userId": f"u{number % 89}",
        "traits": traits,
        "timestamp": "2026-01-02",
    }


class Sender(threading.Thread):
    """Sends what has no answer yet again and again, as libraries do, until the server is gone. An answer that is late,
    or says that the server is busy, is none yet; `refused` keeps any other."""

    def __init__(self, server: Serving, name: str, unanswered: list[list[str]], acknowledged: set[str]) -> None:
        super().__init__()
        self.server, self.prefix = server, name
        self.unanswered, self.acknowledged = unanswered, acknowledged
        self.number = 0
        self.refused: list[Any] = []

    def run(self) -> None:
        while self.server.process.poll() is None and not self.refused:
            if not self.unanswered:
                size = 1 + self.number % 150  # the larger ones are mapped by another process
                self.unanswered.append([f"{self.prefix}-{self.number + place}" for place in range(size)])
                self.number += size
            ids = self.unanswered[0]
            try:
                if len(ids) == 1:
                    answer = self.server.send("/v1/identify", message(ids[0]))
                else:
                    answer = self.server.send("/v1/batch", {"batch": [message(id) for id in ids]})
            except (OSError, HTTPException):
                time.sleep(0.01)
                continue
            if answer.status == 200:
                self.acknowledged.update(ids)
                self.unanswered.pop(0)
            elif answer.status in (429, 503):
                time.sleep(0.05)
            else:
                self.refused.append(answer)


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    url = f"sqlite:///{tmp_path / 'people.db'}"
    acknowledged: set[str] = set()
    checked: set[str] = set()
    unanswered: list[list[list[str]]] = [[] for _ in range(SENDERS)]
    for life in range(KILLS):
        with serving(url) as server:
            senders = [Sender(server, f"{life}-{n}", unanswered[n], acknowledged) for n in range(SENDERS)]
            enough, deadline = len(acknowledged) + dice.randint(1, MESSAGES), time.monotonic() + PATIENCE
            for sender in senders:
                sender.start()
            while len(acknowledged) < enough and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(dice.random() ** 4 / 2)  # mostly killed soon, now and then with another process that maps
            server.kill()
            for sender in senders:
                sender.join()
            assert [answer for sender in senders for answer in sender.refused] == []
            assert len(acknowledged) >= enough
        check(url, acknowledged - checked)
        checked |= acknowledged
    with serving(url) as server:
        for ids in (ids for own in unanswered for ids in own):
            answer = server.send("/v1/batch", {"batch": [message(id) for id in ids]})
            assert answer.status == 200
            acknowledged.update(ids)
        server.stop()
    check(url, acknowledged, states={"DONE"})
    with IdentityGraph.open(url) as killed:
        assert killed.digest() == undisturbed(acknowledged)


def undisturbed(ids: Iterable[str]) -> str:
    """The digest of a store to which nothing happened."""
    sent = sorted(ids)
    with IdentityGraph.open("sqlite:///:memory:") as graph:
        with TestClient(create_app(graph)) as client:
            for start in range(0, len(sent), 1_000):
                body = json.dumps({"batch": [message(id) for id in sent[start : start + 1_000]]})
                answer = client.post("/v1/batch", content=body, headers={"authorization": "Basic YTo="})
                assert answer.status_code == 200, answer.text
        return graph.digest()


def check(url: str, acknowledged: set[str], states: frozenset[str] | set[str] = frozenset({"RUNNING", "DONE"})) -> None:
    store = open_store(url)
    good = sorted(id for id in acknowledged if int(id.rpartition("-")[2]) % 10 != 9)
    assert [id for id, row in zip(good, store.evidence.events(good), strict=True) if row is None] == []
    aside = store.operations.quarantined(limit=10**6)
    assert acknowledged - set(good) <= {part for one in aside for part in one.record.decode().split('"')}
    assert {one.code for one in aside} <= {"EMAIL_NO_AT"}
    runs = [run for run in store.operations.runs() if run.kind == "track"]
    assert len(runs) == 1 and runs[0].state in states  # each life goes on with the run of the one before
    (run,) = runs
    assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed
    counts = store.operations.counts()
    assert (run.accepted, run.quarantined) == (counts["events"], counts["quarantined"])
    store.close()
