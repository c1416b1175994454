"""A restriction, and its line in the register of what was erased, is ended at chosen calls to the operating system."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from identity_graph.model import Identifier
from tests.conftest import NIGHTLY
from tests.durability.calls import SEED, Ended, one_in, some, traced
from tests.story.worlds import event, person, tell

DRIVER = """
import sys
from identity_graph import IdentityGraph
from identity_graph.model import Identifier
with IdentityGraph.open(sys.argv[1]) as graph:
    for key in sys.argv[2:]:
        graph.restrictions.restrict(graph.restrictions.find(Identifier.parse(key)).id)
        print(key, flush=True)
"""
BEFORE, WANTED = "email:ann@example.org", ("email:ben@example.org", "email:cleo@example.org")
GONE = "email:gone@example.org"


def cookie(key: str) -> str:
    return f"cookie:{key}"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of four people one is restricted, and one was erased."""
    folder = tmp_path_factory.mktemp("begun")
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
        tell(graph, [event(key, 5, key, cookie(key)) for key in (BEFORE, *WANTED, GONE)])
        assert graph.restrictions.restrict(person(graph, BEFORE))
        preview = graph.forget.preview(person(graph, GONE))
        assert preview
        graph.forget.erase(preview.token)
    return folder


def restricting(folder: Path, inject: str = "") -> Ended:
    command: Sequence[str | Path] = ["-c", DRIVER, f"sqlite:///{folder / 'people.db'}", *WANTED]
    return traced(command, folder / "trace", inject)


def told(folder: Path) -> tuple[set[str], set[str], bool]:
    """Whom the store hides, whom the register names, of whom neither may name a part; and whether the erased one is in
    both."""
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}") as graph:
        names = register = graph.register.restricted()
        hidden, named = set(), set()
        for key in (BEFORE, *WANTED):
            both = [Identifier.parse(key), Identifier.parse(cookie(key))]
            rows = graph.store.evidence.identifiers(both)
            held = dict(graph.store.privacy.restricted())
            inside = {row.number in held for row in rows if row}
            with graph.store.transaction():
                listed = {not register.isdisjoint(of) for of in graph.store.privacy.marks(both)}
            assert len(inside) == len(listed) == 1, "never half"
            hidden |= {key} if inside == {True} else set()
            named |= {key} if listed == {True} else set()
        gone = {one for piece in graph.register.pieces() for one in piece.tombstones}
        assert len(names) == 2 * len(named)
        return hidden, named, set(graph.store.transfer.tombstones(b"", 10)) == gone


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64", "fsync", "rename"])
def test_killed_at_a_call(call: str, begun: Path, tmp_path: Path) -> None:
    calm = Path(shutil.copytree(begun, tmp_path / "calm"))
    usual = restricting(calm)
    assert usual.status == 0 and usual.calls[call] > 0, usual
    assert told(calm) == ({BEFORE, *WANTED}, {BEFORE, *WANTED}, True)
    for number in one_in(1, usual.calls[call]) if NIGHTLY else some(3, usual.calls[call]):
        folder = Path(shutil.copytree(begun, tmp_path / str(number)))
        killed = restricting(folder, f"{call}:signal=SIGKILL:when={number}")
        assert killed.status != 0
        hidden, named, sound = told(folder)
        done = {BEFORE, *killed.output.split()}
        assert hidden >= named >= done and sound, (number, SEED)
        again = restricting(folder)
        assert again.status == 0, (number, SEED, again.errors)
        assert told(folder) == told(calm), (number, SEED)
