"""A store that has lived, and what is done with backups of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.backing_up import back_up, examine
from identity_graph.deleting import Deletion
from identity_graph.erased_register import ErasedRegister
from identity_graph.errors import IdentityGraphError
from identity_graph.restoring import Restored, restore
from identity_graph.sealing import Sealed, SealKey
from tests.story.conftest import folder as folder
from tests.story.conftest import kept as kept
from tests.story.conftest import lived as lived


@pytest.fixture
def seal_key(tmp_path: Path) -> SealKey:
    made = SealKey(place=tmp_path / "backup.age")
    made.make()
    return made


def backed_up(graph: IdentityGraph, path: Path, by: SealKey) -> Sealed:
    back_up(graph.store, path, by, graph.new_id(), graph.clock())
    return Sealed(path, by)


def restored(sealed: Sealed, graph: IdentityGraph, *registers: ErasedRegister) -> Restored:
    deletion = Deletion(graph.store, graph.policy, graph.resolver, graph.clock, "erasure", "erased since")
    return restore(sealed, examine(sealed), graph.store, deletion, registers)


def code(work: Any, *arguments: Any) -> str:
    with pytest.raises(IdentityGraphError) as caught:
        work(*arguments)
    return caught.value.code


def tombstones(graph: IdentityGraph) -> Iterator[bytes]:
    yield from graph.store.transfer.tombstones(b"", 10**6)
