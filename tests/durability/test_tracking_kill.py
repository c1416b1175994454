"""A server is killed at random moments while libraries send to it: whatever was acknowledged is there, once."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
from http.client import HTTPException
from pathlib import Path
from typing import Any

from identity_graph.store import open_store
from tests.tracking.serving import Serving, serving

KILLS = 4
SENDERS = 6
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
    """Sends what has no answer yet again and again, as libraries do, until the server is gone."""

    def __init__(self, server: Serving, name: str, unanswered: list[list[str]], acknowledged: set[str]) -> None:
        super().__init__()
        self.server, self.prefix = server, name
        self.unanswered, self.acknowledged = unanswered, acknowledged
        self.number = 0

    def run(self) -> None:
        while True:
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
            except (urllib.error.URLError, ConnectionError, HTTPException):
                return
            assert answer.status == 200, answer
            self.acknowledged.update(ids)
            self.unanswered.pop(0)


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    url = f"sqlite:///{tmp_path / 'people.db'}"
    acknowledged: set[str] = set()
    unanswered: list[list[list[str]]] = [[] for _ in range(SENDERS)]
    for life in range(KILLS):
        with serving(url) as server:
            senders = [Sender(server, f"{life}-{n}", unanswered[n], acknowledged) for n in range(SENDERS)]
            for sender in senders:
                sender.start()
            before, deadline = len(acknowledged), time.monotonic() + 30
            while len(acknowledged) == before and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(dice.random())
            server.kill()
            for sender in senders:
                sender.join()
        check(url, acknowledged)
    assert acknowledged
    with serving(url) as server:
        for ids in (ids for own in unanswered for ids in own):
            answer = server.send("/v1/batch", {"batch": [message(id) for id in ids]})
            assert answer.status == 200
            acknowledged.update(ids)
        server.stop()
    check(url, acknowledged, states={"DONE"})


def check(url: str, acknowledged: set[str], states: frozenset[str] | set[str] = frozenset({"RUNNING", "DONE"})) -> None:
    store = open_store(url)
    good = sorted(id for id in acknowledged if int(id.rpartition("-")[2]) % 10 != 9)
    assert [id for id, row in zip(good, store.evidence.events(good), strict=True) if row is None] == []
    aside = store.operations.quarantined(limit=10**6)
    assert acknowledged - set(good) <= {part for one in aside for part in one.record.decode().split('"')}
    assert {one.code for one in aside} <= {"EMAIL_INVALID"}
    runs = [run for run in store.operations.runs() if run.kind == "track"]
    assert len(runs) == 1 and runs[0].state in states  # each life goes on with the run of the one before
    (run,) = runs
    assert run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed
    counts = store.operations.counts()
    assert (run.accepted, run.quarantined) == (counts["events"], counts["quarantined"])
    store.close()
