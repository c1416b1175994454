"""A backup and a restore that are killed, wherever: what is there is refused, and the next one goes on."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from identity_graph import IdentityGraph, copying
from identity_graph.backing_up import examine
from identity_graph.errors import StoreError
from identity_graph.sealing import Sealed, SealKey
from tests import nursery
from tests.backup.conftest import backed_up, code, restored, tombstones
from tests.conftest import NIGHTLY
from tests.nursery import Forked
from tests.privacy.scanner import encodings
from tests.story.ingesting import EVENTS
from tests.story.lived import POLICY, opened, take_key, whole
from tests.story.worlds import event, key, person, tell, world_ends

ROOT = Path(__file__).parents[2]
SEED = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it


# Says a word after each piece and waits for one: the kill falls into any part of the next, and never into a later one.
DRIVER = """
import sys
from pathlib import Path
from identity_graph import copying
from identity_graph.backing_up import back_up, examine
from identity_graph.deleting import Deletion
from identity_graph.erased_register import ErasedRegister
from identity_graph.restoring import restore
from identity_graph.sealing import Sealed, SealKey
from identity_graph import IdentityGraph
from tests.story.lived import POLICY
copying.ROWS = copying.RECORDS = 100
what, store, file, key, register = sys.argv[1:]
graph, by = IdentityGraph.open(store, POLICY, half=what == "restore"), SealKey(place=Path(key))
print("ready", flush=True)
hear = lambda *_: (print("piece", flush=True), sys.stdin.readline())
if what == "backup":
    back_up(graph.store, Path(file), by, "b", 0, hear)
else:
    sealed = Sealed(Path(file), by)
    deletion = Deletion(graph.store, graph.policy, graph.resolver, graph.clock, "erasure", "erased since")
    restore(sealed, examine(sealed), graph.store, deletion, [ErasedRegister(Path(register))], hear)
print("done", flush=True)
"""


def finish(arguments: list[str], kill: int, dice: random.Random) -> bool:
    """Whether it ended by itself, and was not killed after the piece of this number or in the next."""
    with Forked(["-c", DRIVER, *arguments]) as process:
        for pieces, line in enumerate(process.stdout):
            if line == "done\n":
                assert process.wait(timeout=120) == 0
                return True
            if line != "piece\n":
                continue
            print("go", file=process.stdin, flush=True)
            if pieces == kill:
                time.sleep(dice.random() * 0.02)
                process.send_signal(signal.SIGKILL)
                status = process.wait(timeout=120)
                assert status in (0, -signal.SIGKILL)
                return status == 0
    raise AssertionError("it ended before it was done")


def test_killed_and_run_again(kept: Path, tmp_path: Path, seal_key: SealKey) -> None:
    dice = random.Random(SEED)
    source, file, other = f"sqlite:///{kept}", tmp_path / "backup", tmp_path / "back.db"
    shutil.copy(f"{kept}.key", f"{other}.key")
    rest = [str(file), str(seal_key.place), f"{kept}.erased"]
    killed = 0
    while not finish(["backup", source, *rest], dice.randrange(1, 60) if killed < 3 else -1, dice):
        killed += 1
        assert not file.exists()  # and what there is of it is refused
        assert code(examine, Sealed(tmp_path / "backup.part", seal_key)) in ("BACKUP_INVALID", "BACKUP_KEY")
    assert not (tmp_path / "backup.part").exists()
    restores = 0
    while not finish(["restore", f"sqlite:///{other}", *rest], dice.randrange(1, 60) if restores < 4 else -1, dice):
        restores += 1
        with pytest.raises(StoreError) as caught:
            IdentityGraph.open(f"sqlite:///{other}").close()
        assert caught.value.code == "STORE_HALF"
    print(f"seed {SEED}: killed {killed} and {restores} times")
    assert killed + restores
    with opened(f"sqlite:///{other}") as rough, opened(source) as calm:
        assert whole(rough) == whole(calm)


AGAIN = """
import os, signal, sys
from pathlib import Path
from identity_graph import IdentityGraph, restoring
from identity_graph.backing_up import examine
from identity_graph.deleting import Deleted, Deletion
from identity_graph.erased_register import ErasedRegister
from identity_graph.sealing import Sealed, SealKey
from tests.story.lived import POLICY
store, file, key, register, at = sys.argv[1:]
graph, steps = IdentityGraph.open(store, POLICY, half=True), 0
def step(name):
    global steps
    steps += 1
    print(name, flush=True)
    if steps == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
def stepwise(of, name):
    work = getattr(of, name)
    def do(*given):
        step(f"before {name}")
        found = work(*given)
        step(f"after {name}")
        return found
    setattr(of, name, do)
deletion = Deletion(graph.store, graph.policy, graph.resolver, graph.clock, "erasure", "erased since")
erase_again, delete = restoring._erase_again, deletion.delete
def one_by_one(ids):
    total = Deleted()
    for id in ids:
        total = total.plus(delete([id]))
    return total
deletion.delete = one_by_one
def begun(*given):
    stepwise(graph.store.privacy, "erase")
    stepwise(deletion, "settle")
    stepwise(graph.store.operations, "release")
    stepwise(graph.store.privacy, "restrict")
    stepwise(graph.store.privacy, "scrub")
    stepwise(graph.store.transfer, "restore")
    step("begun")
    return erase_again(*given)
restoring._erase_again = begun
sealed = Sealed(Path(file), SealKey(place=Path(key)))
restoring.restore(sealed, examine(sealed), graph.store, deletion, [ErasedRegister(Path(register))])
"""
"""A restore that writes what it does once it erases again, event by event, and ends at the step of that number."""


def test_killed_while_it_is_erased_again(lived: IdentityGraph, tmp_path: Path, seal_key: SealKey) -> None:
    """Whom was erased after the backup is in no store that anybody may open, whenever it is killed."""
    victim = "email:victim@example.org"
    tell(lived, [event("v1", 1, victim, "cookie:victim"), event("v2", 2, "cookie:victim", "ip:192.0.2.200")])
    lost = {"id": "", "time": "never", "name": "Seen", "identifiers": {"email": "victim@example.org"}}
    assert lived.ingest.records(EVENTS, [lost]).quarantined == 1
    sealed = backed_up(lived, tmp_path / "backup", seal_key)
    preview = lived.forget.preview(person(lived, victim))
    assert preview and preview.quarantined == 1
    lived.forget.erase(preview.token)
    assert lived.restrictions.restrict(person(lived, "email:zoe@example.org"))

    def killed(folder: Path, at: int) -> list[str]:
        """The steps up to there."""
        given = [f"sqlite:///{folder / 'back.db'}", sealed.path, seal_key.place, lived.register.place, at]
        ended = nursery.run(["-c", AGAIN, *map(str, given)])
        assert ended.returncode == (-signal.SIGKILL if at else 0)
        return ended.stdout.splitlines()

    digest, filled, calm = lived.digest(), tmp_path / "filled", tmp_path / "calm"
    filled.mkdir()
    with opened(f"sqlite:///{filled / 'back.db'}") as back:
        take_key(lived, back)
    (filled / "back.db").unlink()
    assert killed(filled, 1) == ["begun"]
    shutil.copytree(filled, calm)
    steps = killed(calm, 0)
    assert {"after erase", "after release", "after restrict", "after settle", "after scrub"} <= set(steps)
    last = {name: at for at, name in enumerate(steps, 1) if name.startswith("before")}
    for at in range(2, len(steps) + 1) if NIGHTLY else last.values():
        folder = Path(shutil.copytree(filled, tmp_path / f"{at}"))
        assert killed(folder, at) == steps[:at]
        url = f"sqlite:///{folder / 'back.db'}"
        assert code(opened, url) == "STORE_HALF"
        with IdentityGraph.open(url, POLICY, clock=world_ends, half=True) as back:
            restored(sealed, back, lived.register)
            copying.check_whole(back.store)
            assert back.people.find_by_identifier([key(victim), key("email:zoe@example.org")]) == [None, None]
            assert back.digest() == digest, steps[at - 1]
            assert list(tombstones(back)) == list(tombstones(lived))
            held = [one.read_bytes() for one in folder.glob("back.db*")]
            assert held and not any(one in text for one in encodings("victim@example.org").values() for text in held)
