"""An erasure by the command line is ended, or its disk is full, at chosen calls to the operating system: the person is
whole, or hidden and then gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import Identifier
from tests.conftest import NIGHTLY
from tests.durability.calls import SEED, Ended, one_in, some, traced
from tests.story.worlds import event, tell, town

ZOE = Identifier("email", "zoe@example.org")
HERS = [event(f"z{n}", n, ZOE.key, f"cookie:z{n}", "ip:203.0.113.7") for n in range(40)]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
        tell(graph, [*town(), *HERS])
    return folder


@pytest.fixture(scope="module")
def digests(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, str]:
    """Of the store with her, and of one that never had her."""
    folder = tmp_path_factory.mktemp("without")
    found = {}
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
        tell(graph, town())
        found[False] = graph.digest()
    with IdentityGraph.open(f"sqlite:///{begun / 'people.db'}") as graph:
        found[True] = graph.digest()
    return found


def forgetting(folder: Path, inject: str = "") -> Ended:
    url = f"sqlite:///{folder / 'people.db'}"
    command: list[str | Path] = ["forget", ZOE.key, "--yes", "--receipt", folder / "receipt.json", "--store", url]
    return traced(["-m", "identity_graph", *command], folder / "trace", inject)


def check(folder: Path, digests: dict[bool, str], place: tuple[int, int]) -> None:
    """Never half; what was asked is finished by who comes next, and what was not is as it was."""
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
        assert graph.digest() in digests.values(), place
        asked = bool(graph.store.erasures.requests())
        assert (graph.people.find_by_identifier([ZOE]) == [None]) == asked, place
        assert asked or not (folder / "receipt.json").exists(), place
        graph.forget.resume()
        assert graph.digest() == digests[not asked] and graph.store.erasures.open() == [], place
        names = {one for piece in graph.register.pieces() for one in piece.tombstones} if asked else set()
        assert set(graph.store.transfer.tombstones(b"", 1_000)) == names, place
        if asked:
            assert graph.store.privacy.tombstoned([ZOE]) == [True], place
            assert graph.ingest.events(HERS).suppressed == len(HERS), place


@pytest.mark.parametrize("call", ["fdatasync", "fsync", "pwrite64", "rename"])
def test_killed_at_a_call(call: str, begun: Path, digests: dict[bool, str], tmp_path: Path) -> None:
    calm = Path(shutil.copytree(begun, tmp_path / "calm"))
    usual = forgetting(calm)
    assert usual.status == 0 and usual.calls[call] > 0, usual
    check(calm, digests, (0, 0))
    many = 20 if call == "pwrite64" else 1
    whole = NIGHTLY or call == "fdatasync"
    for number in one_in(many, usual.calls[call]) if whole else some(3, usual.calls[call]):
        folder = Path(shutil.copytree(begun, tmp_path / str(number)))
        killed = forgetting(folder, f"{call}:signal=SIGKILL:when={number}")
        assert killed.status != 0
        check(folder, digests, (number, SEED))


def test_the_disk_is_full_in_the_middle(begun: Path, digests: dict[bool, str], tmp_path: Path) -> None:
    calm = Path(shutil.copytree(begun, tmp_path / "calm"))
    usual = forgetting(calm)
    for number in one_in(10, usual.calls["pwrite64"]) if NIGHTLY else some(3, usual.calls["pwrite64"]):
        folder = Path(shutil.copytree(begun, tmp_path / str(number)))
        failed = forgetting(folder, f"pwrite64:error=ENOSPC:when={number}+")
        assert "Traceback" not in failed.errors, (number, SEED, failed.errors)
        if failed.status:
            told = {line.partition(":")[0] for line in failed.errors.splitlines()}
            assert told & {"STORE_FULL", "STORE_OPEN", "STORE_FAILED"}, (number, SEED, failed.errors)
        check(folder, digests, (number, SEED))
