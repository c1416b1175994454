"""A store is copied: the same persons under the same ids, in every direction, whatever interrupts it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from identity_graph import IdentityGraph, copying
from identity_graph.errors import StoreError
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.protocols import Store
from tests.neo4j.database import emptied
from tests.store.building import begin
from tests.store.building import event as simple
from tests.store.building import load as load_events
from tests.story.lived import assert_lives_on, opened, take_key, whole
from tests.story.worlds import event, key, person, tell

ROOT = Path(__file__).parents[2]
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it

# The copying process: pieces of few rows, and a word after each, so that the kill can fall into any part of the next.
DRIVER = """
import sys
from identity_graph import copying, open_store
copying.ROWS = copying.RECORDS = 100
print("ready", flush=True)
hear = lambda *_: (print("piece", flush=True), sys.stdin.readline())
copying.copy(open_store(sys.argv[1]), open_store(sys.argv[2]), hear)
print("done", flush=True)
"""


@pytest.fixture
def empty_server(neo4j_url: str) -> str:
    return emptied(neo4j_url)


@pytest.fixture(params=["sqlite", "neo4j"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "neo4j":
        return str(request.getfixturevalue("empty_server"))
    return f"sqlite:///{tmp_path / 'other.db'}"


def code(source: Store, target: Store) -> str:
    with pytest.raises(StoreError) as caught:
        copying.copy(source, target)
    return caught.value.code


def test_the_copy_is_the_same_store(lived: IdentityGraph, other: str, folder: Path) -> None:
    with opened(other) as copy:
        copied = copying.copy(lived.store, copy.store)
        assert copied.key is False and copied.counts == lived.store.operations.counts()
        assert whole(copy) == whole(lived)
        with pytest.raises(StoreError, match="missing"):
            copy.ingest.events([simple("x", "email:x@example.org")])
        take_key(lived, copy)
        assert_lives_on(copy, lived, folder)


def test_there_and_back_again(lived: IdentityGraph, empty_server: str, tmp_path: Path, folder: Path) -> None:
    before = whole(lived)
    with opened(empty_server) as server, opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        copying.copy(lived.store, server.store)
        assert copying.copy(server.store, back.store).key is False
        assert whole(back) == before
        take_key(lived, back)
        assert_lives_on(back, lived, folder)


def test_whom_several_keys_buried_stays_out_of_the_copy(lived: IdentityGraph, other: str, tmp_path: Path) -> None:
    """In each direction: erased by the first key, by another, and in the copy by one that is made there. With one key
    amiss nothing is taken in."""
    buried = ["email:p1@example.org", "email:second@example.org"]
    lived.store.privacy.new_key()
    tell(lived, [event("second", 20, buried[1]), event("third", 20, "email:third@example.org")])
    lived.resolver.resolve()
    forget(lived, buried[1])
    lived.store.privacy.new_key()
    everything = [event(f"again-{n}", 30 + n, name) for n, name in enumerate(buried)]
    with opened(other) as copy, opened(f"sqlite:///{tmp_path / 'back.db'}") as back:
        assert copying.copy(lived.store, copy.store).key is False
        kept, place = lived.store.transfer.key_place(), copy.store.transfer.key_place()
        assert kept and place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(kept.read_bytes()[:32])
        place.chmod(0o600)
        with pytest.raises(StoreError, match="not among"):
            copy.store.privacy.tombstoned([key(buried[0])])
        take_key(lived, copy)
        assert whole(copy) == whole(lived) and copying.copy(lived.store, copy.store).key is True
        assert copy.store.privacy.tombstoned([key(name) for name in buried]) == [True, True]
        assert copy.ingest.events(everything).suppressed == 2
        copy.store.privacy.new_key()
        forget(copy, "email:third@example.org")
        buried.append("email:third@example.org")
        take_key(copy, back)
        assert copying.copy(copy.store, back.store).key is True and whole(back) == whole(copy)
        again = [event(f"more-{n}", 40 + n, name) for n, name in enumerate(buried)]
        assert back.ingest.events(again).suppressed == 3
        back.resolver.resolve()
        assert back.people.find_by_identifier([key(name) for name in buried]) == [None] * 3


def forget(graph: IdentityGraph, name: str) -> None:
    preview = graph.forget.preview(person(graph, name))
    assert preview
    graph.forget.erase(preview.token)


def test_small_pieces_make_the_same_copy(lived: IdentityGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "ROWS", 7)
    monkeypatch.setattr(copying, "RECORDS", 1)
    heard: list[tuple[int, int]] = []
    with opened(f"sqlite:///{tmp_path / 'other.db'}") as copy:
        copying.copy(lived.store, copy.store, lambda done, total, count: heard.append((done, total)))
        assert whole(copy) == whole(lived)
    assert heard == sorted(heard) and heard[-1][0] == heard[-1][1]
    assert len(heard) > 200


def test_killed_and_run_again(kept: Path, other: str) -> None:
    dice = random.Random(SEED)
    source = f"sqlite:///{kept}"
    killed = 0
    for _ in range(3):
        if finish(start(source, other), dice.randrange(1, 12), dice):
            break
        killed += 1
    else:
        finish(start(source, other))
    print(f"seed {SEED}: killed {killed} times")
    assert killed
    with opened(other) as rough, opened(source) as calm:
        assert whole(rough) == whole(calm)


def start(source: str, target: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, source, target]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str], kill: int = 0, dice: random.Random | None = None) -> bool:
    """Whether it ended by itself, and was not killed after the piece of this number or in the next."""
    with process:
        assert process.stdin is not None and process.stdout is not None
        for pieces, line in enumerate(process.stdout, 1):
            if line == "done\n":
                assert process.wait(timeout=120) == 0
                return True
            print("go", file=process.stdin, flush=True)
            if pieces == kill:
                time.sleep(dice.random() * 0.05 if dice else 0)
                process.send_signal(signal.SIGKILL)
                status = process.wait(timeout=120)
                assert status in (0, -signal.SIGKILL)
                return status == 0
    raise AssertionError("it ended before it was done")


# ---- what it refuses


def test_a_copy_that_is_done_is_done(lived: IdentityGraph, other: str) -> None:
    with opened(other) as copy:
        copying.copy(lived.store, copy.store)
        heard: list[int] = []
        copying.copy(lived.store, copy.store, lambda done, total, count: heard.append(done))
        assert heard == []
        copy.store.operations.release([row.number for row in copy.store.operations.quarantined()])
        assert code(lived.store, copy.store) == "COPY_TARGET"


def test_a_store_with_data_of_its_own_is_left_alone(lived: IdentityGraph, other: str) -> None:
    with opened(other) as copy:
        load_events(copy.store, simple("mine", "email:mine@example.org"))
        before = whole(copy)
        assert code(lived.store, copy.store) == "COPY_TARGET"
        assert whole(copy) == before


@pytest.mark.parametrize("who", ["source", "another"])
def test_half_a_copy_goes_on_only_from_the_store_that_it_is_of(
    lived: IdentityGraph, other: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS", 100)
    with opened(other) as copy, opened("sqlite:///:memory:") as another:
        interrupt(lived.store, copy.store)
        if who == "source":
            lived.resolver.resolve()
        source = lived if who == "source" else another
        assert code(source.store, copy.store) == "COPY_TARGET"


def interrupt(source: Store, target: Store, after: int = 20) -> None:
    def hear(done: int, total: int, count: int) -> None:
        nonlocal after
        after -= 1
        if not after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy(source, target, hear)


def test_what_somebody_else_wrote_into_half_a_copy_is_seen(
    lived: IdentityGraph, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS", 100)
    with opened(other) as copy:
        interrupt(lived.store, copy.store)
        begin(copy.store)
        assert code(lived.store, copy.store) == "COPY_DIFFERS"


def test_another_key_is_refused(lived: IdentityGraph, other: str) -> None:
    with opened(other) as copy:
        place = copy.store.transfer.key_place()
        assert place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(bytes(32))
        assert code(lived.store, copy.store) == "STORE_KEY"
        assert copy.store.operations.counts()["persons"] == 0
        take_key(lived, copy)
        assert copying.copy(lived.store, copy.store).key is True


def test_a_key_in_the_environment_is_looked_at(
    lived: IdentityGraph, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = lived.store.transfer.key_place()
    assert place
    with opened(other) as copy:
        monkeypatch.setenv(VARIABLE, "ab" * 32)
        assert code(lived.store, copy.store) == "STORE_KEY"
        monkeypatch.setenv(VARIABLE, place.read_bytes().hex())
        assert copying.copy(lived.store, copy.store).key is True
