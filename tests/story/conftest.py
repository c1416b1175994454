"""A store that has lived, for tests that take it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity_graph import IdentityGraph
from tests.story.lived import copied_life, files, kept_life


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def kept(folder: Path) -> Path:
    return kept_life(folder)


@pytest.fixture
def lived(kept: Path, tmp_path: Path) -> Iterator[IdentityGraph]:
    with copied_life(kept, tmp_path) as graph:
        yield graph
