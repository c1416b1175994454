"""kill -9 in the middle of deliveries: nothing is lost, and what comes twice comes under its id."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from identity_graph import IdentityGraph
from tests.activation.conftest import PRO, pros
from tests.activation.receiver import SECRET, Answering, Receiver, hangs
from tests.nursery import Forked

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


def slowly(answering: Answering) -> None:
    time.sleep(0.1)
    answering.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def test_killed_again_and_again(shared_url: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "places.toml").write_text(
        f'[hook]\nsegment = "pros"\nurl = "{receiver.url}"\nsecret_env = "HOOK_SECRET"\nfirst_wait = 0.01\n'
    )
    with IdentityGraph.open(shared_url) as graph:
        graph.segments.save("pros", "", PRO)
        graph.ingest.events(pros(*range(1250)))
        graph.resolver.resolve()
        members = {f"MEMBER {id}" for id in graph.segments.members("pros", limit=2000)}
    receiver.next += [hangs, *[slowly] * 1000]  # the first kill is sure to come before the answer
    dice = random.Random(5)
    for _ in range(4):
        before = len(receiver.got)
        process = activating(shared_url, tmp_path)
        deadline = time.monotonic() + PATIENCE
        while len(receiver.got) <= before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(dice.random() / 5)
        process.kill()
        process.communicate()
    last = activating(shared_url, tmp_path)
    said, trouble = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, trouble
    assert not receiver.forged
    bodies: dict[str, object] = {}
    for id, body in receiver.got:
        assert bodies.setdefault(id, body) == body
    assert len(bodies) == 13 < len(receiver.got)
    assert sorted(receiver.told()) == sorted(members)
    assert SECRET not in said + trouble


def activating(url: str, folder: Path) -> Forked:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HOOK_SECRET": SECRET,
        "IDENTITY_GRAPH_DESTINATIONS": str(folder / "places.toml"),
    }
    return Forked(["-m", "identity_graph", "activate", "run", "--store", url], environment, folder)
